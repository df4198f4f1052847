// Seeded damages for the attack tests.

import { random, randomInt } from '../random.ts';
import type { Damage } from './attack.ts';

export function randomFlips(seed: number, count: number, bytes: number, repair = false): Damage[] {
  const next = random(seed);
  return Array.from({ length: count }, () => ({ flip: { at: randomInt(next, bytes), mask: 1 + randomInt(next, 255) }, repair }));
}

export function randomCuts(seed: number, count: number, bytes: number): Damage[] {
  const next = random(seed);
  return Array.from({ length: count }, () => ({ cut: randomInt(next, bytes) }));
}
