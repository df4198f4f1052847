// One model on all of its golden inputs, wherever this is imported: a page, a worker, a service worker.
// In: a loader, addresses. Out: the outputs as they are. Must not judge them: the test does.

import type { LoadOptions } from '../../../host/run.ts';
import type { Model } from '../../../host/model.ts';
import { readNpy } from '../../../host/npy.ts';
import type { TensorData } from '../../../host/tensor.ts';

export interface GoldenJob {
  readonly model: string;
  /** For every case the addresses of its inputs. */
  readonly cases: readonly (readonly string[])[];
  readonly options: LoadOptions;
}
export interface GoldenAnswer {
  readonly stats: Model['stats'];
  readonly steps: readonly { readonly op: string }[];
  readonly outputs: readonly (readonly TensorData[])[];
  readonly notices: readonly string[];
}
export type Load = (source: string, options: LoadOptions) => Promise<Model>;

export async function doGoldenJob(load: Load, job: GoldenJob): Promise<GoldenAnswer> {
  const notices: string[] = [];
  const model = await load(new URL(job.model, location.href).href, { warmup: false, ...job.options, onNotice: (text) => { notices.push(text); } });
  const outputs: TensorData[][] = [];
  for (const inputs of job.cases) {
    const data = await Promise.all(inputs.map(async (path) => readNpy(new Uint8Array(await (await fetch(path)).arrayBuffer())).data));
    outputs.push(await model.run(data));
  }
  const stats = { ...model.stats };
  const steps = model.steps().slice(-3).map(({ op }) => ({ op }));
  model.dispose();
  return { stats, steps, outputs, notices };
}
