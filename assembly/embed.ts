// kinglet-embed: plans for any host that can call WebAssembly; no imports. docs/embedding.md describes each export.
// In: numbers and addresses from a host, checked. Out: addresses, counts, or minus a code of host/error.ts with a sentence for kgl_error.
// Memory grows only in kgl_alloc, kgl_load and kgl_preprocess; kgl_run never does. Must not know files.

import {
  DTYPE_F32, DTYPE_I32, DTYPE_I64, DTYPE_I8, DTYPE_U8, HEADER_ARENA_BYTES, HEADER_MACS, HEADER_OUTPUT_COUNT, HEADER_PLAN_BYTES, HEADER_STEP_COUNT,
  HEADER_WEIGHTS_BYTES, IO_DIMS, IO_DTYPE, IO_ELEMENTS, IO_HAS_SCALE, IO_LAYOUT, IO_NAME_BYTES, IO_RANK, IO_SCALE, IO_ZERO_POINT,
} from "./abi.ts";
import { allocate, extend, isBlock, release } from "./blocks.ts";
import { bundledFit, bundledPlan, bundledPreset, placeBundle } from "./bundle-slot.ts";
import { run } from "./executor";
import { DATA, RESOURCE, USAGE, fault, faultBytes, faultText } from "./fault.ts";
import { checkHead, chooseDotMode, inputCount, ioBytes, ioData, ioRecord, nameOf, nextBest, noMemory, openPlan, realElement, roomOf } from "./opened-plan.ts";
import { FIT_COUNT, PRESET_COUNT, checkPictureSize, fillInput, frameOf } from "./picture-input.ts";
import { dotMode, setDotMode } from "./simd.ts";

export { bundleSlot } from "./bundle-slot";
export { probeDot } from "./probe";

const ABI = 1;
const TIER_SIMD = 1;
const TIER_RELAXED = 2;
const MOST_MODELS = 64;
const FLAG_OWN = 1;
const DESCRIPTOR_BYTES = 96;

/** One loaded model; handle h is the one at index h - 1. `plan` is 0 where the place is free. */
@unmanaged class Loaded { plan: usize; descriptors: usize; next: i32; dotMode: i32; }
const LOADED_BYTES: usize = 16;
const loaded: usize = memory.data(1024, 8);
let probed: i32 = -1;
/** Not placed yet, or what placeBundle() said. */
let started: i32 = 1;

/**
 * Once, before the first block is given away: blocks begin behind a bundle's plan, and the probe's comes first, so that a plan can be the last
 * one and grow in place. Returns 0, or minus a code.
 */
function start(): i32 {
  if (started > 0) {
    started = placeBundle();
    if (started == 0) probe(); // kgl_load asks again where that fails
  }
  return started;
}
start();

export function kgl_abi(): i32 { return ABI << 16 | TIER_SIMD | (ASC_FEATURE_RELAXED_SIMD ? TIER_RELAXED : 0); }
export function kgl_alloc(bytes: u32): usize {
  const address = start() < 0 ? <usize>0 : allocate(bytes);
  if (address == 0 && started == 0) noMemory(bytes);
  return address;
}
/** Does nothing to what is no block, or a model's. */
export function kgl_free(address: usize): void { if (!isPlan(address)) release(address); }
/** A loaded model's plan; 0 while a place is free. */
function isPlan(address: usize): bool {
  for (let i = 0; i < MOST_MODELS; i++) if (changetype<Loaded>(loaded + <usize>i * LOADED_BYTES).plan == address) return true;
  return false;
}

function modelOf(h: i32): Loaded {
  const model = changetype<Loaded>(h >= 1 && h <= MOST_MODELS ? loaded + <usize>(h - 1) * LOADED_BYTES : 0);
  if (changetype<usize>(model) == 0 || model.plan == 0) {
    fault(USAGE, "there is no such model");
    return changetype<Loaded>(0);
  }
  return model;
}
function freeHandle(): i32 {
  for (let h = 1; h <= MOST_MODELS; h++) if (changetype<Loaded>(loaded + <usize>(h - 1) * LOADED_BYTES).plan == 0) return h;
  return fault(RESOURCE, "64 models are loaded: unload one first");
}
function isMemory(address: usize, bytes: u64): bool { return <u64>address + bytes <= <u64>memory.size() << 16; }

/** The dot mode is asked for once; init() may lower it for a plan. */
function probe(): i32 {
  if (probed < 0) {
    const code = chooseDotMode();
    if (code < 0) return code;
    probed = dotMode();
  }
  setDotMode(probed);
  return 0;
}

