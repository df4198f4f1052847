// The plan's checksum: FNV-1a over 32-bit words from byte 12 on. It finds accidents; the executor's verifier finds attacks.
// In: plan bytes. Out: a signed 32-bit number. http://www.isthe.com/chongo/tech/comp/fnv/

import { HEADER_PLAN_BYTES } from '../../assembly/abi.ts';

export function checksum(bytes: Uint8Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
  let hash = 0x811c9dc5 | 0;
  for (let i = HEADER_PLAN_BYTES / 4; i < words.length; i++) hash = Math.imul(hash ^ (words[i] ?? 0), 0x01000193);
  return hash;
}
