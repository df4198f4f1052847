// kinglet-cmd: one WASI program that runs .kgl plans. In: the command line. Out: results on stdout, everything else on stderr, and an
// exit code of host/error.ts. A bundle holds its plan and needs no file: its words may leave the MODEL out. Must not know commands' work.

import { ABI_VERSION } from "../abi.ts";
import { bundleSlot, bundledPlan, placeBundle } from "../bundle-slot.ts";
import { chooseDotMode } from "../opened-plan.ts";
import {
  OPTION_FIT, OPTION_HELP, OPTION_INPUT, OPTION_JSON, OPTION_LABELS, OPTION_OUTPUT, OPTION_PIXEL, OPTION_PRESET, OPTION_REPEAT, OPTION_RUNS, OPTION_SIZE,
  OPTION_STEPS, OPTION_STREAM, OPTION_TOP, OPTION_WARMUP, argument, hasFlag, lengthOf, positional, readArguments, sortArguments, stopUsage,
} from "./arguments.ts";
import { isLiteral } from "../literal.ts";
import { benchCommand } from "./bench.ts";
import { classifyCommand } from "./classify.ts";
import { inspectCommand } from "./inspect.ts";
import { endLine, flush, integer, orStop, text } from "./print.ts";
import { runCommand } from "./run.ts";
import { selftestCommand } from "./selftest.ts";
import { dotName, tierName } from "./tier.ts";

export { bundleSlot } from "../bundle-slot";
export { probeDot } from "../probe";

const VERSION = "0.1.0";
const PICTURES = 1 << OPTION_PRESET | 1 << OPTION_FIT | 1 << OPTION_PIXEL | 1 << OPTION_SIZE | 1 << OPTION_STREAM;
const RUN = PICTURES | 1 << OPTION_INPUT | 1 << OPTION_OUTPUT | 1 << OPTION_REPEAT;
const CLASSIFY = PICTURES | 1 << OPTION_LABELS | 1 << OPTION_TOP | 1 << OPTION_JSON;
const INSPECT = 1 << OPTION_STEPS | 1 << OPTION_JSON;
const BENCH = 1 << OPTION_RUNS | 1 << OPTION_WARMUP | 1 << OPTION_JSON;

function main(): void {
  orStop(placeBundle());
  readArguments();
  const word = argument(1);
  if (isCommand(word, "run")) { sort(RUN); runCommand(); }
  else if (isCommand(word, "classify")) { sort(CLASSIFY); classifyCommand(bundledPlan() != 0 ? 0 : positional(1), bundledPlan() != 0 ? 1 : 2); }
  else if (isCommand(word, "inspect")) { sort(INSPECT); inspectCommand(); }
  else if (isCommand(word, "bench")) { sort(BENCH); benchCommand(); }
  else if (isCommand(word, "selftest")) { sort(0); selftestCommand(); }
  else if (isCommand(word, "version") || isCommand(word, "--version")) versionCommand();
  else if (isCommand(word, "--help") || isCommand(word, "help")) help();
  else if (bundledPlan() != 0) { sortArguments(1, CLASSIFY); if (hasFlag(OPTION_HELP)) help(); else classifyCommand(0, 0); }
  else if (word == 0) stopUsage("a command is missing: run, classify, inspect, bench, selftest or version", 0);
  else stopUsage("unknown command ", word);
  flush();
}

function isCommand(word: usize, name: string): bool { return word != 0 && isLiteral(word, lengthOf(word), name); }

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
  text(tierName());
  text(", dot ");
  text(dotName());
  endLine();
}

function help(): void {
  text("kinglet run MODEL [--input KEY=FILE] [--output KEY=FILE] [--repeat N] [--stream]\n");
  text("kinglet classify MODEL PHOTO... [--labels FILE] [--top N] [--json] [--stream]\n");
  text("kinglet inspect MODEL [--json]\nkinglet bench MODEL... [--runs N] [--warmup N] [--json]\nkinglet selftest\nkinglet version\n");
  text("MODEL: a .kgl plan. FILE, PHOTO: .npy, PPM, PGM, BMP, raw tensor; - is stdin.\n");
  text("pictures: --preset signed|unit|raw|torchvision|bytes --fit stretch|crop|pad\n");
  text("raw pixels: --pixel gray8|rgb565|rgb8|rgba8 --size WIDTHxHEIGHT\n");
}

main();
