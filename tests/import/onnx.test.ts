// The ONNX importer: what it makes of good files, and how it refuses bad ones. Files are written byte by byte.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isConstant, type Graph } from '../../host/graph/graph.ts';
import { importOnnx } from '../../host/import/onnx/import.ts';
import type { ImportOptions } from '../../host/import/limits.ts';
import { attribute, DATA_TYPE, float, floats, initializer, input, int, join, message, model, modelWith, node, output, rawVarint, tag, text, type NodeSpec, type Part, type TensorSpec } from './onnx-bytes.ts';
import { testReaders } from './onnx-readers.ts';
import { throws } from './throws.ts';
import { tinyOnnx } from './tiny-model.ts';

const run = (bytes: Uint8Array, options?: ImportOptions): Graph => importOnnx(bytes, options, testReaders);
const x = input('x', DATA_TYPE.float, [1, 2]);
const y = output('y', DATA_TYPE.float, [1, 2]);
const copy = (from: string, to: string, more: Partial<NodeSpec> = {}): Part => node({ op: 'Copy', in: [from], out: [to], ...more });
/** A model whose output is one initializer, and that initializer's data. */
function constantOf(spec: TensorSpec): unknown {
  const graph = run(model(initializer({ name: 'w', ...spec }), copy('w', 'y'), valueless('y')));
  const weight = graph.nodes[0]?.inputs[0];
  assert.ok(isConstant(weight));
  return { dtype: weight.dtype, shape: [...weight.shape], data: [...weight.data as Int32Array] };
}
/** An output that declares no type. */
const valueless = (name: string): Part => message(12, text(1, name));

describe('good ONNX files', () => {
  test('names, shapes and order', () => {
    const graph = run(tinyOnnx());
    assert.deepEqual(graph.inputs.map((v) => [v.name, v.dtype, [...v.shape]]), [['x', 'float32', [1, 2, 3]]]);
    assert.deepEqual(graph.outputs.map((v) => [v.name, [...v.shape]]), [['y', [1, 3, 2]]]);
    assert.deepEqual(graph.nodes.map((n) => [n.op.kind, n.name]), [['reshape', 'copy'], ['transpose', 'Perm_1']]);
  });
  test('symbolic and negative dimensions become 1 unless a shape is given; 0 is no element', () => {
    const bytes = model(input('x', DATA_TYPE.float, ['batch', -1, 4]), copy('x', 'y'), valueless('y'));
    assert.deepEqual([...run(model(input('x', DATA_TYPE.float, [0, 4]), copy('x', 'y'), valueless('y'))).inputs[0]?.shape ?? []], [0, 4]);
    assert.deepEqual([...run(bytes).inputs[0]?.shape ?? []], [1, 1, 4]);
    assert.deepEqual([...run(bytes, { shapes: { x: [2, 3, 4] } }).inputs[0]?.shape ?? []], [2, 3, 4]);
    assert.deepEqual([...run(bytes, { shapes: new Map([['x', [5, 3, 4]]]) }).outputs[0]?.shape ?? []], [5, 3, 4]);
    throws('ERR_INPUT', /3 dimensions/, () => run(bytes, { shapes: { x: [1] } }));
    throws('ERR_INPUT', /no input "z"; its inputs are "x"/, () => run(bytes, { shapes: { z: [1] } }));
    throws('ERR_USAGE', /positive integers/, () => run(bytes, { shapes: { x: [1, 2, 0.5] } }));
  });
  test('inputs with an initializer are constants', () => {
    const weight = initializer({ name: 'w', type: DATA_TYPE.float, dims: [2], data: [message(9, floats(1, 2))] });
    const graph = run(model(x, input('w', DATA_TYPE.float, [2]), weight, copy('x', 'y', { in: ['x', 'w'] }), y));
    assert.deepEqual(graph.inputs.map((v) => v.name), ['x']);
  });
  test('nodes in any order are sorted', () => {
    const graph = run(model(x, copy('b', 'y', { name: 'third' }), copy('a', 'b', { name: 'second' }), copy('x', 'a', { name: 'first' }), y));
    assert.deepEqual(graph.nodes.map((n) => n.name), ['first', 'second', 'third']);
  });
  test('names like __proto__ are ordinary names', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'a\0b', '', 'n'.repeat(1 << 20)]) {
      const inner = name === '' ? 'x2' : name;
      const graph = run(model(x, copy('x', inner, { name }), copy(inner, 'y'), y));
      assert.equal(graph.nodes.length, 2);
    }
    const graph = run(model(input('__proto__', DATA_TYPE.float, [2]), copy('__proto__', 'y'), y), { shapes: new Map([['__proto__', [2]]]) });
    assert.equal(graph.inputs[0]?.name, '__proto__');
    throws('ERR_UNSUPPORTED_OP', /"__proto__"/, () => run(model(x, copy('x', 'y', { op: '__proto__' }), y)));
  });
  test('an output that is an input, a constant, or shared gets a value of its own', () => {
    const weight = initializer({ name: 'w', type: DATA_TYPE.float, dims: [2], data: [message(9, floats(1, 2))] });
    const graph = run(model(x, weight, node({ op: 'Same', in: ['x'], out: ['again'] }), output('x', 1, [1, 2]), output('w', 1, [2]), output('again', 1, [1, 2])));
    assert.deepEqual(graph.outputs.map((v) => v.name), ['x', 'w', 'again']);
    assert.equal(graph.inputs[0]?.name, 'x');
    assert.equal(new Set([...graph.outputs, ...graph.inputs]).size, 4);
    assert.ok(graph.outputs.every((v) => !isConstant(v)));
  });
});

