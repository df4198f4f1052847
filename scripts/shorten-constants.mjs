// Writes constants in fewer bytes. Optimising folds every splat into a v128.const of 18 bytes; four equal lanes are 4 to 8 as a splat,
// and a small whole f64 is 3 as a converted i32 instead of 9. Engines make the same registers of both.
// In: the content of a code section. Out: one that computes the same. https://webassembly.github.io/spec/core/binary/instructions.html
import { Cursor, leb, signedLeb } from './wasm-sections.mjs';

const I32_CONST = 0x41, F32_CONST = 0x43, F64_CONST = 0x44, F64_CONVERT_I32_S = 0xb7, SIMD = 0xfd;
const V128_CONST = 12, I32X4_SPLAT = 17, F32X4_SPLAT = 19;

export function shortenConstants(content) {
  const cursor = new Cursor(content), count = cursor.number();
  const functions = Array.from({ length: count }, () => {
    const body = shortenBody(cursor.take(cursor.number()));
    return Buffer.concat([Buffer.from(leb(body.length)), body]);
  });
  return Buffer.concat([Buffer.from(leb(count)), ...functions]);
}

function shortenBody(body) {
  const cursor = new Cursor(body), parts = [];
  for (let groups = cursor.number(); groups > 0; groups--) { cursor.number(); cursor.byte(); }
  let kept = 0;
  while (cursor.at < body.length) {
    const from = cursor.at, shorter = shortened(cursor);
    if (shorter === undefined || shorter.length >= cursor.at - from) continue;
    parts.push(body.subarray(kept, from), Buffer.from(shorter));
    kept = cursor.at;
  }
  return Buffer.concat([...parts, body.subarray(kept)]);
}

/** Moves behind one instruction; returns shorter ones that push the same, where there are any. */
function shortened(cursor) {
  const opcode = cursor.byte();
  if (opcode === F64_CONST) return shortF64(Buffer.from(cursor.take(8)).readDoubleLE());
  if (opcode !== SIMD) return skipOperands(cursor, opcode);
  const simd = cursor.number();
  return simd === V128_CONST ? shortV128(Buffer.from(cursor.take(16))) : skipSimdOperands(cursor, simd);
}

function shortF64(value) {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0) ? [I32_CONST, ...signedLeb(value), F64_CONVERT_I32_S] : undefined;
}
function shortV128(lanes) {
  if (!lanes.subarray(0, 12).equals(lanes.subarray(4))) return undefined;
  const asInteger = [I32_CONST, ...signedLeb(lanes.readInt32LE()), SIMD, I32X4_SPLAT], asFloat = [F32_CONST, ...lanes.subarray(0, 4), SIMD, F32X4_SPLAT];
  return asInteger.length < asFloat.length ? asInteger : asFloat;
}

function skipOperands(cursor, opcode) {
  const numbers = (n) => { for (; n > 0; n--) cursor.number(); };
  if (opcode >= 0x28 && opcode <= 0x3e) numbers(2); // loads and stores
  else if ((opcode >= 0x02 && opcode <= 0x04) || opcode === 0x0c || opcode === 0x0d || opcode === 0x10 || (opcode >= 0x20 && opcode <= 0x24)) numbers(1);
  else if (opcode === 0x3f || opcode === 0x40 || opcode === I32_CONST) numbers(1); // memory.size, memory.grow
  else if (opcode === 0x0e) numbers(cursor.number() + 1); // br_table
  else if (opcode === 0x11) numbers(2); // call_indirect
  else if (opcode === 0x42) while (cursor.byte() & 128); // i64.const
  else if (opcode === F32_CONST) cursor.take(4);
  else if (opcode === 0xfc) skipBulkOperands(cursor, cursor.number());
  else if (opcode > 0xc4 || opcode === 0x1c || (opcode >= 0x06 && opcode <= 0x0a) || opcode === 0x12 || opcode === 0x13) throw new Error(`unknown opcode ${opcode}`);
  return undefined;
}
/** Saturating conversions have none, memory.copy two memories, memory.fill one. */
function skipBulkOperands(cursor, opcode) {
  if (opcode === 10) cursor.take(2);
  else if (opcode === 11) cursor.take(1);
  else if (opcode > 7) throw new Error(`unknown opcode 252 ${opcode}`);
}
function skipSimdOperands(cursor, opcode) {
  const isLane = opcode >= 84 && opcode <= 91; // loads and stores of one lane
  if (opcode <= 11 || isLane || opcode === 92 || opcode === 93) { cursor.number(); cursor.number(); }
  if (isLane || (opcode >= 21 && opcode <= 34)) cursor.byte();
  if (opcode === 13) cursor.take(16); // i8x16.shuffle
  return undefined;
}
