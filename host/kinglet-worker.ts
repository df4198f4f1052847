// A worker of a team: runs its list of steps of every job, as soon as the control words name one. The whole of a worker's script.
// In: the module, the shared memory, its place in the team. Out: messages: 'ready', the number of a finished job, or what went wrong.
// Between jobs it looks at the control words for a moment, sleeps for a moment, then waits for a message. Must not import the host.

import {
  CONTROL_ABORT, CONTROL_BASE, CONTROL_FINISHED, CONTROL_JOB, CONTROL_LISTS, CONTROL_PARKED, CONTROL_SPINS,
} from '../assembly/abi.ts';

/** What the team sends first. Every later message only wakes. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Where the team's control words begin. */
  readonly control: number;
  readonly index: number;
  readonly threads: number;
  /** Held as long as this worker lives, where the platform has locks: its end is noticed by who waits for it. */
  readonly lock: string;
}
export type WorkerMessage = 'ready' | 'stopped' | number | { readonly failed: string };

const inNode = typeof process !== 'undefined' && typeof process.getBuiltinModule === 'function';

interface TeamMember {
  runList(base: number, list: number, bytes: number, control: number, threads: number, spins: number): number;
  stays(word: number, value: number, spins: number): number;
}
type Post = (message: WorkerMessage) => void;

/** A moment, some 0.2 ms: the next picture of a stream may be on its way. */
const IDLE_SPINS = 200_000;
/** Then a sleep that a notify ends; behind it only a message does. */
const IDLE_MS = 50;

function makeMember({ module, memory, control: controlAt, index, threads }: WorkerStart, post: Post): () => void {
  const words = new Int32Array(memory.buffer), control = words.subarray(controlAt >> 2), parked = (CONTROL_PARKED >> 2) + index;
  const wait = (word: number, value: number, ms: number): void => { Atomics.wait(words, word >> 2, value, ms); };
  const member = new WebAssembly.Instance(module, { env: { memory, wait } }).exports as unknown as TeamMember;
  const at = (offset: number): number => Atomics.load(control, offset >> 2);
  let seen = at(CONTROL_JOB);

  const runJob = (): void => {
    // The memory may have grown: the table is read through a view of today's buffer.
    const table = new Int32Array(memory.buffer, at(CONTROL_LISTS) + 8 * index, 2);
    if (member.runList(at(CONTROL_BASE), table[0] ?? 0, table[1] ?? 0, controlAt, threads, at(CONTROL_SPINS)) === 0) return;
    if (Atomics.add(control, CONTROL_FINISHED >> 2, 1) !== threads - 1) return;
    Atomics.store(control, CONTROL_FINISHED >> 2, 0);
    post(seen);
  };
  /** Works until there is nothing to do; a message calls it again. */
  return () => {
    for (;;) {
      if (at(CONTROL_ABORT) !== 0) { post('stopped'); return; }
      if (at(CONTROL_JOB) !== seen) {
        seen = at(CONTROL_JOB);
        runJob();
      } else if (member.stays(controlAt + CONTROL_JOB, seen, IDLE_SPINS) !== 0 && Atomics.wait(control, CONTROL_JOB >> 2, seen, IDLE_MS) === 'timed-out') {
        Atomics.store(control, parked, 1);
        if (at(CONTROL_JOB) === seen) return;
        if (Atomics.compareExchange(control, parked, 1, 0) === 0) return; // the message is on its way
      }
    }
  };
}

function serve(post: Post): (message: unknown) => void {
  let work: (() => void) | null = null;
  return (message) => {
    try {
      if (work) work();
      else {
        work = makeMember(message as WorkerStart, post);
        hold((message as WorkerStart).lock, () => { post('ready'); work?.(); });
      }
    } catch (error) {
      post({ failed: error instanceof Error ? error.message : String(error) });
    }
  };
}

/** Calls `held` once the lock is this worker's until its end, or at once where there are no locks. */
function hold(lock: string, held: () => void): void {
  const locks = typeof navigator === 'undefined' ? undefined : (navigator as Partial<Navigator>).locks;
  if (!locks || inNode) held();
  else void locks.request(lock, () => { setTimeout(held); return new Promise(() => undefined); });
}

if (inNode) {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  if (parentPort) parentPort.on('message', serve((message) => { parentPort.postMessage(message); }));
} else {
  const receive = serve((message) => { globalThis.postMessage(message); });
  globalThis.onmessage = ({ data }) => { receive(data); };
}
