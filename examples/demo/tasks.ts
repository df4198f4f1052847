// What a loaded network is good for, and doing it. In: a model, a picture, options. Out: guesses or boxes in the picture's pixels.
// Must not know the page or the worker's messages.

import { KingletError, type Model } from '../../host/index.ts';
import { presetNames, presets, type Fit, type Preset } from '../../host/image/index.ts';
import { classifier, detector, type Detector } from '../../host/tasks/index.ts';
import type { LookOptions, Sight } from './calls.ts';

export type Task = 'boxes' | 'classes' | 'none';

/** A detector where kinglet knows the network, otherwise a classifier of everything that takes a photo. */
export interface Use {
  readonly task: Task;
  /** How photos go in when nobody chooses; null where that is not the user's affair. */
  readonly preset: Preset | null;
  readonly fit: Fit | null;
  look(picture: ImageBitmap, options: LookOptions): Promise<Sight>;
}

export function useOf(model: Model): Use {
  const found = tried(() => detector(model));
  if (found) return { task: 'boxes', preset: null, fit: null, look: (picture, options) => detect(found, picture, options) };
  const plain = tried(() => classifier(model));
  if (!plain) return { task: 'none', preset: null, fit: null, look: () => Promise.reject(noPhoto()) };
  const { preset, fit } = plain;
  const name = presetNames.find((known) => known === preset || presets[known] === preset) ?? null;
  return { task: 'classes', preset: name, fit, look: (picture, options) => classify(model, picture, options) };
}

function tried<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof KingletError && error.code === 'ERR_INPUT') return null;
    throw error;
  }
}

function noPhoto(): KingletError {
  return new KingletError('ERR_INPUT', 'this network does not take one photo', { hint: 'Its layers are shown; a photo needs one input of 1 or 3 channels.' });
}

async function detect(found: Detector, picture: ImageBitmap, { closeUps, labels }: LookOptions): Promise<Sight> {
  const started = performance.now();
  const boxes = await found.detect(picture, { closeUps: closeUps && found.kind === 'blazeface' });
  const milliseconds = performance.now() - started;
  const named = labels.length > 0 ? boxes.map((box) => ({ ...box, label: labels[box.index] ?? null })) : boxes;
  return { kind: 'boxes', boxes: named, areFaces: found.kind !== 'nanodet', milliseconds };
}

async function classify(model: Model, picture: ImageBitmap, { labels, preset, fit }: LookOptions): Promise<Sight> {
  const started = performance.now();
  const guesses = await classifier(model, { labels, ...(preset && { preset }), ...(fit && { fit }) }).classify(picture);
  return { kind: 'guesses', guesses, milliseconds: performance.now() - started };
}
