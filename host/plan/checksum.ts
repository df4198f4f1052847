// The plan's checksum: FNV-1a over 32-bit words from byte 12 on. It finds accidents; the executor's verifier finds attacks.
// In: plan bytes. Out: a signed 32-bit number. http://www.isthe.com/chongo/tech/comp/fnv/

import { HEADER_PLAN_BYTES } from '../../assembly/abi.ts';

/** The first word that is summed. */
export const CHECKSUM_FROM = HEADER_PLAN_BYTES / 4;
export const CHECKSUM_START = 0x811c9dc5 | 0;

/** Continues a checksum over words `from` to `end`: a plan may arrive in pieces. */
export function checksumOn(hash: number, words: Int32Array, from: number, end: number): number {
  for (let i = from; i < end; i++) hash = Math.imul(hash ^ (words[i] ?? 0), 0x01000193);
  return hash;
}

export function checksum(bytes: Uint8Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
  return checksumOn(CHECKSUM_START, words, CHECKSUM_FROM, words.length);
}
