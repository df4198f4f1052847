// Model bytes → Graph, through whichever importers an entry point brings along.
// In: bytes that nobody vouches for, importers by format. Out: a Graph, or a KingletError. Must not know any format or op.

import { KingletError } from '../error.ts';
import type { Graph } from '../graph/graph.ts';
import { checkLimit, limitsOf, type ImportOptions } from './limits.ts';
import { sniff } from './sniff.ts';

/** The importers that there are: kinglet/onnx and kinglet/tflite have one each. */
export type Importers = Readonly<Partial<Record<'onnx' | 'tflite', (bytes: Uint8Array, options: ImportOptions) => Graph>>>;

/** Imports an .onnx or .tflite file. The bytes are copied once, so nobody can change them between check and use. */
export function importWith(importers: Importers, bytes: Uint8Array, options: ImportOptions): Graph {
  if (!((bytes as unknown) instanceof Uint8Array)) throw new KingletError('ERR_USAGE', 'a model is given as a Uint8Array');
  checkLimit(bytes.byteLength, limitsOf(options).maxModelBytes, 'bytes');
  const own = new Uint8Array(bytes);
  const format = sniff(own);
  if (format === 'kgl') throw new KingletError('ERR_USAGE', 'this model is compiled already', { hint: 'Load it directly, without compiling.' });
  const importer = importers[format];
  if (!importer) throw new KingletError('ERR_MODEL_FORMAT', `this is a .${format} model`, { hint: `Import loadModel from "kinglet" or "kinglet/${format}".` });
  return importer(own, options);
}
