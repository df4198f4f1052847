// The MODEL word: a plan from a file or stdin, or the one that a bundle brought; and its labels. In: a word. Out: an opened plan's address.
// Weights are read straight into their place. Whatever is wrong ends the program. Must not know what commands do.

import { HEADER_BYTES, HEADER_PLAN_BYTES } from "../abi.ts";
import { bundledLabels, bundledLabelsBytes, bundledPlan } from "../bundle-slot.ts";
import { allocate, release } from "../blocks.ts";
import { DATA, fault, say, sayNumber } from "../fault.ts";
import { checkHead, chooseDotMode, noMemory, openPlan, roomOf } from "../opened-plan.ts";
import { OPTION_LABELS, lengthOf, optionValue, stopUsage } from "./arguments.ts";
import { allocateOrStop, close, openToRead, readUpTo, readWhole, sizeOf, stopAbout, wholeBytes } from "./files.ts";
import { orStop } from "./print.ts";

/** Opens the bundled plan when `word` is 0. */
export function openModel(word: usize): usize {
  orStop(chooseDotMode());
  const plan = word == 0 ? bundledPlan() : readPlan(word);
  if (plan == 0) stopUsage("a MODEL is missing", 0);
  orStop(openPlan(plan));
  return plan;
}

function readPlan(path: usize): usize {
  const fd = openToRead(path, lengthOf(path)), size = sizeOf(fd);
  const head = allocateOrStop(HEADER_BYTES), headBytes = readUpTo(fd, head, HEADER_BYTES);
  orStop(checkHead(head, headBytes));
  const planBytes = <usize>load<u32>(head, HEADER_PLAN_BYTES);
  if (size >= 0 && size != <i64>planBytes) stopLength(size, planBytes);
  const plan = allocate(roomOf(head));
  if (plan == 0) orStop(noMemory(roomOf(head)));
  memory.copy(plan, head, HEADER_BYTES);
  const count = <usize>HEADER_BYTES + readUpTo(fd, plan + HEADER_BYTES, planBytes - HEADER_BYTES);
  if (count != planBytes) stopLength(count, planBytes);
  if (readUpTo(fd, head, 1) != 0) stopAbout(path, lengthOf(path), "bytes follow the plan");
  release(head);
  close(fd);
  return plan;
}

function stopLength(bytes: i64, planBytes: i64): void {
  fault(DATA, "the file has ");
  sayNumber(bytes);
  say(" bytes, its header says ");
  sayNumber(planBytes);
  orStop(-DATA);
}

// One label a line; the line number from 0 on is the output's index.
let labels: usize = 0;
let labelsTo: usize = 0;
export let labelCount: i32 = 0;

export function readLabels(): void {
  const path = optionValue(OPTION_LABELS);
  labels = path == 0 ? bundledLabels() : readWhole(path, lengthOf(path));
  labelsTo = labels + (path == 0 ? bundledLabelsBytes() : wholeBytes);
  for (let at = labels; at < labelsTo; labelCount++) at = lineEnd(at) + 1;
}
function lineEnd(at: usize): usize {
  while (at < labelsTo && load<u8>(at) != 0x0a) at++;
  return at;
}
/** Where the label that findLabel() found ends. */
export let labelTo: usize = 0;
/** Address of label `index`, 0 where there is none. */
export function findLabel(index: i32): usize {
  let at = labels;
  for (; index > 0 && at < labelsTo; index--) at = lineEnd(at) + 1;
  if (at >= labelsTo) return 0;
  labelTo = lineEnd(at);
  if (labelTo > at && load<u8>(labelTo - 1) == 0x0d) labelTo--;
  return at;
}
