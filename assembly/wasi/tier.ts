// Which build this is and how it multiplies bytes, in the words of the host's stats. In: nothing. Out: text and JSON on stdout.

import { dotMode } from "../simd.ts";
import { jsonNumber, jsonWord } from "./io-text.ts";
import { text, textWord } from "./print.ts";

const TIERS = "simd128 relaxed";
const TIER = ASC_FEATURE_RELAXED_SIMD ? 1 : 0;
/** In the order of abi.ts. */
const DOTS = "i16 u8s8 s8s8";

export function tierText(): void {
  textWord(TIERS, TIER);
  text(", dot ");
  textWord(DOTS, dotMode());
}
export function jsonTier(): void {
  jsonWord("kernels", TIERS, TIER);
  jsonWord("dot", DOTS, dotMode());
  jsonNumber("threads", 1);
}
