// Small graphs that make every kernel work at its edges: 1x1 and 7x7 pictures, channels that are no multiples of four, strides, pads,
// dilations, groups, slices at odd channels. The page runs them on its GPU, the test by definition. In: nothing. Out: graphs by name.

import { Builder } from '../../host/graph/builder.ts';
import type { Graph, Value } from '../../host/graph/graph.ts';
import { argmax } from '../../host/ops/argmax.ts';
import { binary, type BinaryKind } from '../../host/ops/binary.ts';
import { cast } from '../../host/ops/cast.ts';
import { channelShuffle } from '../../host/ops/channel-shuffle.ts';
import { concat } from '../../host/ops/concat.ts';
import { conv2d, type Conv2dAttrs } from '../../host/ops/conv2d.ts';
import { expand } from '../../host/ops/expand.ts';
import { lrn } from '../../host/ops/lrn.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { pad, type PadMode } from '../../host/ops/pad.ts';
import { pool2d, type Pool2dAttrs } from '../../host/ops/pool2d.ts';
import { reduce, type ReduceKind } from '../../host/ops/reduce.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { resize } from '../../host/ops/resize.ts';
import type { ResizeAttrs } from '../../host/ops/resize-table.ts';
import { slice } from '../../host/ops/slice.ts';
import { softmax } from '../../host/ops/softmax.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { unary, type UnaryAttrs, type UnaryKind } from '../../host/ops/unary.ts';
import type { Shape } from '../../host/tensor.ts';
import { noise } from '../../models/random.ts';

export interface KernelCase {
  readonly name: string;
  readonly make: () => Graph;
}

const noClamp = { min: -Infinity, max: Infinity };

function graphOf(shapes: readonly Shape[], build: (b: Builder, values: Value[]) => Value | Value[]): () => Graph {
  return () => {
    const b = new Builder();
    const outputs = [build(b, shapes.map((shape, i) => b.input(`x${i}`, { dtype: 'float32', shape })))].flat();
    outputs.forEach((value, i) => { b.output(value, `y${i}`); });
    return b.graph;
  };
}

let seed = 1;
function weights(b: Builder, shape: Shape): Value {
  const { data } = noise(seed++, shape);
  return b.constant({ dtype: 'float32', shape, data });
}

interface ConvCase extends Partial<Conv2dAttrs> {
  readonly kernel?: readonly [number, number];
  readonly bias?: boolean;
}
function conv(b: Builder, x: Value, oc: number, { kernel = [1, 1], bias = true, ...attrs }: ConvCase = {}): Value {
  const groups = attrs.groups ?? 1;
  const w = weights(b, [...kernel, (x.shape[3] ?? 0) / groups, oc]);
  return b.add(conv2d, { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups, ...noClamp, ...attrs }, [x, w, bias ? weights(b, [oc]) : null]);
}
/** A 1x1 convolution first, so that the layer under test reads what the GPU laid out itself. */
function inside(b: Builder, x: Value, channels: number): Value {
  return conv(b, x, channels, { bias: false });
}
function channels(b: Builder, x: Value, start: number, size: number): Value {
  const starts = x.shape.map((_, i) => (i === 3 ? start : 0));
  return b.add(slice, { starts, sizes: x.shape.map((dim, i) => (i === 3 ? size : dim)), steps: starts.map(() => 1) }, [x]);
}

function pointwiseCases(): KernelCase[] {
  const sizes: readonly (readonly [h: number, w: number, ic: number, oc: number])[] = [
    [1, 1, 5, 3], [1, 1, 58, 58], [7, 7, 58, 58], [7, 7, 160, 37], [5, 3, 24, 144], [7, 7, 320, 64], [1, 1, 1024, 10], [33, 35, 40, 64], [48, 48, 67, 97],
  ];
  return sizes.flatMap(([h, w, ic, oc]) => [
    { name: `pointwise ${h}x${w}, ${ic} to ${oc}`, make: graphOf([[1, h, w, ic]], (b, [x]) => conv(b, inside(b, x, ic), oc, { min: 0, max: 6 })) },
    { name: `pointwise ${h}x${w}, ${ic} to ${oc}, from channel 2`, make: graphOf([[2, h, w, ic + 2]], (b, [x]) => conv(b, channels(b, inside(b, x, ic + 2), 2, ic), oc)) },
    { name: `pointwise stride 2 ${h}x${w}, ${ic} to ${oc}`, make: graphOf([[2, h, w, ic]], (b, [x]) => conv(b, x, oc, { strides: [2, 2] })) },
  ]);
}

