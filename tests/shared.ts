// Where the reference material lies, and one visible line when it is absent.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `../shared` beside the repository; tests run from build/tests. */
export const sharedFolder = fileURLToPath(new URL('../../../shared/', import.meta.url));
/** False: not skipped. A string: why node:test skips. */
export const skipWithoutShared: false | string = existsSync(sharedFolder) ? false : 'the reference material ../shared is absent';

export interface Golden {
  readonly name: string;
  readonly modelFile: string;
  readonly quantized: boolean;
  readonly cases: readonly string[];
}

export function sharedBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(sharedFolder + path));
}

/** Every folder of goldens with its model file and case names. */
export function goldens(): Golden[] {
  if (skipWithoutShared) return [];
  const models = readdirSync(`${sharedFolder}models`);
  return readdirSync(`${sharedFolder}goldens`).map((name) => {
    const file = models.find((m) => m === name || m === `${name}.tflite` || m === `${name}.onnx`);
    const files = readdirSync(`${sharedFolder}goldens/${name}`);
    const cases = [...new Set(files.map((f) => f.slice(0, f.indexOf('.'))))];
    return { name, modelFile: `models/${file ?? '?'}`, quantized: files.some((f) => f.includes('.exact_')), cases };
  });
}
