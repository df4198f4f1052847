// `bench --layers`: what each step of a plan costs, and the steps added up by kernel, as the host's command prints it.
// In: a plan that is warm. Out: two tables, or a JSON object a line. Must not know whole runs.

import { HEADER_STEP_COUNT, OPCODE_COUNT } from "../abi.ts";
import { release } from "../blocks.ts";
import { run } from "../executor";
import { now } from "./clock.ts";
import { allocateOrStop } from "./files.ts";
import { jsonNumber, jsonWord } from "./io-text.ts";
import { endLine, fixed, put, text } from "./print.ts";
import { sort } from "./sort.ts";
import { KERNELS, firstStep, isStep, jsonStep, kernelCell, nextStep, opCell, outputCell, stepIndex, stepMacs, stepOpcode, tensorCell } from "./step-walk.ts";
import { beginTable, endCell, endRow, fixedCell, headRow, numberCell } from "./table.ts";

/** By opcode: f64 milliseconds, f64 MACs, i32 steps. */
const totals: usize = memory.data(24 * OPCODE_COUNT, 8);
const TOTAL_BYTES: usize = 24;
function totalOf(opcode: i32): usize { return totals + <usize>opcode * TOTAL_BYTES; }

/** Median milliseconds of each step over `runs` inferences. */
let medians: usize = 0;
let sumMs: f64 = 0;

export function measureLayers(plan: usize, runs: i32): void {
  const steps = load<i32>(plan, HEADER_STEP_COUNT), all = allocateOrStop(8 * <u64>steps * <u64>runs);
  medians = allocateOrStop(8 * <u64>steps);
  for (let i = 0; i < runs; i++) {
    for (let k = 0; k < steps; k++) {
      const started = now();
      run(plan, k, k + 1);
      store<f64>(all + (<usize>(k * runs + i) << 3), now() - started);
    }
  }
  memory.fill(totals, 0, <usize>OPCODE_COUNT * TOTAL_BYTES);
  sumMs = 0;
  for (firstStep(plan); isStep(); nextStep()) {
    const own = all + (<usize>(stepIndex * runs) << 3), total = totalOf(stepOpcode());
    sort(own, runs);
    const ms = load<f64>(own + (<usize>(runs >> 1) << 3));
    store<f64>(medians + (<usize>stepIndex << 3), ms);
    sumMs += ms;
    store<f64>(total, load<f64>(total) + ms);
    store<f64>(total, load<f64>(total, 8) + stepMacs(), 8);
    store<i32>(total, load<i32>(total, 16) + 1, 16);
  }
  release(all);
}
function medianOf(index: i32): f64 { return load<f64>(medians + (<usize>index << 3)); }
function shareOf(ms: f64): f64 { return sumMs == 0 ? 0 : ms / sumMs; }
function gopsOf(macs: f64, ms: f64): f64 { return ms == 0 ? 0 : 2 * macs / (ms * 1e6); }

/** The dearest kernel after the one of opcode `last`, the first for 0; 0 where none is left. */
function nextKernel(last: i32): i32 {
  const bound = last == 0 ? Infinity : load<f64>(totalOf(last));
  let best = 0;
  for (let opcode = 1; opcode < OPCODE_COUNT; opcode++) {
    const ms = load<f64>(totalOf(opcode)), isLater = ms < bound || (ms == bound && opcode > last);
    if (load<i32>(totalOf(opcode), 16) > 0 && isLater && (best == 0 || ms > load<f64>(totalOf(best)))) best = opcode;
  }
  return best;
}

/** `about` prints the model's key. */
export function jsonLayers(plan: usize, word: usize, about: (word: usize) => void): void {
  for (firstStep(plan); isStep(); nextStep()) {
    text("{\"type\":\"layer\"");
    about(word);
    jsonStep(plan);
    jsonCosts(medianOf(stepIndex), stepMacs());
  }
  for (let opcode = nextKernel(0); opcode > 0; opcode = nextKernel(opcode)) {
    text("{\"type\":\"kernel\"");
    about(word);
    jsonWord("kernel", KERNELS, opcode - 1);
    jsonNumber("steps", load<i32>(totalOf(opcode), 16));
    jsonCosts(load<f64>(totalOf(opcode)), load<f64>(totalOf(opcode), 8));
  }
}
function jsonCosts(ms: f64, macs: f64): void {
  jsonNumber("ms", millionths(ms));
  jsonNumber("share", millionths(shareOf(ms)));
  jsonNumber("gops", millionths(gopsOf(macs, ms)));
  put(0x7d);
  endLine();
}
function millionths(x: f64): f64 { return nearest(x * 1e6) / 1e6; }

export function printLayers(plan: usize, isInt8: bool): void {
  endLine();
  for (let pass = 0; pass < 2; pass++) {
    beginTable(pass);
    headRow(isInt8 ? "# kernel op name output ms share_% GOPS_int8" : "# kernel op name output ms share_% GFLOPS", 0b11100001);
    for (firstStep(plan); isStep(); nextStep()) {
      numberCell(stepIndex);
      kernelCell(stepOpcode());
      opCell(plan);
      tensorCell(plan, 40);
      outputCell(false);
      costCells(medianOf(stepIndex), stepMacs());
    }
  }
  endLine();
  for (let pass = 0; pass < 2; pass++) {
    beginTable(pass);
    headRow(isInt8 ? "kernel steps ms share_% GOPS_int8" : "kernel steps ms share_% GFLOPS", 0b11110);
    for (let opcode = nextKernel(0); opcode > 0; opcode = nextKernel(opcode)) {
      kernelCell(opcode);
      numberCell(load<i32>(totalOf(opcode), 16));
      costCells(load<f64>(totalOf(opcode)), load<f64>(totalOf(opcode), 8));
    }
  }
}
function costCells(ms: f64, macs: f64): void {
  fixedCell(ms, 4);
  fixedCell(100 * shareOf(ms), 1);
  if (gopsOf(macs, ms) > 0) fixed(gopsOf(macs, ms), 1);
  endCell(true);
  endRow();
}