function windowCases(): KernelCase[] {
  const windows: readonly (readonly [text: string, attrs: ConvCase])[] = [
    ['3x3', { kernel: [3, 3], pads: [1, 1, 1, 1] }],
    ['3x3 stride 2, pads behind', { kernel: [3, 3], strides: [2, 2], pads: [0, 0, 2, 2] }],
    ['3x3 dilated', { kernel: [3, 3], dilations: [2, 2], pads: [2, 2, 2, 2] }],
    ['5x5 stride 2', { kernel: [5, 5], strides: [2, 2], pads: [2, 2, 2, 2] }],
    ['7x7', { kernel: [7, 7], pads: [3, 3, 3, 3] }],
    ['1x5', { kernel: [1, 5], pads: [0, 2, 0, 2] }],
    ['1x1 with pads', { kernel: [1, 1], pads: [1, 1, 1, 1] }],
  ];
  const planes: readonly (readonly [h: number, w: number])[] = [[7, 7], [10, 13], [3, 1]];
  return windows.flatMap(([text, attrs]) => planes.flatMap(([h, w]) => [
    { name: `depthwise ${text}, ${h}x${w}x58`, make: graphOf([[2, h, w, 58]], (b, [x]) => conv(b, inside(b, x, 58), 58, { ...attrs, groups: 58 })) },
    { name: `dense ${text}, ${h}x${w}, 7 to 10`, make: graphOf([[2, h, w, 7]], (b, [x]) => conv(b, inside(b, x, 7), 10, attrs)) },
    { name: `stem ${text}, ${h}x${w}x3 in planes`, make: graphOf([[2, 3, h, w]], (b, [x]) => conv(b, b.add(transpose, { perm: [0, 2, 3, 1] }, [x]), 9, attrs)) },
    { name: `grouped ${text}, ${h}x${w}, 12 to 24 in 3`, make: graphOf([[1, h, w, 12]], (b, [x]) => conv(b, inside(b, x, 12), 24, { ...attrs, groups: 3 })) },
    { name: `grouped ${text}, ${h}x${w}, 6 to 9 in 3`, make: graphOf([[2, h, w, 6]], (b, [x]) => conv(b, inside(b, x, 6), 9, { ...attrs, groups: 3 })) },
  ])).concat([
    { name: 'depthwise with two results per channel', make: graphOf([[1, 6, 5, 5]], (b, [x]) => conv(b, inside(b, x, 5), 10, { kernel: [3, 3], groups: 5 })) },
    { name: 'cropping pads', make: graphOf([[1, 9, 9, 8]], (b, [x]) => conv(b, inside(b, x, 8), 8, { kernel: [3, 3], pads: [-1, -2, -1, 0], groups: 8 })) },
  ]);
}

const activations: readonly UnaryAttrs[] = [
  { kind: 'leakyRelu', p0: 0.1, p1: 0 }, { kind: 'swish', p0: 0, p1: 0 }, { kind: 'hardSwish', p0: 0, p1: 0 }, { kind: 'hardSigmoid', p0: 0.2, p1: 0.5 },
];

