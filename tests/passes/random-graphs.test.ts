// Seeded random graphs of movements and arithmetic: every pass keeps the invariants, all of them together keep the meaning.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import { Builder } from '../../host/graph/builder.ts';
import type { Graph, Value } from '../../host/graph/graph.ts';
import { fingerprint, printGraph } from '../../host/graph/print.ts';
import { verifyGraph } from '../../host/graph/verify.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { binary } from '../../host/ops/binary.ts';
import { concat } from '../../host/ops/concat.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { dequantize } from '../../host/ops/dequantize.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { pad } from '../../host/ops/pad.ts';
import { pool2d } from '../../host/ops/pool2d.ts';
import { quantize } from '../../host/ops/quantize.ts';
import { reduce } from '../../host/ops/reduce.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { slice } from '../../host/ops/slice.ts';
import { softmax } from '../../host/ops/softmax.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { unary } from '../../host/ops/unary.ts';
import { optimise } from '../../host/passes/index.ts';
import { random, randomInt } from '../random.ts';
import { tolerance } from '../tolerance.ts';
import { assertClose, filled, perTensor } from './rewrite.ts';

const GRAPHS = 300;
const NODES = 14;

class Maker {
  readonly b = new Builder();
  readonly #next: () => number;
  readonly #values: Value[] = [];
  #seed = 1;

  constructor(seed: number) {
    this.#next = random(seed);
    this.#values.push(this.b.input('x', { dtype: 'float32', shape: [1, 4, 3, 6] }), this.b.input('z', { dtype: 'float32', shape: [1, 3, 6, 4] }));
  }

