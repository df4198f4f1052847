// The gate of a squeeze-excite block in one workgroup per image: the mean of each channel, a layer, its activation, a second layer and its
// activation. The means and the hidden layer stay in workgroup memory. In: views, packed weights. Out: a dispatch.
// Must not know how the block was recognised.

import type { Address, View } from '../../plan/lowering.ts';
import type { Clamp } from '../../ops/activation.ts';
import type { UnaryAttrs } from '../../ops/unary.ts';
import { weightRows, type Dispatch, type Params } from '../dispatch.ts';
import { bound, unaryText } from '../elementwise-text.ts';
import { ceil4 } from '../gpu-lowering.ts';

/** A layer's weights, packed as rows of vectors, and what follows it. */
export interface GateLayer {
  readonly weights: Address;
  readonly columns: number;
  readonly clamp: Clamp;
  readonly activation?: UnaryAttrs | undefined;
}

const THREADS = 256;
/** Default limit maxComputeWorkgroupStorageSize, in vectors. */
const WORKGROUP_VECTORS = 16384 / 16;

/** Whether means and hidden layer fit into a workgroup's memory beside the partial sums. */
export function gateFits(channels: number, hidden: number): boolean {
  return roomFor(channels, hidden) + THREADS <= WORKGROUP_VECTORS;
}

/** Vectors for means and hidden layer; few different sizes, so that blocks share pipelines. */
function roomFor(channels: number, hidden: number): number {
  return Math.max(64, roundUp(ceil4(channels) / 4 + ceil4(hidden) / 4));
}
function roundUp(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}

/** `src`: [N, H, W, C], `dst`: [N, C]; vectors of both. */
export function squeezeExcite(src: View, dst: View, first: GateLayer, second: GateLayer): Dispatch {
  const [batch, height, width, channels] = src.shape;
  const [c4, h4] = [ceil4(channels) / 4, ceil4(first.columns) / 4];
  const tail = channels % 4 === 0 ? '' : `if (n == p.c4 - 1) { sum = select(vec4f(), sum, vec4i(0, 1, 2, 3) < vec4i(${channels % 4})); }`;
  return {
    kernel: 'squeeze-excite',
    body: `
// Means, then the hidden layer.
var<workgroup> vectors: array<vec4f, ${roomFor(channels, first.columns)}>;
var<workgroup> part: array<vec4f, ${THREADS}>;
fn finish1(sum: vec4f) -> vec4f { ${finishText(first, '1')} }
fn finish2(sum: vec4f) -> vec4f { ${finishText(second, '2')} }
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let lane = i32(index);
  let image = p.x_at + i32(group.x) * p.x_batch;
${phase('p.c4', 'p.c_across', 'p.pixels', 'sum += x[image + (k / p.iw) * p.x_row + (k % p.iw) * p.x_pixel + n];', `${tail} vectors[n] = sum / f32(p.pixels);`)}
${phase('p.h4', 'p.h_across', 'p.c4', layerSum('vectors[k]', 'w1', 'p.h4'), 'vectors[p.c4 + n] = finish1(vec4f(w1[p.w1_at + n]) + sum);')}
${phase('p.c4', 'p.c_across', 'p.h4', layerSum('vectors[p.c4 + k]', 'w2', 'p.c4'), 'y[p.y_at + i32(group.x) * p.y_row + n] = finish2(vec4f(w2[p.w2_at + n]) + sum);')}
}`,
    params: {
      c4, h4, c_across: Math.min(THREADS, roundUp(c4)), h_across: Math.min(THREADS, roundUp(h4)),
      iw: width, pixels: height * width, x_batch: src.strides[0] / 4, x_row: src.strides[1] / 4, x_pixel: src.strides[2] / 4,
      y_row: dst.strides[0] / 4, ...finishParams(first, '1'), ...finishParams(second, '2'),
    },
    reads: [
      { name: 'x', as: 'vec4f', view: src },
      weightRows('w1', first.weights), weightRows('w2', second.weights),
    ],
    write: { name: 'y', as: 'vec4f', view: dst },
    workgroups: [batch, 1, 1],
  };
}

/** For each of `count` results n, `across` at a time: the other threads share the terms k below `terms`, then one of them adds the shares up. */
function phase(count: string, across: string, terms: string, add: string, done: string): string {
  return `
  for (var block = 0; block < ${count}; block += ${across}) {
    let n = block + lane % ${across};
    var sum = vec4f();
    if (n < ${count}) { for (var k = lane / ${across}; k < ${terms}; k += ${THREADS} / ${across}) { ${add} } }
    part[lane] = sum;
    workgroupBarrier();
    if (lane < ${across} && n < ${count}) {
      for (var s = ${across} + lane; s < ${THREADS}; s += ${across}) { sum += part[s]; }
      ${done}
    }
    workgroupBarrier();
  }`;
}

function layerSum(from: string, weights: string, columns: string): string {
  const terms = ['x', 'y', 'z', 'w'].map((lane, i) => `v.${lane} * vec4f(${weights}[at + ${i} * ${columns}])`);
  return `let v = ${from}; let at = p.${weights}_at + (4 * k + 1) * ${columns} + n;
      sum += ${terms.join(' + ')};`;
}

function finishText({ activation }: GateLayer, suffix: string): string {
  const clamped = `let v = clamp(sum, vec4f(p.low${suffix}), vec4f(p.high${suffix}));`;
  const result = activation ? unaryText(activation.kind, 'v', 'vec4f', `p.act${suffix}a`, `p.act${suffix}b`) : 'v';
  return `${clamped} return ${result};`;
}

function finishParams({ clamp, activation }: GateLayer, suffix: string): Params {
  const bounds = { [`low${suffix}`]: bound(clamp.min), [`high${suffix}`]: bound(clamp.max) };
  return activation ? { ...bounds, [`act${suffix}a`]: { f32: activation.p0 }, [`act${suffix}b`]: { f32: activation.p1 } } : bounds;
}
