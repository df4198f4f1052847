// One step: its size, its verifier and its kernel, one `case` line per opcode each.
// In: a step (hostile for stepBytes and verifyStep, verified for runStep). Must not know how steps follow one another: executor.ts
// and threads.ts walk them.

import {
  STEP_OPCODE,
  CONV_STEP_BYTES, DW_STEP_BYTES,
  ARGMAX_STEP_BYTES, BINARY_STEP_BYTES, CONVERT_STEP_BYTES, COPY_STEP_BYTES, GATHER_STEP_BYTES, LRN_STEP_BYTES, LUT_STEP_BYTES,
  MATMUL_STEP_BYTES, NORMALIZE_STEP_BYTES, POOL_STEP_BYTES, REDUCE_STEP_BYTES, RESIZE_STEP_BYTES, SOFTMAX_STEP_BYTES,
  UNARY_STEP_BYTES,
  F32_CONV, F32_DWCONV, QS8_CONV, QS8_DWCONV,
  F32_BINARY, F32_LRN, F32_NORMALIZE, F32_POOL, F32_REDUCE, F32_RESIZE, F32_RESIZE_CUBIC, F32_SOFTMAX, F32_UNARY, F32_WINOGRAD,
  I32_BINARY, QS8_BINARY, QS8_LUT, QS8_MATMUL, QS8_POOL, QS8_REDUCE, QS8_RESIZE, QS8_SOFTMAX, X_ARGMAX, X_CONVERT, X_COPY, X_GATHER,
  X_RESIZE_NEAREST,
} from "./abi.ts";
import { f32Conv, verifyF32Conv } from "./kernels/f32-conv.ts";
import { qs8Conv, verifyQs8Conv } from "./kernels/qs8-conv.ts";
import { f32Dwconv, verifyF32Dwconv } from "./kernels/f32-dwconv.ts";
import { qs8Dwconv, verifyQs8Dwconv } from "./kernels/qs8-dwconv.ts";
import { f32Pool, verifyF32Pool } from "./kernels/f32-pool.ts";
import { qs8Pool, verifyQs8Pool } from "./kernels/qs8-pool.ts";
import { f32Binary, i32Binary, verifyF32Binary, verifyI32Binary } from "./kernels/f32-binary.ts";
import { qs8Binary, verifyQs8Binary } from "./kernels/qs8-binary.ts";
import { f32Unary, verifyF32Unary } from "./kernels/f32-unary.ts";
import { qs8Lut, verifyQs8Lut } from "./kernels/qs8-lut.ts";
import { xCopy, verifyXCopy } from "./kernels/x-copy.ts";
import { xGather, verifyXGather } from "./kernels/x-gather.ts";
import { f32Reduce, verifyF32Reduce } from "./kernels/f32-reduce.ts";
import { qs8Reduce, verifyQs8Reduce } from "./kernels/qs8-reduce.ts";
import { f32Softmax, qs8Softmax, verifyF32Softmax, verifyQs8Softmax } from "./kernels/softmax.ts";
import { xArgmax, verifyXArgmax } from "./kernels/x-argmax.ts";
import {
  f32Resize, f32ResizeCubic, qs8Resize, xResizeNearest, verifyF32Resize, verifyF32ResizeCubic, verifyQs8Resize, verifyXResizeNearest,
} from "./kernels/resize.ts";
import { xConvert, verifyXConvert } from "./kernels/x-convert.ts";
import { qs8Matmul, verifyQs8Matmul } from "./kernels/qs8-matmul.ts";
import { f32Lrn, verifyF32Lrn } from "./kernels/f32-lrn.ts";
import { f32Normalize, verifyF32Normalize } from "./kernels/f32-normalize.ts";
import { f32Winograd, verifyF32Winograd } from "./kernels/f32-winograd.ts";


