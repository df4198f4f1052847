// Literals of programs that own their memory: scripts/place-data.mjs packs them, a byte for the packed length before each.
// In: a literal of ASCII characters. Out: its bytes, until the next literal is unpacked. No other code may read a literal.

/** Where scripts/place-data.mjs puts the pairs of bytes that bytes from 128 on stand for. */
const PAIRS: usize = 64;

const buffer: usize = memory.data(512, 1);
let length: usize = 0;

/** Address of the bytes, of which there are `unpackedBytes()`. */
export function unpack(literal: string): usize {
  length = 0;
  const from = changetype<usize>(literal);
  for (let at = from, end = from + <usize>load<u8>(from - 1); at < end; at++) unpackByte(load<u8>(at));
  return buffer;
}
export function unpackedBytes(): usize { return length; }

function unpackByte(byte: i32): void {
  if (byte < 128) {
    store<u8>(buffer + length++, <u8>byte);
    return;
  }
  const pair = PAIRS + <usize>(byte - 128) * 2;
  unpackByte(load<u8>(pair));
  unpackByte(load<u8>(pair, 1));
}

/** Word `index` of those that single spaces separate; it has no bytes where there are not so many. */
export function unpackWord(words: string, index: i32): usize {
  const end = unpack(words) + length;
  let from = buffer;
  for (; index > 0; index--) from = min(wordEnd(from, end) + 1, end);
  length = wordEnd(from, end) - from;
  return from;
}
function wordEnd(from: usize, end: usize): usize {
  while (from < end && load<u8>(from) != 0x20) from++;
  return from;
}

/** Whether the `bytes` at `from` are the literal. */
export function isLiteral(from: usize, bytes: usize, literal: string): bool { return isUnpacked(from, bytes, unpack(literal)); }
/** Position of the `bytes` at `from` among words, -1 where they are none of them. */
export function wordIndex(from: usize, bytes: usize, words: string): i32 {
  let i = 0;
  for (let own = unpackWord(words, 0); length > 0; own = unpackWord(words, ++i)) if (isUnpacked(from, bytes, own)) return i;
  return -1;
}
function isUnpacked(from: usize, bytes: usize, own: usize): bool { return bytes == length && memory.compare(from, own, bytes) == 0; }
