// Packing of convolution weights into the kernels' panels (layouts: assembly/abi.ts, F32_CONV and F32_DWCONV).
// In: HWIO constants and quantisation. Out: one byte block per layer. Must not know graphs, views or steps.

import * as abi from '../../assembly/abi.ts';
import { rint } from './quantized.ts';
import type { Constant } from '../graph/graph.ts';
import { numbers, perTensor, type TensorType } from '../tensor.ts';
import { KingletError } from '../error.ts';

/** Output channels of one GEMM panel. */
export const PANEL = 8;

export interface ConvShape {
  /** Taps times input channels per group. */
  readonly k: number;
  readonly groups: number;
  /** Output channels per group. */
  readonly oc: number;
}

/** HWIO weights in the order (c, ky, kx) instead of (ky, kx, c). */
export function planarOrder(weights: Constant): Constant {
  const [kh = 1, kw = 1, ic = 1, columns = 1] = weights.shape;
  const w = numbers(weights);
  const taps = kh * kw;
  const data = new Float32Array(taps * ic * columns);
  for (let c = 0; c < ic; c++) for (let t = 0; t < taps; t++) for (let j = 0; j < columns; j++) {
    data[(c * taps + t) * columns + j] = w[(t * ic + c) * columns + j] ?? 0;
  }
  return { ...weights, data };
}

/** w[K, groups*oc] (HWIO flattened) → per group, per panel of 8 columns: [bias 8][K][8] float32. */
export function packF32Conv(weights: Constant, bias: Constant | null, { k, groups, oc }: ConvShape): Float32Array {
  const w = numbers(weights);
  const b = bias ? numbers(bias) : null;
  const panels = Math.ceil(oc / PANEL);
  const out = new Float32Array(groups * panels * PANEL * (k + 1));
  const columns = groups * oc;
  let at = 0;
  for (let g = 0; g < groups; g++) {
    for (let p = 0; p < panels; p++) {
      const first = g * oc + p * PANEL;
      const width = Math.min(PANEL, oc - p * PANEL);
      for (let j = 0; j < width; j++) out[at + j] = b?.[first + j] ?? 0;
      at += PANEL;
      for (let i = 0, from = first; i < k; i++, from += columns, at += PANEL) {
        for (let j = 0; j < width; j++) out[at + j] = w[from + j];
      }
    }
  }
  return out;
}

/** Per-channel multipliers f32(f32(si * sw) / so); all 1 where the output is int32. */
export function outputScales(weights: TensorType, src: TensorType, dst: TensorType, channels: number): Float32Array {
  const q = weights.quantization;
  const out = new Float32Array(channels).fill(1);
  if (dst.dtype !== 'int8') return out;
  if (q === undefined) throw new KingletError('ERR_MODEL_INVALID', 'int8 weights have no quantisation parameters');
  if (q.scale.length !== 1 && (q.scale.length !== channels || q.axis !== weights.shape.length - 1)) {
    throw new KingletError('ERR_UNSUPPORTED', 'weights are quantised per channel along another axis than the output channels');
  }
  const si = perTensor(src, 'the input').scale;
  const so = perTensor(dst, 'the output').scale;
  for (let c = 0; c < channels; c++) out[c] = Math.fround(Math.fround(si * (q.scale[q.scale.length === 1 ? 0 : c] ?? 1)) / so);
  return out;
}

/** The weights' one zero point in the int8 domain. Throws ERR_UNSUPPORTED when channels have different ones. */
export function weightZero(weights: TensorType): number {
  const zeros = weights.quantization?.zeroPoint ?? new Int32Array(1);
  const zero = zeros[0] ?? 0;
  if (!zeros.every((z) => z === zero)) throw new KingletError('ERR_UNSUPPORTED', 'weights with a different zero point per channel');
  return zero;
}

/**
 * Quantised convolution, panels as in assembly/abi.ts. A panel whose weights fit -127…127 after subtracting their zero point
 * holds them so; the others keep the zero point and get it back through row sums.
 */
