// `kinglet classify`: photos in, the most likely labels out. In: a model, photos, labels. Out: lines or JSON on stdout, and on
// stderr how the photo was turned into numbers. Must not know formats of models.

import { decodeImage } from '../image/decode.ts';
import { presetText } from '../image/presets.ts';
import type { Preset } from '../image/presets.ts';
import type { Fit } from '../image/region.ts';
import { frameOf } from '../image/tensor.ts';
import type { Model } from '../model.ts';
import { classifier } from '../tasks/classifier.ts';
import type { Classification, Classifier } from '../tasks/classifier.ts';
import { aboutFile, readBytes, readLines } from './files.ts';
import type { ModelOptions } from './options.ts';
import { withModel } from './source.ts';
import { notice, print, printJson, printable, shapeText } from './text.ts';

export interface ClassifyOptions extends ModelOptions {
  readonly labels?: string;
  readonly top: number;
  readonly threshold?: number;
  readonly preset?: Preset;
  readonly fit?: Fit;
  readonly json?: true;
}

export async function classifyCommand(source: string, photos: readonly string[], options: ClassifyOptions): Promise<void> {
  const labels = options.labels === undefined ? [] : await readLines(options.labels);
  await withModel(source, options, (model) => classifyPhotos(model, photos, labels, options));
}

async function classifyPhotos(model: Model, photos: readonly string[], labels: readonly string[], options: ClassifyOptions): Promise<void> {
  const { top, threshold, preset, fit } = options, judge = classifier(model, { labels, top, threshold, preset, fit });
  explain(judge, labels.length);
  for (const photo of photos) {
    const picture = await decodeImage(await readBytes(photo)).catch((error: unknown) => { throw aboutFile(photo, error); });
    const started = performance.now(), guesses = await judge.classify(picture);
    report(photo, guesses, performance.now() - started, options.json === true);
  }
}

/** Says on stderr what was assumed. */
function explain({ model, preset, fit }: Classifier, labelCount: number): void {
  const [input] = model.inputs, [output] = model.outputs;
  const { width, height, channels, layout } = frameOf(input);
  const rule = typeof preset === 'string' ? `preset ${preset} (${presetText[preset]})` : 'its own normalisation';
  notice(`input ${printable(input.name)}: ${input.dtype} ${width}x${height} ${channels === 1 ? 'gray' : 'RGB'} ${layout}, ${rule}, fit ${fit}, bilinear`);
  notice(`scores are output 0 ${printable(output.name)} ${shapeText(output.shape)}; the label index is the output index`);
  const scores = output.shape.reduce((a, b) => a * b, 1);
  if (labelCount > 0 && labelCount !== scores) notice(`there are ${labelCount} labels for ${scores} scores: they may belong to another model`);
}

function report(photo: string, guesses: readonly Classification[], milliseconds: number, json: boolean): void {
  if (json) {
    printJson({ photo, milliseconds: Number(milliseconds.toFixed(3)), top: guesses });
    return;
  }
  print(printable(photo, 200));
  for (const { index, score, label } of guesses) print(`  ${score.toFixed(4).padStart(8)}  ${String(index).padStart(4)}  ${printable(label ?? '', 200)}`.trimEnd());
}
