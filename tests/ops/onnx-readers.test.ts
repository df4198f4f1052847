// ONNX operators as read by the op files, by definition, against the ONNX project's reference evaluator.

import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import { KingletError, type ErrorCode } from '../../host/error.ts';
import { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { binary } from '../../host/ops/binary.ts';
import { channelShuffle } from '../../host/ops/channel-shuffle.ts';
import { argmax } from '../../host/ops/argmax.ts';
import { composed } from '../../host/ops/composed.ts';
import { concat } from '../../host/ops/concat.ts';
import { constantOps } from '../../host/ops/constant-ops.ts';
import { expand } from '../../host/ops/expand.ts';
import { gatherNd } from '../../host/ops/gather-nd.ts';
import { gather } from '../../host/ops/gather.ts';
import type { OnnxReader } from '../../host/ops/op.ts';
import { logicOps } from '../../host/ops/logic.ts';
import { pad } from '../../host/ops/pad.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { slice } from '../../host/ops/slice.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { unary } from '../../host/ops/unary.ts';
import { numbers, type Tensor } from '../../host/tensor.ts';
import { onnxGoldens, type TensorLiteral } from './onnx-goldens.ts';
import { floatTensor, intTensor } from './problem.ts';
import { onnxNode, type OnnxSpec } from './source-nodes.ts';

const readers = new Map<string, OnnxReader>(
  [binary, unary, composed, logicOps, argmax, concat, slice, pad, reshape, expand, transpose, gather, gatherNd, channelShuffle, constantOps]
    .flatMap((op) => Object.entries((op as { onnx?: Record<string, OnnxReader> }).onnx ?? {})),
);

function read(b: Builder, op: string, spec: OnnxSpec): Value[] {
  const reader = readers.get(op);
  if (!reader) throw new Error(`no reader for ${op}`);
  const node = onnxNode({ op, ...spec });
  const outputs = reader(node, b);
  deepEqual(node.unread(), [], 'every attribute is read');
  return outputs;
}

function literal({ dtype, shape, data }: TensorLiteral): Tensor {
  return dtype === 'float32' ? floatTensor(shape, data) : intTensor(shape, data);
}

/** The outputs of one operator; inputs outside of `constants` are graph inputs. */
function evaluate(op: string, spec: Omit<OnnxSpec, 'inputs'>, inputs: readonly (Tensor | null)[], constants: readonly number[]): Tensor[] {
  const b = new Builder();
  const fed: Tensor[] = [];
  const values = inputs.map((tensor, i) => {
    if (tensor === null) return null;
    if (constants.includes(i)) return b.constant(tensor);
    fed.push(tensor);
    return b.input(`x${i}`, tensor);
  });
  for (const value of read(b, op, { ...spec, inputs: values })) b.output(value, 'y');
  return runReference(b.graph, fed.map((t) => t.data));
}

for (const golden of onnxGoldens) {
  for (const allConstant of [false, true]) {
    test(`${golden.name}${allConstant ? ', folded' : ''}`, () => {
      const inputs = golden.inputs.map((t) => t && literal(t));
      const constants = allConstant ? inputs.map((_, i) => i) : golden.constants;
      const outputs = evaluate(golden.op, { opset: golden.opset, attrs: golden.attrs, outputCount: golden.outputs.length }, inputs, constants);
      equal(outputs.length, golden.outputs.length);
      golden.outputs.forEach((expected, i) => {
        const actual = outputs[i];
        deepEqual([actual.dtype, actual.shape], [expected.dtype, expected.shape]);
        const data = [...numbers(actual)];
        const worst = Math.max(0, ...data.map((v, k) => Math.abs(v - expected.data[k]) / Math.max(1, Math.abs(expected.data[k]))));
        ok(data.length === expected.data.length && worst <= 2e-7, `[${data.join(', ')}] is not [${expected.data.join(', ')}]`);
      });
    });
  }
}

const codeOf = (code: ErrorCode) => (error: unknown): boolean => error instanceof KingletError && error.code === code;
const x = floatTensor([2, 3, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);

test('before opset 7 the attributes broadcast and axis place the second operand', () => {
  const perChannel = evaluate('Add', { opset: 6, attrs: { broadcast: 1, axis: 1 } }, [x, floatTensor([3], [100, 200, 300])], []);
  deepEqual([...perChannel[0].data as Float32Array], [100, 101, 202, 203, 304, 305, 106, 107, 208, 209, 310, 311]);
  const suffix = evaluate('Add', { opset: 6, attrs: { broadcast: 1 } }, [x, floatTensor([2], [100, 200])], []);
  deepEqual([...suffix[0].data as Float32Array].slice(0, 4), [100, 201, 102, 203]);
  throws(() => evaluate('Add', { opset: 6 }, [x, floatTensor([2], [1, 2])], []), codeOf('ERR_MODEL_INVALID'));
  throws(() => evaluate('Add', { opset: 6, attrs: { broadcast: 1, axis: 2 } }, [x, floatTensor([3, 2], [1, 2, 3, 4, 5, 6])], []), codeOf('ERR_MODEL_INVALID'));
  throws(() => evaluate('Add', { opset: 6, attrs: { broadcast: 1, axis: 1 } }, [x, floatTensor([2], [1, 2])], []), codeOf('ERR_MODEL_INVALID'));
});

test('before opset 7 a vector of PRelu slopes belongs to axis 1', () => {
  const minus = floatTensor([1, 2, 2], [-1, -2, -3, 4]);
  const [y] = evaluate('PRelu', { opset: 6 }, [minus, floatTensor([2], [0.5, 0.25])], [1]);
  deepEqual([...y.data as Float32Array], [-0.5, -1, -0.75, 4]);
});

test('negative pads crop', () => {
  const [y] = evaluate('Pad', { opset: 13, attrs: {} }, [floatTensor([1, 4], [1, 2, 3, 4]), intTensor([4], [0, -1, 1, 2])], [1]);
  deepEqual([y.shape, [...y.data as Float32Array]], [[2, 5], [2, 3, 4, 0, 0, 0, 0, 0, 0, 0]]);
});

test('8-bit integers wrap around like registers', () => {
  const bytes = (...v: number[]): Tensor => ({ dtype: 'int8', shape: [v.length], data: Int8Array.from(v) });
  const [a, c] = [bytes(100, -100, 127, -128, -7), bytes(100, -100, 2, -1, 2)];
  const results = { Add: [-56, 56, -127, 127, -5], Sub: [0, 0, 125, -127, -9], Mul: [16, 16, -2, -128, -14], Div: [1, 1, 63, -128, -3] };
  for (const [op, want] of Object.entries(results)) deepEqual([...evaluate(op, {}, [a, c], [])[0].data as Int8Array], want, op);
  deepEqual([...evaluate('Max', {}, [a, c], [])[0].data as Int8Array], [100, -100, 127, -1, 2]);
  deepEqual([...evaluate('Clip', {}, [a, { ...bytes(-9), shape: [] }, { ...bytes(101), shape: [] }], [1, 2])[0].data as Int8Array], [100, -9, 101, -9, -7]);
  deepEqual([...evaluate('Relu', {}, [a], [])[0].data as Int8Array], [100, 0, 127, 0, 0]);
});

test('ReduceLogSumExp neither overflows nor loses infinities', () => {
  const [y] = evaluate('ReduceLogSumExp', { attrs: { axes: [1], keepdims: 0 } }, [floatTensor([4, 2], [1000, 1000, -1000, -1000, -Infinity, -Infinity, Infinity, 0])], []);
  deepEqual([...y.data as Float32Array], [1000 + Math.LN2, Math.LN2 - 1000, -Infinity, Infinity].map(Math.fround));
});

test('comparisons know NaN, and Where keeps what it does not choose out of the result', () => {
  const [a, c] = [floatTensor([5], [1, 2, 3, NaN, Infinity]), floatTensor([5], [2, 2, 2, 2, NaN])];
  const results = { Less: [1, 0, 0, 0, 0], LessOrEqual: [1, 1, 0, 0, 0], Greater: [0, 0, 1, 0, 0], GreaterOrEqual: [0, 1, 1, 0, 0], Equal: [0, 1, 0, 0, 0] };
  for (const [op, want] of Object.entries(results)) deepEqual([...evaluate(op, {}, [a, c], [])[0].data as Int32Array], want, op);
  const flags = intTensor([5], [0, 1, 0, 0, 1]);
  deepEqual([...evaluate('Where', {}, [flags, a, c], [])[0].data as Float32Array], [2, 2, 2, 2, Infinity]);
  deepEqual([...evaluate('Where', {}, [flags, intTensor([], [7]), intTensor([], [-(2 ** 31)])], [])[0].data as Int32Array], [-(2 ** 31), 7, -(2 ** 31), -(2 ** 31), 7]);
  deepEqual([...evaluate('IsNaN', {}, [a], [])[0].data as Int32Array], [0, 0, 0, 1, 0]);
});

test('a range stops before its limit and is never endless', () => {
  const range = (...v: number[]): number[] => [...numbers(evaluate('Range', {}, v.map((n) => floatTensor([], [n])), [0, 1, 2])[0])];
  deepEqual([range(1, 2, 0.5), range(5, 1, -2), range(1, 1, 1), range(0, 1, -1)], [[1, 1.5], [5, 3], [], []]);
  for (const bounds of [[0, 1, 0], [0, 1, NaN], [0, Infinity, 1], [0, 1, 1e-30]]) throws(() => range(...bounds), codeOf('ERR_LIMIT'));
});

test('ArgMin of integers takes the smallest of all', () => {
  const [y] = evaluate('ArgMin', { attrs: { axis: 0, keepdims: 0 } }, [intTensor([3], [0, -(2 ** 31), 2 ** 31 - 1])], []);
  deepEqual([y.shape, [...y.data as Int32Array]], [[], [1]]);
});

test('constants of lower rank get leading ones, scalars stay', () => {
  const b = new Builder();
  const input = b.input('x', x);
  const [y] = read(b, 'Mul', { inputs: [input, b.constant(floatTensor([2], [1, 2]))] });
  deepEqual(b.graph.nodes[0].inputs.map((v) => v?.shape), [[2, 3, 2], [1, 1, 2]]);
  read(b, 'Mul', { inputs: [y, b.constant(floatTensor([], [2]))] });
  deepEqual(b.graph.nodes[1].inputs.map((v) => v?.shape), [[2, 3, 2], []]);
});

test('what is not supported or contradicts itself is refused by name', () => {
  const i = (...v: number[]): Tensor => intTensor([v.length], v);
  const refused: [string, ErrorCode, Omit<OnnxSpec, 'inputs'>, (Tensor | null)[]][] = [
    ['Reshape', 'ERR_MODEL_INVALID', {}, [x, i(5, -1)]],
    ['Reshape', 'ERR_MODEL_INVALID', {}, [x, i(-1, -1)]],
    ['Transpose', 'ERR_MODEL_INVALID', { attrs: { perm: [0, 0, 1] } }, [x]],
    ['Transpose', 'ERR_MODEL_INVALID', { attrs: { perm: [0, 1] } }, [x]],
    ['Concat', 'ERR_MODEL_INVALID', { attrs: { axis: 3 } }, [x, x]],
    ['Concat', 'ERR_MODEL_INVALID', { attrs: { axis: 0 } }, [x, floatTensor([2, 3], [1, 2, 3, 4, 5, 6])]],
    ['Split', 'ERR_MODEL_INVALID', { attrs: { axis: 1 }, outputCount: 2 }, [x, i(1, 1)]],
    ['Split', 'ERR_MODEL_INVALID', { attrs: { axis: 1 }, outputCount: 2 }, [x, i(4, -1)]],
    ['Split', 'ERR_MODEL_INVALID', { attrs: { axis: 1 }, outputCount: 2 }, [x]],
    ['Slice', 'ERR_MODEL_INVALID', {}, [x, i(0), i(1), i(0), i(0)]],
    ['Slice', 'ERR_MODEL_INVALID', {}, [x, i(0, 0), i(1, 1), i(1, -2)]],
    ['Pad', 'ERR_MODEL_INVALID', {}, [x, i(1, 2)]],
    ['Pad', 'ERR_UNSUPPORTED', { attrs: { mode: 'reflect' } }, [x, i(0, 3, 0, 0, 0, 0)]],
    ['Pad', 'ERR_UNSUPPORTED', { attrs: { mode: 'wrap' } }, [x, i(0, 1, 0, 0, 0, 0)]],
    ['Squeeze', 'ERR_MODEL_INVALID', {}, [x, i(1)]],
    ['Unsqueeze', 'ERR_MODEL_INVALID', {}, [x, i(1, 1)]],
    ['Unsqueeze', 'ERR_UNSUPPORTED', {}, [x, intTensor([1000], new Array<number>(1000).fill(0))]],
    ['Expand', 'ERR_MODEL_INVALID', {}, [x, i(2, 2, 2)]],
    ['Add', 'ERR_MODEL_INVALID', {}, [x, floatTensor([5], [1, 2, 3, 4, 5])]],
    ['Add', 'ERR_MODEL_INVALID', {}, [x, i(1)]],
    ['Gather', 'ERR_MODEL_INVALID', {}, [x, floatTensor([1], [0])]],
    ['Gather', 'ERR_MODEL_INVALID', {}, [floatTensor([0], []), i(0, 0)]],
    ['GatherND', 'ERR_MODEL_INVALID', {}, [x, intTensor([1, 4], [0, 0, 0, 0])]],
    ['ConstantOfShape', 'ERR_MODEL_INVALID', {}, [i(-2)]],
    ['ConstantOfShape', 'ERR_LIMIT', {}, [i(65536, 65536)]],
    ['DepthToSpace', 'ERR_MODEL_INVALID', { attrs: { blocksize: 0 } }, [floatTensor([1, 4, 1, 1], [1, 2, 3, 4])]],
    ['Sqrt', 'ERR_UNSUPPORTED', {}, [i(4)]],
    ['Tile', 'ERR_MODEL_INVALID', {}, [x, i(2)]],
    ['Tile', 'ERR_MODEL_INVALID', {}, [x, i(-1, 1, 1)]],
  ];
  for (const [op, code, spec, inputs] of refused) {
    throws(() => evaluate(op, spec, inputs, inputs.map((_, k) => k)), codeOf(code), `${op} ${JSON.stringify(spec)}`);
  }
});
