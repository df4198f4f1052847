// The wasm backend: one memory and one executor instance per plan; one wasm call per inference.
// In: plan bytes and an engine. Out: a Backend. All sizes are known here, so memory never grows and views never detach.
// Must not import graph, ops, importers or passes.

import * as abi from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import type { Backend, Peak, StepInfo } from '../model.ts';
import { Checksum } from '../plan/checksum.ts';
import { checkLength, checkSum, decodePlan, headBytes, planSizes, type IoRecord, type PlanInfo, type StepRecord } from '../plan/decode.ts';
import { allocate, elementCount, viewOf, type TensorData } from '../tensor.ts';
import { dotName, instantiate, type Engine, type Executor } from './engine.ts';

/** Where the plan lies in its memory; what is below belongs to the module. */
const BASE = 1024;
const PAGE = 65536;
/** Most inner-loop iterations that a plan may ask for: about a minute of one core (VGG-19 asks for 2^31). */
const MAX_WORK = 2 ** 36;

function makeMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw new KingletError('ERR_MEMORY', `the engine gave no memory of ${Math.ceil(bytes / 2 ** 20)} MiB`, { cause });
  }
}

const refusals = new Map<number, string>([
  [abi.BAD_HEADER, 'the header contradicts itself'], [abi.BAD_OPCODE, 'unknown opcode'], [abi.BAD_STEP_BYTES, 'wrong length'],
  [abi.BAD_OPERAND, 'an operand is out of range'], [abi.BAD_READ, 'it would read outside its tensors'],
  [abi.BAD_WRITE, 'it would write outside its tensors'], [abi.BAD_WORK, 'it asks for more work than its header states'],
  [abi.BAD_TABLE, 'a table has an entry out of range'],
]);

function verify(executor: Executor, info: PlanInfo, memoryBytes: number): void {
  const code = executor.init(BASE, info.planBytes, memoryBytes);
  if (code === abi.OK && executor.planWork() > MAX_WORK) throw new KingletError('ERR_LIMIT', 'the network asks for more work than the limit allows');
  if (code === abi.OK) return;
  const step = executor.refusedStep();
  const where = step < 0 ? 'the header' : `step ${step}`;
  throw new KingletError('ERR_PLAN_INVALID', `not a valid plan: ${where}: ${refusals.get(code) ?? `code ${code}`}`, { details: { step, code } });
}

/** A plan in a memory of its own: the only copy of its weights. Nothing is verified yet but what the host reads. */
export interface PlacedPlan {
  readonly memory: WebAssembly.Memory;
  readonly info: PlanInfo;
}

/** The memory in which a plan with this header will run, and the part of it that the plan will fill. */
function makeRoom(head: Uint8Array): { memory: WebAssembly.Memory; own: Uint8Array; arenaBytes: number } {
  const { planBytes, arenaBytes } = planSizes(head);
  const memory = makeMemory(BASE + planBytes + arenaBytes);
  return { memory, own: new Uint8Array(memory.buffer, BASE, planBytes), arenaBytes };
}

/** Copies a plan, once, to where it will run. Throws ERR_PLAN_INVALID, ERR_PLAN_VERSION, ERR_LIMIT, ERR_MEMORY. */
export function placePlan(plan: Uint8Array): PlacedPlan {
  const { memory, own, arenaBytes } = makeRoom(plan);
  checkLength(own.length, plan.length);
  own.set(plan); // from here on only the private copy is read
  checkSum(own);
  const info = decodePlan(own);
  if (info.planBytes !== own.length || info.arenaBytes !== arenaBytes) throw new KingletError('ERR_PLAN_INVALID', 'the plan changed while it was loaded');
  return { memory, info };
}

/**
 * The same for a plan that arrives in pieces: each is put in its place and summed while the next is on its way, the head is decoded as
 * soon as it is there, and `between` may use the plan, with the weights that have come, before the next piece is awaited.
 */
export async function receivePlan(pieces: ReadableStreamDefaultReader<Uint8Array>, between: (placed: PlacedPlan) => void): Promise<PlacedPlan> {
  let head = new Uint8Array(0);
  while (head.length < abi.HEADER_BYTES) {
    const { done, value } = await pieces.read();
    if (done) break;
    head = joined(head, value);
  }
  const { memory, own } = makeRoom(head);
  const weightsAt = headBytes(head);
  const words = new Int32Array(own.buffer, own.byteOffset, own.length >> 2);
  const sum = new Checksum();
  let placed: PlacedPlan | null = null;
  let at = 0;
  for (let piece: Uint8Array | undefined = head; piece !== undefined; piece = (await pieces.read()).value) {
    if (at + piece.length > own.length) checkLength(own.length, at + piece.length);
    own.set(piece, at);
    at += piece.length;
    sum.take(words, at >> 2);
    if (at >= weightsAt) placed ??= { memory, info: decodePlan(own) };
    if (placed && at < own.length) between(placed);
  }
  checkLength(own.length, at);
  checkSum(own, sum.value());
  return placed ?? { memory, info: decodePlan(own) };
}

/** Most milliseconds between two pieces, about what the browser's buffer holds of the next; a step is never cut. */
const REHEARSAL_MS = 3;
/** Most inner-loop iterations of a plan that is rehearsed: a tenth of a second, a network of about 1 GMAC. */
const REHEARSAL_WORK = 2 ** 27;

