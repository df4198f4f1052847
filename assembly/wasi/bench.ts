// `bench`, and `run --repeat`: how fast plans run here, against the machine's peak. In: a plan and counts. Out: lines or one JSON object.
// The same noise and the same words as the host's command. Must not know what networks are for.

import { DTYPE_F32, DTYPE_I32, DTYPE_I64, F32_WINOGRAD, HEADER_MACS, HEADER_STEPS_AT, HEADER_STEP_COUNT, IO_DTYPE, IO_ELEMENTS, QS8_BINARY, QS8_CONV, QS8_DWCONV, QS8_LUT, QS8_MATMUL, QS8_POOL, QS8_REDUCE, QS8_RESIZE, QS8_SOFTMAX, STEP_BYTES, STEP_OPCODE } from "../abi.ts";
import { release } from "../blocks.ts";
import { run } from "../executor";
import { inputCount, ioData, ioRecord } from "../opened-plan.ts";
import { peakF32, peakF32Operations, peakI8, peakI8Operations } from "../peak.ts";
import { OPTION_JSON, OPTION_LAYERS, OPTION_REPEAT, OPTION_RUNS, OPTION_WARMUP, countOption, hasFlag, lengthOf, positional } from "./arguments.ts";
import { now } from "./clock.ts";
import { allocateOrStop } from "./files.ts";
import { jsonKey, jsonNumber, jsonWord } from "./io-text.ts";
import { jsonLayers, measureLayers, printLayers } from "./layers.ts";
import { openModel } from "./model.ts";
import { endLine, fixed, grouped, integer, jsonString, printable, put, text } from "./print.ts";
import { sort } from "./sort.ts";
import { jsonTier, tierText } from "./tier.ts";

const WARM_UP_MS: f64 = 500;
const PEAK_MS: f64 = 100;
/** Long enough to be timed, short enough to fit between the interruptions of a busy machine. */
const BURST_MS: f64 = 0.5;

/** The same numbers every time, as in host/cli/timing.ts. */
export function fillNoise(plan: usize, record: usize): void {
  const data = ioData(plan, record), count = load<usize>(record, IO_ELEMENTS), dtype = load<i32>(record, IO_DTYPE);
  let state: u32 = 1;
  if (dtype == DTYPE_I32 || dtype == DTYPE_I64) return;
  for (let i: usize = 0; i < count; i++) {
    state = state * 1664525 + 1013904223;
    if (dtype == DTYPE_F32) store<f32>(data + (i << 2), <f32>(<f64>state / 2147483648 - 1));
    else store<u8>(data + i, <u8>(state >> 24));
  }
}

function timeOnce(plan: usize): f64 {
  const started = now();
  run(plan, 0, load<i32>(plan, HEADER_STEP_COUNT));
  return now() - started;
}

/** Milliseconds of `count` runs, sorted, in a block of f64. */
function timeRuns(plan: usize, count: i32): usize {
  const times = allocateOrStop(8 * <u64>count);
  for (let i = 0; i < count; i++) store<f64>(times + (<usize>i << 3), timeOnce(plan));
  sort(times, count);
  return times;
}
/** The smallest time that at least `percent` of the runs did not exceed. */
function percentile(times: usize, count: i32, percent: i64): f64 {
  return load<f64>(times + (<usize>max<i64>(0, (percent * count + 99) / 100 - 1) << 3));
}

// What a measurement found.
let peakIsInt8: bool = false;
let peakGops: f64 = 0;
let hasWinograd: bool = false;

/** Which peak belongs to this plan. */
function lookAtSteps(plan: usize): void {
  peakIsInt8 = hasWinograd = false;
  peakGops = 0;
  let step = plan + load<u32>(plan, HEADER_STEPS_AT);
  for (let i = load<i32>(plan, HEADER_STEP_COUNT); i > 0; i--, step += load<u32>(step, STEP_BYTES)) {
    const opcode = load<i32>(step, STEP_OPCODE);
    if (opcode == F32_WINOGRAD) hasWinograd = true;
    peakIsInt8 = peakIsInt8 || opcode == QS8_CONV || opcode == QS8_DWCONV || opcode == QS8_POOL || opcode == QS8_BINARY || opcode == QS8_LUT
      || opcode == QS8_REDUCE || opcode == QS8_SOFTMAX || opcode == QS8_RESIZE || opcode == QS8_MATMUL;
  }
}

/** Takes the loops' results, so that they are computed. */
export let peakSum: f64 = 0;

/** Best of many bursts. */
function measurePeak(): void {
  const operations = <f64>(peakIsInt8 ? peakI8Operations() : peakF32Operations());
  let iterations = 1 << 12;
  for (const end = now() + PEAK_MS; now() < end;) {
    const started = now();
    if (peakIsInt8) peakSum += peakI8(iterations, 3, 5);
    else peakSum += peakF32(iterations, 0.5, 0.25);
    const milliseconds = now() - started;
    if (milliseconds < BURST_MS) iterations *= 2;
    else peakGops = max(peakGops, <f64>iterations * operations / milliseconds / 1e6);
  }
}

/** Runs that warm up: `wanted`, or half a second of them where it is 0. Returns how many; the first one's time is in `firstMs`. */
let firstMs: f64 = 0;
function warmUp(plan: usize, wanted: i32): i32 {
  let count = 0;
  for (let sum: f64 = 0; wanted > 0 ? count < wanted : sum < WARM_UP_MS; count++) {
    const milliseconds = timeOnce(plan);
    if (count == 0) firstMs = milliseconds;
    sum += milliseconds;
  }
  return count;
}

