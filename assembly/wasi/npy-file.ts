// Tensors as files: .npy, or the tensor's raw bytes where the name ends in .raw or is "-". In: a record and elements. Out: a file.
// Must not know what the numbers mean.

import { DTYPE_F32, DTYPE_I32, DTYPE_I64, DTYPE_I8, DTYPE_U8, IO_DIMS, IO_DTYPE, IO_RANK } from "../abi.ts";
import { lengthOf } from "./arguments.ts";
import { writeWhole } from "./files.ts";
import { isLiteral, unpack, unpackedBytes } from "../literal.ts";

const HEAD_BYTES: usize = 192;
const head: usize = memory.data(192, 8);
let at: usize = 0;

function add(literal: string): void {
  memory.copy(at, unpack(literal), unpackedBytes());
  at += unpackedBytes();
}
function addNumber(n: u32): void {
  if (n >= 10) addNumber(n / 10);
  store<u8>(at++, <u8>(0x30 + n % 10));
}

/** `record`: of an input, an output or a step. */
export function writeNpy(record: usize, path: usize, data: usize, dataBytes: usize): void {
  const bytes = lengthOf(path), isRaw = isLiteral(path, bytes, "-") || (bytes > 4 && isLiteral(path + bytes - 4, 4, ".raw"));
  writeWhole(path, bytes, head, isRaw ? 0 : fillHead(record), data, dataBytes);
}

/** Version 1.0; the header ends at a multiple of 64, spaces and a line end last, as NumPy writes it. Returns its length. */
function fillHead(record: usize): usize {
  const dtype = load<i32>(record, IO_DTYPE), rank = load<i32>(record, IO_RANK);
  memory.fill(head, 0x20, HEAD_BYTES);
  store<u64>(head, 0x000159504d554e93); // "\x93NUMPY", 1, 0
  at = head + 10;
  add("{'descr': '");
  add(dtype == DTYPE_F32 ? "<f4" : dtype == DTYPE_I8 ? "|i1" : dtype == DTYPE_U8 ? "|u1" : dtype == DTYPE_I32 ? "<i4" : dtype == DTYPE_I64 ? "<i8" : "|b1");
  add("', 'fortran_order': False, 'shape': (");
  for (let i = 0; i < rank; i++) {
    if (i > 0) add(", ");
    addNumber(load<u32>(record + <usize>(i << 2), IO_DIMS));
  }
  add(rank == 1 ? ",), }" : "), }");
  const length = (at - head + 1 + 63) & ~63;
  store<u16>(head, <u16>(length - 10), 8);
  store<u8>(head + length - 1, 0x0a);
  return length;
}
