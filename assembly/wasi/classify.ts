// `classify`: pictures in, the most likely labels out, as the host's command prints them. In: a plan with one picture input, files or
// frames. Out: lines or JSON on stdout; on stderr how pictures become numbers. Must not know formats.

import { HEADER_OUTPUT_COUNT, HEADER_STEP_COUNT, IO_DTYPE, IO_ELEMENTS, IO_NAME_BYTES } from "../abi.ts";
import { bundledTop } from "../bundle-slot.ts";
import { run } from "../executor";
import { DATA, fault, say, sayNumber } from "../fault.ts";
import { exp4 } from "../math.ts";
import { inputCount, ioRecord, nameOf, nextBest, realElement } from "../opened-plan.ts";
import { frameChannels, frameHeight, frameIsPlanar, frameOf, frameWidth, fitFor, presetFor } from "../picture-input.ts";
import { OPTION_JSON, OPTION_STREAM, OPTION_THRESHOLD, OPTION_TOP, countOption, hasFlag, lengthOf, positional, shareOption, stopUsage } from "./arguments.ts";
import { now } from "./clock.ts";
import { FITS, PRESETS, fillFromFile, fit, preset, readPictureOptions } from "./inputs.ts";
import { dtypeText, jsonKey, jsonNumber, shape } from "./io-text.ts";
import { findLabel, labelCount, labelTo, openModel, readLabels } from "./model.ts";
import { beginNotice, endLine, fixed, integer, jsonString, mark, number, orStop, padStart, printable, put, spaces, text, textWord } from "./print.ts";
import { runStream } from "./stream.ts";

let top: i32 = 5;
let threshold: f64 = 0;

/** `first`: the position of the first PHOTO; 1 where the model is bundled. */
export function classifyCommand(model: usize, first: i32): void {
  readPictureOptions();
  top = countOption(OPTION_TOP, bundledTop() > 0 ? bundledTop() : 5);
  threshold = shareOption(OPTION_THRESHOLD);
  readLabels();
  const plan = openModel(model);
  explain(plan);
  if (hasFlag(OPTION_STREAM)) {
    if (positional(first + 1) != 0) stopUsage("a stream is one file: ", positional(first + 1));
    runStream(plan, streamLine, positional(first));
    return;
  }
  if (positional(first) == 0) {
    if (model != 0) stopUsage("a PHOTO is missing", 0);
    classify(plan, changetype<usize>(memory.data<u8>([0x2d, 0])));
  }
  for (let i = first; positional(i) != 0; i++) classify(plan, positional(i));
}

function classify(plan: usize, photo: usize): void {
  fillFromFile(plan, ioRecord(plan, 0), photo);
  const started = now();
  run(plan, 0, load<i32>(plan, HEADER_STEP_COUNT));
  const milliseconds = now() - started;
  if (!hasFlag(OPTION_JSON)) {
    reportForPeople(plan, photo);
    return;
  }
  text("{\"photo\":");
  jsonString(photo, lengthOf(photo));
  jsonKey("milliseconds");
  number(nearest(milliseconds * 1000) / 1000);
  streamLine(plan);
  put(0x7d);
  endLine();
}

/** Says what is assumed; refuses models that cannot classify a picture. */
function explain(plan: usize): void {
  if (inputCount(plan) != 1 || load<i32>(plan, HEADER_OUTPUT_COUNT) == 0) {
    fault(DATA, "a classifier has one input; this model has ");
    sayNumber(inputCount(plan));
    orStop(-DATA);
  }
  const input = ioRecord(plan, 0), output = ioRecord(plan, 1);
  orStop(frameOf(input));
  beginNotice();
  text("input ");
  printable(nameOf(plan, input), load<usize>(input, IO_NAME_BYTES), 60);
  text(": ");
  dtypeText(load<i32>(input, IO_DTYPE));
  put(0x20);
  integer(frameWidth());
  put(0x78);
  integer(frameHeight());
  text(frameChannels() == 1 ? " gray " : " RGB ");
  text(frameIsPlanar() ? "NCHW" : "NHWC");
  text(", preset ");
  textWord(PRESETS, presetFor(input, preset) - 1);
  text(", fit ");
  textWord(FITS, fitFor(presetFor(input, preset), fit) - 1);
  endLine();
  beginNotice();
  text("scores are output 0 ");
  printable(nameOf(plan, output), load<usize>(output, IO_NAME_BYTES), 60);
  put(0x20);
  shape(output);
  text("; the label index is the output index");
  endLine();
  if (labelCount > 0 && labelCount != load<i32>(output, IO_ELEMENTS)) warnOfLabels(load<i32>(output, IO_ELEMENTS));
}
function warnOfLabels(scores: i32): void {
  beginNotice();
  text("there are ");
  integer(labelCount);
  text(" labels for ");
  integer(scores);
  text(" scores: they may belong to another model");
  endLine();
}

function reportForPeople(plan: usize, photo: usize): void {
  const output = ioRecord(plan, 1);
  printable(photo, lengthOf(photo), 200);
  endLine();
  for (let i = 0, best = -1; i < top; i++) {
    best = reaching(plan, output, best);
    if (best < 0) return;
    const label = findLabel(best);
    mark();
    fixed(score, 4);
    padStart(10);
    mark();
    integer(best);
    padStart(6);
    if (label != 0 && labelTo > label) {
      spaces(2);
      printable(label, labelTo - label, 200);
    }
    endLine();
  }
}

/** What reaching() found. */
let score: f64 = 0;
/** Of logits: the largest, and the sum of all powers; 0 where scores can be probabilities as they are (host/tasks/classifier.ts). */
let largest: f64 = 0;
let sum: f64 = 0;

/** The index of the best score after `last` that reaches the threshold, or -1; `score` is its share of all where they are logits. */
function reaching(plan: usize, output: usize, last: i32): i32 {
  const best = nextBest(plan, output, last);
  if (best < 0) return -1;
  score = realElement(plan, output, best);
  if (last < 0) weigh(plan, output);
  if (sum != 0) score = power(score) / sum;
  return score >= threshold ? best : -1;
}
function weigh(plan: usize, output: usize): void {
  let areLogits = false;
  largest = score;
  sum = 0;
  for (let i = load<i32>(output, IO_ELEMENTS) - 1; i >= 0; i--) {
    const x = realElement(plan, output, i);
    if (!(x >= 0 && x <= 1.001)) areLogits = true;
    sum += power(x);
  }
  if (!areLogits) sum = 0;
}
function power(x: f64): f64 { return <f64>f32x4.extract_lane(exp4(f32x4.splat(<f32>(x - largest))), 0); }

/** `,"top":[{"index":…,"score":…,"label":…}]` */
function streamLine(plan: usize): void {
  const output = ioRecord(plan, 1);
  text(",\"top\":[");
  for (let i = 0, best = -1; i < top; i++) {
    best = reaching(plan, output, best);
    if (best < 0) break;
    if (i > 0) put(0x2c);
    text("{\"index\":");
    integer(best);
    jsonNumber("score", score);
    jsonKey("label");
    const label = findLabel(best);
    if (label == 0) text("null");
    else jsonString(label, labelTo - label);
    put(0x7d);
  }
  put(0x5d);
}
