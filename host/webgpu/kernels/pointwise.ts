// 1x1 convolutions and products with a constant matrix: y[M, N] = x[M, K] vec4f(w[K, N]) + bias, four channels at a time.
// Three ways to share the work: `rows` gives each thread a few rows and keeps everything in registers; `tiled` stages 32 x 32 blocks in
// workgroup memory, for large products; `split` lets eight threads share each sum, for few rows and many channels (7x7 layers, classifiers).
// In: views, packed weights (pack-weights.ts), sizes. Out: a dispatch. Must not know which op it serves.

import type { Address, View } from '../../plan/lowering.ts';
import type { Pair } from '../../ops/window.ts';
import { weightRows, type Dispatch, type Operand, type Params } from '../dispatch.ts';
import { storeText, type Epilogue } from '../epilogue.ts';
import { ceil4 } from '../gpu-lowering.ts';

export interface Pointwise {
  /** [N, H, W, K] or [M, K]: channels together, pixels at multiples of four floats; the first channel may lie anywhere. */
  readonly src: View;
  /** [pixels, N], or twice as many channels where a shuffle is fused. */
  readonly dst: View;
  readonly columns: number;
  /** Of the source's pixels; [1, 1] for matrices. */
  readonly strides: Pair;
  /** [OH, OW] where strides are not 1. */
  readonly size: Pair;
  /** Packed for `lead` lanes in front of the first channel. */
  readonly weights: Address;
  /** [N, K] factors of the source's channels, of which the first then starts a vector: a squeeze-excite gate. */
  readonly gate?: View | undefined;
  readonly epilogue: Epilogue;
}

/** Lanes between the vector that the first channel lies in and that channel. */
export function leadLanes(view: View): number {
  return (view.at.offsetBytes / 4) % 4;
}

/** Side of the tiles in workgroup memory: 32 rows by 32 columns, 32 channels deep, 8 KiB in all. */
const TILE = 32;
/** Threads that share one sum. */
const SLICES = 8;

type Variant = 'tiled' | 'split' | 'rows';

/** Tiles pay where there are many of them; shared sums where rows are too few to keep a GPU busy. By count of work, not measured. */
function variantOf(rows: number, columns: number, depth: number): Variant {
  if (Math.ceil(rows / TILE) * Math.ceil(columns / TILE) >= 64 && depth >= TILE) return 'tiled';
  return rows * columns <= 2 ** 17 && depth >= 128 ? 'split' : 'rows';
}

export function pointwise(c: Pointwise): Dispatch {
  const lead = leadLanes(c.src);
  const depth = lead + (c.src.shape.at(-1) ?? 1);
  const [rows, n4] = [c.dst.shape[0], ceil4(c.columns) / 4];
  const store = storeText(c.epilogue, c.dst);
  const load = loadText(c, lead, depth);
  const variant = variantOf(rows, c.columns, depth);
  const perThread = variant === 'tiled' ? 4 : rows >= 4 ? 4 : 1;
  const body = { rows: rowsBody, tiled: tiledBody, split: splitBody }[variant](perThread);
  const groups = {
    rows: [Math.ceil(n4 / 8), Math.ceil(rows / (8 * perThread)), 1],
    tiled: [Math.ceil(n4 / 8), Math.ceil(rows / TILE), 1],
    split: [Math.ceil(n4 / 8), Math.ceil(rows / perThread), 1],
  } as const;
  return {
    kernel: `pointwise ${variant}`,
    body: [load.text, store.text, body].join('\n'),
    params: { m: rows, n4, k4: ceil4(depth) / 4, ...load.params, ...store.params },
    reads: [...load.reads, weightRows('w', c.weights), ...store.reads],
    write: store.write,
    workgroups: groups[variant],
  };
}

interface LoadText {
  /** fn row(m: i32) -> i32: where row m starts; fn load(row: i32, m: i32, k: i32) -> vec4f: its channels 4k to 4k + 3. */
  readonly text: string;
  readonly params: Params;
  readonly reads: readonly Operand[];
}

function loadText({ src, strides, size, gate }: Pointwise, lead: number, depth: number): LoadText {
  const aligned: View = { ...src, at: { ...src.at, offsetBytes: src.at.offsetBytes - 4 * lead } };
  const isPlain = src.shape.length === 2;
  const lines = ['var v = x[row + k];'];
  const lanes = 'vec4i(0, 1, 2, 3)';
  if (gate) lines.push('v = v * gate[p.gate_at + (m / p.plane) * p.gate_row + k];');
  if (depth % 4 !== 0) lines.push(`if (k == p.k4 - 1) { v = select(vec4f(), v, ${lanes} < vec4i(${depth % 4})); }`);
  if (lead > 0) lines.push(`if (k == 0) { v = select(vec4f(), v, ${lanes} >= vec4i(${lead})); }`);
  const row = isPlain ? 'return p.x_at + m * p.x_pixel;'
    : `let pixel = m % p.plane;
  return p.x_at + (m / p.plane) * p.x_batch + (pixel / p.ow) * ${strides[0]} * p.x_row + (pixel % p.ow) * ${strides[1]} * p.x_pixel;`;
  const pitch: Params = isPlain ? { x_pixel: src.strides[0] / 4 }
    : { x_batch: src.strides[0] / 4, x_row: src.strides[1] / 4, x_pixel: src.strides[2] / 4, ow: size[1] };
  return {
    text: `fn row(m: i32) -> i32 {\n  ${row}\n}\nfn load(row: i32, m: i32, k: i32) -> vec4f {\n  ${lines.join('\n  ')}\n  return v;\n}`,
    params: { ...pitch, ...(gate || !isPlain ? { plane: size[0] * size[1] } : {}), ...(gate ? { gate_row: gate.strides[0] / 4 } : {}) },
    reads: [{ name: 'x', as: 'vec4f', view: aligned }, ...(gate ? [{ name: 'gate', as: 'vec4f', view: gate } as const] : [])],
  };
}

