// A WebAssembly module as its sections, without compiling it: this Node may not know relaxed SIMD.
// In: bytes. Out: ids and contents; a cursor that reads LEB128. https://webassembly.github.io/spec/core/binary/modules.html

export const SECTION_MEMORY = 5;
export const SECTION_GLOBAL = 6;
export const SECTION_CODE = 10;
export const SECTION_DATA = 11;
export const SECTION_DATA_COUNT = 12;

/** Reads forward through bytes. */
export class Cursor {
  constructor(bytes, at = 0) { this.bytes = bytes; this.at = at; }
  byte() { return this.bytes[this.at++]; }
  number() {
    let value = 0, shift = 0, byte;
    do { byte = this.byte(); value |= (byte & 127) << shift; shift += 7; } while (byte & 128);
    return value >>> 0;
  }
  take(count) { return this.bytes.subarray(this.at, this.at += count); }
}

export function sectionsOf(bytes) {
  const sections = [];
  for (const cursor = new Cursor(bytes, 8); cursor.at < bytes.length;) sections.push({ id: cursor.byte(), content: cursor.take(cursor.number()) });
  return sections;
}

/** The module that has these sections. */
export function moduleOf(sections) {
  const head = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  return Buffer.concat([head, ...sections.flatMap(({ id, content }) => [Buffer.from([id, ...leb(content.length)]), content])]);
}

export function leb(value) {
  const out = [];
  do { out.push((value & 127) | (value > 127 ? 128 : 0)); value >>>= 7; } while (value > 0);
  return out;
}
/** Signed, for constants. */
export function signedLeb(value) {
  const out = [];
  for (;;) {
    const byte = value & 127;
    value >>= 7;
    const last = (value === 0 && !(byte & 64)) || (value === -1 && (byte & 64));
    out.push(last ? byte : byte | 128);
    if (last) return out;
  }
}
