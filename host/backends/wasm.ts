// The wasm backend: a plan in a region of its group's memory; one wasm call per inference.
// In: plan bytes and an engine. Out: a Backend. Running neither allocates nor grows memory; placing another plan may.
// Must not import graph, ops, importers or passes. Whether threads run a plan is load.ts's affair.

import * as abi from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import type { Backend, StepInfo } from '../model.ts';
import { Checksum } from '../plan/checksum.ts';
import { checkLength, checkSum, decodePlan, headBytes, planSizes, type IoRecord, type PlanInfo, type StepRecord } from '../plan/decode.ts';
import { allocate, elementCount, viewOf, type TensorData } from '../dtype.ts';
import { dotName, type Engine, type Executor } from './engine.ts';
import { ONE_THREAD, takeRegion, type Region, type Room } from './memory-group.ts';

/** Most inner-loop iterations that a plan may ask for: about a minute of one core (VGG-19 asks for 2^31). */
const MAX_WORK = 2 ** 36;

const refusals = new Map<number, string>([
  [abi.BAD_HEADER, 'the header contradicts itself'], [abi.BAD_OPCODE, 'unknown opcode'], [abi.BAD_STEP_BYTES, 'wrong length'],
  [abi.BAD_OPERAND, 'an operand is out of range'], [abi.BAD_READ, 'it would read outside its tensors'],
  [abi.BAD_WRITE, 'it would write outside its tensors'], [abi.BAD_WORK, 'it asks for more work than its header states'],
  [abi.BAD_TABLE, 'a table has an entry out of range'],
]);

/** What of the memory lies behind the plan's own arena is nothing to it. */
function initPlan(executor: Executor, base: number, { planBytes, arenaBytes }: PlanInfo): number {
  return executor.init(base, planBytes, base + planBytes + arenaBytes);
}

function verify(executor: Executor, base: number, info: PlanInfo): void {
  const code = initPlan(executor, base, info);
  if (code === abi.OK && executor.planWork() > MAX_WORK) throw new KingletError('ERR_LIMIT', 'the network asks for more work than the limit allows');
  if (code === abi.OK) return;
  const step = executor.refusedStep();
  const where = step < 0 ? 'the header' : `step ${step}`;
  throw new KingletError('ERR_PLAN_INVALID', `not a valid plan: ${where}: ${refusals.get(code) ?? `code ${code}`}`, { details: { step, code } });
}

/** A plan in its region: the only copy of its weights. Nothing is verified yet but what the host reads. */
export interface PlacedPlan {
  readonly region: Region;
  readonly info: PlanInfo;
}

/** The region in which a plan with this header will run; the plan fills its first `planBytes`. */
function makeRoom(head: Uint8Array, room: Room): { region: Region; planBytes: number; arenaBytes: number } {
  const { planBytes, arenaBytes, listBytes } = planSizes(head);
  // No scratch is larger than the arena in which it lies. What threads do not need is given back (host/threads/join-team.ts).
  const ofThreads = room.threads > 1 ? room.threads * (arenaBytes + listBytes + 128) : 0;
  return { region: takeRegion(planBytes + arenaBytes + ofThreads, room), planBytes, arenaBytes };
}

/** Copies a plan, once, to where it will run. Throws ERR_PLAN_INVALID, ERR_PLAN_VERSION, ERR_LIMIT, ERR_MEMORY. */
export function placePlan(plan: Uint8Array, room: Room = ONE_THREAD): PlacedPlan {
  const { region, planBytes, arenaBytes } = makeRoom(plan, room);
  try {
    checkLength(planBytes, plan.length);
    const own = region.view(0, planBytes);
    own.set(plan); // from here on only the private copy is read
    checkSum(own);
    const info = decodePlan(own);
    if (info.planBytes !== planBytes || info.arenaBytes !== arenaBytes) throw new KingletError('ERR_PLAN_INVALID', 'the plan changed while it was loaded');
    return { region, info };
  } catch (error) {
    region.free();
    throw error;
  }
}

/**
 * The same for a plan that arrives in pieces: each is put in its place and summed while the next is on its way, the head is decoded as
 * soon as it is there.
 */
