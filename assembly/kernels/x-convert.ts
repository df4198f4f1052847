// Elementwise conversion between dtypes.
// In: one X_CONVERT step. Out: dst in the other dtype over a nest of 6 dims.
// Exactness: QUANTIZE is clamp(rint(f32(x / SCALE)) + ZERO), NaN counts as 0; DEQUANTIZE is f32(q - ZERO) * SCALE in f32; narrowing
// conversions saturate. Rows with both strides 1 are vectorised where it pays: loads run past the operand (at most 28 bytes), stores
// are exact. src and dst must not overlap, except FLIP, which works in place.

import {
  CONVERT_DEQUANTIZE, CONVERT_DEQUANTIZE_I32, CONVERT_DIMS, CONVERT_DST, CONVERT_DST_STRIDES, CONVERT_F32_I32, CONVERT_FLIP,
  CONVERT_I32_F32, CONVERT_I32_I64, CONVERT_I32_I8, CONVERT_I64_I32, CONVERT_I8_I32, CONVERT_KIND, CONVERT_KIND_COUNT,
  CONVERT_QUANTIZE, CONVERT_SCALE, CONVERT_SRC, CONVERT_SRC_STRIDES, CONVERT_ZERO, NEST_RANK,
} from "../abi.ts";
import { addWork, inRange, nestCount, nestSpan, reads, times, word, writes } from "../verify.ts";
import { nestNext, nestOffset, nestStart, oneOf, spreads, storeBytes, storeWords } from "../nest.ts";
import { requantLow, requantOffset, roundUnit } from "../requant.ts";
import { quantize4 } from "./qs8-binary.ts";

/** log2 of the element's bytes on either side. */
function srcShift(kind: i32): i32 {
  if (kind == CONVERT_FLIP || kind == CONVERT_DEQUANTIZE || kind == CONVERT_I8_I32) return 0;
  return kind == CONVERT_I64_I32 ? 3 : 2;
}
function dstShift(kind: i32): i32 {
  if (kind == CONVERT_FLIP || kind == CONVERT_QUANTIZE || kind == CONVERT_I32_I8) return 0;
  return kind == CONVERT_I32_I64 ? 3 : 2;
}

/** Work: product of DIMS. */
export function verifyXConvert(step: usize): void {
  const kind = word(step, CONVERT_KIND);
  oneOf(step, CONVERT_KIND, CONVERT_KIND_COUNT);
  if (kind == CONVERT_QUANTIZE || kind == CONVERT_DEQUANTIZE) inRange(step, CONVERT_ZERO, -128, 127);
  spreads(step, CONVERT_DIMS, CONVERT_DST_STRIDES, NEST_RANK);
  reads(word(step, CONVERT_SRC), times(nestSpan(step, CONVERT_DIMS, CONVERT_SRC_STRIDES), 1 << srcShift(kind)));
  writes(word(step, CONVERT_DST), times(nestSpan(step, CONVERT_DIMS, CONVERT_DST_STRIDES), 1 << dstShift(kind)));
  addWork(nestCount(step, CONVERT_DIMS));
}

/** One element. */
function convert(kind: i32, src: usize, dst: usize, scale: f32, zero: i32): void {
  switch (kind) {
    case CONVERT_FLIP: store<u8>(dst, load<u8>(src) ^ 0x80); break;
    case CONVERT_QUANTIZE: store<i8>(dst, <i8>roundUnit(load<f32>(src) / scale, zero, -128, 127)); break;
    case CONVERT_DEQUANTIZE: store<f32>(dst, <f32>(<i32>load<i8>(src) - zero) * scale); break;
    case CONVERT_I32_F32: store<f32>(dst, <f32>load<i32>(src)); break;
    case CONVERT_F32_I32: store<i32>(dst, <i32>load<f32>(src)); break; // asc casts with trunc_sat
    case CONVERT_I32_I64: store<i64>(dst, <i64>load<i32>(src)); break;
    case CONVERT_I64_I32: store<i32>(dst, <i32>min<i64>(max<i64>(load<i64>(src), i32.MIN_VALUE), i32.MAX_VALUE)); break;
    case CONVERT_I8_I32: store<i32>(dst, <i32>load<i8>(src)); break;
    case CONVERT_I32_I8: store<i8>(dst, <i8>min<i32>(max<i32>(load<i32>(src), -128), 127)); break;
    default: store<f32>(dst, <f32>(<i64>load<i32>(src) - <i64>zero) * scale);
  }
}

function flipRow(src: usize, dst: usize, count: i32): void {
  for (; count > 0; count -= 16) {
    storeBytes(dst, v128.xor(v128.load(src), i8x16.splat(-128)), count);
    src += 16;
    dst += 16;
  }
}

function quantizeRow(src: usize, dst: usize, count: i32, scale: f32, zero: i32): void {
  const by = f32x4.splat(scale), low = requantLow(-128, zero), offset = requantOffset(zero);
  for (; count > 0; count -= 8) {
    const wide = i16x8.narrow_i32x4_s(
      quantize4(f32x4.div(v128.load(src), by), low, offset), quantize4(f32x4.div(v128.load(src, 16), by), low, offset),
    );
    storeBytes(dst, i8x16.narrow_i16x8_s(wide, wide), min<i32>(count, 8));
    src += 32;
    dst += 8;
  }
}

function dequantizeRow(src: usize, dst: usize, count: i32, scale: f32, zero: i32): void {
  const by = f32x4.splat(scale), centre = i16x8.splat(<i16>zero);
  for (; count > 0; count -= 8) {
    const q = i16x8.sub(v128.load_ext<i8>(src), centre);
    storeWords(dst, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(q)), by), count);
    if (count > 4) storeWords(dst + 16, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(q)), by), count - 4);
    src += 8;
    dst += 32;
  }
}

export function xConvert(step: usize, base: usize): void {
  const kind = load<i32>(step, CONVERT_KIND), scale = load<f32>(step, CONVERT_SCALE), zero = load<i32>(step, CONVERT_ZERO);
  const from = srcShift(kind), to = dstShift(kind);
  const rows = load<i32>(step, CONVERT_DIMS + 16), count = load<i32>(step, CONVERT_DIMS + 20);
  const ss = load<i32>(step, CONVERT_SRC_STRIDES + 20), ds = load<i32>(step, CONVERT_DST_STRIDES + 20);
  const dense = ss == 1 && ds == 1;
  nestStart();
  do {
    let src = base + <usize>load<i32>(step, CONVERT_SRC) + <usize>(nestOffset(step, CONVERT_SRC_STRIDES) << from);
    let dst = base + <usize>load<i32>(step, CONVERT_DST) + <usize>(nestOffset(step, CONVERT_DST_STRIDES) << to);
    for (let row = 0; row < rows; row++) {
      if (dense && kind == CONVERT_FLIP) flipRow(src, dst, count);
      else if (dense && kind == CONVERT_QUANTIZE) quantizeRow(src, dst, count, scale, zero);
      else if (dense && kind == CONVERT_DEQUANTIZE) dequantizeRow(src, dst, count, scale, zero);
      else for (let i = 0; i < count; i++) convert(kind, src + <usize>(i * ss << from), dst + <usize>(i * ds << to), scale, zero);
      src += <usize>(load<i32>(step, CONVERT_SRC_STRIDES + 16) << from);
      dst += <usize>(load<i32>(step, CONVERT_DST_STRIDES + 16) << to);
    }
  } while (nestNext(step, CONVERT_DIMS));
}
