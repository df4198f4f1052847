// One WebAssembly memory for many models: regions by first fit, growth up to a cap, an executor per build over it.
// In: sizes. Out: regions. The memory goes when the last region of its group does, a shared one a moment later. Models on one thread share
// one growing memory; models of each thread count share one shared memory. Must not know plans.
//
// Growing replaces memory.buffer: views are made afresh (`region.view`) and never kept across an await.

import { KingletError } from '../error.ts';
import { instantiate, type Engine, type Executor } from './engine.ts';

/** What is below belongs to the module: the threads' control words, and operands of the dot probe. */
const FIRST = 1024;
const PAGE = 65536;
/** Every engine offers this much: 65535 pages. */
const LARGEST = 65535 * PAGE;
/** A shared memory states its maximum when it is made; some engines set so much address space aside. */
const SHARED_CAP = 2 ** 30;
/** An engine takes longer to end workers and a shared memory than to start others: the next model may take over those of the last. */
const LINGER_MS = 500;
/** Not if it would keep a memory that is so much too large. */
const LINGER_BYTES = 2 ** 24;

/** Which memory a model goes to. */
export interface Room {
  /** Above 1: a shared memory, which as many workers can run in. */
  readonly threads: number;
  /** Largest size of the memory, with all models in it. */
  readonly maxBytes?: number | undefined;
}
export const ONE_THREAD: Room = { threads: 1 };

/** Part of a group's memory. */
export class Region {
  readonly group: MemoryGroup;
  readonly at: number;
  #bytes: number;
  constructor(group: MemoryGroup, at: number, bytes: number) {
    this.group = group;
    this.at = at;
    this.#bytes = bytes;
  }
  get bytes(): number { return this.#bytes; }
  /** The bytes [from, from + count) of this region, valid until the memory grows. */
  view(from: number, count: number): Uint8Array { return new Uint8Array(this.group.memory.buffer, this.at + from, count); }
  /** Gives back what lies behind the first `bytes`. */
  shrink(bytes: number): void {
    const kept = aligned(bytes);
    if (kept >= this.#bytes) return;
    this.group.give(this.at + kept, this.#bytes - kept);
    this.#bytes = kept;
  }
  /** Gives all of it back, once. */
  free(): void {
    if (this.#bytes === 0) return;
    this.group.give(this.at, this.#bytes);
    this.#bytes = 0;
    this.group.left();
  }
}

function aligned(bytes: number): number { return Math.ceil(bytes / 64) * 64; }

export class MemoryGroup {
  readonly memory: WebAssembly.Memory;
  readonly threads: number;
  readonly #cap: number;
  /** Free ranges in ascending order, no two of them neighbours. */
  #free: { at: number; bytes: number }[];
  #regions = 0;
  readonly #executors = new Map<WebAssembly.Module, Executor>();
  readonly #closers: (() => void)[] = [];

  constructor(threads: number, bytes: number, cap: number) {
    this.threads = threads;
    this.#cap = cap;
    const initial = Math.ceil((FIRST + bytes) / PAGE);
    if (initial * PAGE > cap) throw tooLarge(initial * PAGE, cap);
    try {
      this.memory = threads > 1 ? new WebAssembly.Memory({ initial, maximum: Math.floor(cap / PAGE), shared: true }) : new WebAssembly.Memory({ initial });
    } catch (cause) {
      throw new KingletError('ERR_MEMORY', `the engine gave no memory of ${megabytes(initial * PAGE)}`, { cause });
    }
    this.#free = [{ at: FIRST, bytes: initial * PAGE - FIRST }];
  }

  /** The first free range that is large enough, or new pages. Throws ERR_MEMORY. */
  take(wanted: number, cap: number): Region {
    const bytes = aligned(wanted);
    const fit = this.#free.find((range) => range.bytes >= bytes) ?? this.#grow(bytes, Math.min(cap, this.#cap));
    const region = new Region(this, fit.at, bytes);
    fit.at += bytes;
    fit.bytes -= bytes;
    this.#free = this.#free.filter((range) => range.bytes > 0);
    this.#regions++;
    return region;
  }

  give(at: number, bytes: number): void {
    const ranges = [...this.#free, { at, bytes }].sort((a, b) => a.at - b.at);
    this.#free = [];
    for (const range of ranges) {
      const last = this.#free.at(-1);
      if (last && last.at + last.bytes === range.at) last.bytes += range.bytes;
      else this.#free.push(range);
    }
  }

  /** A region was given back: with the last one go the memory and whatever runs in it. */
  left(): void {
    if (--this.#regions > 0) return;
    if (this.#closers.length === 0) this.retire();
    else unwatched(setTimeout(() => { if (this.#regions === 0) this.#end(); }, LINGER_MS));
  }

  /** Whether a model of so many bytes may come here. A group without models that does not suit it ends. */
  suits(bytes: number, cap: number): boolean {
    if (this.#regions > 0 || (cap === this.#cap && this.memory.buffer.byteLength <= bytes + LINGER_BYTES)) return true;
    this.#end();
    return false;
  }

  #end(): void {
    this.retire();
    for (const close of this.#closers.splice(0)) close();
  }

  /** No further model comes here. */
  retire(): void {
    if (groups.get(this.threads) === this) groups.delete(this.threads);
  }

  onClose(close: () => void): void { this.#closers.push(close); }

  /** This thread's instance of a build over this memory. */
  executor(engine: Engine): Executor {
    const known = this.#executors.get(engine.module) ?? instantiate(engine, this.memory);
    this.#executors.set(engine.module, known);
    return known;
  }

  #grow(bytes: number, cap: number): { at: number; bytes: number } {
    const end = this.memory.buffer.byteLength;
    const last = this.#free.at(-1);
    const tail = last && last.at + last.bytes === end ? last.bytes : 0;
    const pages = Math.ceil((bytes - tail) / PAGE);
    if (end + pages * PAGE > cap) throw tooLarge(end + pages * PAGE, cap);
    try {
      this.memory.grow(pages);
    } catch (cause) {
      throw new KingletError('ERR_MEMORY', `the engine gave no memory of ${megabytes(end + pages * PAGE)}`, { cause });
    }
    this.give(end, pages * PAGE);
    return this.#free[this.#free.length - 1];
  }
}

/** Node: a process does not wait for it. */
function unwatched(timer: unknown): void { (timer as { unref?: () => void }).unref?.(); }
function megabytes(bytes: number): string { return `${Math.ceil(bytes / 2 ** 20)} MiB`; }
function tooLarge(bytes: number, cap: number): KingletError {
  return new KingletError('ERR_MEMORY', `the models would need ${megabytes(bytes)}, the limit is ${megabytes(cap)}`, {
    hint: 'Dispose of models that are not needed, or raise maxMemory.',
  });
}

/** By thread count. */
const groups = new Map<number, MemoryGroup>();

/** Room for `bytes` in the memory of its kind. Throws ERR_MEMORY. */
export function takeRegion(bytes: number, { threads, maxBytes }: Room): Region {
  const cap = Math.min(maxBytes ?? (threads > 1 ? SHARED_CAP : LARGEST), LARGEST);
  let group = groups.get(threads);
  if (!group?.suits(bytes, cap)) {
    group = new MemoryGroup(threads, aligned(bytes), cap);
    groups.set(threads, group);
  }
  return group.take(bytes, cap);
}