export async function receivePlan(pieces: ReadableStreamDefaultReader<Uint8Array>, room: Room = ONE_THREAD): Promise<PlacedPlan> {
  let head = new Uint8Array(0);
  while (head.length < abi.HEADER_BYTES) {
    const { done, value } = await pieces.read();
    if (done) break;
    head = joined(head, value);
  }
  const { region, planBytes } = makeRoom(head, room);
  try {
    const weightsAt = headBytes(head);
    const sum = new Checksum();
    let placed: PlacedPlan | null = null;
    let at = 0;
    for (let piece: Uint8Array | undefined = head; piece !== undefined; piece = (await pieces.read()).value) {
      if (at + piece.length > planBytes) checkLength(planBytes, at + piece.length);
      const own = region.view(0, planBytes); // another plan may have made the memory grow meanwhile
      own.set(piece, at);
      at += piece.length;
      sum.take(new Int32Array(own.buffer, own.byteOffset, planBytes >> 2), at >> 2);
      if (at >= weightsAt) placed ??= { region, info: decodePlan(own) };
    }
    checkLength(planBytes, at);
    checkSum(region.view(0, planBytes), sum.value());
    return placed ?? { region, info: decodePlan(region.view(0, planBytes)) };
  } catch (error) {
    region.free();
    throw error;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Regions of models that nobody disposed of. */
const forgotten = new FinalizationRegistry<Region>((region) => { region.free(); });
/** A view that somebody still holds keeps its model from being forgotten. */
const holders = new WeakMap<TensorData, Backend>();

/** A team that runs the plan on its threads: host/threads/join-team.ts. */
export interface Membership {
  readonly team: { readonly threads: number; readonly alive: boolean; readonly ended: Promise<void> };
  run(): Promise<void>;
}

/** A backend, and what threads need to run its plan. */
export interface WasmBackend extends Backend {
  /** From now on runAsync() uses these threads, until one of them dies. */
  join(member: Membership): void;
}

/** Verifies a placed plan and runs it. Throws ERR_PLAN_INVALID, ERR_LIMIT, ERR_WASM_VERSION; then the region is free again. */
export function wasmBackend({ region, info }: PlacedPlan, engine: Engine): WasmBackend {
  try {
    const executor = region.group.executor(engine);
    executor.setDotMode(engine.dotMode);
    verify(executor, region.at, info);
    const backend = makeBackend(region, info, executor, engine);
    forgotten.register(backend, region, backend);
    return backend;
  } catch (error) {
    region.free();
    throw error;
  }
}

/** One array per record over the group's memory, made again when the memory grew. */
function viewsOf(region: Region, records: readonly IoRecord[]): (holder: Backend) => readonly TensorData[] {
  let buffer: ArrayBufferLike | null = null, views: readonly TensorData[] = [];
  return (holder) => {
    const now: ArrayBufferLike = region.group.memory.buffer;
    if (now !== buffer) {
      views = records.map((io) => viewOf(now, io.dtype, region.at + io.address, io.elements));
      for (const view of views) holders.set(view, holder);
    }
    buffer = now;
    return views;
  };
}

function makeBackend(region: Region, info: PlanInfo, executor: Executor, engine: Engine): WasmBackend {
  const base = region.at, dotMode = executor.dotMode();
  const inputs = viewsOf(region, info.inputs), outputs = viewsOf(region, info.outputs);
  const run = (first: number, end: number): void => {
    guard(() => { executor.run(base, first, end); });
  };
  let member: Membership | null = null, flying = false, released = false;
  const free = (): void => {
    if (member && !member.team.alive) void member.team.ended.then(() => { region.free(); });
    else region.free();
  };
  const backend: WasmBackend = {
    inputs: info.inputs,
    outputs: info.outputs,
    stats: {
      macs: info.macs, params: info.params, weightBytes: info.weightBytes, arenaBytes: info.arenaBytes, liveBytes: info.liveBytes, steps: info.stepCount,
      shuffles: info.shuffles, kernels: engine.kernels, dot: dotName(dotMode), backend: 'wasm',
      get threads() { return member?.team.alive ? member.team.threads : 1; },
    },
    get inputData() { return inputs(backend); },
    get busy() { return flying; },
    runOnce() {
      run(0, info.stepCount);
      return outputs(backend);
    },
    join(joined: Membership) {
      member = joined;
      backend.runAsync = async () => {
        flying = true;
        try {
          if (joined.team.alive) await joined.run();
          else {
            await joined.team.ended;
            if (!released) run(0, info.stepCount);
          }
        } finally {
          flying = false;
          if (released) free();
        }
        return outputs(backend);
      };
    },
    steps: () => info.steps,
    traceOnce(visit: (step: StepInfo, data: TensorData) => void) {
      for (const step of info.steps) {
        run(step.index, step.index + 1);
        if (step.complete) visit(step, denseCopy(region, step));
      }
    },
    profileOnce(ms: Float64Array) {
      for (let i = 0; i < info.stepCount; i++) {
        const start = performance.now();
        run(i, i + 1);
        ms[i] += performance.now() - start;
      }
    },
    peak: async () => (await import('./measure-peak.ts')).measurePeak(executor, info), // pages never ask
    release() {
      forgotten.unregister(backend);
      released = true;
      if (!flying) free();
    },
  };
  return backend;
}

/** A verified plan cannot trap; should the engine fail all the same, the caller sees a typed error. */
function guard(run: () => void): void {
  try {
    run();
  } catch (cause) {
    throw new KingletError('ERR_INTERNAL', 'the executor trapped', { cause });
  }
}

function denseCopy(region: Region, step: StepRecord): TensorData {
  const count = elementCount(step.shape);
  const out = allocate(step.dtype, count) as Float32Array;
  const span = step.shape.reduce((sum, dim, i) => sum + Math.max(0, dim - 1) * (step.strides[i] ?? 0), 1);
  const bytes = region.view(step.address, span * out.BYTES_PER_ELEMENT).slice();
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
