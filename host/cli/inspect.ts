// `kinglet inspect`: what a model is and what it will cost. In: a model. Out: a table of steps and totals, or one JSON object a line.
// Must not run the model.

import type { IoInfo, Model, StepInfo } from '../model.ts';
import type { ModelOptions } from './options.ts';
import { withModel } from './source.ts';
import { grouped, print, printJson, printTable, printable, shapeText } from './text.ts';

export interface InspectOptions extends ModelOptions {
  readonly json?: true;
}

export function inspectCommand(source: string, options: InspectOptions): Promise<void> {
  return withModel(source, options, options.json ? printObjects : printForPeople);
}

function printObjects(model: Model): void {
  model.inputs.forEach((info, index) => { printJson({ type: 'input', index, ...info }); });
  model.outputs.forEach((info, index) => { printJson({ type: 'output', index, ...info }); });
  for (const step of model.steps()) printJson({ type: 'step', ...step });
  printJson({ type: 'total', ...model.stats, arenaRatio: arenaRatio(model) });
}

function printForPeople(model: Model): void {
  model.inputs.forEach((info, i) => { print(`input ${i}   ${ioText(info)}`); });
  model.outputs.forEach((info, i) => { print(`output ${i}  ${ioText(info)}`); });
  print('');
  printTable(['#>', 'op', 'kernel', 'name', 'output', 'params k>', 'MACs M>'], model.steps().map(row));
  const { stats } = model;
  print('');
  print(`MACs                ${grouped(stats.macs)}`);
  print(`parameters          ${grouped(stats.params)}`);
  print(`weight bytes        ${grouped(stats.weightBytes)}`);
  print(`arena bytes         ${grouped(stats.arenaBytes)}`);
  print(`largest live sum    ${grouped(stats.liveBytes)} (arena / live ${arenaRatio(model).toFixed(3)})`);
  print(`steps               ${stats.steps}`);
  print(`channel shuffles    ${stats.shuffles} recognised`);
  print(`kernels             ${stats.kernels}, dot ${stats.dot}, ${stats.threads} thread`);
}

/** A part of a tensor (a slice of a concatenation, a copy for a kernel) is marked with a star. */
function row(step: StepInfo): string[] {
  const output = `${step.dtype} ${shapeText(step.shape)}${step.complete ? '' : ' *'}`;
  return [String(step.index), step.op, step.kernel, printable(step.name, 48), output, (step.params / 1e3).toFixed(2), (step.macs / 1e6).toFixed(3)];
}

function ioText(info: IoInfo): string {
  const q = info.quantization;
  return [printable(info.name), info.dtype, shapeText(info.shape), info.layout ?? '', q ? `scale ${q.scale} zero point ${q.zeroPoint}` : ''].filter(Boolean).join('  ');
}

function arenaRatio({ stats }: Model): number {
  return stats.liveBytes === 0 ? 1 : stats.arenaBytes / stats.liveBytes;
}
