// The TFLite importer: what it makes of good files, and how it refuses bad ones.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isConstant, type Graph } from '../../host/graph/graph.ts';
import type { ImportOptions } from '../../host/import/limits.ts';
import { importTflite } from '../../host/import/tflite/import.ts';
import type { TfliteReader } from '../../host/ops/op.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { buildTflite, type ModelSpec, type TensorSpec } from './tflite-bytes.ts';
import { throws } from './throws.ts';
import { tinyTflite } from './tiny-model.ts';

/** RESHAPE copies its input; SQUEEZE returns it. */
const readers: ReadonlyMap<string, TfliteReader> = new Map<string, TfliteReader>([
  ['RESHAPE', (node, b) => [b.add(reshape, { shape: node.i32s(0).length > 0 ? node.i32s(0) : [...node.input(0).shape] }, [node.input(0)], { fold: false })]],
  ['SQUEEZE', (node) => [node.input(0)]],
]);
const run = (bytes: Uint8Array, options?: ImportOptions): Graph => importTflite(bytes, options, readers);

const TYPE = { float32: 0, float16: 1, int32: 2, uint8: 3, int64: 4, string: 5, bool: 6, int16: 7, int8: 9, int4: 17 };
const x: TensorSpec = { name: 'x', shape: [1, 3], type: TYPE.float32 };
const y: TensorSpec = { name: 'y', shape: [1, 3], type: TYPE.float32 };
/** y = RESHAPE(x). */
const base: ModelSpec = {
  buffers: [[]], tensors: [x, y], operators: [{ code: 0, inputs: [0], outputs: [1] }], codes: [{ builtin: 22 }], inputs: [0], outputs: [1],
};
const build = (changes: Partial<ModelSpec>): Uint8Array => buildTflite({ ...base, ...changes });
/** y = RESHAPE(w) with a constant w; returns w. */
function constantOf(w: Omit<TensorSpec, 'name' | 'buffer'>, data: readonly number[], outType: number): unknown {
  const tensors: TensorSpec[] = [{ ...w, name: 'w', buffer: 1 }, { name: 'y', shape: w.shape, type: outType, ...(w.quantization && { quantization: w.quantization }) }];
  const value = run(build({ buffers: [[], data], tensors, inputs: [] })).nodes[0]?.inputs[0];
  assert.ok(isConstant(value));
  const q = value.quantization;
  return { dtype: value.dtype, data: [...value.data as Int32Array], ...(q && { scale: [...q.scale], zeroPoint: [...q.zeroPoint], axis: q.axis }) };
}

