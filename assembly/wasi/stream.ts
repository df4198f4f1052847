// `--stream`: frames of one size from stdin or a file, one JSON line each. In: a plan with one input. Out: lines, flushed one by one.
// The stream ends between two frames. Must not know what a line says about a result.

import { HEADER_STEP_COUNT } from "../abi.ts";
import { run } from "../executor";
import { DATA, fault, say, sayNumber } from "../fault.ts";
import { inputCount, ioRecord } from "../opened-plan.ts";
import { OPTION_DUMP, OPTION_INPUT, OPTION_REPEAT, lengthOf, optionValue, stopUsage } from "./arguments.ts";
import { now } from "./clock.ts";
import { allocateOrStop, openToRead, readUpTo } from "./files.ts";
import { fillFromFrame, frameBytes } from "./inputs.ts";
import { jsonKey } from "./io-text.ts";
import { endLine, fixed, flush, integer, orStop, put, text } from "./print.ts";

export function runStream(plan: usize, line: (plan: usize) => void, path: usize = optionValue(OPTION_INPUT)): void {
  if (inputCount(plan) != 1) orStop(fault(DATA, "a stream feeds a model with one input"));
  if (optionValue(OPTION_REPEAT) != 0 || optionValue(OPTION_DUMP) != 0) stopUsage("a stream takes neither --repeat nor --dump", 0);
  const record = ioRecord(plan, 0), bytes = frameBytes(record), frame = allocateOrStop(<u64>bytes + 8);
  const fd = path == 0 ? openToRead(changetype<usize>(memory.data<u8>([0x2d, 0])), 1) : openToRead(path, lengthOf(path));
  for (let index: i64 = 0; ; index++) {
    const count = readUpTo(fd, frame, bytes);
    if (count == 0 && index > 0) return;
    if (count < bytes) stopInside(index, count, bytes);
    const started = now();
    fillFromFrame(plan, record, frame);
    run(plan, 0, load<i32>(plan, HEADER_STEP_COUNT));
    const milliseconds = now() - started;
    text("{\"frame\":");
    integer(index);
    jsonKey("milliseconds");
    fixed(milliseconds, 3);
    line(plan);
    put(0x7d);
    endLine();
    flush();
  }
}

function stopInside(index: i64, count: usize, bytes: usize): void {
  fault(DATA, "the stream ended inside frame ");
  sayNumber(index);
  say(": ");
  sayNumber(count);
  say(" of ");
  sayNumber(bytes);
  say(" bytes");
  orStop(-DATA);
}
