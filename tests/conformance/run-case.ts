// Runs one case on every kernel set. In: a case. Out: what happened on each: passed, wrong, refused (a typed error) or crashed.
// Inputs stay inputs where the importer allows it; otherwise all but the first data input become constants.

import { KingletError, loadModel, type Model } from '../../host/index.ts';
import { elementCount, type DType, type TensorData } from '../../host/tensor.ts';
import { kernelSets, type KernelSet } from '../engines.ts';
import { bake, type Case } from './case.ts';
import { difference } from './compare.ts';
import type { ProtoTensor } from './tensor-proto.ts';

export interface Outcome {
  readonly status: 'passed' | 'wrong' | 'refused' | 'crashed';
  /** What is wrong, or the error. */
  readonly message: string;
  /** Steps of the plan: wasm kernels that ran. 0 on the reference. */
  readonly steps: number;
}
export type Outcomes = ReadonlyMap<KernelSet, Outcome>;

/** Operators whose first input is a shape or a bound, not data: what it holds decides the shape of the result. */
const opsWithoutData: readonly string[] = ['ConstantOfShape', 'Range'];

export async function runCase(test: Case): Promise<Outcomes> {
  const outcomes = new Map<KernelSet, Outcome>();
  for (const kernels of kernelSets()) {
    const open = await attempt(test, kernels, () => false);
    const firstData = opsWithoutData.includes(test.ops[0]) ? test.inputs.length : 0;
    const retry = open.status === 'refused' && test.inputs.length > (firstData === 0 ? 1 : 0);
    outcomes.set(kernels, retry ? await attempt(test, kernels, (index) => index !== firstData) : open);
  }
  return outcomes;
}

async function attempt(test: Case, kernels: KernelSet, isBaked: (index: number) => boolean): Promise<Outcome> {
  let steps = 0;
  try {
    const backend = kernels === 'reference' ? { backend: 'reference' } as const : { kernels };
    using model = await loadModel(bake(test, isBaked), { ...backend, warmup: false });
    if (kernels !== 'reference') steps = model.stats.steps;
    const outputs = model.runSync(test.inputs.filter((_, i) => !isBaked(i)).map((input, i) => dataFor(model, i, input.tensor)));
    const wrong = firstDifference(model, outputs, test.expected);
    return { status: wrong === null ? 'passed' : 'wrong', message: wrong ?? '', steps };
  } catch (error) {
    const typed = error instanceof KingletError && error.code !== 'ERR_INTERNAL';
    return { status: typed ? 'refused' : 'crashed', message: error instanceof KingletError ? `${error.code} ${error.message}` : String(error), steps };
  }
}

function dataFor(model: Model, index: number, tensor: ProtoTensor | null): TensorData {
  const { dtype, shape } = model.inputs[index];
  if (tensor?.values.length !== elementCount(shape)) throw new KingletError('ERR_INPUT', `input ${index} of the case does not fit the model's`);
  return arrayOf(dtype, tensor.values);
}

function arrayOf(dtype: DType, values: readonly (number | bigint)[]): TensorData {
  switch (dtype) {
    case 'float32': return Float32Array.from(values, Number);
    case 'int8': return Int8Array.from(values, Number);
    case 'uint8': case 'bool': return Uint8Array.from(values, Number);
    case 'int32': return Int32Array.from(values, Number);
    case 'int64': return BigInt64Array.from(values, BigInt);
  }
}

function firstDifference(model: Model, outputs: readonly TensorData[], expected: Case['expected']): string | null {
  if (outputs.length !== expected.length) return `${outputs.length} outputs instead of ${expected.length}`;
  for (const [i, want] of expected.entries()) {
    const wrong = want === null ? 'not a tensor of numbers was expected' : difference(outputs[i], model.outputs[i], want);
    if (wrong !== null) return `output ${i}: ${wrong}`;
  }
  return null;
}

/** The outcome of the kernel set that did worst. */
export function worst(outcomes: Outcomes): Outcome & { readonly kernels: KernelSet } {
  const order = ['passed', 'refused', 'wrong', 'crashed'];
  const all = [...outcomes].map(([kernels, outcome]) => ({ kernels, ...outcome }));
  return all.reduce((a, b) => (order.indexOf(b.status) > order.indexOf(a.status) ? b : a));
}
