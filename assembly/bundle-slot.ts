// What a bundle brings: host/bundle/ writes a plan, labels and choices behind this module's own data and their addresses into the slot.
// In: the slot, all zero in the plain module. Out: addresses. The plan is verified like any other. Must not know files.

import { beginBlocksAt } from "./blocks.ts";
import { checkHead, noMemory, roomOf } from "./opened-plan.ts";

/** Seven words: plan, its bytes, labels, their bytes, preset, fit, how many labels to print (0: the default). */
const slot: usize = memory.data(32, 16);
export function bundleSlot(): usize { return slot; }
export function bundledPlan(): usize { return load<usize>(slot); }
export function bundledLabels(): usize { return load<usize>(slot, 8); }
export function bundledLabelsBytes(): usize { return load<usize>(slot, 12); }
export function bundledPreset(): i32 { return load<i32>(slot, 16); }
export function bundledFit(): i32 { return load<i32>(slot, 20); }
export function bundledTop(): i32 { return load<i32>(slot, 24); }

/**
 * Makes room for the bundled plan's arena behind it: the plan comes last, and blocks begin behind the arena. Before anything is allocated.
 * Returns 0, or minus a code.
 */
export function placeBundle(): i32 {
  const plan = bundledPlan();
  if (plan == 0) return 0;
  const code = checkHead(plan, load<usize>(slot, 4));
  if (code < 0) return code;
  return beginBlocksAt(<u64>plan + roomOf(plan)) ? 0 : noMemory(roomOf(plan));
}
