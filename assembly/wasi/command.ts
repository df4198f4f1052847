// kinglet-cmd: one WASI program that runs .kgl plans. In: the command line. Out: results on stdout, everything else on stderr, and an
// exit code of host/error.ts. A bundle holds its plan and needs no file: its words may leave the MODEL out. Must not know commands' work.

import { ABI_VERSION } from "../abi.ts";
import { bundleSlot, bundledPlan, placeBundle } from "../bundle-slot.ts";
import { chooseDotMode } from "../opened-plan.ts";
import {
  OPTION_DUMP, OPTION_FIT, OPTION_HELP, OPTION_INPUT, OPTION_JSON, OPTION_LABELS, OPTION_LAYERS, OPTION_OUTPUT, OPTION_PIXEL, OPTION_PRESET, OPTION_REPEAT, OPTION_RUNS, OPTION_SIZE,
  OPTION_STEPS, OPTION_STREAM, OPTION_THRESHOLD, OPTION_TOP, OPTION_WARMUP, argument, hasFlag, lengthOf, positional, readArguments, sortArguments, stopUsage,
} from "./arguments.ts";
import { wordIndex } from "../literal.ts";
import { benchCommand } from "./bench.ts";
import { classifyCommand } from "./classify.ts";
import { PRESETS } from "./inputs.ts";
import { inspectCommand } from "./inspect.ts";
import { endLine, flush, integer, orStop, text } from "./print.ts";
import { runCommand } from "./run.ts";
import { selftestCommand } from "./selftest.ts";
import { tierText } from "./tier.ts";

export { bundleSlot } from "../bundle-slot";
export { probeDot } from "../probe";

const VERSION = "0.1.0";
const PICTURES = 1 << OPTION_PRESET | 1 << OPTION_FIT | 1 << OPTION_PIXEL | 1 << OPTION_SIZE | 1 << OPTION_STREAM;
const RUN = PICTURES | 1 << OPTION_INPUT | 1 << OPTION_OUTPUT | 1 << OPTION_REPEAT | 1 << OPTION_DUMP;
const CLASSIFY = PICTURES | 1 << OPTION_LABELS | 1 << OPTION_TOP | 1 << OPTION_THRESHOLD | 1 << OPTION_JSON;
const INSPECT = 1 << OPTION_STEPS | 1 << OPTION_JSON;
const BENCH = 1 << OPTION_RUNS | 1 << OPTION_WARMUP | 1 << OPTION_LAYERS | 1 << OPTION_JSON;

function main(): void {
  orStop(placeBundle());
  readArguments();
  const word = argument(1);
  switch (word == 0 ? -1 : wordIndex(word, lengthOf(word), "run classify inspect bench selftest version --version help --help")) {
    case 0: { sort(RUN); runCommand(); break; }
    case 1: { sort(CLASSIFY); classifyCommand(bundledPlan() != 0 ? 0 : positional(1), bundledPlan() != 0 ? 1 : 2); break; }
    case 2: { sort(INSPECT); inspectCommand(); break; }
    case 3: { sort(BENCH); benchCommand(); break; }
    case 4: { sort(0); selftestCommand(); break; }
    case 5: case 6: { versionCommand(); break; }
    case 7: case 8: { help(); break; }
    default: otherwise(word);
  }
  flush();
}

/** No command: a bundle classifies. */
function otherwise(word: usize): void {
  if (bundledPlan() != 0) { sortArguments(1, CLASSIFY); if (hasFlag(OPTION_HELP)) help(); else classifyCommand(0, 0); }
  else if (word == 0) stopUsage("a command is missing", 0);
  else stopUsage("unknown command ", word);
}

/** The command itself is word 0 of those that are no options. */
function sort(allowed: i32): void {
  sortArguments(1, allowed);
  if (hasFlag(OPTION_HELP)) { help(); flush(); }
}

function versionCommand(): void {
  orStop(chooseDotMode());
  text("kinglet ");
  text(VERSION);
  text(", plans of version ");
  integer(ABI_VERSION);
  text(", ");
  tierText();
  endLine();
}

function help(): void {
  text("kinglet run MODEL [--input KEY=FILE] [--output KEY=FILE] [--dump DIR] [--repeat N] [--stream]\nkinglet classify MODEL PHOTO... [--labels FILE] [--top N] [--threshold SHARE] [--json] [--stream]\n");
  text("kinglet inspect MODEL [--json]\nkinglet bench MODEL... [--runs N] [--warmup N] [--layers] [--json]\nkinglet selftest\nkinglet version\nMODEL: a .kgl plan. FILE, PHOTO: .npy, PPM, PGM, BMP, raw tensor; - is stdin.\n");
  text("pictures: --fit stretch|crop|pad|middle --preset and one of ");
  text(PRESETS);
  text("\nraw pixels: --pixel gray8|rgb565|rgb8|rgba8 --size WxH\n");
}

main();
