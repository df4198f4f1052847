// 8-bit integers that stand for themselves, as ONNX's Add, Mul, Max or Clip see them. In: int8 values, perhaps stand-ins of uint8.
// Out: the same with scale 1, or arithmetic on them by way of int32. Must not know how models quantise.
// Binary nodes are added by a parameter, because the readers of the binary op are who asks.

import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { withQuantization } from '../import/onnx/quantization.ts';
import type { Quantization } from '../tensor.ts';
import type { BinaryKind } from './binary.ts';
import { byteValues, cast } from './cast.ts';

const signedByteValues: Quantization = { scale: Float32Array.of(1), zeroPoint: Int32Array.of(0), axis: 0 };

/** The bytes with scale 1: ops that stay in range (max, min, clamps) then compute on the integers themselves. */
export function asIntegers(b: Builder, x: Value, isUint8: boolean): Value {
  return withQuantization(b, x, isUint8 ? byteValues : signedByteValues);
}

type AddBinary = (b: Builder, kind: BinaryKind, x: Value, y: Value) => Value;

/** x and y as int32, the operation, and the result modulo 256 in the type's range. */
export function byteArithmetic(b: Builder, add: AddBinary, kind: BinaryKind, x: Value, y: Value, isUint8: boolean): Value {
  const whole = (of: BinaryKind, value: Value, by: number): Value =>
    add(b, of, value, b.constant({ dtype: 'int32', shape: [], data: Int32Array.of(by) }));
  const widened = (value: Value): Value => {
    const wide = b.add(cast, { to: 'int32' }, [value]);
    return isUint8 ? whole('add', wide, 128) : wide;
  };
  const result = add(b, kind, widened(x), widened(y));
  // v - 256 * floor((v + 128) / 256) is v in -128 … 127; uint8 is 128 less in its stand-in.
  const v = isUint8 ? whole('sub', result, 128) : result;
  const turns = whole('floorDiv', whole('add', v, 128), 256);
  return b.add(cast, { to: 'int8' }, [add(b, 'sub', v, whole('mul', turns, 256))]);
}