/** Address 0: the bundled plan. A block that is handed over is gone where loading fails, too. Returns a handle. */
export function kgl_load(address: usize, bytes: u32, flags: i32): i32 {
  const h = start() < 0 ? started : freeHandle(), from = address == 0 ? bundledPlan() : address;
  if (h < 0) return h;
  if (from == 0 || isPlan(from)) return fault(USAGE, from == 0 ? "no plan is given" : "this plan is loaded already");
  const code = probe();
  if (code < 0) return code;
  const own = (flags & FLAG_OWN) != 0, plan = address == 0 ? from : placed(address, bytes, own);
  if (plan == 0) {
    if (own) release(address);
    return -lastCode;
  }
  const opened = openPlan(plan);
  const descriptors = opened < 0 ? <usize>0 : allocate(<u64>(inputCount(plan) + load<i32>(plan, HEADER_OUTPUT_COUNT)) * DESCRIPTOR_BYTES);
  if (opened < 0 || descriptors == 0) {
    if (address != 0) release(plan);
    return opened < 0 ? opened : noMemory(DESCRIPTOR_BYTES);
  }
  const model = changetype<Loaded>(loaded + <usize>(h - 1) * LOADED_BYTES);
  model.plan = plan;
  model.descriptors = descriptors;
  model.next = 0;
  model.dotMode = dotMode();
  for (let i = 0; i < inputCount(plan) + load<i32>(plan, HEADER_OUTPUT_COUNT); i++) describe(plan, i, descriptors + <usize>i * DESCRIPTOR_BYTES);
  return h;
}

let lastCode: i32 = 0;
/** The plan with room for its arena: the host's own block where it can grow in place, otherwise a copy. 0 and `lastCode` on failure. */
function placed(address: usize, bytes: u32, own: bool): usize {
  const isInside = isMemory(address, bytes), code = isInside ? checkHead(address, bytes) : fault(USAGE, "the plan lies outside the memory");
  lastCode = -code;
  if (code < 0) return 0;
  if (load<u32>(address, HEADER_PLAN_BYTES) != bytes) {
    lastCode = -fault(DATA, "the plan's length is not what its header says");
    return 0;
  }
  const room = roomOf(address);
  if (own && isBlock(address) && extend(address, room)) return address;
  const plan = allocate(room);
  if (plan == 0) {
    lastCode = -noMemory(room);
    return 0;
  }
  memory.copy(plan, address, bytes);
  if (own) release(address);
  return plan;
}

export function kgl_unload(h: i32): i32 {
  const model = modelOf(h);
  if (changetype<usize>(model) == 0) return -USAGE;
  release(model.descriptors);
  release(model.plan); // does nothing to a bundled plan
  model.plan = 0;
  return 0;
}

/** kind 0 inputs, 1 outputs, 2 layers. */
export function kgl_count(h: i32, kind: i32): i32 {
  const model = modelOf(h);
  if (changetype<usize>(model) == 0) return -USAGE;
  return kind == 0 ? inputCount(model.plan) : kind == 1 ? load<i32>(model.plan, HEADER_OUTPUT_COUNT) : kind == 2 ? load<i32>(model.plan, HEADER_STEP_COUNT) : fault(USAGE, "no such count");
}

function dtypeNumber(dtype: i32): i32 { return dtype == DTYPE_F32 ? 0 : dtype == DTYPE_U8 ? 1 : dtype == DTYPE_I8 ? 2 : dtype == DTYPE_I32 ? 3 : dtype == DTYPE_I64 ? 5 : 6; }

function describe(plan: usize, index: i32, to: usize): void {
  const record = ioRecord(plan, index), rank = load<i32>(record, IO_RANK), layout = rank == 4 ? load<i32>(record, IO_LAYOUT) : 0;
  memory.fill(to, 0, DESCRIPTOR_BYTES);
  store<usize>(to, ioData(plan, record));
  store<u32>(to, ioBytes(record), 4);
  store<i32>(to, dtypeNumber(load<i32>(record, IO_DTYPE)), 8);
  store<i32>(to, rank, 12);
  memory.copy(to + 16, record + IO_DIMS, <usize>rank << 2);
  store<i32>(to, layout == 1 ? 0 : layout == 2 ? 1 : 2, 48);
  store<f32>(to, load<u32>(record, IO_HAS_SCALE) == 0 ? 0 : load<f32>(record, IO_SCALE), 52);
  store<i32>(to, load<i32>(record, IO_ZERO_POINT), 56);
  store<usize>(to, nameOf(plan, record), 60);
  store<u32>(to, load<u32>(record, IO_NAME_BYTES), 64);
}
function descriptor(h: i32, isOutput: bool, i: i32): usize {
  const model = modelOf(h);
  if (changetype<usize>(model) == 0) return 0;
  const inputs = inputCount(model.plan), count = isOutput ? load<i32>(model.plan, HEADER_OUTPUT_COUNT) : inputs;
  if (i < 0 || i >= count) {
    fault(USAGE, "there is no such tensor");
    return 0;
  }
  return model.descriptors + <usize>(isOutput ? inputs + i : i) * DESCRIPTOR_BYTES;
}
export function kgl_input(h: i32, i: i32): usize { return descriptor(h, false, i); }
export function kgl_output(h: i32, i: i32): usize { return descriptor(h, true, i); }