describe('types', () => {
  test('uint8 is int8 inside and uint8 at the border', () => {
    const graph = run(model(input('x', DATA_TYPE.uint8, [2]), copy('x', 'y'), output('y', DATA_TYPE.uint8, [2])));
    assert.deepEqual(graph.nodes.map((n) => n.op.kind), ['flipSign', 'reshape', 'flipSign']);
    assert.deepEqual([graph.inputs[0]?.dtype, graph.nodes[1]?.inputs[0]?.dtype, graph.outputs[0]?.dtype], ['uint8', 'int8', 'uint8']);
    const untyped = run(model(input('x', DATA_TYPE.uint8, [2]), copy('x', 'y'), valueless('y')));
    assert.equal(untyped.outputs[0]?.dtype, 'uint8');
  });
  test('int64 is int32 inside and int64 at the border', () => {
    const graph = run(model(input('x', DATA_TYPE.int64, [2]), copy('x', 'y'), output('y', DATA_TYPE.int64, [2])));
    assert.deepEqual(graph.nodes.map((n) => n.op.kind), ['cast', 'reshape', 'cast']);
    assert.deepEqual([graph.inputs[0]?.dtype, graph.nodes[1]?.inputs[0]?.dtype, graph.outputs[0]?.dtype], ['int64', 'int32', 'int64']);
  });
  test('every element type, raw and typed', () => {
    const { float: f32, uint8, int8, int32, int64, bool, float16, double } = DATA_TYPE;
    const int64s = (...values: bigint[]): Part => new Uint8Array(BigInt64Array.from(values).buffer);
    const cases: [TensorSpec, string, number[]][] = [
      [{ type: f32, dims: [2], data: [message(9, floats(1.5, -2))] }, 'float32', [1.5, -2]],
      [{ type: f32, dims: [2], data: [message(4, floats(1.5)), float(4, -2)] }, 'float32', [1.5, -2]],
      [{ type: double, dims: [1], data: [message(9, new Uint8Array(Float64Array.of(0.1).buffer))] }, 'float32', [Math.fround(0.1)]],
      [{ type: double, dims: [1], data: [message(10, new Uint8Array(Float64Array.of(0.1).buffer))] }, 'float32', [Math.fround(0.1)]],
      [{ type: float16, dims: [5], data: [message(9, new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555).buffer))] }, 'float32', [1, -2, 2 ** -24, Infinity, 0.333251953125]],
      [{ type: float16, dims: [2], data: [int(5, 0x3c00), int(5, 0xc000)] }, 'float32', [1, -2]],
      [{ type: uint8, dims: [3], data: [message(9, Uint8Array.of(0, 128, 255))] }, 'int8', [-128, 0, 127]],
      [{ type: uint8, dims: [3], data: [int(5, 0), message(5, rawVarint(128), rawVarint(255))] }, 'int8', [-128, 0, 127]],
      [{ type: int8, dims: [2], data: [message(9, Uint8Array.of(128, 127))] }, 'int8', [-128, 127]],
      [{ type: int8, dims: [2], data: [int(5, -128), int(5, 127)] }, 'int8', [-128, 127]],
      [{ type: int32, dims: [1, 1], data: [int(5, -7)] }, 'int32', [-7]],
      [{ type: int64, dims: [4], data: [message(9, int64s(-1n, 2n ** 40n, -(2n ** 63n), 2n ** 31n - 1n))] }, 'int32', [-1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1]],
      [{ type: int64, dims: [3], data: [int(7, -1), int(7, 2n ** 63n - 1n), int(7, 5)] }, 'int32', [-1, 2 ** 31 - 1, 5]],
      [{ type: bool, dims: [2], data: [message(9, Uint8Array.of(0, 7))] }, 'int32', [0, 1]],
      [{ type: f32, dims: [], data: [message(9, floats(4))] }, 'float32', [4]],
      [{ type: f32, dims: [0, 3], data: [] }, 'float32', []],
    ];
    for (const [spec, dtype, data] of cases) assert.deepEqual(constantOf(spec), { dtype, shape: spec.dims, data });
  });
  test('a uint8 attribute tensor is known to be uint8', () => {
    const value = (type: number): Part => attribute('value', 4, message(5, int(1, 1), int(2, type), message(9, Uint8Array.of(1))));
    const graph = (type: number): Graph => run(model(node({ op: 'Value', in: [], out: ['v'], attributes: [value(type)] }), copy('v', 'y'), valueless('y')));
    assert.equal(graph(DATA_TYPE.uint8).outputs[0]?.dtype, 'uint8');
    assert.equal(graph(DATA_TYPE.int8).outputs[0]?.dtype, 'int8');
  });
});

