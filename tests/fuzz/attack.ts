// Runs damaged model files in a worker, so that a hang is seen from outside. In: a source file's bytes and a list of damages.
// Out: for each case whether it gave outputs of the declared shape or a KingletError, and how long it took.

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { compile, KingletError, loadModel, loadPlan } from '../../host/index.ts';
import { checksum } from '../../host/plan/checksum.ts';
import { HEADER_CHECKSUM } from '../../assembly/abi.ts';
import { elementCount, type TensorData } from '../../host/tensor.ts';

export interface Damage {
  /** Keep only the first bytes. */
  readonly cut?: number;
  /** XOR a byte. */
  readonly flip?: { readonly at: number; readonly mask: number };
  /** Make a plan's checksum right again. */
  readonly repair?: boolean;
}
export interface Outcome {
  readonly index: number;
  readonly ms: number;
  /** 'ran', an error code, or what went wrong. */
  readonly result: string;
  readonly wrong: boolean;
}
interface Job {
  readonly bytes: Uint8Array;
  readonly damages: readonly Damage[];
  /** Compile first and damage the plan: given whole, or arriving in pieces. */
  readonly as: 'source' | 'plan' | 'pieces';
}

/** No case may take longer; a deadline against a hang, far above the second that the bench reports. */
const DEADLINE_MS = 30_000;

export function attack(bytes: Uint8Array, damages: readonly Damage[], as: Job['as'] = 'source'): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { bytes, damages, as } satisfies Job });
    let timer = setTimeout(hang, DEADLINE_MS * 2);
    function hang(): void {
      void worker.terminate();
      reject(new Error(`case ${outcomes.length} (${JSON.stringify(damages[outcomes.length])}) hangs`));
    }
    worker.on('message', (outcome: Outcome) => {
      outcomes.push(outcome);
      clearTimeout(timer);
      timer = setTimeout(hang, DEADLINE_MS);
    });
    worker.on('error', (error) => { clearTimeout(timer); reject(error); });
    worker.on('exit', () => { clearTimeout(timer); resolve(outcomes); });
  });
}

export function damaged(bytes: Uint8Array, damage: Damage): Uint8Array {
  const copy = bytes.slice(0, damage.cut ?? bytes.length);
  if (damage.flip) copy[damage.flip.at] = (copy[damage.flip.at] ?? 0) ^ damage.flip.mask;
  if (damage.repair) new DataView(copy.buffer).setInt32(HEADER_CHECKSUM, checksum(copy), true);
  return copy;
}

const PIECE = 4096;
function inPieces(bytes: Uint8Array): Response {
  let at = 0;
  return new Response(new ReadableStream({ pull(to) { if (at < bytes.length) to.enqueue(bytes.slice(at, at += PIECE)); else to.close(); } }));
}

async function attempt(bytes: Uint8Array, as: Job['as']): Promise<{ result: string; wrong: boolean }> {
  try {
    const model = await (as === 'pieces' ? loadPlan(inPieces(bytes), { warmup: false }) : loadModel(bytes, { warmup: false }));
    const outputs: readonly TensorData[] = model.runSync();
    const fits = outputs.length === model.outputs.length
      && outputs.every((data, i) => data.length === elementCount(model.outputs[i]?.shape ?? []));
    model.dispose();
    return { result: fits ? 'ran' : 'outputs of another shape', wrong: !fits };
  } catch (error) {
    if (error instanceof KingletError && error.code !== 'ERR_INTERNAL' && error.message.length > 0 && error.hint.length > 0) {
      return { result: error.code, wrong: false };
    }
    return { result: error instanceof Error ? `${error.name}: ${error.stack ?? error.message}` : String(error), wrong: true };
  }
}

async function work(job: Job): Promise<void> {
  const source = job.as !== 'source' ? compile(job.bytes) : job.bytes;
  for (const [index, damage] of job.damages.entries()) {
    const bytes = damaged(source, damage);
    const start = performance.now();
    const { result, wrong } = await attempt(bytes, job.as);
    parentPort?.postMessage({ index, ms: performance.now() - start, result, wrong } satisfies Outcome);
  }
}
if (!isMainThread && (workerData as Job | null)?.damages) await work(workerData as Job);
