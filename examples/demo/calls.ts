// What the page asks of its worker and what it gets: the one contract between the two sides. Everything here is plain data that
// crosses by structured clone. Must not import anything that runs.

import type { Classification, Detection } from '../../host/tasks/index.ts';
import type { Fit, Preset } from '../../host/image/index.ts';
import type { IoInfo, ModelStats } from '../../host/index.ts';
import type { Task } from './tasks.ts';

/** A file's bytes, a file of this page's own folder, or a network of the zoo with seeded weights. */
export type NetworkSource =
  | { readonly kind: 'bytes'; readonly bytes: ArrayBuffer }
  | { readonly kind: 'own'; readonly file: string }
  | { readonly kind: 'zoo'; readonly name: string; readonly int8: boolean };

export type Threads = number | 'auto';
export type BackendChoice = 'auto' | 'wasm' | 'webgpu';

/** What computes now and why; it may change when a GPU fails. */
export interface RunsOn {
  readonly backend: ModelStats['backend'];
  readonly why: string;
}

export interface NetworkFacts {
  readonly inputs: readonly IoInfo[];
  readonly outputs: readonly IoInfo[];
  readonly stats: ModelStats;
  readonly task: Task;
  /** How photos go in when nobody chooses; null where it takes no photo, or a detector knows. */
  readonly preset: Preset | null;
  readonly fit: Fit | null;
  readonly milliseconds: number;
  readonly runsOn: RunsOn;
  /** What kinglet had to say while loading, for example why there is one thread. */
  readonly notices: readonly string[];
}
export interface LookOptions {
  readonly labels: readonly string[];
  readonly preset: Preset | null;
  readonly fit: Fit | null;
  /** Look at faces again, closer: worth it for a photo, too slow for a camera. */
  readonly closeUps: boolean;
}
/** Guesses of a classifier or boxes of a detector, in pixels of the picture that was sent; milliseconds cover resizing, inference and decoding. */
export type Sight =
  | { readonly kind: 'guesses'; readonly guesses: readonly Classification[]; readonly milliseconds: number }
  | { readonly kind: 'boxes'; readonly boxes: readonly Detection[]; readonly areFaces: boolean; readonly milliseconds: number };

export interface TableColumn {
  readonly title: string;
  readonly numeric: boolean;
  readonly cells: readonly string[];
}
export interface Timing {
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly runs: number;
  readonly stats: ModelStats;
}

/** Call → what goes and what comes back. */
export interface Calls {
  /** Names of the zoo. */
  readonly names: { readonly goes: Record<string, never>; readonly comes: readonly string[] };
  readonly load: { readonly goes: { readonly source: NetworkSource; readonly threads: Threads; readonly backend: BackendChoice }; readonly comes: NetworkFacts };
  readonly look: { readonly goes: { readonly picture: ImageBitmap; readonly options: LookOptions }; readonly comes: Sight & { readonly runsOn: RunsOn } };
  readonly layers: { readonly goes: Record<string, never>; readonly comes: readonly TableColumn[] };
  readonly time: { readonly goes: { readonly name: string; readonly int8: boolean; readonly threads: number; readonly forMs: number }; readonly comes: Timing };
}
export type CallName = keyof Calls;

export interface Trouble {
  readonly code: string;
  readonly sentence: string;
  readonly hint: string;
}
export interface Question<Name extends CallName = CallName> {
  readonly id: number;
  readonly call: Name;
  readonly goes: Calls[Name]['goes'];
}
export type Reply =
  | { readonly id: number; readonly comes: unknown }
  | { readonly id: number; readonly trouble: Trouble };
