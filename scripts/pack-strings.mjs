// Halves the text in a program: asc stores a literal as an object of 20 bytes and two bytes per character, each in a segment of its own.
// Programs read only the length and, as assembly/literal.ts does, the low bytes side by side, so that is all that is kept, at the
// same addresses. In: a module's bytes. Out: the same module with shorter data segments.

import { Cursor, SECTION_DATA, SECTION_DATA_COUNT, leb, sectionsOf, signedLeb } from './wasm-sections.mjs';

/** AssemblyScript's object header has five words, of which the last two are the class and the bytes. Literals are class 2. */
const STRING_CLASS = 2;
const CLASS_AT = 12;
const I32_CONST = 0x41, END = 0x0b;

export function packStrings(bytes) {
  const out = [Buffer.from(bytes.subarray(0, 8))];
  for (const { id, content } of sectionsOf(bytes)) {
    if (id === SECTION_DATA_COUNT) continue; // only memory.init would need it
    const kept = id === SECTION_DATA ? packSegments(content) : content;
    out.push(Buffer.from([id, ...leb(kept.length)]), kept);
  }
  return Buffer.concat(out);
}

function packSegments(content) {
  const cursor = new Cursor(content), count = cursor.number();
  const segments = Array.from({ length: count }, () => {
    if (cursor.number() !== 0 || cursor.byte() !== I32_CONST) throw new Error('a data segment is not a plain one');
    const address = cursor.number();
    if (cursor.byte() !== END) throw new Error('a data segment has an unknown address');
    return { address, data: cursor.take(cursor.number()) };
  });
  const literals = new Set(segments.filter(isLiteral).map(({ address }) => address));
  // The allocator's word in front of a literal: nothing here allocates objects.
  const kept = segments.filter(({ address, data }) => !(data.length <= 4 && literals.has(address + CLASS_AT)));
  return Buffer.concat([Buffer.from(leb(kept.length)), ...kept.map((segment) => encoded(isLiteral(segment) ? packed(segment) : segment))]);
}

/** asc leaves out zeros, so the segment begins at the class and lacks the last character's high byte. */
function isLiteral({ data }) {
  return data.length > 8 && data.readUInt32LE(0) === STRING_CLASS && data.length === 8 + data.readUInt32LE(4) - 1;
}

function packed({ address, data }) {
  const text = data.subarray(8).filter((_, i) => i % 2 === 0);
  if (data.subarray(8).some((byte, i) => i % 2 === 1 && byte !== 0)) throw new Error('a literal is not ASCII');
  return { address: address + 4, data: Buffer.concat([data.subarray(4, 8), text]) };
}

function encoded({ address, data }) {
  return Buffer.concat([Buffer.from([0, I32_CONST, ...signedLeb(address), END, ...leb(data.length)]), data]);
}
