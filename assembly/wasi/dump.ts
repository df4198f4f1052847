// `run --dump`: one inference step by step. In: a plan with its inputs, a folder. Out: the tensor of every step as soon as it is whole, as
// NNNN-name.npy; names come from the model and choose neither folder nor kind of the file. Must not know other outputs.

import { TRACE_ADDRESS, TRACE_DIMS, TRACE_DTYPE, TRACE_NAME_BYTES, TRACE_RANK, TRACE_STRIDES } from "../abi.ts";
import { release } from "../blocks.ts";
import { run } from "../executor";
import { elementBytes, nameOf } from "../opened-plan.ts";
import { lengthOf } from "./arguments.ts";
import { allocateOrStop, makeFolder } from "./files.ts";
import { writeNpy } from "./npy-file.ts";
import { beginNotice, characterBytes, endLine, integer, printable, text } from "./print.ts";
import { firstStep, isComplete, isStep, nextStep, stepIndex, trace } from "./step-walk.ts";

const MOST_NAME: usize = 100;
/** "/NNNN-", the name, ".npy" and a zero. */
const FILE_BYTES: usize = 6 + MOST_NAME + 5;

export function runAndDump(plan: usize, folder: usize): void {
  const folderBytes = lengthOf(folder), path = allocateOrStop(folderBytes + FILE_BYTES);
  makeFolder(folder, folderBytes);
  memory.copy(path, folder, folderBytes);
  let count = 0;
  for (firstStep(plan); isStep(); nextStep()) {
    run(plan, stepIndex, stepIndex + 1);
    if (!isComplete()) continue;
    fillName(path + folderBytes, nameOf(plan, trace), load<usize>(trace, TRACE_NAME_BYTES));
    writeStep(plan, path);
    count++;
  }
  release(path);
  beginNotice();
  integer(count);
  text(" tensors written to ");
  printable(folder, folderBytes, 200);
  endLine();
}

function fillName(to: usize, name: usize, bytes: usize): void {
  store<u8>(to, 0x2f);
  for (let i = 4, n = stepIndex; i > 0; i--, n /= 10) store<u8>(to + i, <u8>(0x30 + n % 10));
  store<u8>(to, 0x2d, 5);
  to += 6;
  for (const end = name + bytes, last = to + MOST_NAME; name < end && to < last;) {
    const letter = load<u8>(name), size = characterBytes(name, end);
    store<u8>(to++, isPlain(letter) ? letter : 0x5f);
    if (size == 4 && to < last) store<u8>(to++, 0x5f); // two units in UTF-16
    name += max<usize>(1, size);
  }
  store<u64>(to, 0x79706e2e); // ".npy"
}
/** A letter, a digit or one of "_.-". */
function isPlain(letter: u8): bool {
  const lower = letter | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (letter >= 0x30 && letter <= 0x39) || letter == 0x2d || letter == 0x2e;
}

let elementSize: usize = 0;
let denseTo: usize = 0;

function writeStep(plan: usize, path: usize): void {
  elementSize = elementBytes(load<i32>(trace, TRACE_DTYPE));
  let bytes = elementSize;
  for (let i: usize = 0; i < load<usize>(trace, TRACE_RANK); i++) bytes *= load<usize>(trace + (i << 2), TRACE_DIMS);
  const dense = allocateOrStop(bytes);
  denseTo = dense;
  copyDense(0, plan + load<usize>(trace, TRACE_ADDRESS));
  writeNpy(trace, path, dense, bytes);
  release(dense);
}
/** Elements from `from` on, along this axis and those behind it. */
function copyDense(axis: usize, from: usize): void {
  if (axis == load<usize>(trace, TRACE_RANK)) {
    memory.copy(denseTo, from, elementSize);
    denseTo += elementSize;
    return;
  }
  const stride = load<usize>(trace + (axis << 2), TRACE_STRIDES) * elementSize;
  for (let i = load<i32>(trace + (axis << 2), TRACE_DIMS); i > 0; i--, from += stride) copyDense(axis + 1, from);
}
