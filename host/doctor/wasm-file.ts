// Reads a wasm file without running it. In: bytes that nobody vouches for. Out: the plan version that an executor speaks, or null.
// Format: https://webassembly.github.io/spec/core/binary/modules.html. Must not compile: the file may need what this engine lacks.

const IMPORT = 2, EXPORT = 7, CODE = 10;
const FUNCTION = 0, TABLE = 1, MEMORY = 2, GLOBAL = 3;
const I32_CONST = 0x41;

export function isWasm(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
}

/** What abiVersion() returns, a constant; null when this is no executor or is cut off. */
export function abiVersionOf(bytes: Uint8Array): number | null {
  try {
    return isWasm(bytes) ? new WasmReader(bytes).abiVersion() : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Every read is inside the file and every loop consumes bytes: a RangeError ends what a damaged file begins. */
class WasmReader {
  readonly #bytes: Uint8Array;
  #at = 8;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  abiVersion(): number | null {
    let imported = 0, wanted = -1;
    while (this.#at < this.#bytes.length) {
      const id = this.#byte(), end = this.#unsigned() + this.#at;
      if (end > this.#bytes.length) throw new RangeError('cut off');
      if (id === IMPORT) imported = this.#importedFunctions();
      if (id === EXPORT) wanted = this.#exported('abiVersion') - imported;
      if (id === CODE) return wanted < 0 ? null : this.#constantOf(wanted);
      this.#at = end;
    }
    return null;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError('cut off');
    return byte;
  }

  #unsigned(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new RangeError('not a number');
  }

  #name(): string {
    const length = this.#unsigned();
    const name = String.fromCharCode(...this.#bytes.subarray(this.#at, this.#at + Math.min(length, 64)));
    this.#at += length;
    return name;
  }

  #importedFunctions(): number {
    let functions = 0;
    for (let left = this.#unsigned(); left > 0; left--) {
      this.#name();
      this.#name();
      const kind = this.#byte();
      if (kind === FUNCTION) functions++;
      if (kind === TABLE || kind === GLOBAL) this.#byte();
      if (kind === TABLE || kind === MEMORY) this.#limits();
      else this.#unsigned();
    }
    return functions;
  }

  #limits(): void {
    const flags = this.#byte();
    this.#unsigned();
    if ((flags & 1) !== 0) this.#unsigned();
  }

  /** Index of an exported function; -1 when there is none. */
  #exported(wanted: string): number {
    for (let left = this.#unsigned(); left > 0; left--) {
      const name = this.#name(), kind = this.#byte(), index = this.#unsigned();
      if (name === wanted && kind === FUNCTION) return index;
    }
    return -1;
  }

  #constantOf(index: number): number | null {
    if (index >= this.#unsigned()) return null;
    for (let i = 0; i < index; i++) {
      const size = this.#unsigned();
      this.#at += size;
    }
    this.#unsigned(); // the body's size
    return this.#unsigned() === 0 && this.#byte() === I32_CONST ? this.#unsigned() : null;
  }
}
