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

export function lengthOfLiteral(literal: string): i32 {
  unpack(literal);
  return <i32>length;
}
/** Whether the `bytes` at `from` are the literal. */
export function isLiteral(from: usize, bytes: usize, literal: string): bool {
  unpack(literal);
  return bytes == length && memory.compare(from, buffer, bytes) == 0;
}
