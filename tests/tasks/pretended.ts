// Networks for tests of what is made of their answers: a model of given inputs and outputs that answers what the test says.

import type { IoInfo, Model } from '../../host/model.ts';
import type { TensorData } from '../../host/tensor.ts';

export function io(dtype: IoInfo['dtype'], shape: number[], quantization: IoInfo['quantization'] = null): IoInfo {
  return { name: 'x', dtype, shape, layout: null, quantization };
}

/** `asked` collects what the network was given. */
export function pretendedModel(inputs: IoInfo[], outputs: IoInfo[], answer: TensorData[], asked: unknown[] = []): Model {
  const run = (given: unknown): Promise<TensorData[]> => {
    asked.push(given);
    return Promise.resolve(answer);
  };
  return { inputs, outputs, run } as unknown as Model;
}
