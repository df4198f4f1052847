// A verified plan → the same plan, run by a team. In: a placed plan that init() accepted, the engine. Out: how to run it on all threads.
// The lists of steps are written behind the plan's arena and the threads' scratch, and verified there.
// Layout of the region: [plan][arena, scratch of each thread, slack][table of lists][lists].

import * as abi from '../../assembly/abi.ts';
import type { Engine, TeamExecutor } from '../backends/engine.ts';
import type { Membership, PlacedPlan } from '../backends/wasm.ts';
import { KingletError } from '../error.ts';
import { schedule, type Schedule } from './schedule.ts';
import { StepWords } from './step-words.ts';
import { teamOf } from './team.ts';

function up64(bytes: number): number { return Math.ceil(bytes / 64) * 64; }

function stepsOf({ region, info }: PlacedPlan): StepWords[] {
  const { buffer } = region.group.memory, head = new DataView(buffer, region.at, abi.HEADER_BYTES);
  let at = region.at + head.getUint32(abi.HEADER_STEPS_AT, true);
  return Array.from({ length: info.stepCount }, () => {
    const step = StepWords.at(buffer, at);
    at += step.bytes;
    return step;
  });
}

/** Writes table and lists; returns the table's address. */
function placeLists({ region, info }: PlacedPlan, { lists, scratchBytes }: Schedule): { table: number; arenaBytes: number } {
  const arenaBytes = up64(info.arenaBytes) + lists.length * scratchBytes;
  const table = up64(info.planBytes + arenaBytes);
  let at = table + up64(8 * lists.length);
  const end = at + lists.reduce((sum, list) => sum + up64(list.byteLength), 0);
  if (end > region.bytes) throw new KingletError('ERR_INTERNAL', 'the lists of the threads do not fit their region');
  region.shrink(end);
  const { buffer } = region.group.memory;
  const entries = new Int32Array(buffer, region.at + table, 2 * lists.length);
  lists.forEach((list, t) => {
    new Int32Array(buffer, region.at + at, list.length).set(list);
    entries[2 * t] = region.at + at;
    entries[2 * t + 1] = list.byteLength;
    at += up64(list.byteLength);
  });
  return { table: region.at + table, arenaBytes };
}

/** Throws ERR_WORKER when the workers do not start. */
export async function joinTeam(placed: PlacedPlan, engine: Engine): Promise<Membership> {
  const { region, info } = placed;
  const starting = teamOf(region.group, engine.module);
  // The arena's slack moves behind the scratch.
  const lists = schedule(stepsOf(placed), region.group.threads, info.planBytes + up64(info.arenaBytes) - abi.SLACK_BYTES);
  const { table, arenaBytes } = placeLists(placed, lists);
  const executor = region.group.executor(engine) as TeamExecutor;
  const entries = new Int32Array(region.group.memory.buffer, table, 2 * region.group.threads);
  for (let t = 0; t < region.group.threads; t++) {
    const code = executor.verifyList(region.at, entries[2 * t] ?? 0, entries[2 * t + 1] ?? 0, arenaBytes);
    if (code !== abi.OK) throw new KingletError('ERR_INTERNAL', `the list of thread ${t} is not valid: code ${code}`);
  }
  const team = await starting;
  return { team, run: () => team.run({ base: region.at, lists: table }) };
}