describe('bad tensors', () => {
  const { float: f32, int8, string } = DATA_TYPE;
  const two = message(9, floats(1, 2));
  const cases: [string, TensorSpec, Parameters<typeof throws>[0], RegExp][] = [
    ['raw_data too short', { type: f32, dims: [3], data: [two] }, 'ERR_MODEL_INVALID', /"w": 8 bytes do not fill/],
    ['raw_data too long', { type: f32, dims: [1], data: [two] }, 'ERR_MODEL_INVALID', /8 bytes do not fill/],
    ['float_data too short', { type: f32, dims: [3], data: [message(4, floats(1, 2))] }, 'ERR_MODEL_INVALID', /has 2 entries/],
    ['float_data too long', { type: f32, dims: [1], data: [message(4, floats(1, 2))] }, 'ERR_MODEL_INVALID', /more than the 1 entries/],
    ['float_data and raw_data', { type: f32, dims: [2], data: [two, message(4, floats(1, 2))] }, 'ERR_MODEL_INVALID', /both/],
    ['huge shape without data', { type: f32, dims: [1 << 14, 1 << 13], data: [] }, 'ERR_MODEL_INVALID', /cannot fill/],
    ['product over the limit', { type: f32, dims: [65536, 65536], data: [] }, 'ERR_LIMIT', /more than/],
    ['dimension -1', { type: f32, dims: [-1], data: [] }, 'ERR_MODEL_INVALID', /impossible dimension/],
    ['dimension 2^63-1', { type: f32, dims: [2n ** 63n - 1n], data: [] }, 'ERR_LIMIT', /more than/],
    ['rank 9', { type: f32, dims: [1, 1, 1, 1, 1, 1, 1, 1, 1], data: [] }, 'ERR_UNSUPPORTED', /rank 9/],
    ['int8 out of range', { type: int8, dims: [1], data: [int(5, 128)] }, 'ERR_MODEL_INVALID', /entry 128 is no int8/],
    ['strings', { type: string, dims: [1], data: [text(6, 'a')] }, 'ERR_UNSUPPORTED', /string/],
    ['unknown type', { type: 99, dims: [1], data: [] }, 'ERR_MODEL_INVALID', /element type \(99\)/],
    ['external data', { type: f32, dims: [2], data: [message(13, text(1, 'location'), text(2, '../../etc/passwd')), int(14, 1)] }, 'ERR_EXTERNAL_DATA', /"w" is in another file/],
    ['external data by location only', { type: f32, dims: [2], data: [two, int(14, 1)] }, 'ERR_EXTERNAL_DATA', /another file/],
    ['a segment', { type: f32, dims: [2], data: [two, message(3)] }, 'ERR_UNSUPPORTED', /segment/],
    ['fixed number cut in a packed list', { type: f32, dims: [1], data: [message(4, Uint8Array.of(1, 2, 3))] }, 'ERR_MODEL_FORMAT', /ends inside a number/],
  ];
  for (const [name, spec, code, pattern] of cases) test(name, () => { throws(code, pattern, () => constantOf(spec)); });
});

