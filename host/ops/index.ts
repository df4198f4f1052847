// The op table: one line per op. Importers, docs and tests read it; nobody registers an op twice.

import { argmax } from './argmax.ts';
import { batchNorm } from './batch-norm.ts';
import { batchToSpace } from './batch-to-space.ts';
import { binary } from './binary.ts';
import { cast } from './cast.ts';
import { channelShuffle } from './channel-shuffle.ts';
import { composed } from './composed.ts';
import { concat } from './concat.ts';
import { constantOps } from './constant-ops.ts';
import { conv2d } from './conv2d.ts';
import { convTranspose2d } from './conv-transpose2d.ts';
import { dequantize } from './dequantize.ts';
import { dynamicQuantize } from './dynamic-quantize.ts';
import { expand } from './expand.ts';
import { flipSign } from './flip-sign.ts';
import { gather } from './gather.ts';
import { gatherNd } from './gather-nd.ts';
import { logicOps } from './logic.ts';
import { lrn } from './lrn.ts';
import { matmul } from './matmul.ts';
import { normalize } from './normalize.ts';
import type { OnnxReader, TfliteReader } from './op.ts';
import { pad } from './pad.ts';
import { pool2d } from './pool2d.ts';
import { quantize } from './quantize.ts';
import { reduce } from './reduce.ts';
import { requantize } from './requantize.ts';
import { reshape } from './reshape.ts';
import { resize } from './resize.ts';
import { slice } from './slice.ts';
import { softmax } from './softmax.ts';
import { spaceToBatch } from './space-to-batch.ts';
import { transpose } from './transpose.ts';
import { unary } from './unary.ts';

/** What the tables need of an op: its readers. */
interface Readable {
  readonly kind: string;
  readonly onnx?: Readonly<Record<string, OnnxReader>>;
  readonly tflite?: Readonly<Record<string, TfliteReader>>;
}

export const ops: readonly Readable[] = [
  conv2d, convTranspose2d, matmul,
  binary, unary, composed, logicOps, batchNorm, normalize, lrn,
  pool2d, reduce, softmax, argmax,
  concat, slice, pad, reshape, expand, transpose, channelShuffle, gather, gatherNd, spaceToBatch, batchToSpace,
  resize,
  quantize, dynamicQuantize, dequantize, requantize, cast, flipSign,
  constantOps,
];

/** ONNX op_type → reader. */
export const onnxReaders: ReadonlyMap<string, OnnxReader> = new Map(ops.flatMap((op) => Object.entries(op.onnx ?? {})));
/** TFLite builtin name → reader. */
export const tfliteReaders: ReadonlyMap<string, TfliteReader> = new Map(ops.flatMap((op) => Object.entries(op.tflite ?? {})));
