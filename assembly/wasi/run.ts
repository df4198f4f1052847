// `run`: inputs from files or frames, one inference, what the outputs hold. In: a plan and options. Out: lines, .npy or raw files.
// Must not know pictures' formats.

import { HEADER_OUTPUT_COUNT, HEADER_STEP_COUNT, IO_DTYPE, IO_ELEMENTS, IO_NAME_BYTES } from "../abi.ts";
import { run } from "../executor";
import { DATA, fault, say, sayName, sayNumber } from "../fault.ts";
import { element, inputCount, ioBytes, ioData, ioRecord, nameOf } from "../opened-plan.ts";
import { OPTION_DUMP, OPTION_INPUT, OPTION_OUTPUT, OPTION_REPEAT, OPTION_STREAM, hasFlag, lengthOf, optionValue, positional, stopUsage, whole } from "./arguments.ts";
import { fillNoise, timeRepeats } from "./bench.ts";
import { runAndDump } from "./dump.ts";
import { writeNpy } from "./npy-file.ts";
import { fillFromFile, readPictureOptions } from "./inputs.ts";
import { jsonName, jsonNumber, nameAndType } from "./io-text.ts";
import { openModel } from "./model.ts";
import { beginNotice, endLine, integer, number, orStop, printable, put, text } from "./print.ts";
import { runStream } from "./stream.ts";

export function runCommand(): void {
  readPictureOptions();
  const plan = openModel(positional(1));
  if (positional(2) != 0) stopUsage("too many words: ", positional(2));
  if (hasFlag(OPTION_STREAM)) {
    runStream(plan, streamLine);
    return;
  }
  checkKeys(plan, OPTION_INPUT, 0, inputCount(plan));
  checkKeys(plan, OPTION_OUTPUT, inputCount(plan), load<i32>(plan, HEADER_OUTPUT_COUNT));
  readInputs(plan);
  if (optionValue(OPTION_DUMP) != 0) runAndDump(plan, optionValue(OPTION_DUMP));
  else run(plan, 0, load<i32>(plan, HEADER_STEP_COUNT));
  writeOutputs(plan);
  if (optionValue(OPTION_REPEAT) != 0) timeRepeats(plan);
}

/** The file that an option's use gives: behind "KEY=", or the whole word, which means index 0. */
let file: usize = 0;

/** Index among `count` records from `first` on that the word names, -1 for none. Names may hold "=", so every "=" is tried. */
function keyOf(plan: usize, word: usize, first: i32, count: i32): i32 {
  const bytes = lengthOf(word);
  for (let at: usize = 1; at + 1 < bytes; at++) {
    if (load<u8>(word + at) != 0x3d) continue;
    file = word + at + 1;
    for (let i = 0; i < count; i++) {
      const record = ioRecord(plan, first + i), nameBytes = load<usize>(record, IO_NAME_BYTES);
      if (whole(word, at) == i || (nameBytes == at && memory.compare(word, nameOf(plan, record), at) == 0)) return i;
    }
  }
  file = word;
  for (let at: usize = 0; at < bytes; at++) if (load<u8>(word + at) == 0x3d) return -1;
  return 0;
}

/** The word of an option that belongs to record `index`; its file is in `file`. 0: none. */
function wordFor(plan: usize, option: i32, first: i32, count: i32, index: i32): usize {
  for (let nth = 0; optionValue(option, nth) != 0; nth++) if (keyOf(plan, optionValue(option, nth), first, count) == index) return optionValue(option, nth);
  return 0;
}

function checkKeys(plan: usize, option: i32, first: i32, count: i32): void {
  for (let nth = 0; optionValue(option, nth) != 0; nth++) {
    const word = optionValue(option, nth), key = keyOf(plan, word, first, count);
    if (key < 0) stopUsage("not KEY=FILE with a KEY the model has: ", word);
    for (let other = 0; other < nth; other++) if (keyOf(plan, optionValue(option, other), first, count) == key) stopUsage("given twice: ", word);
  }
}

/** Inputs without a file get noise where only time matters. */
function readInputs(plan: usize): void {
  const count = inputCount(plan);
  for (let i = 0; i < count; i++) {
    const record = ioRecord(plan, i);
    if (wordFor(plan, OPTION_INPUT, 0, count, i) != 0) { fillFromFile(plan, record, file); continue; }
    if (optionValue(OPTION_REPEAT) == 0 || optionValue(OPTION_OUTPUT) != 0) stopMissing(plan, record, i);
    fillNoise(plan, record);
    beginNotice();
    text("input ");
    integer(i);
    text(" is not given: timing on noise");
    endLine();
  }
}
function stopMissing(plan: usize, record: usize, index: i32): void {
  fault(DATA, "input ");
  sayNumber(index);
  say(" ");
  sayName(nameOf(plan, record), load<usize>(record, IO_NAME_BYTES));
  say(" is missing: add --input KEY=FILE");
  orStop(-DATA);
}

function writeOutputs(plan: usize): void {
  const inputs = inputCount(plan), outputs = load<i32>(plan, HEADER_OUTPUT_COUNT);
  let resultsOnStdout = false;
  for (let i = 0; i < outputs; i++) {
    if (wordFor(plan, OPTION_OUTPUT, inputs, outputs, i) == 0) continue;
    if (file != 0 && load<u16>(file) == 0x2d) resultsOnStdout = true;
    writeNpy(ioRecord(plan, inputs + i), file, ioData(plan, ioRecord(plan, inputs + i)), ioBytes(ioRecord(plan, inputs + i)));
  }
  if (resultsOnStdout) return;
  for (let i = 0; i < outputs; i++) {
    const record = ioRecord(plan, inputs + i);
    text("output ");
    integer(i);
    put(0x20);
    nameAndType(plan, record, " ");
    range(plan, record);
    if (wordFor(plan, OPTION_OUTPUT, inputs, outputs, i) != 0) {
      text(" -> ");
      printable(file, lengthOf(file), 200);
    }
    endLine();
  }
}

let lowest: f64 = 0;
let highest: f64 = 0;
let highestAt: i32 = 0;
function findRange(plan: usize, record: usize): void {
  const data = ioData(plan, record), dtype = load<i32>(record, IO_DTYPE), count = load<i32>(record, IO_ELEMENTS);
  highestAt = 0;
  lowest = highest = element(data, dtype, 0);
  for (let i = 1; i < count; i++) {
    const value = element(data, dtype, i);
    if (value < lowest) lowest = value;
    if (value > highest) { highest = value; highestAt = i; }
  }
}
function range(plan: usize, record: usize): void {
  if (load<u32>(record, IO_ELEMENTS) == 0) { text(" empty"); return; }
  findRange(plan, record);
  text(" min ");
  number(lowest);
  text(" max ");
  number(highest);
  text(" at ");
  integer(highestAt);
}

/** The outputs of a frame: `,"outputs":[{"name":…,"min":…,"max":…,"at":…}]`. */
function streamLine(plan: usize): void {
  text(",\"outputs\":[");
  for (let i = 0; i < load<i32>(plan, HEADER_OUTPUT_COUNT); i++) {
    const record = ioRecord(plan, inputCount(plan) + i);
    if (i > 0) put(0x2c);
    findRange(plan, record);
    text("{\"index\":");
    integer(i);
    jsonName("name", plan, record, 0);
    jsonNumber("min", lowest);
    jsonNumber("max", highest);
    jsonNumber("at", highestAt);
    put(0x7d);
  }
  put(0x5d);
}