describe('bad graphs', () => {
  const weight = (name: string): Part => initializer({ name, type: 1, dims: [2], data: [message(9, floats(1, 2))] });
  const cases: [string, readonly Part[], Parameters<typeof throws>[0], RegExp][] = [
    ['two producers', [x, copy('x', 'y'), copy('x', 'y'), y], 'ERR_MODEL_INVALID', /"y" is produced twice/],
    ['a node that produces an input', [x, copy('x', 'x'), copy('x', 'y'), y], 'ERR_MODEL_INVALID', /"x" is produced twice/],
    ['a node that produces an initializer', [x, weight('w'), copy('x', 'w'), copy('x', 'y'), y], 'ERR_MODEL_INVALID', /"w" is produced twice/],
    ['two inputs of one name', [x, x, copy('x', 'y'), y], 'ERR_MODEL_INVALID', /two graph inputs/],
    ['two outputs of one name', [x, copy('x', 'y'), y, y], 'ERR_MODEL_INVALID', /two graph outputs/],
    ['two initializers of one name', [x, weight('w'), weight('w'), copy('x', 'y'), y], 'ERR_MODEL_INVALID', /two initializers/],
    ['an initializer without name', [x, weight(''), copy('x', 'y'), y], 'ERR_MODEL_INVALID', /no name/],
    ['a self loop', [x, copy('y', 'y'), y], 'ERR_MODEL_INVALID', /depends on its own output/],
    ['a cycle of two', [x, copy('b', 'a', { name: 'one' }), copy('a', 'b'), copy('a', 'y'), y], 'ERR_MODEL_INVALID', /"one" depends on its own output/],
    ['a missing input', [x, copy('nothing', 'y', { name: 'n' }), y], 'ERR_MODEL_INVALID', /node "n" reads "nothing"/],
    ['a missing output', [x, copy('x', 'z'), y], 'ERR_MODEL_INVALID', /nothing produces the graph's output "y"/],
    ['an output the reader does not make', [x, copy('x', 'a', { out: ['a', 'mask'] }), copy('mask', 'y'), y], 'ERR_UNSUPPORTED', /"mask"/],
    ['a required input left out', [x, copy('', 'y', { name: 'n' }), y], 'ERR_MODEL_INVALID', /node "n" \(Copy\): input 0 is missing/],
    ['an unread attribute', [x, copy('x', 'y', { name: 'n', attributes: [attribute('mode', 2, int(3, 1)), attribute('why', 2, int(3, 1))] }), y], 'ERR_UNSUPPORTED', /node "n" \(Copy\): attributes "mode", "why"/],
    ['a repeated attribute', [x, copy('x', 'y', { attributes: [attribute('a', 2, int(3, 1)), attribute('a', 2, int(3, 1))] }), y], 'ERR_MODEL_INVALID', /occurs twice/],
    ['a missing attribute', [x, node({ op: 'Perm', in: ['x'], out: ['y'] }), y], 'ERR_MODEL_INVALID', /"perm" is missing/],
    ['an attribute of the wrong type', [x, node({ op: 'Perm', in: ['x'], out: ['y'], attributes: [attribute('perm', 2, int(3, 1))] }), y], 'ERR_MODEL_INVALID', /another type/],
    ['an attribute that says ints and has a float', [x, node({ op: 'Perm', in: ['x'], out: ['y'], attributes: [attribute('perm', 7, float(2, 1))] }), y], 'ERR_MODEL_INVALID', /another type/],
    ['an op that refuses its attributes', [x, node({ op: 'Perm', name: 'p', in: ['x'], out: ['y'], attributes: [attribute('perm', 7, int(8, 0), int(8, 5))] }), y], 'ERR_MODEL_INVALID', /node "p"/],
    ['a reader that crashes', [x, node({ op: 'Crash', name: 'c', in: ['x'], out: ['y'] }), y], 'ERR_INTERNAL', /"c" \(Crash\): reader is broken/],
    ['an input that is no tensor', [message(11, text(1, 'x'), message(2, message(4))), copy('x', 'y'), y], 'ERR_UNSUPPORTED', /not a tensor/],
    ['an input of strings', [input('x', 8, [1]), copy('x', 'y'), y], 'ERR_UNSUPPORTED', /string/],
    ['an input without shape', [message(11, text(1, 'x'), message(2, message(1, int(1, 1)))), copy('x', 'y'), y], 'ERR_UNSUPPORTED', /"x" has no shape/],
    ['an output of another type than computed', [x, copy('x', 'y'), output('y', 3, [1, 2])], 'ERR_MODEL_INVALID', /declared as int8/],
    ['sparse initializers', [x, message(15), copy('x', 'y'), y], 'ERR_UNSUPPORTED', /sparse/],
  ];
  for (const [name, parts, code, pattern] of cases) test(name, () => { throws(code, pattern, () => run(model(...parts))); });

  test('all unsupported operators are named at once', () => {
    const bytes = model(x, copy('x', 'a', { op: 'Loop', name: 'l' }), copy('a', 'b', { op: 'Einsum' }), copy('b', 'c', { op: 'Loop' }),
      copy('c', 'y', { domain: 'com.microsoft', op: 'FusedConv', name: 'f' }), y);
    const error = throws('ERR_UNSUPPORTED_OP', /"Loop" \(2 times, first in node "l"\), "Einsum".*"com\.microsoft\.FusedConv"/, () => run(bytes));
    assert.deepEqual(error.details['ops'], [
      { op: 'Loop', node: 'l' }, { op: 'Einsum', node: 'Einsum_1' }, { op: 'Loop', node: 'Loop_2' }, { op: 'com.microsoft.FusedConv', node: 'f' },
    ]);
  });
  test('operator sets', () => {
    const graph = message(7, x, copy('x', 'y'), y);
    throws('ERR_MODEL_INVALID', /does not say/, () => run(modelWith([graph])));
    for (const version of [0, 22, 999]) throws('ERR_UNSUPPORTED', /operator set/, () => run(modelWith([graph, message(8, int(2, version))])));
    for (const version of [1, 21]) run(modelWith([graph, message(8, text(1, 'ai.onnx'), int(2, version)), message(8, text(1, 'other'), int(2, 99))]));
    throws('ERR_MODEL_FORMAT', /two versions/, () => run(modelWith([graph, message(8, int(2, 13)), message(8, text(1, 'ai.onnx'), int(2, 14))])));
  });
});

describe('bad protobuf', () => {
  const graph = message(7, x, copy('x', 'y'), y);
  const opset = message(8, int(2, 13));
  const cases: [string, Part, RegExp][] = [
    ['no graph', opset, /no graph/],
    ['two graphs', join(graph, graph), /two graphs/],
    ['length one too long', join(opset, tag(7, 2), rawVarint(graph.length + 1), graph), /remain/],
    ['length 2^31', join(tag(7, 2), rawVarint(2n ** 31n)), /claims 2147483648 bytes/],
    ['length 2^53', join(tag(7, 2), rawVarint(2n ** 53n)), /claims/],
    ['negative length', join(tag(7, 2), rawVarint(-1)), /claims/],
    ['inner length beyond its message', join(message(7, tag(1, 2), rawVarint(9)), opset), /field node claims 9 bytes, 0 remain/],
    ['varint of 11 bytes', join(tag(5, 0), Uint8Array.of(...new Array<number>(10).fill(255), 1)), /longer than 10/],
    ['a group', Uint8Array.of(0x3b), /wire type 3/],
    ['the end of a group', Uint8Array.of(0x3c), /wire type 4/],
    ['100000 nested groups', new Uint8Array(100_000).fill(0x3b), /wire type 3/],
    ['wire type 6', Uint8Array.of(0x3e), /wire type 6/],
    ['field 0', Uint8Array.of(0x02, 0), /field number 0/],
    ['field 2^29', join(rawVarint(2n ** 32n), Uint8Array.of(0)), /field number 536870912/],
    ['a number where a message belongs', int(7, 1), /is a varint field/],
    ['a truncated fixed number', join(tag(40, 5), Uint8Array.of(1, 2)), /ends inside a number/],
    ['a truncated varint', Uint8Array.of(0x28, 0x80), /ends inside a number/],
  ];
  for (const [name, bytes, pattern] of cases) test(name, () => { throws('ERR_MODEL_FORMAT', pattern, () => run(modelWith([bytes]))); });
  test('errors name the field path and the byte', () => {
    throws('ERR_MODEL_FORMAT', /^byte \d+ \(model\.graph\.node\): field input claims/, () => run(modelWith([message(7, message(1, tag(1, 2), rawVarint(5)))])));
  });
  test('unknown fields of every wire type are skipped', () => {
    run(modelWith([int(999, -1), message(1000, Uint8Array.of(0xff)), float(1001, 1), join(tag(1002, 1), new Uint8Array(8)), graph, opset]));
  });
  test('no ir_version', () => { throws('ERR_MODEL_FORMAT', /ir_version/, () => run(join(graph, opset))); });
  test('invalid UTF-8 in names', () => {
    const bad = message(1, message(1, Uint8Array.of(0xff, 0xfe)), text(2, 'y'), text(4, 'Copy'));
    throws('ERR_MODEL_FORMAT', /field input is not UTF-8/, () => run(model(x, bad, y)));
  });
});

describe('limits', () => {
  test('nodes, tensors and lists are counted', () => {
    const bytes = tinyOnnx();
    throws('ERR_LIMIT', /2 nodes/, () => run(bytes, { limits: { maxNodes: 1 } }));
    throws('ERR_LIMIT', /tensors/, () => run(bytes, { limits: { maxTensors: 2 } }));
    throws('ERR_LIMIT', /list entries/, () => run(bytes, { limits: { maxListEntries: 5 } }));
  });
  test('a million empty nodes and a long packed list end at once', () => {
    const empty = new Uint8Array(2_000_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0));
    throws('ERR_LIMIT', /nodes/, () => run(model(empty)));
    const longList = attribute('perm', 7, message(8, new Uint8Array(5_000_000)));
    throws('ERR_LIMIT', /list entries/, () => run(model(x, node({ op: 'Perm', in: ['x'], out: ['y'], attributes: [longList] }), y)));
  });
});