/**
 * Runs each of a plan's steps once while its weights are still arriving, a few between two pieces, so that the engine has compiled the
 * kernels before the first input comes. What has arrived is verified each time as any plan is, tables among the weights too; nothing
 * changes until the next piece, which waits for this. A plan that cannot be verified yet is left alone: it will be, whole.
 */
export function rehearsal(engine: Promise<Engine>): (placed: PlacedPlan) => void {
  let ready: Engine | null = null;
  engine.then((value) => { ready = value; }, () => undefined);
  let executor: Executor | null = null;
  let step = 0;
  return ({ memory, info }) => {
    if (!ready || step >= info.stepCount) return;
    executor ??= instantiate(ready, memory);
    if (executor.init(BASE, info.planBytes, memory.buffer.byteLength) !== abi.OK || executor.planWork() > REHEARSAL_WORK) return;
    for (const end = performance.now() + REHEARSAL_MS; performance.now() < end && step < info.stepCount; step++) executor.run(BASE, step, step + 1);
  };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Verifies a placed plan and runs it. Throws ERR_PLAN_INVALID, ERR_LIMIT, ERR_WASM_VERSION. */
export function wasmBackend({ memory, info }: PlacedPlan, engine: Engine): Backend {
  const { buffer } = memory;
  const executor = instantiate(engine, memory);
  verify(executor, info, buffer.byteLength);

  const ioView = (io: IoRecord): TensorData => viewOf(buffer, io.dtype, BASE + io.address, io.elements);
  const inputData = info.inputs.map(ioView);
  const outputData = info.outputs.map(ioView);
  return {
    inputs: info.inputs,
    outputs: info.outputs,
    stats: {
      macs: info.macs, params: info.params, weightBytes: info.weightBytes, arenaBytes: info.arenaBytes, liveBytes: info.liveBytes, steps: info.stepCount,
      shuffles: info.shuffles, kernels: engine.kernels, dot: dotName(executor.dotMode()), threads: 1,
    },
    inputData,
    runOnce() {
      guard(() => { executor.run(BASE, 0, info.stepCount); });
      return outputData;
    },
    steps: () => info.steps,
    traceOnce(visit: (step: StepInfo, data: TensorData) => void) {
      for (const step of info.steps) {
        guard(() => { executor.run(BASE, step.index, step.index + 1); });
        if (step.complete) visit(step, denseCopy(buffer, step));
      }
    },
    profileOnce(ms: Float64Array) {
      for (let i = 0; i < info.stepCount; i++) {
        const start = performance.now();
        guard(() => { executor.run(BASE, i, i + 1); });
        ms[i] += performance.now() - start;
      }
    },
    peak: () => measurePeak(executor, info),
    release() { /* the memory goes with the last reference */ },
  };
}

/** A verified plan cannot trap; should the engine fail all the same, the caller sees a typed error. */
function guard(run: () => void): void {
  try {
    run();
  } catch (cause) {
    throw new KingletError('ERR_INTERNAL', 'the executor trapped', { cause });
  }
}

function denseCopy(buffer: ArrayBuffer, step: StepRecord): TensorData {
  const count = elementCount(step.shape);
  const out = allocate(step.dtype, count) as Float32Array;
  const span = step.shape.reduce((sum, dim, i) => sum + Math.max(0, dim - 1) * (step.strides[i] ?? 0), 1);
  const bytes = new Uint8Array(buffer, BASE + step.address, span * out.BYTES_PER_ELEMENT).slice();
  const source = viewOf(bytes.buffer, step.dtype, 0, span) as Float32Array;
  const index = new Array<number>(step.shape.length).fill(0);
  let at = 0;
  for (let i = 0; i < count; i++) {
    out[i] = source[at] ?? 0;
    for (let d = index.length - 1; d >= 0; d--) {
      const stride = step.strides[d] ?? 0;
      at += stride;
      if (++(index[d]) < (step.shape[d] ?? 1)) break;
      at -= stride * (step.shape[d] ?? 1);
      index[d] = 0;
    }
  }
  return out;
}

/** The smallest step of the clock: browsers round it. */
function clockStep(): number {
  const start = performance.now();
  let now = start;
  while (now === start) now = performance.now();
  return now - start;
}

const PEAK_MS = 100;
/** Short bursts fit between the interruptions of a busy machine; shorter ones would be rounded by the clock. */
const BURST_MS = 0.5;
const BURST_CLOCK_STEPS = 40;

/** Best of many bursts, the later of which run in the optimising compiler's code. */
function measurePeak(executor: Executor, info: PlanInfo): Peak {
  const kind = info.steps.some((s) => s.kernel.startsWith('qs8_')) ? 'int8' : 'float32';
  const perIteration = kind === 'int8' ? executor.peakI8Operations() : executor.peakF32Operations();
  const enough = Math.max(BURST_MS, BURST_CLOCK_STEPS * clockStep());
  let iterations = 1 << 12;
  let best = 0;
  for (const end = performance.now() + PEAK_MS; performance.now() < end;) {
    const start = performance.now();
    if (kind === 'int8') executor.peakI8(iterations, 3, 5);
    else executor.peakF32(iterations, 0.5, 0.25);
    const ms = performance.now() - start;
    if (ms < enough) iterations *= 2;
    else best = Math.max(best, (iterations * perIteration) / ms / 1e6);
  }
  return { gflops: best, kind };
}