/** Text for each of `count` rows. */
function each(count: number, text: (r: number) => string): string {
  return Array.from({ length: count }, (_, r) => text(r)).join('\n');
}

const multiply = (r: number): string => `acc${r} += v${r}.x * w0 + v${r}.y * w1 + v${r}.z * w2 + v${r}.w * w3;`;
/** Four rows of weights from vector `at` on; the first row of all is the bias. */
const fourWeights = 'let w0 = vec4f(w[at]); let w1 = vec4f(w[at + p.n4]); let w2 = vec4f(w[at + 2 * p.n4]); let w3 = vec4f(w[at + 3 * p.n4]);';

function rowsBody(rows: number): string {
  return `
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = i32(id.x);
  let m = i32(id.y) * ${rows};
  if (n >= p.n4 || m >= p.m) { return; }
  let bias = vec4f(w[p.w_at + n]);
${each(rows, (r) => `  let m${r} = min(m + ${r}, p.m - 1); let row${r} = row(m${r}); var acc${r} = bias;`)}
  for (var k = 0; k < p.k4; k++) {
    let at = p.w_at + (4 * k + 1) * p.n4 + n;
    ${fourWeights}
${each(rows, (r) => `    let v${r} = load(row${r}, m${r}, k); ${multiply(r)}`)}
  }
${each(rows, (r) => `  if (m + ${r} < p.m) { store(m + ${r}, n, acc${r}); }`)}
}`;
}

function splitBody(rows: number): string {
  return `
var<workgroup> part: array<vec4f, ${8 * SLICES * rows}>;
@compute @workgroup_size(${8 * SLICES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = i32(lane) % 8;
  let slice = i32(lane) / 8;
  let n = i32(group.x) * 8 + column;
  let m = i32(group.y) * ${rows};
${each(rows, (r) => `  let m${r} = min(m + ${r}, p.m - 1); let row${r} = row(m${r}); var acc${r} = vec4f();`)}
  if (n < p.n4) {
    for (var k = slice; k < p.k4; k += ${SLICES}) {
      let at = p.w_at + (4 * k + 1) * p.n4 + n;
      ${fourWeights}
${each(rows, (r) => `      let v${r} = load(row${r}, m${r}, k); ${multiply(r)}`)}
    }
  }
${each(rows, (r) => `  part[(${r} * ${SLICES} + slice) * 8 + column] = acc${r};`)}
  workgroupBarrier();
  if (slice < ${rows} && n < p.n4 && m + slice < p.m) {
    var sum = vec4f(w[p.w_at + n]);
    for (var s = 0; s < ${SLICES}; s++) { sum += part[(slice * ${SLICES} + s) * 8 + column]; }
    store(m + slice, n, sum);
  }
}`;
}

/** Each of 8 x 8 threads makes 4 rows by 4 columns. */
function tiledBody(rows: number): string {
  return `
var<workgroup> a: array<vec4f, ${TILE * TILE / 4}>;
var<workgroup> b: array<vec4f, ${TILE * TILE / 4}>;
@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = i32(group.y) * ${TILE};
  let n = i32(group.x) * 8 + i32(local.x);
  let m = first + i32(local.y) * ${rows};
  var bias = vec4f();
  if (n < p.n4) { bias = vec4f(w[p.w_at + n]); }
${each(rows, (r) => `  var acc${r} = bias;`)}
  for (var depth = 0; depth < p.k4; depth += 8) {
    for (var i = i32(lane); i < ${TILE * TILE / 4}; i += 64) {
      let m0 = first + i / 8;
      let k0 = depth + i % 8;
      var v = vec4f();
      if (m0 < p.m && k0 < p.k4) { v = load(row(m0), m0, k0); }
      a[i] = v;
      let k1 = 4 * depth + i / 8;
      let n1 = i32(group.x) * 8 + i % 8;
      var weight = vec4f();
      if (k1 < 4 * p.k4 && n1 < p.n4) { weight = vec4f(w[p.w_at + (k1 + 1) * p.n4 + n1]); }
      b[i] = weight;
    }
    workgroupBarrier();
    for (var k = 0; k < 8; k++) {
      let at = 32 * k + i32(local.x);
      let w0 = b[at]; let w1 = b[at + 8]; let w2 = b[at + 16]; let w3 = b[at + 24];
${each(rows, (r) => `      let v${r} = a[(i32(local.y) * ${rows} + ${r}) * 8 + k]; ${multiply(r)}`)}
    }
    workgroupBarrier();
  }
  if (n < p.n4) {
${each(rows, (r) => `    if (m + ${r} < p.m) { store(m + ${r}, n, acc${r}); }`)}
  }
}`;
}
