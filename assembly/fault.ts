// Why something was refused: a code and one sentence. In: pieces of text. Out: bytes for the command to print or a host to read.
// Codes are the exit codes of host/error.ts. Must not know who asks.

import { unpack, unpackedBytes } from "./literal.ts";

export const USAGE = 64;
export const DATA = 65;
export const FILE = 66;
export const INTERNAL = 70;
export const RESOURCE = 71;

const CAPACITY: usize = 480;
const buffer: usize = memory.data(480, 8);
let length: usize = 0;

export function faultText(): usize { return buffer; }
export function faultBytes(): usize { return length; }

/** Begins the sentence. Returns what the caller returns: minus the code. */
export function fault(code: i32, text: string): i32 {
  length = 0;
  say(text);
  return -code;
}

export function say(text: string): void {
  for (let from = unpack(text), end = from + unpackedBytes(); from < end; from++) sayByte(load<u8>(from));
}
function sayByte(byte: u8): void {
  if (length < CAPACITY) store<u8>(buffer + length++, byte);
}
export function sayNumber(n: i64): void {
  if (n < 0) { sayByte(0x2d); n = -n; }
  if (n >= 10) sayNumber(n / 10);
  sayByte(<u8>(0x30 + n % 10));
}
/** A name from outside, quoted, at most 200 bytes; bytes that could steer a terminal become "?". */
export function sayName(from: usize, bytes: usize): void {
  sayByte(0x22);
  for (let i: usize = 0; i < min<usize>(bytes, 200); i++) {
    const byte = load<u8>(from + i);
    sayByte(byte < 0x20 || byte > 0x7e ? 0x3f : byte);
  }
  sayByte(0x22);
}
