// float32 numbers as IEEE 754 binary16, for weights on GPUs that have shader-f16. In: numbers. Out: their bits, rounded to nearest, ties to
// even. Must not know what they are.

/** Largest finite binary16. */
const LARGEST = 65504;
/** Smallest normal binary16 is 2^-14; below it numbers are multiples of 2^-24. */
const SMALLEST_NORMAL = 2 ** -14;

/** Null where a number is too large to be one. */
export function toHalves(data: Float32Array): Uint16Array | null {
  const halves = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    if (!(Math.abs(data[i]) <= LARGEST)) return null;
    halves[i] = toHalf(data[i]);
  }
  return halves;
}

function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  // A subnormal's bits are its multiple of 2^-24, and the first number above them continues the count.
  if (size < SMALLEST_NORMAL) return sign | roundEven(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  // log2 may round up to the next whole number just below a power of two.
  const exact = 2 ** exponent > size ? exponent - 1 : exponent;
  // A mantissa that rounds up to 1024 carries into the exponent by itself.
  return sign | (((exact + 15) << 10) + roundEven((size / 2 ** exact - 1) * 1024));
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
