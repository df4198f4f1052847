// Text for stdout and stderr, numbers as JavaScript writes them. In: literals, numbers, hostile names. Out: bytes through fd_write.
// Results go to stdout, everything else to stderr. Must not know what is being said.

import { allocate } from "../blocks.ts";
import { INTERNAL, faultBytes, faultText } from "../fault.ts";
import { ERRNO_AGAIN, ERRNO_INTR, ERRNO_PIPE, fd_write, proc_exit } from "./sys.ts";
import { unpack, unpackWord, unpackedBytes } from "../literal.ts";
import { decimalCount, decimalDigits, decimalPoint, shortestDecimal } from "./shortest-decimal.ts";

const STDOUT = 1;
const STDERR = 2;
const CAPACITY: usize = 8192;
const vector: usize = memory.data(8, 8);
const written: usize = memory.data(4, 4);

let buffer: usize = 0;
let length: usize = 0;
let target: i32 = STDOUT;

/** Writes all of it; a reader that has seen enough (`| head`) ends the program quietly. */
export function writeAll(fd: i32, from: usize, bytes: usize): i32 {
  while (bytes > 0) {
    store<usize>(vector, from);
    store<usize>(vector, bytes, 4);
    const errno = fd_write(fd, vector, 1, written);
    if (errno == ERRNO_AGAIN || errno == ERRNO_INTR) continue;
    if (errno == ERRNO_PIPE && fd == STDOUT) proc_exit(0);
    if (errno != 0) return errno;
    from += load<usize>(written);
    bytes -= load<usize>(written);
  }
  return 0;
}

export function flush(): void {
  const errno = writeAll(target, buffer, length);
  length = 0;
  if (errno != 0) proc_exit(INTERNAL - 4); // ERR_FILE: nobody takes the results
}

/** The next line goes to stderr. */
export function toStderr(): void { flush(); target = STDERR; }

export function put(byte: u8): void {
  if (buffer == 0) {
    buffer = allocate(<u64>CAPACITY);
    if (buffer == 0) proc_exit(71);
  }
  if (length == CAPACITY) flush();
  store<u8>(buffer + length++, byte);
}
export function text(literal: string): void { putBytes(unpack(literal), unpackedBytes()); }
export function textWord(words: string, index: i32): void { putBytes(unpackWord(words, index), unpackedBytes()); }
export function putBytes(from: usize, bytes: usize): void { for (const end = from + bytes; from < end; from++) put(load<u8>(from)); }

/** Lines are flushed one by one where somebody may wait for them: after notices and frames. */
export function endLine(): void {
  put(0x0a);
  if (target == STDERR) {
    flush();
    target = STDOUT;
  }
}

/** "kinglet: " and what follows on stderr. */
export function beginNotice(): void {
  toStderr();
  text("kinglet: ");
}
/** Prints the sentence of fault.ts and ends the program, when `code` is negative. Returns it otherwise. */
export function orStop(code: i32): i32 {
  if (code >= 0) return code;
  beginNotice();
  putBytes(faultText(), faultBytes());
  endLine();
  proc_exit(-code);
  return code;
}

export function integer(n: i64): void {
  if (n < 0) { put(0x2d); n = -n; }
  if (n >= 10) integer(n / 10);
  put(<u8>(0x30 + n % 10));
}

/** As String(x) in JavaScript. */
export function number(x: f64): void {
  if (x == floor(x) && abs(x) < 9e15) { integer(<i64>x); return; }
  if (x != x) { text("NaN"); return; }
  if (x < 0) { put(0x2d); x = -x; }
  if (x == Infinity) { text("Infinity"); return; }
  shortestDecimal(x);
  const count = decimalCount(), point = decimalPoint();
  if (point > 21 || point < -5) {
    layOut(count, 1);
    text(point > 0 ? "e+" : "e");
    integer(point - 1);
  } else layOut(count, point);
}
/** The digits of shortestDecimal() with the point behind `point` of them. */
function layOut(count: i32, point: i32): void {
  if (point <= 0) text("0.");
  for (let i = min(point, 0); i < max(count, point); i++) {
    if (i == point && i > 0) put(0x2e);
    put(i < 0 || i >= count ? 0x30 : load<u8>(decimalDigits() + <usize>i));
  }
}

/** As x.toFixed(digits): the nearest decimal, exact halves away from zero; |x| * 10^digits below 2^53. */
export function fixed(x: f64, digits: i32): void {
  if (x < 0) { put(0x2d); x = -x; }
  let power: f64 = 1;
  for (let i = 0; i < digits; i++) power *= 10;
  // The product and what its rounding lost (Dekker's product), so that halves are told apart.
  const high = x * power, split: f64 = 134217729;
  const xHigh = x * split - (x * split - x), xLow = x - xHigh;
  const lost = xHigh * power - high + xLow * power;
  let whole = floor(high);
  if (high - whole - 0.5 + lost >= 0) whole += 1;
  integer(<i64>(whole / power));
  if (digits == 0) return;
  put(0x2e);
  let rest = <i64>whole % <i64>power;
  for (let unit = <i64>power / 10; unit > 0; unit /= 10) {
    put(<u8>(0x30 + rest / unit));
    rest %= unit;
  }
}

