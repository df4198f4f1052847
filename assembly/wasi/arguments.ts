// The command line: words in, options out. An option is refused where the command does not know it, and lacks or repeats nothing silently.
// In: WASI's arguments. Out: the words that are no options, and values by option. Must not know what commands do.

import { USAGE, fault, say, sayName } from "../fault.ts";
import { allocateOrStop } from "./files.ts";
import { orStop } from "./print.ts";
import { args_get, args_sizes_get } from "./sys.ts";
import { wordIndex } from "../literal.ts";

// Options with a value, then flags.
export const OPTION_INPUT = 0;
export const OPTION_OUTPUT = 1;
export const OPTION_REPEAT = 2;
export const OPTION_LABELS = 3;
export const OPTION_TOP = 4;
export const OPTION_PRESET = 5;
export const OPTION_FIT = 6;
export const OPTION_PIXEL = 7;
export const OPTION_SIZE = 8;
export const OPTION_RUNS = 9;
export const OPTION_WARMUP = 10;
export const OPTION_DUMP = 11;
export const OPTION_THRESHOLD = 12;
export const OPTION_JSON = 13;
export const OPTION_STEPS = 14;
export const OPTION_STREAM = 15;
export const OPTION_LAYERS = 16;
export const OPTION_HELP = 17;
const OPTION_COUNT = 18;
const FIRST_FLAG = OPTION_JSON;

/** In that order. */
const OPTIONS = "input output repeat labels top preset fit pixel size runs warmup dump threshold json steps stream layers help";

/** Pointers to zero-ended words; behind them, per word, which option's value it is (-1: none). */
let words: usize = 0;
let roles: usize = 0;
let wordCount: i32 = 0;

export function lengthOf(word: usize): usize {
  let bytes: usize = 0;
  while (load<u8>(word + bytes) != 0) bytes++;
  return bytes;
}

/** Reads the words; the first one is the program's name. */
export function readArguments(): void {
  const sizes = memory.data(8, 4);
  args_sizes_get(sizes, sizes + 4);
  wordCount = load<i32>(sizes);
  words = allocateOrStop(8 * <u64>wordCount + <u64>load<u32>(sizes, 4) + 8);
  roles = words + 4 * <usize>wordCount;
  args_get(words, roles + 4 * <usize>wordCount);
  for (let i = 0; i < wordCount; i++) store<i32>(roles + <usize>(i << 2), -1);
}

export function argument(index: i32): usize { return index < wordCount ? load<usize>(words + <usize>(index << 2)) : 0; }

/** Sorts the words from `first` on into options and others. `allowed`: a bit for each option that the command knows. */
export function sortArguments(first: i32, allowed: i32): void {
  for (let i = first; i < wordCount; i++) {
    const word = argument(i);
    if (load<u8>(word) != 0x2d || load<u8>(word, 1) == 0) { setRole(i, OPTION_COUNT); continue; }
    let bytes = lengthOf(word), value: usize = 0;
    for (let k: usize = 2; k < bytes; k++) if (load<u8>(word + k) == 0x3d) { value = word + k + 1; bytes = k; }
    const option = findOption(word, bytes, allowed);
    if (option < FIRST_FLAG && value == 0) {
      if (i + 1 == wordCount) stopUsage("option lacks its value: ", word);
      value = argument(++i);
    } else if (option >= FIRST_FLAG && value != 0) stopUsage("option takes no value: ", word);
    if (!isRepeatable(option) && optionValue(option) != 0) stopUsage("option is given twice: ", word);
    setRole(i, option);
    store<usize>(words + <usize>(i << 2), option < FIRST_FLAG ? value : word);
  }
}
function setRole(index: i32, role: i32): void { store<i32>(roles + <usize>(index << 2), role); }
function isRepeatable(option: i32): bool { return option == OPTION_INPUT || option == OPTION_OUTPUT; }

function findOption(word: usize, bytes: usize, allowed: i32): i32 {
  const option = load<u8>(word, 1) == 0x2d ? wordIndex(word + 2, bytes - 2, OPTIONS) : -1;
  if (option < 0 || ((allowed | 1 << OPTION_HELP) >> option & 1) == 0) stopUsage("unknown option ", word);
  return option;
}

export function stopUsage(about: string, word: usize): void {
  fault(USAGE, about);
  if (word != 0) sayName(word, lengthOf(word));
  say(" (see --help)");
  orStop(-USAGE);
}

/** Value of the `nth` use of an option, or the flag itself; 0 where it is not given. */
export function optionValue(option: i32, nth: i32 = 0): usize {
  for (let i = 0; i < wordCount; i++) if (load<i32>(roles + <usize>(i << 2)) == option && nth-- == 0) return argument(i);
  return 0;
}
export function hasFlag(option: i32): bool { return optionValue(option) != 0; }
/** The `nth` word that belongs to no option, 0 behind the last. */
export function positional(nth: i32): usize { return optionValue(OPTION_COUNT, nth); }

/** A whole number from 1 to 9999999, `otherwise` where the option is not given. */
export function countOption(option: i32, otherwise: i32): i32 {
  const word = optionValue(option);
  if (word == 0) return otherwise;
  const n = whole(word, lengthOf(word));
  if (n < 1) stopUsage("not a whole number from 1 on: ", word);
  return n;
}
/** A number from 0 on, 0 where the option is not given. */
export function shareOption(option: i32): f64 {
  const word = optionValue(option);
  if (word == 0) return 0;
  const x = decimal(word, lengthOf(word), 0);
  if (x < 0) stopUsage("not a number from 0 on: ", word);
  return x;
}
/** A whole number below ten million; -1 for anything else. */
export function whole(from: usize, bytes: usize): i32 {
  const n = decimal(from, bytes, -1);
  return n < 1e7 ? <i32>n : -1;
}
/**
 * Up to 15 digits, with a point where `scale` is 0, without where it is -1: of two exact numbers the quotient, which is what JavaScript
 * reads. -1 for anything else.
 */
function decimal(from: usize, bytes: usize, scale: f64): f64 {
  let n: f64 = 0;
  if (bytes - 1 > 14) return -1;
  for (const end = from + bytes; from < end; from++) {
    const digit = <i32>load<u8>(from) - 0x30;
    if (digit == -2 && scale == 0 && bytes > 1) scale = 1; // the point
    else if (<u32>digit > 9) return -1;
    else { n = n * 10 + digit; scale *= 10; }
  }
  return scale > 0 ? n / scale : n;
}
