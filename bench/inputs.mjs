// Seeded input arrays, the same for every engine. Runs in pages and in Node.
// In: [{ dtype, shape }]. Out: typed arrays.

const makers = {
  float32: (n, next) => Float32Array.from({ length: n }, () => next() * 2 - 1),
  uint8: (n, next) => Uint8Array.from({ length: n }, () => next() * 256),
  int8: (n, next) => Int8Array.from({ length: n }, () => next() * 256 - 128),
  int32: (n, next) => Int32Array.from({ length: n }, () => next() * 100),
  int64: (n, next) => BigInt64Array.from({ length: n }, () => BigInt(Math.floor(next() * 100))),
};

export function makeInputs(infos) {
  let state = 20260;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return infos.map(({ dtype, shape }) => makers[dtype](shape.reduce((a, b) => a * b, 1), next));
}

/** Largest difference between two engines' outputs, relative to the largest output (float) or in steps (integers). */
export function difference(a, b) {
  if (a.length !== b.length) return { kind: 'shape', value: Infinity };
  let worst = 0, largest = 0, integer = true;
  a.forEach((x, o) => {
    const y = b[o];
    if (x.length !== y.length) worst = Infinity;
    integer &&= !(x instanceof Float32Array);
    for (let i = 0; i < x.length; i++) {
      worst = Math.max(worst, Math.abs(Number(x[i]) - Number(y[i])));
      largest = Math.max(largest, Math.abs(Number(x[i])));
    }
  });
  return integer ? { kind: 'steps', value: worst } : { kind: 'relative', value: worst / (largest || 1) };
}
