// What a loaded network is good for, and doing it. In: a model, a picture, options. Out: guesses or boxes in the picture's pixels.
// Must not know the page or the worker's messages.

import { KingletError, type IoInfo, type Model } from '../../host/index.ts';
import { toTensor, type Picture } from '../../host/image/index.ts';
import { detectFaces } from '../../host/tasks/index.ts';
import type { Guess, LookOptions, Sight } from './calls.ts';

export type Task = 'faces' | 'objects' | 'classes' | 'none';

const TOP = 5;

/** A picture goes in where one input is a batch of one with 1 or 3 channels; the networks of the face finder say their own sizes. */
export function taskOf(model: Model): Task {
  const [input] = model.inputs;
  if (model.inputs.length !== 1 || !takesPictures(input)) return 'none';
  return isBlazeFace(model) ? 'faces' : 'classes';
}

function takesPictures({ dtype, shape }: IoInfo): boolean {
  const channels = shape.length === 4 && shape[0] === 1 ? [shape[1], shape[3]] : shape.length === 3 ? [shape[0], shape[2]] : [];
  return channels.some((count) => count === 1 || count === 3) && ['float32', 'int8', 'uint8'].includes(dtype);
}

function isBlazeFace(model: Model): boolean {
  return [16, 1].every((numbers) => model.outputs.some(({ dtype, shape }) => dtype === 'float32' && shape.at(-1) === numbers && shape.at(-2) === 896));
}

/** Throws ERR_INPUT when the network takes no picture. */
export function look(model: Model, picture: Picture, options: LookOptions): Sight {
  const started = performance.now();
  const task = taskOf(model);
  if (task === 'none') {
    throw new KingletError('ERR_INPUT', 'this network does not take one photo', { hint: 'Its layers and its speed are shown; photos need an input of 1 or 3 channels.' });
  }
  if (task === 'faces') {
    const boxes = detectFaces(model, picture).map((face) => ({ ...face, label: null }));
    return { kind: 'boxes', boxes, milliseconds: performance.now() - started };
  }
  const { preset, fit, labels } = options;
  const [scores] = model.runSync([toTensor(picture, model.inputs[0], { fit, ...(preset ? { preset } : {}) })]);
  return { kind: 'guesses', guesses: best(scores, model.outputs[0], labels), milliseconds: performance.now() - started };
}

function best(scores: ArrayLike<number | bigint>, info: IoInfo, labels: readonly string[]): Guess[] {
  const { scale, zeroPoint } = info.quantization ?? { scale: 1, zeroPoint: 0 };
  return Array.from(scores, (score, index) => ({ index, label: labels[index] ?? null, score: (Number(score) - zeroPoint) * scale }))
    .sort((a, b) => b.score - a.score || a.index - b.index).slice(0, TOP);
}
