// Moves a program's static data together. asc gives every literal an object of 20 bytes and two bytes per character, in a segment of
// its own; programs read only what assembly/literal.ts reads: [packed length u8][packed bytes], and first of all the pairs of pack-strings.mjs.
// In: what asc compiled without optimising, its data from FAR_BASE on, where no other number of the program lies. Out: the same module
// with addresses from LOW_BASE on, and the one data segment that belongs to it, which is added after the module was optimised.

import binaryen from 'assemblyscript/binaryen';
import { packStrings } from './pack-strings.mjs';
import { Cursor, SECTION_CODE, SECTION_DATA, SECTION_DATA_COUNT, SECTION_GLOBAL, SECTION_MEMORY, leb, moduleOf, sectionsOf, signedLeb } from './wasm-sections.mjs';

/** asc's --memoryBase for programs, and the --initialMemory that it then asks for. */
export const FAR_BASE = 0x5a510000;
export const FAR_PAGES = FAR_BASE / 65536 + 4;
/** Address 0 means "none" everywhere. assembly/literal.ts knows it. */
const LOW_BASE = 64;
/** AssemblyScript's object header has five words, of which the last two are the class and the bytes. Literals are class 2. */
const HEADER_BYTES = 20;
const STRING_CLASS = 2;
/** What fits the buffer of assembly/literal.ts. */
const MOST_CHARACTERS = 512;
const I32_CONST = 0x41, END = 0x0b;

export function placeData(bytes) {
  const sections = sectionsOf(bytes), segments = segmentsOf(sections.find(({ id }) => id === SECTION_DATA).content);
  const { moves, content, end } = arrange(segments);
  const movedTo = (address) => {
    const move = moves.find(({ from, until }) => address >= from && address <= until);
    if (!move) throw new Error(`no static data lies at ${address}`);
    return move.to + address - move.from;
  };
  let found = 0;
  const moved = (section) => {
    const code = Buffer.from(section);
    for (let at = 0; at + 6 <= code.length; at++) {
      const address = code[at] === I32_CONST ? farAddress(code, at + 1) : undefined;
      if (address === undefined) continue;
      code.set(paddedLeb(movedTo(address)), at + 1);
      found++;
    }
    return code;
  };
  const kept = sections.filter(({ id }) => id !== SECTION_DATA && id !== SECTION_DATA_COUNT).map(({ id, content: old }) => {
    if (id === SECTION_MEMORY) return { id, content: withPages(old, Math.ceil(end / 65536)) };
    return { id, content: id === SECTION_CODE || id === SECTION_GLOBAL ? moved(old) : old };
  });
  if (found !== constantsFromFar(bytes) - segments.length) throw new Error('bytes that are no address look like one: choose another FAR_BASE');
  return { module: moduleOf(kept), data: Buffer.concat([Buffer.from([1, 0, I32_CONST, ...signedLeb(LOW_BASE), END, ...leb(content.length)]), content]) };
}

function segmentsOf(content) {
  const cursor = new Cursor(content);
  return Array.from({ length: cursor.number() }, () => {
    if (cursor.number() !== 0 || cursor.byte() !== I32_CONST) throw new Error('a data segment is not a plain one');
    const address = cursor.number();
    if (cursor.byte() !== END) throw new Error('a data segment has an unknown address');
    return { address, data: cursor.take(cursor.number()) };
  });
}

/** First the pairs, then numbers at multiples of 16, then text, then what begins as zeros; the heap behind the last of asc's segments moves with it. */
function arrange(segments) {
  const moves = [], parts = [];
  let at = LOW_BASE;
  const add = (part) => { parts.push(part); at += part.length; };
  const align = () => { add(Buffer.alloc(-at & 15)); };
  const isText = ({ data }) => data.length >= HEADER_BYTES && data.readUInt32LE(12) === STRING_CLASS && data.readUInt32LE(16) <= data.length - HEADER_BYTES;
  const isZero = ({ data }) => data.every((byte) => byte === 0);
  const texts = segments.filter(isText), { packed, pairs } = packStrings(texts.map(textOf));
  add(pairs);
  align();
  for (const { address, data } of segments.filter((s) => !isText(s) && !isZero(s))) {
    moves.push({ from: address, until: address + data.length - 1, to: at });
    add(data);
    align();
  }
  for (const [i, { address }] of texts.entries()) {
    moves.push({ from: address + HEADER_BYTES, until: address + HEADER_BYTES, to: at + 1 });
    add(Buffer.from([packed[i].length, ...packed[i]]));
  }
  const content = Buffer.concat(parts);
  for (const { address, data } of segments.filter(isZero)) {
    at = Math.ceil(at / 16) * 16;
    moves.push({ from: address, until: address + data.length - 1, to: at });
    at += data.length;
  }
  at = Math.ceil(at / 16) * 16;
  const farEnd = Math.max(...segments.map(({ address, data }) => address + data.length));
  moves.push({ from: farEnd, until: farEnd + 15, to: at });
  return { moves, content, end: at + 16 };
}

function textOf({ data }) {
  const utf16 = data.subarray(HEADER_BYTES, HEADER_BYTES + data.readUInt32LE(16));
  if (utf16.length > 2 * MOST_CHARACTERS || utf16.some((byte, i) => (i % 2 === 1 ? byte !== 0 : byte > 126))) throw new Error('a literal is not ASCII or too long');
  return utf16.filter((_, i) => i % 2 === 0);
}

/** The number that begins at `at` in five bytes, if it is an address of asc's static data. */
function farAddress(bytes, at) {
  if (!(bytes[at] & 128) || !(bytes[at + 1] & 128) || !(bytes[at + 2] & 128) || !(bytes[at + 3] & 128) || bytes[at + 4] & 128) return undefined;
  const value = new Cursor(bytes, at).number();
  return value >= FAR_BASE && value < FAR_BASE + 4 * 65536 ? value : undefined;
}
/** In five bytes, so that nothing moves; optimising makes them as few as they need. */
function paddedLeb(value) {
  return [0, 7, 14, 21, 28].map((shift) => ((value >>> shift) & 127) | (shift < 28 ? 128 : 0));
}
/** How many constants are addresses, those of data segments included, from Binaryen's own reading of the module. */
function constantsFromFar(bytes) {
  const module = binaryen.readBinary(bytes);
  let count = 0;
  for (const [, digits] of module.emitText().matchAll(/\(i32\.const (\d+)\)/g)) if (Number(digits) >= FAR_BASE && Number(digits) < FAR_BASE + 4 * 65536) count++;
  module.dispose();
  return count;
}

/** One memory with a maximum: its first size is replaced. */
function withPages(content, pages) {
  const cursor = new Cursor(content, 2);
  cursor.number();
  return Buffer.concat([content.subarray(0, 2), Buffer.from(leb(pages)), content.subarray(cursor.at)]);
}
