// `kinglet detect`: photos in, boxes out. In: a detector's network and photos. Out: lines or JSON on stdout, and the photo with its
// boxes as a PNG file where asked for. Must not know formats of models.

import { KingletError } from '../error.ts';
import { decodeImage } from '../image/decode.ts';
import type { Picture } from '../image/picture.ts';
import type { Preset } from '../image/presets.ts';
import type { Fit } from '../image/region.ts';
import { frameOf } from '../image/tensor.ts';
import type { Model } from '../model.ts';
import { detector } from '../tasks/detector.ts';
import type { Detection } from '../tasks/detector.ts';
import { drawDetections } from '../tasks/draw-detections.ts';
import { aboutFile, readBytes, readLines, writeWhole } from './files.ts';
import type { ModelOptions } from './options.ts';
import { withModel } from './source.ts';
import { notice, print, printJson, printable } from './text.ts';

export interface DetectCommandOptions extends ModelOptions {
  readonly labels?: string;
  readonly threshold?: number;
  readonly overlap?: number;
  readonly top?: number;
  readonly preset?: Preset;
  readonly fit?: Fit;
  readonly closeUps?: true;
  readonly json?: true;
  readonly output?: string;
}

export async function detectCommand(source: string, photos: readonly string[], options: DetectCommandOptions): Promise<void> {
  if (options.output !== undefined && photos.length > 1) throw new KingletError('ERR_USAGE', `--output names one file, and there are ${photos.length} photos`);
  const labels = options.labels === undefined ? undefined : await readLines(options.labels);
  await withModel(source, options, (model) => detectOnPhotos(model, photos, labels, options));
}

async function detectOnPhotos(model: Model, photos: readonly string[], labels: readonly string[] | undefined, options: DetectCommandOptions): Promise<void> {
  const { threshold, overlap, top, preset, fit, closeUps, output } = options;
  const finder = detector(model, { labels, threshold, overlap, top, preset, fit, closeUps });
  const { width, height } = frameOf(model.inputs[0]);
  notice(`the network is of the kind ${finder.kind} and sees ${width}x${height}`);
  for (const photo of photos) {
    const picture = await decodeImage(await readBytes(photo)).catch((error: unknown) => { throw aboutFile(photo, error); });
    const started = performance.now(), found = await finder.detect(picture);
    report(photo, picture, found, performance.now() - started, options.json === true);
    if (output !== undefined) await writePng(output, drawDetections(picture, found));
  }
}

function report(photo: string, { width, height }: Picture, found: readonly Detection[], milliseconds: number, json: boolean): void {
  if (json) {
    printJson({ photo, width, height, milliseconds: Number(milliseconds.toFixed(3)), detections: found });
    return;
  }
  print(`${printable(photo, 200)}: ${found.length} found`);
  for (const { index, label, score, box } of found) {
    const [x, y, w, h] = [box.x, box.y, box.width, box.height].map((v) => v.toFixed(0).padStart(5));
    print(`  ${score.toFixed(4).padStart(8)}  ${String(index).padStart(4)}  x ${x}  y ${y}  width ${w}  height ${h}  ${printable(label ?? '', 200)}`.trimEnd());
  }
}

async function writePng(path: string, { width, height, data }: Picture): Promise<void> {
  const { encode } = await import('fast-png');
  await writeWhole(path, encode({ width, height, data, channels: 3, depth: 8 }));
}