describe('good TFLite files', () => {
  test('uint8 at the border, int8 inside, zero points shifted', () => {
    const graph = run(tinyTflite());
    assert.deepEqual(graph.nodes.map((n) => n.op.kind), ['flipSign', 'reshape', 'flipSign']);
    assert.equal(graph.nodes[1]?.name, 'y');
    assert.deepEqual(graph.inputs.map((v) => [v.name, v.dtype, v.quantization?.zeroPoint[0]]), [['x', 'uint8', 128]]);
    assert.deepEqual([graph.nodes[1].inputs[0]?.dtype, graph.nodes[1].inputs[0]?.quantization?.zeroPoint[0]], ['int8', 0]);
    assert.deepEqual(graph.outputs.map((v) => [v.name, v.dtype, v.quantization?.zeroPoint[0]]), [['y', 'uint8', 128]]);
  });
  test('constants of every type', () => {
    const bytes = (data: ArrayBufferView): number[] => [...new Uint8Array(data.buffer)];
    assert.deepEqual(constantOf({ shape: [2], type: TYPE.float32 }, bytes(Float32Array.of(1.5, -2)), 0), { dtype: 'float32', data: [1.5, -2] });
    assert.deepEqual(constantOf({ shape: [2], type: TYPE.float16 }, bytes(Uint16Array.of(0x3c00, 0xc000)), 0), { dtype: 'float32', data: [1, -2] });
    assert.deepEqual(constantOf({ shape: [2], type: TYPE.int64 }, bytes(BigInt64Array.of(-3n, 2n ** 50n)), 2), { dtype: 'int32', data: [-3, 2 ** 31 - 1] });
    assert.deepEqual(constantOf({ shape: [2], type: TYPE.bool }, [0, 1], 2), { dtype: 'int32', data: [0, 1] });
    assert.deepEqual(constantOf({ shape: [2], type: TYPE.uint8, quantization: { scale: [0.5], zeroPoint: [130], axis: 1 } }, [0, 255], 3),
      { dtype: 'int8', data: [-128, 127], scale: [0.5], zeroPoint: [2], axis: 0 });
    assert.deepEqual(constantOf({ shape: [1, 2], type: TYPE.int8, quantization: { scale: [0.5, 2], zeroPoint: [0, 1], axis: 1 } }, [255, 1], 9),
      { dtype: 'int8', data: [-1, 1], scale: [0.5, 2], zeroPoint: [0, 1], axis: 1 });
  });
  test('an empty constant needs no data', () => {
    const graph = run(build({ buffers: [[], []], tensors: [x, y, { name: 'axes', shape: [0], type: TYPE.int32, buffer: 1 }], operators: [{ code: 0, inputs: [0, 2], outputs: [1] }] }));
    assert.equal(graph.nodes.length, 1);
  });
  test('int64 inputs and outputs stay int64', () => {
    const graph = run(build({ tensors: [{ ...x, type: TYPE.int64 }, { ...y, type: TYPE.int64 }] }));
    assert.deepEqual([graph.inputs[0]?.dtype, graph.nodes[1]?.inputs[0]?.dtype, graph.outputs[0]?.dtype], ['int64', 'int32', 'int64']);
  });
  test('open dimensions are 1 unless given', () => {
    const bytes = build({ tensors: [{ ...x, shape: [7, 3], signature: [-1, 3] }, y] });
    assert.deepEqual([...run(bytes).inputs[0]?.shape ?? []], [1, 3]);
    assert.deepEqual([...run(bytes, { shapes: { x: [4, 3] } }).outputs[0]?.shape ?? []], [4, 3]);
    throws('ERR_INPUT', /no input "z"/, () => run(bytes, { shapes: { z: [1] } }));
  });
  test('outputs that are inputs or shared', () => {
    const graph = run(build({ codes: [{ builtin: 43 }], outputs: [0, 1] }));
    assert.deepEqual([...graph.inputs, ...graph.outputs].map((v) => v.name), ['x', 'x', 'y']);
    assert.equal(new Set([...graph.inputs, ...graph.outputs]).size, 3);
  });
  test('data behind the FlatBuffer', () => {
    const tensors: TensorSpec[] = [{ name: 'w', shape: [1, 3], type: TYPE.int8, buffer: 1 }, { ...y, type: TYPE.int8 }];
    const spec = (offset: number): Uint8Array => build({ buffers: [[], { offset: BigInt(offset), size: 3n }], tensors, inputs: [] });
    const end = spec(1000).length;
    const whole = new Uint8Array([...spec(end), 5, 6, 7]);
    const value = run(whole).nodes[0]?.inputs[0];
    assert.deepEqual([...value?.data ?? []], [5, 6, 7]);
    throws('ERR_MODEL_FORMAT', /buffers\[1\] points to byte/, () => run(spec(end)));
    throws('ERR_MODEL_FORMAT', /points to byte/, () => run(build({ buffers: [[], { offset: 2n ** 64n - 1n, size: 2n ** 63n }], tensors, inputs: [] })));
  });
  test('old and new operator numbers: the larger one counts', () => {
    run(build({ codes: [{ short: 22, builtin: 0 }] }));
    run(build({ codes: [{ short: 3, builtin: 22 }] }));
  });
});