function fusedCases(): KernelCase[] {
  const add = (b: Builder, a: Value, c: Value, clamp = noClamp): Value => b.add(binary, { kind: 'add', ...clamp }, [a, c]);
  const shuffled = (b: Builder, parts: Value[]): Value => b.add(channelShuffle, { axis: 3, groups: 2 }, [b.add(concat, { axis: 3 }, parts)]);
  return [
    ...activations.map((activation) => ({
      name: `${activation.kind} behind convolutions`,
      make: graphOf([[1, 5, 5, 18]], (b, [x]) => conv(b, conv(b, inside(b, x, 18), 18, { activation }), 18, { activation, kernel: [3, 3], groups: 18 })),
    })),
    { name: 'a unary node behind a product', make: graphOf([[1, 30]], (b, [x]) => b.add(unary, { kind: 'hardSwish', p0: 0, p1: 0 }, [b.add(matmul, noClamp, [x, weights(b, [30, 13]), weights(b, [13])])])) },
    { name: 'residual of C 58', make: graphOf([[2, 7, 7, 58]], (b, [x]) => { const t = inside(b, x, 58); return add(b, t, conv(b, conv(b, t, 96), 58), { min: 0, max: 6 }); }) },
    { name: 'residual behind windows', make: graphOf([[1, 7, 7, 10]], (b, [x]) => { const t = inside(b, x, 10); return add(b, conv(b, t, 10, { kernel: [3, 3], pads: [1, 1, 1, 1], min: 0 }), t); }) },
    { name: 'the sum of two convolutions', make: graphOf([[1, 4, 4, 12]], (b, [x]) => add(b, conv(b, x, 20), conv(b, x, 20))) },
    ...[58, 24, 6].flatMap((c) => [
      { name: `shuffle units of ${c}`, make: graphOf([[1, 7, 7, 2 * c]], (b, [x]) => {
        let t = inside(b, x, 2 * c);
        for (let i = 0; i < 2; i++) t = shuffled(b, [channels(b, t, 0, c), conv(b, conv(b, channels(b, t, c, c), c, { min: 0 }), c, { min: 0 })]);
        return t;
      }) },
      { name: `shuffle of two branches of ${c}`, make: graphOf([[1, 5, 5, c]], (b, [x]) => shuffled(b, [conv(b, x, c), conv(b, x, c)])) },
      { name: `shuffle with the convolution in front, ${c}`, make: graphOf([[1, 5, 5, c]], (b, [x]) => shuffled(b, [conv(b, x, c), inside(b, inside(b, x, c), c)].reverse())) },
    ]),
    ...([[30, 7, 14], [16, 9, 1], [72, 8, 5]] as const).flatMap(([c, hidden, side]) => [true, false].map((keep) => ({
      name: `squeeze-excite of ${c} at ${side}${keep ? ', also read elsewhere' : ''}`,
      make: graphOf([[2, side, side, c]], (b, [x]) => {
        const t = inside(b, x, c);
        const mean = b.add(reduce, { kind: 'mean', axes: [1, 2], keepDims: true }, [t]);
        const gate = b.add(unary, { kind: 'sigmoid', p0: 0, p1: 0 }, [conv(b, conv(b, mean, hidden, { min: 0 }), c)]);
        const product = b.add(binary, { kind: 'mul', ...noClamp }, [t, gate]);
        return keep ? [conv(b, product, 11), product] : conv(b, product, 11);
      }),
    }))),
  ];
}

