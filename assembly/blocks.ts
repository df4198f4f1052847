// Memory of a program that owns it: blocks that begin at a multiple of 64, first fit, neighbours joined when freed.
// In: sizes. Out: addresses, 0 where the engine gives no more memory. Memory grows here and nowhere else.
// What a bundle brought lies below all blocks. Must not know what blocks hold.

/** In front of each block: bytes with this head, next free block, mark. */
const HEAD: usize = 64;
const MARK: u32 = 0x4c474b21;

let top: usize = 0;
let firstFree: usize = 0;

// @ts-ignore: decorator
@inline function aligned(n: u64): u64 { return (n + 63) & ~63; }

/** Blocks begin at `address`: once, before the first allocate(). Otherwise behind the program's own data. False: not so much memory. */
export function beginBlocksAt(address: u64): bool {
  if (!reach(address + HEAD)) return false;
  top = <usize>aligned(address);
  return true;
}

/** Enough memory for addresses below `end`. */
function reach(end: u64): bool {
  const have = <u64>memory.size() << 16;
  return end <= have || (end <= 0xffff0000 && memory.grow(<i32>((end - have + 0xffff) >> 16)) >= 0);
}

/** 0 where there is not so much memory. 64 bytes behind each block may be read. */
export function allocate(bytes: u64): usize {
  if (top == 0) beginBlocksAt(__heap_base);
  if (bytes > 0xffff0000) return 0;
  const total = <usize>aligned(bytes + 64) + HEAD;
  for (let before: usize = 0, free = firstFree; free != 0; before = free, free = load<usize>(free, 4)) {
    if (load<usize>(free) < total) continue;
    split(free, total);
    link(before, load<usize>(free, 4));
    return taken(free);
  }
  if (!reach(<u64>top + total)) return 0;
  const block = top;
  store<usize>(block, total);
  top += total;
  return taken(block);
}

function taken(block: usize): usize {
  store<u32>(block, MARK, 8);
  return block + HEAD;
}

function link(before: usize, free: usize): void {
  if (before == 0) firstFree = free;
  else store<usize>(before, free, 4);
}

/** Leaves `total` bytes in a free block; the rest becomes the next free one. */
function split(free: usize, total: usize): void {
  const rest = load<usize>(free) - total;
  if (rest < 2 * HEAD) return;
  const second = free + total;
  store<usize>(second, rest);
  store<usize>(second, load<usize>(free, 4), 4);
  store<u32>(second, 0, 8);
  store<usize>(free, total);
  store<usize>(free, second, 4);
}

/** True for what allocate() returned and release() has not taken back. */
export function isBlock(address: usize): bool {
  return address % 64 == 0 && address >= HEAD && address < top && load<u32>(address - HEAD, 8) == MARK;
}

/** Grows a block in place: only the last one can. */
export function extend(address: usize, bytes: u64): bool {
  const block = address - HEAD, total = aligned(bytes + 64) + HEAD;
  if (block + load<usize>(block) != top || bytes > 0xffff0000 || !reach(<u64>block + total)) return false;
  store<usize>(block, <usize>total);
  top = block + <usize>total;
  return true;
}

export function release(address: usize): void {
  if (!isBlock(address)) return;
  const block = address - HEAD;
  store<u32>(block, 0, 8);
  let before: usize = 0, next = firstFree;
  while (next != 0 && next < block) {
    before = next;
    next = load<usize>(next, 4);
  }
  store<usize>(block, next, 4);
  link(before, block);
  join(block);
  if (before != 0) join(before);
}

/** With the free block that follows directly. */
function join(block: usize): void {
  const next = load<usize>(block, 4), bytes = load<usize>(block);
  if (next == 0 || block + bytes != next) return;
  store<usize>(block, bytes + load<usize>(next));
  store<usize>(block, load<usize>(next, 4), 4);
}
