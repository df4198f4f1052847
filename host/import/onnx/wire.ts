// Protobuf's wire format, guarded. In: bytes that nobody vouches for. Out: fields, numbers, strings, byte ranges.
// pbf decodes the numbers; every check is here and comes first: nothing is read beyond the message that contains it.
// Must not know ONNX. Nesting is bounded by the callers: they enter known messages only and skip the rest by length.

import { PbfReader } from 'pbf';
import { KingletError } from '../../error.ts';
import { checkLimit, type ImportLimits } from '../limits.ts';

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

const wireTypeNames: readonly string[] = ['varint', '64-bit', 'bytes', 'group', 'group', '32-bit'];

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** List entries of one file so far; shared by the readers of all its parts. */
export interface Budget {
  readonly limits: ImportLimits;
  entries: number;
}

export class Wire {
  /** Wire type of the current field. */
  type = VARINT;
  readonly budget: Budget;
  readonly #pbf: PbfReader;
  readonly #base: number;
  readonly #path: string[];
  #end: number;

  constructor(bytes: Uint8Array, path: string, budget: Budget) {
    this.budget = budget;
    this.#pbf = new PbfReader(bytes);
    this.#base = bytes.byteOffset;
    this.#path = [path];
    this.#end = bytes.byteLength;
  }

  /** Calls `read` for every field of the current message; a field that it leaves alone is skipped. */
  fields(read: (field: number) => void): void {
    const pbf = this.#pbf;
    while (pbf.pos < this.#end) {
      const field = this.#tag();
      const start = pbf.pos;
      read(field);
      if (pbf.pos === start) this.#skip();
    }
  }

  /** Enters the message that the current field holds; `name` is for error messages. */
  message(name: string, read: (field: number) => void): void {
    const outer = this.#end;
    const length = this.#length(name);
    this.#end = this.#pbf.pos + length;
    this.#path.push(name);
    this.fields(read);
    this.#path.pop();
    this.#end = outer;
  }

  bytes(name: string): Uint8Array {
    const length = this.#length(name);
    const start = this.#pbf.pos;
    this.#pbf.pos = start + length;
    return this.#pbf.buf.subarray(start, start + length);
  }

  /** Strict UTF-8: a lenient decoder could turn a damaged name into another one, or into none. */
  string(name: string): string {
    const bytes = this.bytes(name);
    try {
      return utf8.decode(bytes);
    } catch {
      return this.fail(`field ${name} is not UTF-8`);
    }
  }

  /** A signed varint, saturated to the safe integers. */
  int(name: string): number {
    this.expect(VARINT, name);
    return this.varint();
  }
  float(name: string): number {
    this.expect(FIXED32, name);
    return this.float32();
  }

  /** Appends the current field's entries, packed or not. */
  ints(name: string, into: number[]): void {
    this.repeat(VARINT, name, () => { this.#charge(); into.push(this.varint()); });
  }
  floats(name: string, into: number[]): void {
    this.repeat(FIXED32, name, () => { this.#charge(); into.push(this.float32()); });
  }
  strings(name: string, into: string[]): void {
    this.#charge();
    into.push(this.string(name));
  }

  /** Calls `one` for each entry of the current field: once if it is not packed. `one` reads with varint(), float32() or float64(). */
  repeat(elementType: number, name: string, one: () => void): void {
    if (this.type === elementType) {
      one();
      return;
    }
    const outer = this.#end;
    const length = this.#length(name);
    this.#end = this.#pbf.pos + length;
    while (this.#pbf.pos < this.#end) one();
    this.#end = outer;
  }

  varint(): number {
    this.#checkVarint();
    const value = this.#pbf.readVarint(true);
    return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  }
  float32(): number {
    this.#need(4);
    return this.#pbf.readFloat();
  }
  float64(): number {
    this.#need(8);
    return this.#pbf.readDouble();
  }

  expect(type: number, name: string): void {
    if (this.type !== type) this.fail(`field ${name} is a ${wireTypeNames[this.type] ?? '?'} field, not ${wireTypeNames[type] ?? '?'}`);
  }

  fail(message: string): never {
    throw new KingletError('ERR_MODEL_FORMAT', `byte ${this.#base + this.#pbf.pos} (${this.#path.join('.')}): ${message}`);
  }

  #tag(): number {
    this.#checkVarint();
    const tag = this.#pbf.readVarint();
    this.type = tag & 7;
    const field = Math.floor(tag / 8);
    if (field === 0 || field >= 2 ** 29) this.fail(`field number ${field} does not exist`);
    if (this.type === 3 || this.type === 4 || this.type > FIXED32) this.fail(`wire type ${this.type} of field ${field} is not allowed`);
    return field;
  }

  #skip(): void {
    if (this.type === VARINT) this.varint();
    else if (this.type === BYTES) this.bytes('of an unknown number');
    else {
      const size = this.type === FIXED32 ? 4 : 8;
      this.#need(size);
      this.#pbf.pos += size;
    }
  }

  /** Reads the length of the current field and makes sure that as many bytes remain. */
  #length(name: string): number {
    this.expect(BYTES, name);
    this.#checkVarint();
    const length = this.#pbf.readVarint();
    const rest = this.#end - this.#pbf.pos;
    if (length > rest) this.fail(`field ${name} claims ${length} bytes, ${rest} remain`);
    return length;
  }

  #need(count: number): void {
    if (this.#end - this.#pbf.pos < count) this.fail('the data ends inside a number');
  }

  /** pbf reads up to ten bytes without looking at any end, so the end of the varint is found first. */
  #checkVarint(): void {
    const { buf, pos } = this.#pbf;
    const end = Math.min(this.#end, pos + 10);
    for (let i = pos; i < end; i++) if ((buf[i] ?? 0) < 0x80) return;
    this.fail(end === pos + 10 ? 'a varint is longer than 10 bytes' : 'the data ends inside a number');
  }

  #charge(): void {
    this.budget.entries++;
    checkLimit(this.budget.entries, this.budget.limits.maxListEntries, 'list entries');
  }
}
