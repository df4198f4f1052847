// `inspect`: what a plan consists of and costs, as the host's command prints it for .kgl files. In: an opened plan. Out: a table and
// totals, or one JSON object a line. Must not run the plan.

import {
  HEADER_ARENA_BYTES, HEADER_LIVE_BYTES, HEADER_MACS, HEADER_OUTPUT_COUNT, HEADER_PARAMS, HEADER_SHUFFLES, HEADER_STEP_COUNT, HEADER_WEIGHTS_BYTES,
  IO_HAS_SCALE, IO_SCALE, IO_ZERO_POINT, TRACE_PARAMS,
} from "../abi.ts";
import { inputCount, ioRecord } from "../opened-plan.ts";
import { OPTION_JSON, hasFlag, positional } from "./arguments.ts";
import { LAYOUTS, jsonIo, jsonNumber, layoutOf, nameAndType } from "./io-text.ts";
import { openModel } from "./model.ts";
import { endLine, fixed, grouped, integer, number, put, spaces, text, textWord } from "./print.ts";
import { firstStep, isStep, jsonStep, kernelCell, nextStep, opCell, outputCell, stepIndex, stepMacs, stepOpcode, tensorCell, trace } from "./step-walk.ts";
import { beginTable, endRow, fixedCell, headRow, numberCell } from "./table.ts";
import { jsonTier, tierText } from "./tier.ts";

export function inspectCommand(): void {
  const plan = openModel(positional(1));
  if (hasFlag(OPTION_JSON)) printObjects(plan);
  else printForPeople(plan);
}

function printObjects(plan: usize): void {
  const inputs = inputCount(plan), outputs = load<i32>(plan, HEADER_OUTPUT_COUNT);
  for (let i = 0; i < inputs; i++) { jsonIo(plan, ioRecord(plan, i), "input", i); endLine(); }
  for (let i = 0; i < outputs; i++) { jsonIo(plan, ioRecord(plan, inputs + i), "output", i); endLine(); }
  for (firstStep(plan); isStep(); nextStep()) {
    text("{\"type\":\"step\"");
    jsonStep(plan);
    put(0x7d);
    endLine();
  }
  text("{\"type\":\"total\"");
  jsonNumber("macs", load<f64>(plan, HEADER_MACS));
  jsonNumber("params", load<f64>(plan, HEADER_PARAMS));
  jsonNumber("weightBytes", load<u32>(plan, HEADER_WEIGHTS_BYTES));
  jsonNumber("arenaBytes", load<u32>(plan, HEADER_ARENA_BYTES));
  jsonNumber("liveBytes", load<u32>(plan, HEADER_LIVE_BYTES));
  jsonNumber("steps", load<i32>(plan, HEADER_STEP_COUNT));
  jsonNumber("shuffles", load<u32>(plan, HEADER_SHUFFLES));
  jsonTier();
  jsonNumber("arenaRatio", arenaRatio(plan));
  put(0x7d);
  endLine();
}

function arenaRatio(plan: usize): f64 {
  const live = load<u32>(plan, HEADER_LIVE_BYTES);
  return live == 0 ? 1 : <f64>load<u32>(plan, HEADER_ARENA_BYTES) / <f64>live;
}

/** First all widths, then all rows. */
function printSteps(plan: usize): void {
  for (let pass = 0; pass < 2; pass++) {
    beginTable(pass);
    headRow("# op kernel name output params_k MACs_M", 0b1100001);
    for (firstStep(plan); isStep(); nextStep()) {
      numberCell(stepIndex);
      opCell(plan);
      kernelCell(stepOpcode());
      tensorCell(plan, 48);
      outputCell(true);
      fixedCell(load<f64>(trace, TRACE_PARAMS) / 1e3, 2);
      fixedCell(stepMacs() / 1e6, 3);
      endRow();
    }
  }
  endLine();
}

function printForPeople(plan: usize): void {
  const inputs = inputCount(plan), outputs = load<i32>(plan, HEADER_OUTPUT_COUNT);
  printSteps(plan);
  for (let i = 0; i < inputs; i++) { text("input "); printIo(plan, i, i); }
  for (let i = 0; i < outputs; i++) { text("output "); printIo(plan, inputs + i, i); }
  text("plan                ");
  integer(load<i32>(plan, HEADER_STEP_COUNT));
  text(" steps, ");
  grouped(<i64>load<f64>(plan, HEADER_MACS));
  text(" MACs, ");
  grouped(<i64>load<f64>(plan, HEADER_PARAMS));
  text(" constants in ");
  grouped(load<u32>(plan, HEADER_WEIGHTS_BYTES));
  text(" weight bytes");
  endLine();
  text("arena bytes         ");
  grouped(load<u32>(plan, HEADER_ARENA_BYTES));
  text(", largest live sum ");
  grouped(load<u32>(plan, HEADER_LIVE_BYTES));
  text(" (arena / live ");
  fixed(arenaRatio(plan), 3);
  put(0x29);
  endLine();
  text("channel shuffles    ");
  integer(load<u32>(plan, HEADER_SHUFFLES));
  text(" recognised");
  endLine();
  text("kernels             ");
  tierText();
  text(", 1 thread");
  endLine();
}
function printIo(plan: usize, index: i32, shown: i32): void {
  const record = ioRecord(plan, index), layout = layoutOf(record);
  integer(shown);
  text(index == shown ? "             " : "            ");
  nameAndType(plan, record, "  ");
  if (layout >= 0) { spaces(2); textWord(LAYOUTS, layout); }
  if (load<u32>(record, IO_HAS_SCALE) != 0) {
    text("  scale ");
    number(<f64>load<f32>(record, IO_SCALE));
    text(" zero point ");
    integer(load<i32>(record, IO_ZERO_POINT));
  }
  endLine();
}
