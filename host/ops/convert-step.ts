// Emits X_CONVERT steps: one element type into another over a loop nest. In: views and a conversion. Out: steps.
// Per-channel parameters become one step per channel. Must not know any particular op.

import {
  CONVERT_DEQUANTIZE, CONVERT_DEQUANTIZE_I32, CONVERT_DIMS, CONVERT_DST, CONVERT_DST_STRIDES, CONVERT_KIND, CONVERT_QUANTIZE, CONVERT_SCALE, CONVERT_SRC,
  CONVERT_SRC_STRIDES, CONVERT_STEP_BYTES, CONVERT_ZERO, X_CONVERT,
} from '../../assembly/abi.ts';
import type { Lowering, View } from '../plan/lowering.ts';
import { makeNest, sliceView } from '../plan/views.ts';
import type { Quantization } from '../tensor.ts';

/** dst = convert(src) for equal shapes. */
export function emitConvert(ctx: Lowering, kind: number, src: View, dst: View, scale = 1, zeroPoint = 0): void {
  const nest = makeNest([dst, src]);
  ctx.emit(X_CONVERT, CONVERT_STEP_BYTES, {
    [CONVERT_SRC]: src.at,
    [CONVERT_DST]: dst.at,
    [CONVERT_KIND]: kind,
    [CONVERT_DIMS]: nest.dims,
    [CONVERT_DST_STRIDES]: nest.strides[0] ?? [],
    [CONVERT_SRC_STRIDES]: nest.strides[1] ?? [],
    [CONVERT_SCALE]: { f32: scale },
    [CONVERT_ZERO]: zeroPoint,
  });
}

/** dst = quantize(src): float32 to int8. */
export function emitQuantize(ctx: Lowering, src: View, dst: View, q: Quantization): void {
  emitScaled(ctx, CONVERT_QUANTIZE, src, dst, q);
}

/** dst = dequantize(src): int8 or int32 to float32. */
export function emitDequantize(ctx: Lowering, src: View, dst: View, q: Quantization): void {
  emitScaled(ctx, src.dtype === 'int32' ? CONVERT_DEQUANTIZE_I32 : CONVERT_DEQUANTIZE, src, dst, q);
}

function emitScaled(ctx: Lowering, kind: number, src: View, dst: View, q: Quantization): void {
  if (q.scale.length === 1) {
    emitConvert(ctx, kind, src, dst, q.scale[0], q.zeroPoint[0]);
    return;
  }
  const shape = dst.shape.map((dim, i) => (i === q.axis ? 1 : dim));
  const steps = dst.shape.map(() => 1);
  for (let channel = 0; channel < q.scale.length; channel++) {
    const starts = dst.shape.map((_, i) => (i === q.axis ? channel : 0));
    emitConvert(ctx, kind, sliceView(src, starts, steps, shape), sliceView(dst, starts, steps, shape), q.scale[channel], q.zeroPoint[channel]);
  }
}