/** Sorted times between two measurements of the peak, the higher of which counts. */
function measure(plan: usize, runs: i32): usize {
  lookAtSteps(plan);
  measurePeak();
  const times = timeRuns(plan, runs);
  measurePeak();
  return times;
}

function gops(plan: usize, milliseconds: f64): f64 { return milliseconds == 0 ? 0 : 2 * load<f64>(plan, HEADER_MACS) / (milliseconds * 1e6); }

function speedText(plan: usize, milliseconds: f64): void {
  const speed = gops(plan, milliseconds), unit = peakIsInt8 ? " GOPS int8, " : " GFLOPS, ";
  fixed(speed, 2);
  text(unit);
  fixed(100 * speed / peakGops, 1);
  text(" % of the register-only peak of ");
  fixed(peakGops, 2);
  if (hasWinograd) text(" (counting what Winograd saves)");
  else if (speed > peakGops) text(" (no true peak: this engine compiles the loop badly)");
}

export function timeRepeats(plan: usize): void {
  const runs = countOption(OPTION_REPEAT, 1);
  warmUp(plan, 0);
  const times = measure(plan, runs), p50 = percentile(times, runs, 50);
  text("p50 ");
  fixed(p50, 3);
  text(" ms, min ");
  fixed(load<f64>(times), 3);
  text(" ms, ");
  integer(runs);
  text(" runs, 1 thread, ");
  tierText();
  endLine();
  speedText(plan, p50);
  endLine();
}

export function benchCommand(): void {
  const runs = countOption(OPTION_RUNS, 100), wanted = countOption(OPTION_WARMUP, 0);
  const bundled = positional(1) == 0;
  for (let i = 1; bundled ? i == 1 : positional(i) != 0; i++) {
    const started = now(), plan = openModel(positional(i)), loadMs = now() - started;
    for (let k = 0; k < inputCount(plan); k++) fillNoise(plan, ioRecord(plan, k));
    const warm = warmUp(plan, wanted), times = measure(plan, runs), layers = hasFlag(OPTION_LAYERS);
    if (layers) measureLayers(plan, runs);
    if (hasFlag(OPTION_JSON)) printObject(positional(i), plan, loadMs, warm, times, runs);
    else printForPeople(positional(i), plan, loadMs, warm, times, runs, i > 1);
    if (layers && hasFlag(OPTION_JSON)) jsonLayers(plan, positional(i), jsonModel);
    else if (layers) printLayers(plan, peakIsInt8);
    release(times);
    if (!bundled) release(plan);
  }
}

function printForPeople(word: usize, plan: usize, loadMs: f64, warm: i32, times: usize, runs: i32, apart: bool): void {
  if (apart) endLine();
  if (word != 0) { printable(word, lengthOf(word), 200); endLine(); }
  text("network    ");
  grouped(<i64>load<f64>(plan, HEADER_MACS));
  text(" MACs, ");
  integer(load<i32>(plan, HEADER_STEP_COUNT));
  text(" steps, ");
  tierText();
  text(", 1 thread");
  endLine();
  text("load       ");
  fixed(loadMs, 1);
  text(" ms");
  endLine();
  text("warm-up    ");
  fixed(firstMs, 3);
  text(" ms first, ");
  integer(warm);
  text(" runs");
  endLine();
  const p50 = percentile(times, runs, 50);
  text("latency    p50 ");
  fixed(p50, 3);
  text(", p90 ");
  fixed(percentile(times, runs, 90), 3);
  text(", p99 ");
  fixed(percentile(times, runs, 99), 3);
  text(", min ");
  fixed(load<f64>(times), 3);
  text(" ms, ");
  integer(runs);
  text(" runs");
  endLine();
  text("speed      ");
  fixed(gops(plan, p50) / 2, 2);
  text(" GMAC/s, ");
  speedText(plan, p50);
  endLine();
}

/** Microseconds and 1/1000 GOPS are as fine as these measurements get. */
function thousandths(x: f64): f64 { return nearest(x * 1000) / 1000; }

function jsonModel(word: usize): void {
  jsonKey("model");
  if (word == 0) text("null");
  else jsonString(word, lengthOf(word));
}
function printObject(word: usize, plan: usize, loadMs: f64, warm: i32, times: usize, runs: i32): void {
  const p50 = percentile(times, runs, 50), speed = gops(plan, p50);
  text("{\"type\":\"bench\"");
  jsonModel(word);
  jsonWord("kind", "float32 int8", peakIsInt8 ? 1 : 0);
  jsonTier();
  jsonNumber("macs", load<f64>(plan, HEADER_MACS));
  jsonNumber("steps", load<i32>(plan, HEADER_STEP_COUNT));
  jsonNumber("loadMs", thousandths(loadMs));
  jsonNumber("firstMs", thousandths(firstMs));
  jsonNumber("warmupRuns", warm);
  jsonNumber("runs", runs);
  jsonNumber("p50Ms", thousandths(p50));
  jsonNumber("p90Ms", thousandths(percentile(times, runs, 90)));
  jsonNumber("p99Ms", thousandths(percentile(times, runs, 99)));
  jsonNumber("minMs", thousandths(load<f64>(times)));
  jsonNumber("gmacs", thousandths(speed / 2));
  jsonNumber("gops", thousandths(speed));
  jsonNumber("peakGops", thousandths(peakGops));
  jsonNumber("peakShare", thousandths(speed / peakGops));
  put(0x7d);
  endLine();
}
