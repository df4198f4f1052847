// `kinglet run`: .npy files in, one inference, .npy files out; tensors of every step; time against the machine's peak.
// In: a model and paths. Out: files and a few lines. Must not know pictures.

import { join } from 'node:path';
import { KingletError, quote } from '../error.ts';
import type { IoInfo, Model, StepInfo } from '../model.ts';
import { readNpy, writeNpy } from '../npy.ts';
import { sameShape } from '../tensor.ts';
import type { TensorData } from '../tensor.ts';
import { bind } from './bindings.ts';
import { readBytes, writeWhole } from './files.ts';
import type { ModelOptions } from './options.ts';
import { withModel } from './source.ts';
import { notice, print, printable, shapeText } from './text.ts';
import { gigaOps, measure, noise, percentile, speedText, threadsText, usesWinograd, warmUp } from './timing.ts';

export interface RunOptions extends ModelOptions {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly dump?: string;
  readonly repeat?: number;
}

export function runCommand(source: string, options: RunOptions): Promise<void> {
  return withModel(source, options, (model) => runModel(model, options));
}

async function runModel(model: Model, options: RunOptions): Promise<void> {
  const files = bind('--output', options.output ?? [], model.outputs);
  const inputs = await readInputs(model, options);
  const outputs = await model.run(inputs);
  for (const [index, file] of files) await writeWhole(file, writeNpy({ ...model.outputs[index], data: outputs[index] }));
  model.outputs.forEach((info, i) => {
    const file = files.get(i);
    print(`output ${i} ${summary(info, outputs[i])}${file === undefined ? '' : ` -> ${printable(file, 200)}`}`);
  });
  if (options.dump !== undefined) await dump(model, inputs, options.dump);
  if (options.repeat !== undefined) await repeat(model, options.repeat);
}

async function readInputs(model: Model, options: RunOptions): Promise<TensorData[]> {
  const files = bind('--input', options.input ?? [], model.inputs);
  const inputs: TensorData[] = [];
  for (const [i, info] of model.inputs.entries()) {
    const file = files.get(i);
    if (file === undefined) inputs.push(substitute(info, i, options));
    else inputs.push(await readInput(info, file));
  }
  return inputs;
}

async function readInput(info: IoInfo, file: string): Promise<TensorData> {
  const { dtype, shape, data } = readNpy(await readBytes(file));
  if (dtype !== info.dtype || !sameShape(shape, info.shape)) {
    throw new KingletError('ERR_INPUT', `${quote(file)} holds ${dtype} ${shapeText(shape)}, but input ${quote(info.name)} wants ${info.dtype} ${shapeText(info.shape)}`);
  }
  return data;
}

/** Timing alone needs no real input: the same noise every time. Results that somebody keeps do. */
function substitute(info: IoInfo, index: number, options: RunOptions): TensorData {
  if (options.repeat === undefined || options.output !== undefined) {
    throw new KingletError('ERR_INPUT', `input ${index} ${quote(info.name)} is missing`, { hint: `Add --input ${index}=FILE.npy with ${info.dtype} ${shapeText(info.shape)}.` });
  }
  notice(`input ${index} is not given: timing on noise`);
  return noise(info);
}

function summary(info: IoInfo, data: TensorData): string {
  let low = 0, high = 0;
  for (let i = 1; i < data.length; i++) {
    if (data[i] < data[low]) low = i;
    if (data[i] > data[high]) high = i;
  }
  const range = data.length === 0 ? 'empty' : `min ${String(data[low])} max ${String(data[high])} at ${high}`;
  return `${printable(info.name)} ${info.dtype} ${shapeText(info.shape)} ${range}`;
}

/** Every step's tensor once it is whole, as NNNN-name.npy. */
async function dump(model: Model, inputs: TensorData[], folder: string): Promise<void> {
  const found: { step: StepInfo; data: TensorData }[] = [];
  model.trace(inputs, (step, data) => { found.push({ step, data }); });
  for (const { step, data } of found) await writeWhole(join(folder, dumpName(step.index, step.name)), writeNpy({ ...step, data }));
  notice(`${found.length} tensors written to ${printable(folder, 200)}`);
}

/** Names come from the file: they choose neither folder nor kind of the file. */
export function dumpName(index: number, name: string): string {
  return `${String(index).padStart(4, '0')}-${name.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 100)}.npy`;
}

async function repeat(model: Model, count: number): Promise<void> {
  await warmUp(model);
  const { sorted, peak } = await measure(model, count);
  const p50 = percentile(sorted, 0.5);
  print(`p50 ${p50.toFixed(3)} ms, min ${sorted[0].toFixed(3)} ms, ${count} runs, ${threadsText(model)}, ${model.stats.kernels}, dot ${model.stats.dot}`);
  print(speedText(gigaOps(model.stats.macs, p50), peak, usesWinograd(model)));
}
