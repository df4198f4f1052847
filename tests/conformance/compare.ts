// Whether an output is what ONNX expects: its type and shape exactly, integers exactly, floats within the tolerance of ONNX's own
// test runner (onnx/backend/test/loader and runner: rtol 1e-3, atol 1e-7). In: two tensors. Out: what is wrong, or null.

import type { IoInfo } from '../../host/model.ts';
import { sameShape, type TensorData } from '../../host/tensor.ts';
import { tolerance } from '../tolerance.ts';
import type { ProtoTensor } from './tensor-proto.ts';

export function difference(got: TensorData, info: IoInfo, want: ProtoTensor): string | null {
  if (info.dtype !== want.dataType) return `${info.dtype} instead of ${want.dataType}`;
  if (!sameShape(info.shape, want.dims)) return `shape [${info.shape.join(', ')}] instead of [${want.dims.join(', ')}]`;
  if (got.length !== want.values.length) return `${got.length} elements instead of ${want.values.length}`;
  const close = want.dataType === 'float32' ? isClose : (a: number | bigint, b: number | bigint) => a === b;
  for (let i = 0; i < got.length; i++) {
    if (!close(got[i], want.values[i])) return `element ${i} is ${String(got[i])} instead of ${String(want.values[i])}`;
  }
  return null;
}

function isClose(got: number | bigint, want: number | bigint): boolean {
  const [a, b] = [Number(got), Number(want)];
  if (Number.isNaN(b)) return Number.isNaN(a);
  if (!Number.isFinite(b)) return a === b;
  return Math.abs(a - b) <= tolerance.onnxAbsolute + tolerance.onnxRelative * Math.abs(b);
}