export function kgl_run(h: i32): i32 {
  const model = modelOf(h);
  if (changetype<usize>(model) == 0) return -USAGE;
  setDotMode(model.dotMode);
  run(model.plan, 0, load<i32>(model.plan, HEADER_STEP_COUNT));
  model.next = 0;
  return 0;
}
/** Runs the next n layers; returns how many are left, 0 when the outputs are there. The call after that begins anew. */
export function kgl_step(h: i32, n: i32): i32 {
  const model = modelOf(h);
  if (changetype<usize>(model) == 0) return -USAGE;
  const steps = load<i32>(model.plan, HEADER_STEP_COUNT), end = min(steps, model.next + min(steps, max(1, n)));
  setDotMode(model.dotMode);
  run(model.plan, model.next, end);
  model.next = end == steps ? 0 : end;
  return steps - end;
}

/** format: 1 gray8, 2 rgb565, 3 rgb8, 4 rgba8; + 256 * preset + 65536 * (1 + fit), where 0 is the bundle's choice. */
export function kgl_preprocess(h: i32, i: i32, src: usize, width: i32, height: i32, rowBytes: u32, format: i32): i32 {
  const model = modelOf(h);
  if (changetype<usize>(model) == 0) return -USAGE;
  const pixelBytes = format & 255, preset = format >> 8 & 255, fit = format >> 16;
  if (i < 0 || i >= inputCount(model.plan)) return fault(USAGE, "there is no such tensor");
  if (pixelBytes < 1 || pixelBytes > 4 || preset >= PRESET_COUNT || fit >= FIT_COUNT || fit < 0) return fault(USAGE, "no such format, preset or fit");
  const record = ioRecord(model.plan, i), size = checkPictureSize(width, height);
  if (size < 0) return size;
  if (<u64>rowBytes < <u64>width * pixelBytes || !isMemory(src, <u64>rowBytes * (height - 1) + <u64>width * pixelBytes + 8)) return fault(USAGE, "the picture lies outside the memory");
  const framed = frameOf(record);
  if (framed < 0) return framed;
  return fillInput(model.plan, record, src, pixelBytes, width, height, rowBytes, preset == 0 ? bundledPreset() : preset, fit == 0 ? bundledFit() : fit);
}

/** The k largest elements of output i, as pairs of i32 index and f32 score at `to`. Returns how many there are. */
export function kgl_topk(h: i32, i: i32, k: i32, to: usize): i32 {
  const model = modelOf(h);
  if (changetype<usize>(model) == 0) return -USAGE;
  if (i < 0 || i >= load<i32>(model.plan, HEADER_OUTPUT_COUNT)) return fault(USAGE, "there is no such tensor");
  const record = ioRecord(model.plan, inputCount(model.plan) + i), count = min(k, load<i32>(record, IO_ELEMENTS));
  if (count < 0 || !isMemory(to, 8 * <u64>count)) return fault(USAGE, "the answer lies outside the memory");
  for (let n = 0, best = -1; n < count; n++, to += 8) {
    best = nextBest(model.plan, record, best);
    if (best < 0) return n;
    store<i32>(to, best);
    store<f32>(to, <f32>realElement(model.plan, record, best), 4);
  }
  return count;
}

/** Copies the last failure's sentence; returns its length. */
export function kgl_error(to: usize, capacity: u32): i32 {
  const bytes = min<usize>(faultBytes(), capacity);
  if (!isMemory(to, bytes)) return -USAGE;
  memory.copy(to, faultText(), bytes);
  return <i32>bytes;
}

/** what: 0 arena bytes, 1 weight bytes, 2 multiply-accumulates / 1000, 3 layers. */
export function kgl_stat(h: i32, what: i32): i32 {
  const model = modelOf(h);
  if (changetype<usize>(model) == 0) return -USAGE;
  if (what == 0) return load<i32>(model.plan, HEADER_ARENA_BYTES);
  if (what == 1) return load<i32>(model.plan, HEADER_WEIGHTS_BYTES);
  if (what == 2) return <i32>min(2147483647, load<f64>(model.plan, HEADER_MACS) / 1000);
  return what == 3 ? load<i32>(model.plan, HEADER_STEP_COUNT) : fault(USAGE, "no such figure");
}