describe('bad TFLite models', () => {
  const cases: [string, Partial<ModelSpec>, Parameters<typeof throws>[0], RegExp][] = [
    ['schema version', { version: 4 }, 'ERR_UNSUPPORTED', /schema version 4/],
    ['no subgraph', { subgraphs: 0 }, 'ERR_MODEL_INVALID', /no subgraph/],
    ['two subgraphs', { subgraphs: 2 }, 'ERR_UNSUPPORTED', /2 subgraphs/],
    ['operator code out of range', { operators: [{ code: 1, inputs: [0], outputs: [1] }] }, 'ERR_MODEL_INVALID', /code 1 of 1/],
    ['operator code 2^32-1', { operators: [{ code: -1, inputs: [0], outputs: [1] }] }, 'ERR_MODEL_INVALID', /code 4294967295/],
    ['negative builtin', { codes: [{ short: -1 }] }, 'ERR_MODEL_INVALID', /number -1/],
    ['unknown builtin', { codes: [{ builtin: 9999 }] }, 'ERR_UNSUPPORTED_OP', /"BUILTIN_9999"/],
    ['wrong options', { operators: [{ code: 0, inputs: [0], outputs: [1], optionsTag: 1, optionShape: [1, 3] }] }, 'ERR_MODEL_INVALID', /options of type 1, not 17/],
    ['input index out of range', { operators: [{ code: 0, inputs: [2], outputs: [1] }] }, 'ERR_MODEL_INVALID', /tensor 2 of 2/],
    ['input index -2', { operators: [{ code: 0, inputs: [-2], outputs: [1] }] }, 'ERR_MODEL_INVALID', /tensor -2/],
    ['required input omitted', { operators: [{ code: 0, inputs: [-1], outputs: [1] }] }, 'ERR_MODEL_INVALID', /node "y" \(RESHAPE\): input 0 is missing/],
    ['output index -1', { operators: [{ code: 0, inputs: [0], outputs: [-1] }] }, 'ERR_MODEL_INVALID', /tensor -1/],
    ['graph output nobody makes', { operators: [] }, 'ERR_MODEL_INVALID', /"y" is used before anything produces it/],
    ['use before production', { operators: [{ code: 0, inputs: [1], outputs: [1] }] }, 'ERR_MODEL_INVALID', /used before/],
    ['two producers', { operators: [{ code: 0, inputs: [0], outputs: [1] }, { code: 0, inputs: [0], outputs: [1] }] }, 'ERR_MODEL_INVALID', /tensor 1 "y" is produced twice/],
    ['an operator that writes an input', { operators: [{ code: 0, inputs: [0], outputs: [0] }] }, 'ERR_MODEL_INVALID', /"x" is produced twice/],
    ['an operator that writes a constant', { buffers: [[], new Array<number>(12).fill(1)], tensors: [x, { ...y, buffer: 1 }] }, 'ERR_MODEL_INVALID', /constant of the file/],
    ['an input that is a constant', { buffers: [[], new Array<number>(12).fill(1)], tensors: [{ ...x, buffer: 1 }, y] }, 'ERR_MODEL_INVALID', /input of the graph and a constant/],
    ['buffer index out of range', { tensors: [{ ...x, buffer: 9 }, y] }, 'ERR_MODEL_INVALID', /buffer 9 of 1/],
    ['constant too short', { buffers: [[], [1, 2, 3]], tensors: [{ ...x, buffer: 1 }, y], inputs: [] }, 'ERR_MODEL_INVALID', /"x": 3 bytes do not fill/],
    ['negative dimension', { tensors: [{ ...x, shape: [-5, 3] }, y], inputs: [0] }, 'ERR_MODEL_INVALID', /impossible shape \[-5, 3\]/],
    ['int16', { tensors: [{ ...x, type: TYPE.int16 }, y] }, 'ERR_UNSUPPORTED', /int16/],
    ['int4', { tensors: [{ ...x, type: TYPE.int4 }, y] }, 'ERR_UNSUPPORTED', /int4/],
    ['unknown type', { tensors: [{ ...x, type: 99 }, y] }, 'ERR_MODEL_INVALID', /type 99/],
    ['a sparse result', { tensors: [x, { ...y, sparsity: { order: [0, 1], blockMap: [], dimensions: [] } }] }, 'ERR_UNSUPPORTED', /"y" is sparse, but not a constant/],
    ['a variable', { tensors: [x, y, { name: 'state', shape: [1], type: 0, isVariable: true }], operators: [{ code: 0, inputs: [2], outputs: [1] }] }, 'ERR_UNSUPPORTED', /variable/],
    ['another type than computed', { tensors: [x, { ...y, type: TYPE.int32 }] }, 'ERR_MODEL_INVALID', /is float32, the file says int32/],
  ];
  for (const [name, changes, code, pattern] of cases) test(name, () => { throws(code, pattern, () => run(build(changes))); });
  test('identifier', () => { throws('ERR_MODEL_FORMAT', /identifier is "TFL9"/, () => run(build({ identifier: 'TFL9' }))); });
  test('all unsupported operators are named at once', () => {
    const spec: Partial<ModelSpec> = {
      codes: [{ builtin: 32, custom: 'Flex"Erf' }, { builtin: 119 }, { builtin: 22 }],
      tensors: [x, y, { ...y, name: 'a' }, { ...y, name: '' }],
      operators: [{ code: 0, inputs: [0], outputs: [2] }, { code: 1, inputs: [2], outputs: [3] }, { code: 2, inputs: [3], outputs: [1] }],
    };
    const error = throws('ERR_UNSUPPORTED_OP', /custom operator Flex"Erf.*"WHILE"/, () => run(build(spec)));
    assert.deepEqual(error.details['ops'], [{ op: 'custom operator Flex"Erf', node: 'a' }, { op: 'WHILE', node: 'WHILE_1' }]);
  });
});

describe('bad quantisation', () => {
  const quantized = (quantization: TensorSpec['quantization'], type = TYPE.int8): (() => unknown) => () =>
    run(build({ tensors: [{ ...x, type, ...(quantization && { quantization }) }, { ...y, type }] }));
  test('scales', () => {
    for (const scale of [0, -1, NaN, Infinity]) throws('ERR_MODEL_INVALID', /scale that is not a positive/, quantized({ scale: [scale], zeroPoint: [0] }));
  });
  test('counts', () => {
    throws('ERR_MODEL_INVALID', /2 scales for dimension 1/, quantized({ scale: [1, 2], zeroPoint: [0, 0], axis: 1 }));
    throws('ERR_MODEL_INVALID', /3 scales for dimension 2/, quantized({ scale: [1, 2, 3], zeroPoint: [0, 0, 0], axis: 2 }));
    throws('ERR_MODEL_INVALID', /dimension -1/, quantized({ scale: [1, 2, 3], zeroPoint: [0, 0, 0], axis: -1 }));
    throws('ERR_MODEL_INVALID', /1 scales and 2 zero points/, quantized({ scale: [1], zeroPoint: [0, 0] }));
  });
  test('zero points', () => {
    throws('ERR_MODEL_INVALID', /zero point 128/, quantized({ scale: [1], zeroPoint: [128] }));
    throws('ERR_MODEL_INVALID', /zero point -1/, quantized({ scale: [1], zeroPoint: [-1] }, TYPE.uint8));
    throws('ERR_MODEL_INVALID', /zero point 1099511627776/, quantized({ scale: [1], zeroPoint: [2 ** 40] }));
  });
  test('other schemes', () => { throws('ERR_UNSUPPORTED', /scheme of its own/, quantized({ scale: [1], zeroPoint: [0], details: 1 })); });
  test('parameters on floats are ignored', () => { assert.equal((quantized({ scale: [0], zeroPoint: [0] }, TYPE.float32)() as Graph).inputs[0]?.quantization, undefined); });
});

describe('bad FlatBuffers', () => {
  const header = [0x54, 0x46, 0x4c, 0x33];
  const words = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values.map((value) => value | 0)).buffer);
  const id = new DataView(Uint8Array.from(header).buffer).getInt32(0, true);
  const cases: [string, Uint8Array, RegExp][] = [
    ['4 bytes', words(8), /identifier points to byte 8/],
    ['the 8-byte file', words(8, id), /model points to byte 12/],
    ['root offset 2^32-1', words(-1, id, 0, 0), /model points to byte/],
    ['root misaligned', words(9, id, 0, 0, 0), /multiple of 4/],
    ['vtable before the file', words(8, id, 100, 0), /vtable before the file/],
    ['vtable after the file', words(8, id, -100, 0), /vtable points to byte/],
    ['vtable of 0 bytes', words(8, id, -4, 0), /vtable of 0 bytes/],
    ['vtable of odd size', words(8, id, -4, 5 | 8 << 16), /vtable of 5 bytes/],
    ['vtable of 65534 bytes', words(8, id, -4, 65534 | 8 << 16), /vtable points to byte/],
    ['table beyond the file', words(8, id, -4, 4 | 100 << 16), /model points to byte/],
    ['field outside the table', words(8, id, -4, 6 | 4 << 16, 8), /field 0 outside itself/],
    // Table at 8 (vtable at 16): version 3, operator_codes at its byte 8.
    ['vector of 2^32-1 tables', words(8, id, -12, 3, 4, 8 | 12 << 16, 4 | 8 << 16, -1), /operator_codes points to byte/],
    ['vector offset to itself', words(8, id, -12, 3, 0, 8 | 12 << 16, 4 | 8 << 16, 0), /operator_codes has offset 0/],
    ['misaligned vector', words(8, id, -12, 3, 5, 8 | 12 << 16, 4 | 8 << 16, 0), /operator_codes lies at byte 21/],
  ];
  for (const [name, bytes, pattern] of cases) test(name, () => { throws('ERR_MODEL_FORMAT', pattern, () => run(bytes)); });
});
