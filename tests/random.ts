// Seeded random numbers for tests (mulberry32). Every user prints its seed in the test's name or message.

/** Uniform numbers in [0, 1). Algorithm: Tommy Ettinger's mulberry32, 2017, public domain. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Integer in [0, below). */
export function randomInt(next: () => number, below: number): number {
  return Math.floor(next() * below);
}