  graph(quantized: boolean): Graph {
    for (let i = 0; i < NODES; i++) {
      const value = this.#step();
      this.#values.push(quantized && this.#below(3) === 0 ? this.#around(value) : value);
    }
    const outputs = new Set([this.#values.at(-1) as Value, this.#any(), this.#any()]);
    [...outputs].filter((value) => !this.b.graph.inputs.includes(value) && value.data === undefined).forEach((value, i) => { this.b.output(value, `y${i}`); });
    return this.b.graph;
  }

  #below(n: number): number {
    return randomInt(this.#next, n);
  }
  /** Recent values more often, so that graphs are deep. */
  #any(): Value {
    const from = Math.max(0, this.#values.length - 1 - this.#below(5));
    return this.#values[from];
  }
  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)];
  }
  #constant(shape: readonly number[]): Value {
    return this.b.constant(filled('float32', shape, this.#seed++));
  }
  #around(value: Value): Value {
    const quantization = this.#pick([perTensor(0.05, 3), perTensor(0.02, -20)]);
    return this.b.add(dequantize, {}, [this.b.add(quantize, {}, [value], { quantization })]);
  }

  #step(): Value {
    const x = this.#any();
    const rank = x.shape.length;
    const kind = this.#below(12);
    if (kind <= 2) return this.#transposed(x);
    if (kind === 3) return this.#reshaped(x);
    if (kind === 4) return this.b.add(unary, { kind: this.#pick(['clamp', 'clamp', 'leakyRelu', 'tanh'] as const), p0: 0, p1: 1.5 }, [x]);
    if (kind === 5) return this.#combined(x);
    if (kind === 6) return this.b.add(concat, { axis: this.#below(rank) }, this.#alike(x));
    if (kind === 7) return this.#sliced(x);
    if (kind === 8) return this.b.add(reduce, { kind: 'mean', axes: [this.#below(rank)], keepDims: this.#below(2) === 0 || rank < 3 }, [x]);
    if (kind === 9) return rank === 4 ? this.#shuffled(x) : this.b.add(softmax, { axis: this.#below(rank), log: false, beta: 1 }, [x]);
    if (rank === 2) return this.b.add(matmul, { ...noClamp }, [x, this.#constant([x.shape[1], 4]), null]);
    return rank === 4 ? this.#spatial(x) : this.#transposed(x);
  }

  #transposed(x: Value): Value {
    const order = x.shape.map((_, axis) => ({ axis, key: this.#next() })).sort((a, b) => a.key - b.key);
    const known: readonly (readonly number[])[] = [[0, 2, 3, 1], [0, 3, 1, 2]];
    const perm = x.shape.length === 4 && this.#below(4) > 0 ? this.#pick(known) : order.map(({ axis }) => axis);
    return this.b.add(transpose, { perm }, [x]);
  }
  #reshaped(x: Value): Value {
    const [first, ...rest] = x.shape;
    const shapes = [[...x.shape, 1], [1, ...x.shape], [...x.shape.slice(0, -2), (x.shape.at(-2) ?? 1) * (x.shape.at(-1) ?? 1)], [first, rest.reduce((a, d) => a * d, 1)],
      x.shape.flatMap((d) => (d % 2 === 0 && d > 2 ? [2, d / 2] : [d]))];
    const shape = this.#pick(shapes.filter((s) => s.length > 1 && s.length < 6 && s.reduce((a, d) => a * d, 1) === x.shape.reduce((a, d) => a * d, 1)));
    return shape === undefined ? x : this.b.add(reshape, { shape }, [x]);
  }
  /** Two or three values of x's shape. */
  #alike(x: Value): Value[] {
    return [x, ...this.#values.filter((v) => v !== x && v.shape.length === x.shape.length && v.shape.every((d, i) => d === x.shape[i])).slice(-2), x].slice(0, 3);
  }
  #combined(x: Value): Value {
    const kind = this.#pick(['add', 'mul', 'sub', 'maximum'] as const);
    const axis = this.#below(x.shape.length);
    const other = this.#pick([...this.#alike(x), this.#constant([]), this.#constant(x.shape.slice(axis)), this.#constant(x.shape.map((d, i) => (i === axis ? d : 1)))]);
    const mean = this.b.add(reduce, { kind: 'mean', axes: [axis], keepDims: true }, [x]);
    return this.b.add(binary, { kind, ...noClamp }, this.#pick([[x, other], [other, x], [mean, x]]));
  }
  #sliced(x: Value): Value {
    const axis = this.#below(x.shape.length);
    const size = Math.max(1, x.shape[axis] - 1);
    const at = (value: number, rest: readonly number[]): number[] => rest.map((r, i) => (i === axis ? value : r));
    return this.b.add(slice, { starts: at(x.shape[axis] - size, x.shape.map(() => 0)), sizes: at(size, x.shape), steps: x.shape.map(() => 1) }, [x]);
  }
  #shuffled(x: Value): Value {
    const axis = x.shape.findIndex((d) => d % 2 === 0);
    if (axis < 0) return x;
    const split = x.shape.flatMap((d, i) => (i === axis ? [2, d / 2] : [d]));
    const perm = split.map((_, i) => (i === axis ? axis + 1 : i === axis + 1 ? axis : i));
    return this.b.add(reshape, { shape: x.shape }, [this.b.add(transpose, { perm }, [this.b.add(reshape, { shape: split }, [x])])]);
  }
  /** A spatial op as an ONNX importer makes it, sometimes with its own padding node in front. */
  #spatial(x: Value): Value {
    const padded = this.#below(2) === 0 ? x : this.b.add(pad, { pads: [0, 0, 1, 0, 0, 0, 0, 2], mode: 'constant', value: 0 }, [x]);
    const nhwc = this.b.add(transpose, { perm: [0, 2, 3, 1] }, [padded]);
    const window = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] } as const;
    const channels = nhwc.shape[3];
    const y = this.#below(3) === 0
      ? this.b.add(pool2d, { kind: this.#pick(['max', 'average'] as const), kernel: [3, 3], ...window, ceilMode: false, countIncludePad: this.#below(2) === 0, ...noClamp }, [nhwc])
      : this.b.add(conv2d, { ...window, groups: 1, ...noClamp }, [nhwc, this.#constant([3, 3, channels, 4]), this.#constant([4])]);
    const scaled = this.#below(2) === 0 ? y : this.b.add(binary, { kind: 'mul', ...noClamp }, [y, this.#constant([y.shape[3]])]);
    return this.b.add(transpose, { perm: [0, 3, 1, 2] }, [scaled]);
  }
}

function check(seed: number, quantized: boolean, allowed: number): void {
  const graph = new Maker(seed).graph(quantized);
  verifyGraph(graph);
  const inputs = graph.inputs.map((value, i) => filled(value.dtype, value.shape, seed + i).data);
  const expected = runReference(graph, inputs);
  const text = printGraph(graph);
  try {
    optimise(graph, () => { verifyGraph(graph); });
    runReference(graph, inputs).forEach((tensor, i) => { assertClose(tensor, expected[i], allowed); });
  } catch (error) {
    throw new Error(`seed ${seed}: ${String(error)}\n${text}\n${printGraph(graph)}`, { cause: error });
  }
}

test(`${GRAPHS} float graphs, seeds 1 to ${GRAPHS}`, () => {
  for (let seed = 1; seed <= GRAPHS; seed++) check(seed, false, tolerance.rewrite * 10);
});

// A unit of one scale becomes a fraction of the largest value, and may grow behind it: coarse, but a wrong element is far off.
test(`${GRAPHS} graphs with quantised values, seeds 1001 to ${1000 + GRAPHS}`, () => {
  for (let seed = 1001; seed <= 1000 + GRAPHS; seed++) check(seed, true, 0.2);
});

test('an optimised graph does not change again', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const graph = optimise(new Maker(seed).graph(seed % 2 === 0)).graph;
    const before = fingerprint(graph);
    optimise(graph);
    assert.equal(fingerprint(graph), before, `seed ${seed}`);
  }
});