function elementCases(): KernelCase[] {
  const kinds: readonly BinaryKind[] = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'prelu', 'squaredDifference', 'less', 'keep'];
  const shapes: readonly (readonly [Shape, Shape])[] = [[[1, 3, 5, 6], [1, 3, 5, 6]], [[1, 3, 5, 6], [6]], [[2, 4, 8], []], [[1, 3, 5, 7], [1, 3, 5, 1]], [[4, 1, 3], [2, 3]]];
  const unaries: readonly UnaryKind[] = ['clamp', 'leakyRelu', 'sigmoid', 'tanh', 'hardSigmoid', 'hardSwish', 'swish', 'elu', 'softplus', 'exp', 'neg', 'abs', 'floor', 'ceil', 'round', 'square'];
  return [
    ...kinds.map((kind, i) => ({ name: `${kind} of two`, make: graphOf(shapes[i % shapes.length], (b, [x, y]) => b.add(binary, { kind, min: -2, max: 2 }, [x, y])) })),
    ...shapes.map(([a, c]) => ({ name: `add [${a.join(', ')}] and [${c.join(', ')}]`, make: graphOf([a, c], (b, [x, y]) => b.add(binary, { kind: 'add', ...noClamp }, [x, y])) })),
    { name: 'powers', make: graphOf([[2, 9]], (b, [x]) => b.add(binary, { kind: 'pow', ...noClamp }, [x, b.constant({ dtype: 'float32', shape: [9], data: Float32Array.of(2, 3, 1, 2, 3, 4, 5, 2, 1) })])) },
    ...unaries.map((kind) => ({ name: `${kind} of many`, make: graphOf([[2, 3, 3, 5]], (b, [x]) => b.add(unary, { kind, p0: kind === 'clamp' ? -0.4 : 0.3, p1: 0.5 }, [inside(b, x, 5)])) })),
    ...(['sqrt', 'log', 'rsqrt'] as const).map((kind) => ({
      name: `${kind} of positive numbers`, make: graphOf([[3, 7]], (b, [x]) => b.add(unary, { kind, p0: 0, p1: 0 }, [b.add(unary, { kind: 'softplus', p0: 0, p1: 0 }, [x])])),
    })),
    ...([[[3, 10], 1], [[2, 3, 100], 2], [[1, 4, 4, 6], 3], [[2, 70, 3], 1]] as const).flatMap(([shape, axis]) => [false, true].map((log) => ({
      name: `${log ? 'log ' : ''}softmax [${shape.join(', ')}] along ${axis}`, make: graphOf([shape], (b, [x]) => b.add(softmax, { axis, log, beta: 1.5 }, [x])),
    }))),
    { name: 'local response', make: graphOf([[1, 3, 3, 10]], (b, [x]) => b.add(lrn, { before: 2, after: 2, scale: 0.3, bias: 1, beta: 0.75 }, [inside(b, x, 10)])) },
    { name: 'products at run time', make: graphOf([[2, 3, 5, 7], [3, 7, 4]], (b, [x, y]) => b.add(matmul, { min: -1, max: 1 }, [x, y, weights(b, [4])])) },
    { name: 'a product with constants, many rows', make: graphOf([[2, 5, 9]], (b, [x]) => b.add(matmul, noClamp, [x, weights(b, [9, 6]), weights(b, [6])])) },
  ];
}

/** Positions, of equals too, on their way out. */
function positionCases(): KernelCase[] {
  const shapes: readonly (readonly [shape: Shape, axis: number])[] = [[[2, 3, 100], 2], [[1, 4, 5, 6], 3], [[2, 70, 3], 1], [[3, 10], 0]];
  const coarse = (b: Builder, x: Value): Value => b.add(unary, { kind: 'round', p0: 0, p1: 0 }, [b.add(binary, { kind: 'mul', ...noClamp }, [x, b.constant({ dtype: 'float32', shape: [], data: Float32Array.of(3) })])]);
  const flat = (b: Builder, x: Value): Value => b.add(reshape, { shape: [x.shape.reduce((a, d) => a * d, 1)] }, [x]);
  return [
    ...shapes.flatMap(([shape, axis]) => [false, true].flatMap((last) => [
      { name: `argmax of [${shape.join(', ')}] along ${axis}, the ${last ? 'last' : 'first'} of equals`, make: graphOf([shape], (b, [x]) => b.add(argmax, { axis, keepDims: last, last }, [coarse(b, x)])) },
    ])),
    { name: 'argmax as wide integers, moved', make: graphOf([[1, 4, 5, 7]], (b, [x]) => {
      const at = [inside(b, x, 7), inside(b, x, 40)].map((y) => b.add(transpose, { perm: [0, 3, 2, 1] }, [b.add(argmax, { axis: 3, keepDims: true, last: false }, [y])]));
      return [b.add(cast, { to: 'int64' }, [b.add(concat, { axis: 1 }, at)]), flat(b, b.add(cast, { to: 'float32' }, [at[1]]))];
    }) },
  ];
}

