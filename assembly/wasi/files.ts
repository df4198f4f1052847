// Files through preopens, and stdin. In: paths from the command line. Out: bytes in blocks of memory. Whatever goes wrong ends the
// program with one sentence. Engines spell preopens differently (".", "/", "", "./data"): both sides are made plain before comparing,
// so "/data/x", "./data/x" and "data/x" are one path. Must not know what the bytes mean.

import { allocate, release } from "../blocks.ts";
import { DATA, FILE, fault, say, sayName, sayNumber } from "../fault.ts";
import { noMemory } from "../opened-plan.ts";
import { orStop, writeAll } from "./print.ts";
import {
  ERRNO_ACCES, ERRNO_AGAIN, ERRNO_INTR, ERRNO_ISDIR, ERRNO_NAMETOOLONG, ERRNO_NOENT, ERRNO_NOSPC, ERRNO_NOTCAPABLE, ERRNO_NOTDIR, ERRNO_PERM,
  ERRNO_ROFS, FILETYPE_REGULAR, OFLAGS_CREAT, OFLAGS_TRUNC, RIGHTS_READ, RIGHTS_WRITE, fd_close, fd_filestat_get, fd_prestat_dir_name,
  fd_prestat_get, fd_read, path_create_directory, path_open, path_rename, poll_oneoff,
} from "./sys.ts";

const FIRST_PREOPEN = 3;
const MOST_PREOPENS = 64;
const MOST_NAME_BYTES: u32 = 4096;
/** Largest file that is read as a whole. */
const MOST_BYTES: u64 = 1 << 30;

/** Words that the engine writes: a stat (64 bytes), a vector, a count. */
const stat: usize = memory.data(64, 8);
const vector: usize = memory.data(8, 8);
const word: usize = memory.data(8, 8);

// A path, made plain.
let plainAt: usize = 0;
let plainBytes: usize = 0;
function makePlain(path: usize, bytes: usize): void {
  for (;;) {
    const dot = bytes > 0 && load<u8>(path) == 0x2e && (bytes == 1 || load<u8>(path, 1) == 0x2f), slash = bytes > 0 && load<u8>(path) == 0x2f;
    if (!dot && !slash) break;
    path++;
    bytes--;
  }
  while (bytes > 0 && load<u8>(path + bytes - 1) == 0x2f) bytes--;
  plainAt = path;
  plainBytes = bytes;
}

// What find() found: a folder that the host granted, and the path inside it.
let folder: i32 = -1;
let restAt: usize = 0;
let restBytes: usize = 0;

/** Calls for the name of each preopen: its block (the caller frees it) and length, -1 behind the last. */
function preopenName(fd: i32): i32 {
  if (fd_prestat_get(fd, stat) != 0) return -1;
  const bytes = load<u32>(stat, 4);
  if (load<u8>(stat) != 0 || bytes > MOST_NAME_BYTES) return -1;
  nameBlock = allocate(<u64>bytes + 1);
  if (nameBlock == 0) orStop(noMemory(<u64>bytes));
  if (fd_prestat_dir_name(fd, nameBlock, bytes) != 0) return -1;
  // Some engines count a final zero.
  return bytes > 0 && load<u8>(nameBlock + bytes - 1) == 0 ? bytes - 1 : bytes;
}
let nameBlock: usize = 0;

/** The granted folder with the longest name that `path` lies in. */
function find(path: usize, bytes: usize): bool {
  makePlain(path, bytes);
  const from = plainAt, length = plainBytes;
  let longest: i32 = -1;
  for (let fd = FIRST_PREOPEN; fd < FIRST_PREOPEN + MOST_PREOPENS; fd++) {
    const nameBytes = preopenName(fd);
    if (nameBytes < 0) break;
    makePlain(nameBlock, nameBytes);
    const own = plainBytes, isInside = own == 0 || (own <= length && memory.compare(plainAt, from, own) == 0 && (own == length || load<u8>(from + own) == 0x2f));
    if (isInside && <i32>own > longest) {
      longest = <i32>own;
      folder = fd;
      makePlain(from + own, length - own);
      restAt = plainAt;
      restBytes = plainBytes;
    }
    release(nameBlock);
  }
  return longest >= 0;
}

/** Stops with the names of the folders that there are. */
function stopOutside(verb: string, path: usize, bytes: usize): void {
  beginFault(verb, path, bytes);
  let nameBytes = preopenName(FIRST_PREOPEN);
  if (nameBytes < 0) say("the host granted no folder (wasmtime: --dir .)");
  else say("it lies in no folder that the host granted:");
  for (let fd = FIRST_PREOPEN; nameBytes >= 0 && fd < FIRST_PREOPEN + MOST_PREOPENS;) {
    say(" ");
    sayName(nameBlock, nameBytes);
    nameBytes = preopenName(++fd);
  }
  orStop(-FILE);
}

function beginFault(verb: string, path: usize, bytes: usize): void {
  fault(FILE, "cannot ");
  say(verb);
  say(" ");
  sayName(path, bytes);
  say(": ");
}

function stopErrno(verb: string, path: usize, bytes: usize, errno: i32): void {
  beginFault(verb, path, bytes);
  if (errno == ERRNO_NOENT) say("there is no such file");
  else if (errno == ERRNO_ACCES || errno == ERRNO_PERM) say("access is denied");
  else if (errno == ERRNO_NOTCAPABLE) say("the host does not allow it");
  else if (errno == ERRNO_ISDIR) say("it is a folder");
  else if (errno == ERRNO_NOTDIR) say("a part of the path is not a folder");
  else if (errno == ERRNO_NOSPC) say("the disk is full");
  else if (errno == ERRNO_ROFS) say("the disk is read-only");
  else if (errno == ERRNO_NAMETOOLONG) say("the name is too long");
  else { say("errno "); sayNumber(errno); }
  orStop(-FILE);
}

