// `kinglet inspect`: what a network is and what it will cost. In: a model. Out: the table of its layers, totals, and on request the
// plan's steps; or one JSON object a line; or a page. Must not run the model.

import { KingletError } from '../error.ts';
import type { Layer, Overview } from '../inspect/layers.ts';
import type { MemoryMap } from '../inspect/memory.ts';
import { reportHtml } from '../inspect/report-html.ts';
import type { Study } from '../inspect/study.ts';
import { columnsOf, largest, nameTail } from '../inspect/table.ts';
import type { IoInfo, Model, StepInfo } from '../model.ts';
import { writeWhole } from './files.ts';
import { inspectWebgpu } from './inspect-webgpu.ts';
import { titleOf, withStudy, type ModelWords } from './study.ts';
import { grouped, notice, print, printJson, printTable, printable, shapeText } from './text.ts';

export interface InspectOptions extends ModelWords {
  readonly json?: true;
  readonly steps?: true;
  readonly html?: string;
  readonly backend: 'wasm' | 'webgpu';
}

export function inspectCommand(source: string, options: InspectOptions): Promise<void> {
  if (options.backend === 'webgpu') return inspectWebgpu(source, options);
  return withStudy(source, options, async (model, study) => {
    if (options.html !== undefined) await writeReport(source, options.html, study);
    if (options.json) printObjects(model, study);
    else printForPeople(model, study, options);
  });
}

async function writeReport(source: string, file: string, study: Study | null): Promise<void> {
  if (!study) throw new KingletError('ERR_USAGE', 'a plan has no layers to report', { hint: 'Give the .onnx or .tflite file that it was compiled from.' });
  await writeWhole(file, new TextEncoder().encode(reportHtml({ title: titleOf(source), ...study })));
  notice(`wrote ${printable(file, 200)}`);
}

function printObjects(model: Model, study: Study | null): void {
  model.inputs.forEach((info, index) => { printJson({ type: 'input', index, ...info }); });
  model.outputs.forEach((info, index) => { printJson({ type: 'output', index, ...info }); });
  study?.overview.layers.forEach((layer, index) => { printJson(layerRecord(layer, index)); });
  for (const step of model.steps()) printJson({ type: 'step', ...step });
  const { weights, parameters } = study?.overview.totals ?? {};
  printJson({ type: 'total', ...model.stats, arenaRatio: arenaRatio(model), layers: study?.overview.layers.length, weights, parameters, peakStep: study?.memory.peakStep });
}

/** `input` is the largest of the layer's inputs; `pad` lists the pads before the axes and then those behind. */
function layerRecord(layer: Layer, index: number): object {
  const { name, op, then, inputs, outputs, dtype, filters, groups, window, memoryKB, weights, parameters, macs, from } = layer;
  const { kernel = null, stride = null, pad = null, dilation = null } = window ?? {};
  return {
    type: 'layer', index, name, op, then, input: largest(inputs), output: outputs[0], dtype, filters, kernel, stride, pad, dilation, groups,
    memoryKB, weights, parameters, macs, inputs, outputs, from,
  };
}

function printForPeople(model: Model, study: Study | null, { steps }: InspectOptions): void {
  if (study) printLayers(study.overview);
  if (steps || !study) printSteps(model);
  if (study) printTotals(study.overview, study.memory);
  model.inputs.forEach((info, i) => { print(`input ${i}             ${ioText(info)}`); });
  model.outputs.forEach((info, i) => { print(`output ${i}            ${ioText(info)}`); });
  printPlan(model);
}

function printLayers({ layers }: Overview): void {
  const columns = columnsOf(layers);
  printTable(columns.map(({ title, numeric }) => (numeric ? `${title}>` : title)), layers.map((_, i) => columns.map(({ cells }) => printable(cells[i]))));
  print('');
}

function printSteps(model: Model): void {
  printTable(['#>', 'op', 'kernel', 'name', 'output', 'params k>', 'MACs M>'], model.steps().map(stepRow));
  print('');
}

function printTotals({ totals }: Overview, memory: MemoryMap): void {
  print(`weights             ${grouped(totals.weights)} of convolutions and fully connected layers`);
  print(`parameters          ${grouped(totals.parameters)} with biases and normalisation`);
  print(`MACs                ${grouped(totals.macs)}`);
  print(`peak activations    ${grouped(Math.round(memory.peakBytes / 1024))} KB at step ${memory.peakStep} (${printable(nameTail(memory.steps.at(memory.peakStep) ?? ''))})`);
}

/** What the plan takes. A plan without its network says its costs itself. */
function printPlan(model: Model): void {
  const { stats } = model;
  print(`plan                ${stats.steps} steps, ${grouped(stats.macs)} MACs, ${grouped(stats.params)} constants in ${grouped(stats.weightBytes)} weight bytes`);
  print(`arena bytes         ${grouped(stats.arenaBytes)}, largest live sum ${grouped(stats.liveBytes)} (arena / live ${arenaRatio(model).toFixed(3)})`);
  print(`channel shuffles    ${stats.shuffles} recognised`);
  print(`kernels             ${stats.kernels}, dot ${stats.dot}, ${stats.threads} thread`);
}

/** A part of a tensor (a slice of a concatenation, a copy for a kernel) is marked with a star. */
function stepRow(step: StepInfo): string[] {
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
