// Seeded random numbers for tests. Every user prints its seed in the test's name or message.

export { random } from '../models/random.ts';

/** Integer in [0, below). */
export function randomInt(next: () => number, below: number): number {
  return Math.floor(next() * below);
}