/** A file being read; its name is for messages. One at a time. */
let openedAt: usize = 0;
let openedBytes: usize = 0;
function isStdin(path: usize, bytes: usize): bool { return bytes == 1 && load<u8>(path) == 0x2d; }

/** "-" is stdin. */
export function openToRead(path: usize, bytes: usize): i32 {
  openedAt = path;
  openedBytes = bytes;
  if (isStdin(path, bytes)) return 0;
  if (!find(path, bytes)) stopOutside("read", path, bytes);
  if (restBytes == 0) stopErrno("read", path, bytes, ERRNO_ISDIR);
  const errno = path_open(folder, 1, restAt, restBytes, 0, RIGHTS_READ, 0, 0, word);
  if (errno != 0) stopErrno("read", path, bytes, errno);
  return load<i32>(word);
}
export function close(fd: i32): void { if (fd != 0) fd_close(fd); }

/** Bytes of a regular file, -1 for whatever else. */
export function sizeOf(fd: i32): i64 {
  if (fd_filestat_get(fd, stat) != 0 || load<u8>(stat, 16) != FILETYPE_REGULAR) return -1;
  return load<i64>(stat, 32);
}

/** Waits until `fd` may be read: some engines do not wait themselves. */
function waitFor(fd: i32): void {
  const subscription = allocate(96);
  if (subscription == 0) return;
  memory.fill(subscription, 0, 96);
  store<u8>(subscription, 1, 8); // eventtype fd_read
  store<i32>(subscription, fd, 16);
  poll_oneoff(subscription, subscription + 48, 1, word);
  release(subscription);
}

/** Reads until `bytes` are there or the file ends; returns how many there are. */
export function readUpTo(fd: i32, to: usize, bytes: usize): usize {
  let count: usize = 0;
  while (count < bytes) {
    store<usize>(vector, to + count);
    store<usize>(vector, min<usize>(bytes - count, 1 << 30), 4);
    const errno = fd_read(fd, vector, 1, word);
    if (errno == ERRNO_AGAIN) { waitFor(fd); continue; }
    if (errno == ERRNO_INTR) continue;
    if (errno != 0) stopErrno("read", openedAt, openedBytes, errno);
    const got = load<usize>(word);
    if (got == 0) break;
    count += got;
  }
  return count;
}

/** The block that readWhole() filled last. */
export let wholeBytes: usize = 0;

/** A whole file, or stdin to its end, in a block of its own. 64 bytes behind it may be read. */
export function readWhole(path: usize, bytes: usize): usize {
  const fd = openToRead(path, bytes), size = sizeOf(fd);
  let room = size > 0 ? <u64>size + 1 : 65536;
  let block = allocateOrStop(room), count: usize = 0;
  for (;;) {
    count += readUpTo(fd, block + count, <usize>room - count);
    if (<u64>count < room) break;
    room *= 2;
    const larger = allocateOrStop(room);
    memory.copy(larger, block, count);
    release(block);
    block = larger;
  }
  close(fd);
  wholeBytes = count;
  return block;
}

export function allocateOrStop(bytes: u64): usize {
  const block = bytes > MOST_BYTES * 3 ? <usize>0 : allocate(bytes);
  if (block == 0) orStop(noMemory(bytes));
  return block;
}

/** Writes two pieces beside the target and renames: a reader sees the old file or the new one. */
export function writeWhole(path: usize, bytes: usize, first: usize, firstBytes: usize, second: usize, secondBytes: usize): void {
  if (isStdin(path, bytes)) {
    const errno = writeAll(1, first, firstBytes) | writeAll(1, second, secondBytes);
    if (errno != 0) stopErrno("write", path, bytes, errno);
    return;
  }
  if (!find(path, bytes)) stopOutside("write", path, bytes);
  if (restBytes == 0) stopErrno("write", path, bytes, ERRNO_ISDIR);
  const temporary = allocateOrStop(<u64>restBytes + 4);
  memory.copy(temporary, restAt, restBytes);
  store<u32>(temporary + restBytes, 0x706d742e); // ".tmp"
  let errno = path_open(folder, 1, temporary, restBytes + 4, OFLAGS_CREAT | OFLAGS_TRUNC, RIGHTS_WRITE, 0, 0, word);
  if (errno == 0) {
    const fd = load<i32>(word);
    errno = writeAll(fd, first, firstBytes);
    if (errno == 0) errno = writeAll(fd, second, secondBytes);
    close(fd);
    if (errno == 0) errno = path_rename(folder, temporary, restBytes + 4, folder, restAt, restBytes);
  }
  release(temporary);
  if (errno != 0) stopErrno("write", path, bytes, errno);
}

/** Makes a folder where there is none; whatever prevents it is found by those who write there. */
export function makeFolder(path: usize, bytes: usize): void { if (find(path, bytes) && restBytes > 0) path_create_directory(folder, restAt, restBytes); }

/** Stops: `what` about this file is wrong. */
export function stopAbout(path: usize, bytes: usize, what: string): void {
  fault(DATA, "");
  sayName(path, bytes);
  say(": ");
  say(what);
  orStop(-DATA);
}
