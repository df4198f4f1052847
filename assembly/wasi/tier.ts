// Which build this is and how it multiplies bytes, in the words of the host's stats. In: nothing. Out: names.

import { DOT_S8S8, DOT_U8S8 } from "../abi.ts";
import { dotMode } from "../simd.ts";

export function tierName(): string { return ASC_FEATURE_RELAXED_SIMD ? "relaxed" : "simd128"; }
export function dotName(): string { return dotMode() == DOT_U8S8 ? "u8s8" : dotMode() == DOT_S8S8 ? "s8s8" : "i16"; }
