// A WebAssembly module's sections, read and written without compiling it. In: bytes of kinglet's own modules. Out: sections, data
// segments, numbers in LEB128. Must not know plans. https://webassembly.github.io/spec/core/binary/modules.html

import { KingletError } from '../error.ts';

export const SECTION_MEMORY = 5;
export const SECTION_DATA = 11;
export const SECTION_DATA_COUNT = 12;

export interface Section {
  readonly id: number;
  readonly content: Uint8Array;
}

/** Reads forward through bytes. Throws ERR_WASM_VERSION where they end too early. */
export class Cursor {
  at: number;
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte(): number {
    if (this.at >= this.bytes.length) throw new KingletError('ERR_WASM_VERSION', 'the program that a bundle begins with is cut off');
    return this.bytes[this.at++];
  }
  number(): number {
    let value = 0, shift = 0, byte: number;
    do {
      byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      shift += 7;
    } while (byte & 128 && shift < 35);
    return value;
  }
  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}

export function sectionsOf(module: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (const cursor = new Cursor(module, 8); cursor.at < module.length;) sections.push({ id: cursor.byte(), content: cursor.take(cursor.number()) });
  return sections;
}

export function joined(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A module with the magic and version of the first core standard. */
export function moduleOf(sections: readonly Section[]): Uint8Array<ArrayBuffer> {
  return joined([[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], ...sections.flatMap(({ id, content }) => [[id, ...unsigned(content.length)], content])]);
}

export function unsigned(value: number): number[] {
  const out: number[] = [];
  do {
    out.push((value % 128) | (value > 127 ? 128 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return out;
}

/** An active data segment of memory 0. Addresses stay below 2^31, so that the constant is positive. */
export function segment(address: number, data: Uint8Array): Uint8Array {
  const constant = unsigned(address);
  const signed = (constant.at(-1) ?? 0) & 64 ? [...constant.slice(0, -1), (constant.at(-1) ?? 0) | 128, 0] : constant;
  return joined([[0, 0x41, ...signed, 0x0b, ...unsigned(data.length)], data]);
}
