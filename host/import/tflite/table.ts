// FlatBuffers tables, guarded. In: bytes that nobody vouches for. Out: scalars, strings, vectors and sub-tables by field index.
// flatbuffers' ByteBuffer decodes the scalars; every offset, vtable, length and alignment is checked here first.
// Must not know the TFLite schema. Offsets only point forward, so tables cannot contain themselves.

import { ByteBuffer } from 'flatbuffers';
import { KingletError } from '../../error.ts';
import { checkLimit, type ImportLimits } from '../limits.ts';

/** Tables of one file that may be visited; many offsets may lead to one table, so the file's size does not bound them. */
const MAX_TABLES = 1_000_000;

export class FlatFile {
  readonly bytes: Uint8Array;
  readonly buffer: ByteBuffer;
  readonly #limits: ImportLimits;
  #tables = 0;
  #entries = 0;

  constructor(bytes: Uint8Array, limits: ImportLimits) {
    this.bytes = bytes;
    this.buffer = new ByteBuffer(bytes);
    this.#limits = limits;
  }

  root(name: string): Table {
    this.check(0, 4, 4, name);
    return new Table(this, this.buffer.readUint32(0), name);
  }

  /** Makes sure that `size` bytes at `at` are inside the file and aligned. */
  check(at: number, size: number, alignment: number, what: string): void {
    if (at + size > this.bytes.byteLength) fail(what, `points to byte ${at + size}, the file has ${this.bytes.byteLength}`);
    if (at % alignment !== 0) fail(what, `lies at byte ${at}, which is not a multiple of ${alignment}`);
  }

  countTable(): void {
    checkLimit(++this.#tables, MAX_TABLES, 'tables');
  }
  /** Shared vectors and strings are read once per use, so their entries are counted per use. */
  countEntries(count: number): void {
    this.#entries += count;
    checkLimit(this.#entries, this.#limits.maxListEntries, 'list entries');
  }
}

/** Start of a vector's elements, and their number. */
interface Vector {
  readonly at: number;
  readonly count: number;
}

export class Table {
  readonly name: string;
  readonly #file: FlatFile;
  readonly #at: number;
  readonly #size: number;
  readonly #vtable: number;
  readonly #vtableSize: number;

  constructor(file: FlatFile, at: number, name: string) {
    file.countTable();
    file.check(at, 4, 4, name);
    const vtable = at - file.buffer.readInt32(at);
    if (vtable < 0) fail(name, 'has its vtable before the file');
    file.check(vtable, 4, 2, `${name}'s vtable`);
    this.name = name;
    this.#file = file;
    this.#at = at;
    this.#vtable = vtable;
    this.#vtableSize = file.buffer.readUint16(vtable);
    this.#size = file.buffer.readUint16(vtable + 2);
    if (this.#vtableSize < 4 || this.#vtableSize % 2 !== 0) fail(name, `has a vtable of ${this.#vtableSize} bytes`);
    if (this.#size < 4) fail(name, `has ${this.#size} bytes`);
    file.check(vtable, this.#vtableSize, 2, `${name}'s vtable`);
    file.check(at, this.#size, 4, name);
  }

  has(field: number): boolean {
    return this.#find(field, 1) !== 0;
  }
  i8(field: number, fallback: number): number {
    const at = this.#find(field, 1);
    return at === 0 ? fallback : this.#file.buffer.readInt8(at);
  }
  u8(field: number, fallback: number): number {
    const at = this.#find(field, 1);
    return at === 0 ? fallback : this.#file.buffer.readUint8(at);
  }
  bool(field: number, fallback: boolean): boolean {
    return this.u8(field, fallback ? 1 : 0) !== 0;
  }
  i32(field: number, fallback: number): number {
    const at = this.#find(field, 4);
    return at === 0 ? fallback : this.#file.buffer.readInt32(at);
  }
  u32(field: number, fallback: number): number {
    return this.i32(field, fallback) >>> 0;
  }
  f32(field: number, fallback: number): number {
    const at = this.#find(field, 4);
    return at === 0 ? fallback : this.#file.buffer.readFloat32(at);
  }
  /** An unsigned 64-bit number; above 2^53 it is inexact, and beyond any file. */
  u64(field: number, fallback: number): number {
    const at = this.#find(field, 8);
    return at === 0 ? fallback : Number(this.#file.buffer.readUint64(at));
  }

  string(field: number, name: string): string | undefined {
    const bytes = this.bytes(field, name);
    if (!bytes) return undefined;
    this.#file.countEntries(bytes.byteLength);
    return new TextDecoder().decode(bytes);
  }
  /** A vector of bytes, as a view on the file. */
  bytes(field: number, name: string): Uint8Array | undefined {
    const vector = this.#vector(field, 1, name);
    return vector && this.#file.bytes.subarray(vector.at, vector.at + vector.count);
  }
  u8s(field: number, name: string): number[] | undefined {
    return this.#list(field, 1, name, (at) => this.#file.buffer.readUint8(at));
  }
  u16s(field: number, name: string): number[] | undefined {
    return this.#list(field, 2, name, (at) => this.#file.buffer.readUint16(at));
  }
  i32s(field: number, name: string): number[] | undefined {
    return this.#list(field, 4, name, (at) => this.#file.buffer.readInt32(at));
  }
  f32s(field: number, name: string): number[] | undefined {
    return this.#list(field, 4, name, (at) => this.#file.buffer.readFloat32(at));
  }
  /** Signed 64-bit numbers as doubles. */
  i64s(field: number, name: string): number[] | undefined {
    return this.#list(field, 8, name, (at) => Number(this.#file.buffer.readInt64(at)));
  }
  table(field: number, name: string): Table | undefined {
    const at = this.#find(field, 4);
    return at === 0 ? undefined : this.#follow(at, name);
  }
  tables(field: number, name: string): Table[] {
    const places = this.#list(field, 4, name, (at) => at) ?? [];
    return places.map((at, index) => this.#follow(at, `${name}[${index}]`));
  }

  /** Where a field's bytes are; 0 when it is absent. */
  #find(field: number, size: number): number {
    const slot = 4 + 2 * field;
    if (slot + 2 > this.#vtableSize) return 0;
    const offset = this.#file.buffer.readUint16(this.#vtable + slot);
    if (offset === 0) return 0;
    if (offset < 4 || offset + size > this.#size) fail(this.name, `has field ${field} outside itself`);
    this.#file.check(this.#at + offset, size, size, `field ${field} of ${this.name}`);
    return this.#at + offset;
  }
  #target(at: number, name: string): number {
    const offset = this.#file.buffer.readUint32(at);
    if (offset < 4) fail(name, `has offset ${offset}`);
    return at + offset;
  }
  #follow(at: number, name: string): Table {
    return new Table(this.#file, this.#target(at, name), name);
  }
  #vector(field: number, elementBytes: number, name: string): Vector | undefined {
    const at = this.#find(field, 4);
    if (at === 0) return undefined;
    const start = this.#target(at, name);
    this.#file.check(start, 4, 4, name);
    const count = this.#file.buffer.readUint32(start);
    this.#file.check(start + 4, count * elementBytes, elementBytes, name);
    return { at: start + 4, count };
  }
  #list(field: number, elementBytes: number, name: string, read: (at: number) => number): number[] | undefined {
    const vector = this.#vector(field, elementBytes, name);
    if (!vector) return undefined;
    this.#file.countEntries(vector.count);
    return Array.from({ length: vector.count }, (_, index) => read(vector.at + index * elementBytes));
  }
}

function fail(what: string, message: string): never {
  throw new KingletError('ERR_MODEL_FORMAT', `${what} ${message}`);
}