/** Functions behind one another, which share a dispatch where they read few tensors. */
function chainCases(): KernelCase[] {
  const two = (b: Builder, kind: BinaryKind, a: Value, c: Value, clamp = noClamp): Value => b.add(binary, { kind, ...clamp }, [a, c]);
  const one = (b: Builder, kind: UnaryKind, a: Value, p0 = 0, p1 = 0): Value => b.add(unary, { kind, p0, p1 }, [a]);
  const scalar = (b: Builder, value: number): Value => b.constant({ dtype: 'float32', shape: [], data: Float32Array.of(value) });
  return [
    ...[8, 6].map((c): KernelCase => ({
      name: `a chain of ${c} channels`, make: graphOf([[2, 3, 3, c], [1, 1, 1, c], [2, 3, 3, 1]], (b, [x, y, z]) => {
        const scaled = two(b, 'add', two(b, 'mul', inside(b, x, c), y), weights(b, [c]), { min: -2, max: 2 });
        const turned = two(b, 'sub', z, one(b, 'leakyRelu', scaled, 0.1));
        return one(b, 'clamp', two(b, 'mul', turned, turned), 0.25, 2);
      }),
    })),
    { name: 'a chain with powers', make: graphOf([[3, 5]], (b, [x]) => two(b, 'pow', one(b, 'softplus', x), two(b, 'div', one(b, 'exp', x), scalar(b, 3)))) },
    { name: 'a chain of eleven', make: graphOf([[2, 9]], (b, [x]) => {
      let v = x;
      for (let i = 0; i < 11; i++) v = i % 2 === 0 ? one(b, 'tanh', v) : two(b, 'mul', v, scalar(b, 1 + i / 8), { min: -3, max: 1.25 });
      return v;
    }) },
    { name: 'a chain that is read in between', make: graphOf([[2, 8]], (b, [x]) => { const t = one(b, 'tanh', x); return [two(b, 'mul', one(b, 'neg', t), x), t]; }) },
    { name: 'a chain that widens', make: graphOf([[3, 1], [3, 4]], (b, [x, y]) => one(b, 'abs', two(b, 'sub', one(b, 'exp', one(b, 'neg', x)), y))) },
  ];
}

function planeCases(): KernelCase[] {
  const pools: readonly Partial<Pool2dAttrs>[] = [
    { kind: 'max' }, { kind: 'average' }, { kind: 'average', countIncludePad: true }, { kind: 'max', strides: [1, 1], dilations: [2, 2], kernel: [2, 2] }, { kind: 'average', ceilMode: true, pads: [0, 0, 0, 0] },
  ];
  const base = { kernel: [3, 3], strides: [2, 2], dilations: [1, 1], pads: [1, 1, 1, 1], ceilMode: false, countIncludePad: false, ...noClamp } as const;
  const sizes: readonly (readonly [mode: ResizeAttrs['mode'], coordinates: ResizeAttrs['coordinates']])[] = [
    ['nearest', 'asymmetric'], ['linear', 'half_pixel'], ['linear', 'align_corners'], ['cubic', 'half_pixel'],
  ];
  return [
    ...pools.map((attrs, i) => ({ name: `pool ${attrs.kind} ${i}`, make: graphOf([[2, 8, 9, 6]], (b, [x]) => b.add(pool2d, { ...base, kind: 'max', ...attrs }, [inside(b, x, 6)])) })),
    ...sizes.map(([mode, coordinates]) => ({
      name: `resize ${mode} ${coordinates}`,
      make: graphOf([[2, 5, 4, 6]], (b, [x]) => b.add(resize, { mode, size: [11, 6], scales: [2.2, 1.5], coordinates, nearest: 'floor' }, [inside(b, x, 6)])),
    })),
    ...(['mean', 'sum', 'max', 'min', 'prod'] as const satisfies readonly ReduceKind[]).flatMap((kind) => [
      { name: `${kind} of planes`, make: graphOf([[2, 5, 3, 70]], (b, [x]) => b.add(reduce, { kind, axes: [1, 2], keepDims: false }, [x])) },
      { name: `${kind} over many`, make: graphOf([[3, 9, 70]], (b, [x]) => b.add(reduce, { kind, axes: [1, 2], keepDims: false }, [kind === 'prod' ? b.add(unary, { kind: 'exp', p0: 0, p1: 0 }, [b.add(binary, { kind: 'mul', ...noClamp }, [x, weights(b, [70])])]) : x])) },
      { name: `${kind} over channels`, make: graphOf([[2, 3, 4, 5]], (b, [x]) => b.add(reduce, { kind, axes: [0, 3], keepDims: true }, [inside(b, x, 5)])) },
    ]),
  ];
}