/** Size of a step of this opcode, 0 for an unknown one. */
export function stepBytes(opcode: i32): u32 {
  switch (opcode) {
    case F32_CONV: case QS8_CONV: case F32_WINOGRAD: return CONV_STEP_BYTES;
    case F32_DWCONV: case QS8_DWCONV: return DW_STEP_BYTES;
    case F32_POOL: case QS8_POOL: return POOL_STEP_BYTES;
    case F32_BINARY: case I32_BINARY: case QS8_BINARY: return BINARY_STEP_BYTES;
    case F32_UNARY: return UNARY_STEP_BYTES;
    case QS8_LUT: return LUT_STEP_BYTES;
    case X_COPY: return COPY_STEP_BYTES;
    case X_GATHER: return GATHER_STEP_BYTES;
    case F32_REDUCE: case QS8_REDUCE: return REDUCE_STEP_BYTES;
    case F32_SOFTMAX: case QS8_SOFTMAX: return SOFTMAX_STEP_BYTES;
    case X_ARGMAX: return ARGMAX_STEP_BYTES;
    case F32_RESIZE: case QS8_RESIZE: case F32_RESIZE_CUBIC: case X_RESIZE_NEAREST: return RESIZE_STEP_BYTES;
    case X_CONVERT: return CONVERT_STEP_BYTES;
    case QS8_MATMUL: return MATMUL_STEP_BYTES;
    case F32_LRN: return LRN_STEP_BYTES;
    case F32_NORMALIZE: return NORMALIZE_STEP_BYTES;
    default: return 0;
  }
}

export function verifyStep(step: usize): void {
  switch (load<i32>(step, STEP_OPCODE)) {
    case F32_CONV: verifyF32Conv(step); break;
    case QS8_CONV: verifyQs8Conv(step); break;
    case F32_DWCONV: verifyF32Dwconv(step); break;
    case QS8_DWCONV: verifyQs8Dwconv(step); break;
    case F32_POOL: verifyF32Pool(step); break;
    case QS8_POOL: verifyQs8Pool(step); break;
    case F32_BINARY: verifyF32Binary(step); break;
    case I32_BINARY: verifyI32Binary(step); break;
    case QS8_BINARY: verifyQs8Binary(step); break;
    case F32_UNARY: verifyF32Unary(step); break;
    case QS8_LUT: verifyQs8Lut(step); break;
    case X_COPY: verifyXCopy(step); break;
    case X_GATHER: verifyXGather(step); break;
    case F32_REDUCE: verifyF32Reduce(step); break;
    case QS8_REDUCE: verifyQs8Reduce(step); break;
    case F32_SOFTMAX: verifyF32Softmax(step); break;
    case QS8_SOFTMAX: verifyQs8Softmax(step); break;
    case X_ARGMAX: verifyXArgmax(step); break;
    case F32_RESIZE: verifyF32Resize(step); break;
    case QS8_RESIZE: verifyQs8Resize(step); break;
    case F32_RESIZE_CUBIC: verifyF32ResizeCubic(step); break;
    case X_RESIZE_NEAREST: verifyXResizeNearest(step); break;
    case X_CONVERT: verifyXConvert(step); break;
    case QS8_MATMUL: verifyQs8Matmul(step); break;
    case F32_LRN: verifyF32Lrn(step); break;
    case F32_NORMALIZE: verifyF32Normalize(step); break;
    case F32_WINOGRAD: verifyF32Winograd(step); break;
    default: break;
  }
}

export function runStep(step: usize, base: usize): void {
  switch (load<i32>(step, STEP_OPCODE)) {
    case F32_CONV: f32Conv(step, base); break;
    case QS8_CONV: qs8Conv(step, base); break;
    case F32_DWCONV: f32Dwconv(step, base); break;
    case QS8_DWCONV: qs8Dwconv(step, base); break;
    case F32_POOL: f32Pool(step, base); break;
    case QS8_POOL: qs8Pool(step, base); break;
    case F32_BINARY: f32Binary(step, base); break;
    case I32_BINARY: i32Binary(step, base); break;
    case QS8_BINARY: qs8Binary(step, base); break;
    case F32_UNARY: f32Unary(step, base); break;
    case QS8_LUT: qs8Lut(step, base); break;
    case X_COPY: xCopy(step, base); break;
    case X_GATHER: xGather(step, base); break;
    case F32_REDUCE: f32Reduce(step, base); break;
    case QS8_REDUCE: qs8Reduce(step, base); break;
    case F32_SOFTMAX: f32Softmax(step, base); break;
    case QS8_SOFTMAX: qs8Softmax(step, base); break;
    case X_ARGMAX: xArgmax(step, base); break;
    case F32_RESIZE: f32Resize(step, base); break;
    case QS8_RESIZE: qs8Resize(step, base); break;
    case F32_RESIZE_CUBIC: f32ResizeCubic(step, base); break;
    case X_RESIZE_NEAREST: xResizeNearest(step, base); break;
    case X_CONVERT: xConvert(step, base); break;
    case QS8_MATMUL: qs8Matmul(step, base); break;
    case F32_LRN: f32Lrn(step, base); break;
    case F32_NORMALIZE: f32Normalize(step, base); break;
    case F32_WINOGRAD: f32Winograd(step, base); break;
    default: break;
  }
}
