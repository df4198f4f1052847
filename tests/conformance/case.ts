// One case of the ONNX operator tests: a model, its inputs, the outputs that ONNX expects. In: its name. Out: tensors and model bytes.
// Debian ships the data in the package libonnx-testdata (1.12); our lists of names lie beside this file.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PbfReader } from 'pbf';
import { join as joined, message, text, type Part } from '../import/onnx-bytes.ts';
import { readTensorProto, type ProtoTensor } from './tensor-proto.ts';

const dataFolder = '/usr/share/libonnx-testdata/data';
/** False: not skipped. A string: why node:test skips. */
export const skipWithoutData: false | string = existsSync(dataFolder) ? false : 'the Debian package libonnx-testdata is not installed';

/** core: must pass. wide: counted, may only grow. out: beyond kinglet's purpose, must be refused or right. */
export type ListName = 'core' | 'wide' | 'out';

const linesOf = (file: string): string[] =>
  readFileSync(fileURLToPath(new URL(`../../../tests/conformance/${file}`, import.meta.url)), 'utf8').split('\n').filter((line) => line !== '');

export function namesIn(list: ListName): string[] {
  return linesOf(`${list}.txt`);
}

export interface Excuse {
  readonly reason: string;
  readonly names: readonly string[];
}
/** What does not pass, in groups that begin with "# reason". */
export function notPassing(): Excuse[] {
  const groups: { reason: string; names: string[] }[] = [];
  for (const line of linesOf('not-passing.txt')) {
    if (line.startsWith('# ')) groups.push({ reason: line.slice(2), names: [] });
    else groups.at(-1)?.names.push(line);
  }
  return groups;
}

export interface Case {
  readonly name: string;
  readonly model: Uint8Array;
  /** The graph's inputs that no initializer fills, with the data of each; null where it is not a tensor of numbers. */
  readonly inputs: readonly { readonly name: string; readonly tensor: ProtoTensor | null; readonly bytes: Uint8Array }[];
  readonly expected: readonly (ProtoTensor | null)[];
  /** Operators in the order of the graph. */
  readonly ops: readonly string[];
}

export function readCase(name: string): Case {
  const folder = join(dataFolder, name);
  const model = new Uint8Array(readFileSync(join(folder, 'model.onnx')));
  const dataSet = join(folder, 'test_data_set_0');
  const read = (kind: 'input' | 'output'): Uint8Array[] => {
    const count = readdirSync(dataSet).filter((file) => file.startsWith(`${kind}_`)).length;
    return Array.from({ length: count }, (_, i) => new Uint8Array(readFileSync(join(dataSet, `${kind}_${i}.pb`))));
  };
  const { inputs, ops } = readGraph(model);
  const data = read('input');
  return {
    name, model, ops,
    inputs: inputs.map((input, i) => ({ name: input, bytes: data[i], tensor: readTensorProto(data[i]) })),
    expected: read('output').map(readTensorProto),
  };
}

/** ModelProto.graph = 7; GraphProto: node 1 (op_type 4), initializer 5 (name 8), input 11 (name 1). */
function readGraph(model: Uint8Array): { inputs: string[]; ops: string[] } {
  const inputs: string[] = [];
  const ops: string[] = [];
  const initializers = new Set<string>();
  eachMessage(model, 7, (graph) => {
    eachMessage(graph, 1, (node) => { ops.push(stringIn(node, 4)); });
    eachMessage(graph, 5, (tensor) => { initializers.add(stringIn(tensor, 8)); });
    eachMessage(graph, 11, (input) => { inputs.push(stringIn(input, 1)); });
  });
  return { inputs: inputs.filter((name) => !initializers.has(name)), ops };
}

function eachMessage(bytes: Uint8Array, wanted: number, visit: (message: Uint8Array) => void): void {
  new PbfReader(bytes).readFields((field, _, pbf) => { if (field === wanted) visit(pbf.readBytes()); }, null);
}
function stringIn(bytes: Uint8Array, wanted: number): string {
  let found = '';
  eachMessage(bytes, wanted, (content) => { found = new TextDecoder().decode(content); });
  return found;
}

/** The model with some of its inputs as initializers: no node test has any, but weights, shapes and axes must be constants. */
export function bake({ model, inputs }: Case, isBaked: (index: number) => boolean): Uint8Array {
  const initializers = inputs.filter((_, i) => isBaked(i)).map(({ name, bytes }) => message(5, bytes, text(8, name)));
  const parts: Part[] = [];
  const pbf = new PbfReader(model);
  while (pbf.pos < pbf.length) {
    const start = pbf.pos;
    const tag = pbf.readVarint();
    const graph = tag === 7 * 8 + 2 ? pbf.readBytes() : null;
    if (graph === null) pbf.skip(tag);
    parts.push(graph === null ? model.subarray(start, pbf.pos) : message(7, graph, ...initializers));
  }
  return joined(...parts);
}
