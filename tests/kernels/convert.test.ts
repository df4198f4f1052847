// X_CONVERT against plain loops: every kind, strides, tails, values that saturate, ties, NaN.

import { test } from 'node:test';
import {
  CONVERT_DEQUANTIZE, CONVERT_DEQUANTIZE_I32, CONVERT_DIMS, CONVERT_DST, CONVERT_DST_STRIDES, CONVERT_F32_I32, CONVERT_FLIP, CONVERT_I32_F32,
  CONVERT_I32_I64, CONVERT_I32_I8, CONVERT_I64_I32, CONVERT_I8_I32, CONVERT_KIND, CONVERT_QUANTIZE, CONVERT_SCALE, CONVERT_SRC,
  CONVERT_SRC_STRIDES, CONVERT_STEP_BYTES, CONVERT_ZERO, X_CONVERT,
} from '../../assembly/abi.ts';
import { canaries, clamp, positions, quantized, Random, randomDims, randomLayout, randomSource, sameBytes, SEED } from './nests.ts';
import { executors, runStep } from './plan-image.ts';

const f32 = Math.fround;
const LOW = -(2 ** 31);
const HIGH = 2 ** 31 - 1;

interface Kind {
  readonly kind: number;
  readonly from: 'u8' | 'i8' | 'i32' | 'i64' | 'f32';
  readonly to: 'u8' | 'i8' | 'i32' | 'i64' | 'f32';
  readonly convert: (x: number, scale: number, zero: number) => number;
}
const kinds: readonly Kind[] = [
  { kind: CONVERT_FLIP, from: 'u8', to: 'u8', convert: (x) => x ^ 0x80 },
  { kind: CONVERT_QUANTIZE, from: 'f32', to: 'i8', convert: (x, scale, zero) => quantized(f32(x / scale), zero) },
  { kind: CONVERT_DEQUANTIZE, from: 'i8', to: 'f32', convert: (x, scale, zero) => f32((x - zero) * scale) },
  { kind: CONVERT_I32_F32, from: 'i32', to: 'f32', convert: f32 },
  { kind: CONVERT_F32_I32, from: 'f32', to: 'i32', convert: (x) => (Number.isNaN(x) ? 0 : clamp(Math.trunc(x), LOW, HIGH)) },
  { kind: CONVERT_I32_I64, from: 'i32', to: 'i64', convert: (x) => x },
  { kind: CONVERT_I64_I32, from: 'i64', to: 'i32', convert: (x) => clamp(x, LOW, HIGH) },
  { kind: CONVERT_I8_I32, from: 'i8', to: 'i32', convert: (x) => x },
  { kind: CONVERT_I32_I8, from: 'i32', to: 'i8', convert: (x) => clamp(x, -128, 127) },
  { kind: CONVERT_DEQUANTIZE_I32, from: 'i32', to: 'f32', convert: (x, scale, zero) => f32(f32(x - zero) * scale) },
];

const bytesOf = { u8: 1, i8: 1, i32: 4, i64: 8, f32: 4 } as const;
/** Writes numbers into a buffer as the given type. */
function write(dtype: keyof typeof bytesOf, view: DataView, index: number, value: number): void {
  const at = index * bytesOf[dtype];
  if (dtype === 'u8') view.setUint8(at, value);
  else if (dtype === 'i8') view.setInt8(at, value);
  else if (dtype === 'i32') view.setInt32(at, value, true);
  else if (dtype === 'f32') view.setFloat32(at, value, true);
  else view.setBigInt64(at, BigInt(value), true);
}

function sample(random: Random, from: Kind['from'], scale: number): number {
  if (from === 'u8') return random.int(0, 255);
  if (from === 'i8') return random.int(-128, 127);
  if (from === 'f32') {
    // Ties between two quantised values, ordinary values, and what must saturate.
    return f32(random.pick([(random.int(-200, 200) + 0.5) * scale, (random.next() - 0.5) * 5, 1e30, -1e30, 2 ** 31, NaN, Infinity, -Infinity, 3e9]));
  }
  const wide = from === 'i64' ? [2 ** 40, -(2 ** 45), 2 ** 31, LOW - 1] : [];
  return random.pick([random.int(-300, 300), LOW, HIGH, 16777217, ...wide]);
}

for (const executor of executors) {
  for (const { kind, from, to, convert } of kinds) {
    test(`x_convert kind ${kind}, ${from} to ${to} (${executor.name}, seed ${SEED})`, () => {
      const random = new Random(SEED + kind);
      for (let round = 0; round < 60; round++) {
        const dims = randomDims(random, 6);
        const src = random.chance(0.5) ? randomLayout(random, dims) : randomSource(random, dims);
        const dst = randomLayout(random, dims);
        const scale = f32(random.pick([0.0078125, 0.037, 1]));
        const zero = random.int(-128, 127);
        const values = Array.from({ length: src.span }, () => sample(random, from, scale));
        const data = new DataView(new ArrayBuffer(src.span * bytesOf[from]));
        values.forEach((v, i) => { write(from, data, i, v); });
        const expected = new DataView(canaries(dst.span * bytesOf[to]));
        const at = positions(dims, src.strides);
        positions(dims, dst.strides).forEach((o, i) => { write(to, expected, o, convert(values[at[i]], scale, zero)); });
        const actual = runStep(executor, {
          opcode: X_CONVERT, stepBytes: CONVERT_STEP_BYTES,
          words: {
            [CONVERT_KIND]: kind, [CONVERT_DIMS]: dims, [CONVERT_SRC_STRIDES]: src.strides, [CONVERT_DST_STRIDES]: dst.strides,
            [CONVERT_SCALE]: { f32: scale }, [CONVERT_ZERO]: zero,
          },
          operands: [{ field: CONVERT_SRC, data }], output: { field: CONVERT_DST, bytes: expected.byteLength },
        });
        sameBytes(actual, expected, `kind ${kind}, round ${round}`);
      }
    });
  }
}
