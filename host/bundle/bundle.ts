// A program with its network inside: kinglet-cmd or kinglet-embed, and behind its own data a plan and labels as data segments.
// In: the program's bytes, a plan, labels, choices. Out: one module that opens no file to start. assembly/bundle-slot.ts reads the slot.
// The plan is checked here for its sizes and verified by the program when it starts. Must not know files or importers.

import { KingletError } from '../error.ts';
import { checkSum, decodePlan } from '../plan/decode.ts';
import { Cursor, SECTION_DATA, SECTION_DATA_COUNT, SECTION_MEMORY, joined, moduleOf, sectionsOf, segment, unsigned } from './modules.ts';

export interface BundleOptions {
  /** Text, one label a line. */
  readonly labels?: Uint8Array | undefined;
  /** Positions in the lists of assembly/picture-input.ts; 0: by the input, or by the preset. */
  readonly preset?: number | undefined;
  readonly fit?: number | undefined;
  readonly top?: number | undefined;
}

const PAGE = 65536;
const MOST_BYTES = 2 ** 31 - PAGE;

/** `slot`: what the program's export bundleSlot() returns. Throws ERR_PLAN_INVALID, ERR_PLAN_VERSION, ERR_LIMIT, ERR_WASM_VERSION. */
export function bundle(program: Uint8Array, slot: number, plan: Uint8Array, options: BundleOptions = {}): Uint8Array<ArrayBuffer> {
  decodePlan(plan);
  checkSum(plan);
  const sections = sectionsOf(program).filter(({ id }) => id !== SECTION_DATA_COUNT);
  const labels = options.labels ?? new Uint8Array(0);
  const labelsAt = memoryPages(sections) * PAGE, planAt = Math.ceil((labelsAt + labels.length) / PAGE) * PAGE;
  if (planAt + plan.length > MOST_BYTES) throw new KingletError('ERR_LIMIT', 'the network is too large for one module');
  const words = [planAt, plan.length, labels.length > 0 ? labelsAt : 0, labels.length, options.preset ?? 0, options.fit ?? 0, options.top ?? 0];
  const added = [segment(slot, new Uint8Array(Uint32Array.from(words).buffer)), segment(labelsAt, labels), segment(planAt, plan)];
  return moduleOf(sections.map(({ id, content }) => {
    if (id === SECTION_MEMORY) return { id, content: withPages(content, Math.ceil((planAt + plan.length) / PAGE)) };
    return id === SECTION_DATA ? { id, content: withSegments(content, added) } : { id, content };
  }));
}

function memoryPages(sections: ReturnType<typeof sectionsOf>): number {
  const memory = sections.find(({ id }) => id === SECTION_MEMORY);
  if (!memory || !sections.some(({ id }) => id === SECTION_DATA)) throw new KingletError('ERR_WASM_VERSION', 'this is no program that a bundle can begin with');
  return new Cursor(memory.content, 2).number();
}

/** One memory with a maximum: its first size is replaced. */
function withPages(content: Uint8Array, pages: number): Uint8Array {
  const cursor = new Cursor(content, 2);
  cursor.number();
  return joined([content.subarray(0, 2), unsigned(pages), content.subarray(cursor.at)]);
}

function withSegments(content: Uint8Array, added: readonly Uint8Array[]): Uint8Array {
  const cursor = new Cursor(content), count = cursor.number();
  return joined([unsigned(count + added.length), content.subarray(cursor.at), ...added]);
}