/** 12345678 → "12,345,678". */
export function grouped(n: i64): void {
  if (n < 1000) { integer(n); return; }
  grouped(n / 1000);
  put(0x2c);
  const rest = n % 1000;
  put(<u8>(0x30 + rest / 100));
  put(<u8>(0x30 + (rest / 10) % 10));
  put(<u8>(0x30 + rest % 10));
}

export function spaces(count: i32): void { for (; count > 0; count--) put(0x20); }

/** Where the text began that is moved or taken back: at most half a buffer. */
let markAt: usize = 0;
export function mark(): void {
  if (length > CAPACITY / 2) flush();
  markAt = length;
}
/** Units in UTF-16 since mark(): what JavaScript counts. */
export function marked(): i32 {
  let units = 0;
  for (let at = markAt; at < length; at++) {
    const byte = load<u8>(buffer + at);
    units += byte >= 0xf0 ? 2 : (byte & 0xc0) == 0x80 ? 0 : 1;
  }
  return units;
}
export function drop(): void { length = markAt; }
/** Moves the text since mark() behind as many spaces as make it `width` units wide. */
export function padStart(width: i32): void {
  const bytes = length - markAt, room = width - marked();
  if (room <= 0) return;
  spaces(room);
  memory.copy(buffer + markAt + room, buffer + markAt, bytes);
  memory.fill(buffer + markAt, 0x20, room);
}

/** Bytes of the UTF-8 character at `at`, 0 where there is none. */
export function characterBytes(at: usize, end: usize): usize {
  const first = <u32>load<u8>(at);
  if (first < 0x80) return 1;
  const bytes: usize = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (bytes == 0 || at + bytes > end) return 0;
  for (let i: usize = 1; i < bytes; i++) if ((load<u8>(at + i) & 0xc0) != 0x80) return 0;
  const second = <u32>load<u8>(at, 1);
  const isWrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return isWrong ? 0 : bytes;
}
/** Code point of a control character, or of one that reorders or breaks lines; 0 for every other one (host/plain-text.ts). */
function unsafeCode(at: usize, bytes: usize): i32 {
  const a = <i32>load<u8>(at);
  if (bytes == 1) return a < 0x20 ? a | 0x10000 : a == 0x7f ? a : 0;
  const b = <i32>load<u8>(at, 1);
  if (bytes == 2) return a == 0xc2 && b < 0xa0 ? b : 0;
  if (bytes != 3 || a != 0xe2) return 0;
  const code = 0x2000 | (b & 0x3f) << 6 | (load<u8>(at, 2) & 0x3f);
  return code == 0x2028 || code == 0x2029 || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ? code : 0;
}

/** A name from outside: dangerous characters become "?", more than `limit` UTF-16 units end in "...". */
export function printable(from: usize, bytes: usize, limit: i32): void {
  const end = from + bytes;
  let whole = 0;
  for (let at = from; at < end; at += max<usize>(1, characterBytes(at, end))) whole += characterBytes(at, end) == 4 ? 2 : 1;
  const most = whole > limit ? limit - 3 : whole;
  let units = 0;
  for (let at = from; at < end;) {
    const size = characterBytes(at, end), wide = size == 4 ? 2 : 1;
    if (units + wide > most) break;
    if (size == 0 || unsafeCode(at, size) != 0) put(0x3f);
    else putBytes(at, size);
    units += wide;
    at += max<usize>(1, size);
  }
  if (whole > limit) text("...");
}

/** A JSON string, as the host's command writes it. */
export function jsonString(from: usize, bytes: usize): void {
  put(0x22);
  for (let at = from, end = from + bytes; at < end;) {
    const size = characterBytes(at, end), byte = load<u8>(at);
    if (size == 0) text("\\ufffd");
    else if (byte == 0x22 || byte == 0x5c) { put(0x5c); put(byte); }
    else if (unsafeCode(at, size) != 0) escaped(unsafeCode(at, size) & 0xffff);
    else putBytes(at, size);
    at += max<usize>(1, size);
  }
  put(0x22);
}
function escaped(code: i32): void {
  const short = code == 8 ? 0x62 : code == 9 ? 0x74 : code == 10 ? 0x6e : code == 12 ? 0x66 : code == 13 ? 0x72 : 0;
  put(0x5c);
  if (short != 0) { put(<u8>short); return; }
  put(0x75);
  for (let shift = 12; shift >= 0; shift -= 4) {
    const digit = (code >> shift) & 15;
    put(<u8>(digit < 10 ? 0x30 + digit : 0x57 + digit));
  }
}