export function packQs8Conv(weights: Constant, bias: Constant | null, shape: ConvShape, scales: Float32Array, srcZero: number): Uint8Array {
  const { k, groups, oc } = shape;
  const w = numbers(weights);
  const b = bias ? numbers(bias) : null;
  const panels = Math.ceil(oc / PANEL);
  const panelBytes = abi.QS8_PANEL_HEAD + Math.ceil(k / 4) * 32;
  const out = new Uint8Array(groups * panels * panelBytes);
  const ints = new Int32Array(out.buffer);
  const floats = new Float32Array(out.buffer);
  const bytes = new Int8Array(out.buffer);
  const columns = groups * oc;
  for (let g = 0; g < groups; g++) {
    for (let p = 0; p < panels; p++) {
      const at = (g * panels + p) * panelBytes;
      const first = g * oc + p * PANEL;
      const width = Math.min(PANEL, oc - p * PANEL);
      const layerZero = weightZero(weights);
      const shift = panelFits(w, layerZero, k, columns, first, width) ? layerZero : 0;
      const zero = layerZero - shift;
      for (let j = 0; j < width; j++) {
        let sum = 0;
        for (let i = 0; i < k; i++) {
          const value = (w[i * columns + first + j] ?? 0) - shift;
          sum += value;
          bytes[at + abi.QS8_PANEL_HEAD + (i >> 2) * 32 + j * 4 + (i & 3)] = value;
        }
        ints[at / 4 + j] = (b?.[first + j] ?? 0) + k * srcZero * zero;
        ints[at / 4 + 8 + j] = sum;
        floats[(at + abi.QS8_PANEL_SCALES) / 4 + j] = scales[first + j] ?? 1;
      }
      ints[(at + abi.QS8_PANEL_ROW_FACTOR) / 4] = -zero;
    }
  }
  return out;
}

function panelFits(w: ArrayLike<number>, zero: number, k: number, columns: number, first: number, width: number): boolean {
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < width; j++) if (Math.abs((w[i * columns + first + j] ?? 0) - zero) > 127) return false;
  }
  return true;
}

/** w[taps, channels] → per 4 channels [bias 4][taps][4] float32. */
export function packF32Dwconv(weights: Constant, bias: Constant | null, taps: number, channels: number): Float32Array {
  const w = numbers(weights);
  const b = bias ? numbers(bias) : null;
  const blocks = Math.ceil(channels / 4);
  const out = new Float32Array(blocks * 4 * (taps + 1));
  for (let c = 0; c < channels; c++) {
    const at = (c >> 2) * 4 * (taps + 1) + (c & 3);
    out[at] = b?.[c] ?? 0;
    for (let t = 0; t < taps; t++) out[at + (t + 1) * 4] = w[t * channels + c] ?? 0;
  }
  return out;
}

/** w[taps, channels] → per 8 channels [bias 8 i32][scale 8 f32][ceil(taps/2)][8][2] i16 of w - weightZero. */
export function packQs8Dwconv(
  weights: Constant, bias: Constant | null, taps: number, channels: number, scales: Float32Array, srcZero: number,
): Uint8Array {
  const w = numbers(weights);
  const b = bias ? numbers(bias) : null;
  const zero = weightZero(weights);
  const blockBytes = 64 + Math.ceil(taps / 2) * 32;
  const out = new Uint8Array(Math.ceil(channels / 8) * blockBytes);
  const ints = new Int32Array(out.buffer);
  const floats = new Float32Array(out.buffer);
  const words = new Int16Array(out.buffer);
  for (let c = 0; c < channels; c++) {
    const at = (c >> 3) * blockBytes;
    let sum = 0;
    for (let t = 0; t < taps; t++) {
      const value = (w[t * channels + c] ?? 0) - zero;
      sum += value;
      words[(at + 64) / 2 + (t >> 1) * 16 + (c & 7) * 2 + (t & 1)] = value;
    }
    ints[at / 4 + (c & 7)] = (b?.[c] ?? 0) - srcZero * sum;
    floats[at / 4 + 8 + (c & 7)] = scales[c] ?? 1;
  }
  return out;
}

/** A float bias in accumulator units: int32 rint(b / (si * sw)). */
export function quantizeBias(bias: Constant, weights: TensorType, src: TensorType): Int32Array {
  const si = perTensor(src, 'the input').scale;
  const q = weights.quantization;
  return Int32Array.from(numbers(bias), (b, c) => rint(b / Math.fround(si * (q?.scale[q.scale.length === 1 ? 0 : c] ?? 1))));
}
