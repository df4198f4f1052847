// `kinglet classify`: photos in, the most likely labels out. In: a model, photos, labels. Out: lines or JSON on stdout, and on
// stderr how the photo was turned into numbers. Must not know formats of models.

import { KingletError } from '../error.ts';
import { decodeImage } from '../image/decode.ts';
import { presetText } from '../image/presets.ts';
import type { Preset } from '../image/presets.ts';
import type { Fit } from '../image/region.ts';
import { frameOf, presetFor, toTensor } from '../image/tensor.ts';
import type { IoInfo, Model } from '../model.ts';
import type { TensorData } from '../tensor.ts';
import { aboutFile, readBytes } from './files.ts';
import type { ModelOptions } from './options.ts';
import { withModel } from './source.ts';
import { notice, print, printJson, printable, shapeText } from './text.ts';

export interface ClassifyOptions extends ModelOptions {
  readonly labels?: string;
  readonly top: number;
  readonly preset?: Preset;
  readonly fit: Fit;
  readonly json?: true;
}
interface Guess {
  readonly index: number;
  readonly score: number;
  readonly label: string | null;
}

export async function classifyCommand(source: string, photos: readonly string[], options: ClassifyOptions): Promise<void> {
  const labels = options.labels === undefined ? [] : linesOf(await readBytes(options.labels));
  await withModel(source, options, (model) => classifyPhotos(model, photos, labels, options));
}

async function classifyPhotos(model: Model, photos: readonly string[], labels: readonly string[], options: ClassifyOptions): Promise<void> {
  const preset = options.preset ?? presetFor(model.inputs[0]);
  explain(model, preset, options.fit, labels.length);
  for (const photo of photos) {
    const picture = await decodeImage(await readBytes(photo)).catch((error: unknown) => { throw aboutFile(photo, error); });
    const started = performance.now();
    const [scores] = await model.run([toTensor(picture, model.inputs[0], { preset, fit: options.fit })]);
    const milliseconds = performance.now() - started;
    report(photo, best(scores, model.outputs[0], labels, options.top), milliseconds, options.json === true);
  }
}

/** Says on stderr what was assumed; refuses models that cannot classify a photo. */
function explain(model: Model, preset: Preset, fit: Fit, labelCount: number): void {
  const [input] = model.inputs, [output] = model.outputs;
  if (model.inputs.length !== 1 || model.outputs.length === 0) throw new KingletError('ERR_INPUT', `a classifier has one input; this model has ${model.inputs.length}`);
  const { width, height, channels, layout } = frameOf(input);
  notice(`input ${printable(input.name)}: ${input.dtype} ${width}x${height} ${channels === 1 ? 'gray' : 'RGB'} ${layout}, preset ${preset} (${presetText[preset]}), fit ${fit}, bilinear`);
  notice(`scores are output 0 ${printable(output.name)} ${shapeText(output.shape)}; the label index is the output index`);
  const scores = output.shape.reduce((a, b) => a * b, 1);
  if (labelCount > 0 && labelCount !== scores) notice(`there are ${labelCount} labels for ${scores} scores: they may belong to another model`);
}

/** The `top` largest scores, as real numbers; of equal ones the lower index first. */
export function best(scores: TensorData, info: IoInfo, labels: readonly string[], top: number): Guess[] {
  const { scale, zeroPoint } = info.quantization ?? { scale: 1, zeroPoint: 0 };
  const real = Array.from(scores as ArrayLike<number | bigint>, (score) => (Number(score) - zeroPoint) * scale);
  return real.map((score, index) => ({ index, score, label: labels[index] ?? null }))
    .sort((a, b) => b.score - a.score || a.index - b.index).slice(0, top);
}

function report(photo: string, guesses: readonly Guess[], milliseconds: number, json: boolean): void {
  if (json) {
    printJson({ photo, milliseconds: Number(milliseconds.toFixed(3)), top: guesses });
    return;
  }
  print(printable(photo, 200));
  for (const { index, score, label } of guesses) print(`  ${score.toFixed(4).padStart(8)}  ${String(index).padStart(4)}  ${printable(label ?? '', 200)}`.trimEnd());
}

function linesOf(bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
