// The plan's checksum: FNV-1a over 32-bit words from byte 12 on, in four sums that take words in turn, because one alone would wait
// for its own multiplication. It finds accidents; the executor's verifier finds attacks.
// In: plan bytes, whole or piece by piece. Out: a signed 32-bit number. http://www.isthe.com/chongo/tech/comp/fnv/

import { HEADER_PLAN_BYTES } from '../../assembly/abi.ts';

const FIRST = HEADER_PLAN_BYTES / 4;
const START = 0x811c9dc5 | 0;
const PRIME = 0x01000193;

export class Checksum {
  /** Word i belongs to sum i % 4. */
  readonly #sums = Int32Array.of(START, START, START, START);
  #next = FIRST;

  /** Takes the words before `end` that it has not taken yet. */
  take(words: Int32Array, end: number): void {
    let i = this.#next;
    for (; i < end && i % 4 !== 0; i++) this.#takeOne(words, i);
    let [a, b, c, d] = this.#sums as unknown as [number, number, number, number];
    for (; i + 4 <= end; i += 4) {
      a = Math.imul(a ^ (words[i] ?? 0), PRIME);
      b = Math.imul(b ^ (words[i + 1] ?? 0), PRIME);
      c = Math.imul(c ^ (words[i + 2] ?? 0), PRIME);
      d = Math.imul(d ^ (words[i + 3] ?? 0), PRIME);
    }
    this.#sums.set([a, b, c, d]);
    for (; i < end; i++) this.#takeOne(words, i);
    this.#next = i;
  }

  /** The four sums, summed in the same way. */
  value(): number {
    return this.#sums.reduce((sum, word) => Math.imul(sum ^ word, PRIME), START);
  }

  #takeOne(words: Int32Array, i: number): void {
    this.#sums[i % 4] = Math.imul((this.#sums[i % 4] ?? 0) ^ (words[i] ?? 0), PRIME);
  }
}

export function checksum(bytes: Uint8Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const sum = new Checksum();
  sum.take(new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2), aligned.byteLength >> 2);
  return sum.value();
}