function moveCases(): KernelCase[] {
  const modes: readonly PadMode[] = ['constant', 'reflect', 'symmetric', 'edge'];
  return [
    ...modes.map((mode) => ({ name: `pad ${mode}`, make: graphOf([[1, 4, 5, 3]], (b, [x]) => b.add(pad, { pads: [0, 2, 1, 0, 0, 1, 3, 2], mode, value: 1.5 }, [inside(b, x, 3)])) })),
    ...([[8, 12], [58, 6], [3, 5]] as const).map(([p, q]) => ({
      name: `join of ${p} and ${q} channels`, make: graphOf([[1, 5, 4, 6]], (b, [x]) => conv(b, b.add(concat, { axis: 3 }, [conv(b, x, p), conv(b, x, q, { kernel: [3, 3], pads: [1, 1, 1, 1] })]), 7)),
    })),
    { name: 'a join that reads itself', make: graphOf([[1, 3, 3, 8]], (b, [x]) => { const t = inside(b, x, 8); return b.add(concat, { axis: 3 }, [t, conv(b, t, 8), t]); }) },
    { name: 'joined rows', make: graphOf([[1, 3, 4, 5], [1, 2, 4, 5]], (b, [x, y]) => inside(b, b.add(concat, { axis: 1 }, [inside(b, x, 5), inside(b, y, 5)]), 6)) },
    { name: 'heads joined flat', make: graphOf([[1, 4, 3, 8]], (b, [x]) => b.add(concat, { axis: 1 }, [6, 12].map((c) => b.add(reshape, { shape: [1, 12 * c / 2, 2] }, [conv(b, x, c)])))) },
    { name: 'shuffle of three groups', make: graphOf([[2, 3, 3, 12]], (b, [x]) => inside(b, b.add(channelShuffle, { axis: 3, groups: 3 }, [inside(b, x, 12)]), 5)) },
    { name: 'every other channel, backwards', make: graphOf([[1, 3, 3, 9]], (b, [x]) => inside(b, b.add(slice, { starts: [0, 2, 0, 8], sizes: [1, 3, 3, 5], steps: [1, -1, 1, -2] }, [inside(b, x, 9)]), 4)) },
    { name: 'transposed twice with work between', make: graphOf([[2, 3, 4, 5]], (b, [x]) => {
      const t = b.add(unary, { kind: 'abs', p0: 0, p1: 0 }, [b.add(transpose, { perm: [0, 3, 1, 2] }, [inside(b, x, 5)])]);
      return b.add(transpose, { perm: [3, 0, 2, 1] }, [t]);
    }) },
    { name: 'reshaped pictures', make: graphOf([[2, 3, 4, 6]], (b, [x]) => b.add(matmul, noClamp, [b.add(reshape, { shape: [2, 72] }, [inside(b, x, 6)]), weights(b, [72, 5]), null])) },
    { name: 'stretched', make: graphOf([[1, 3, 1, 5]], (b, [x]) => inside(b, b.add(expand, { shape: [2, 3, 4, 5] }, [x]), 6)) },
    ...([['planes', [1, 3, 16, 20]], ['pixels', [1, 16, 20, 3]], ['gray', [1, 16, 20, 1]]] as const).map(([name, shape]) => ({
      name: `picture of ${name}`, make: graphOf([shape], (b, [x]) => b.add(unary, { kind: 'neg', p0: 0, p1: 0 }, [x])),
    })),
    { name: 'an input as an output', make: graphOf([[2, 3]], (b, [x]) => [b.add(reshape, { shape: [3, 2] }, [x]), b.add(unary, { kind: 'neg', p0: 0, p1: 0 }, [x])]) },
  ];
}

/** Weights depend on the order in which graphs are made, so each is made afresh from its own seed. */
export const kernelCases: readonly KernelCase[] = [
  ...pointwiseCases(), ...windowCases(), ...fusedCases(), ...elementCases(), ...planeCases(), ...moveCases(), ...chainCases(), ...positionCases(),
].map(({ name, make }, i) => ({ name, make: () => { seed = 1000 * (i + 1); return make(); } }));
