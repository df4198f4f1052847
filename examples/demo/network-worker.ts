// The worker: everything that runs a network happens here, so that the page stays responsive and can end it.
// In: questions of calls.ts. Out: one reply each, in order. Must not touch a document.

import { optimiseGraph } from '../../host/compile.ts';
import { startOnGpu } from '../../host/webgpu/load-on-gpu.ts';
import { KingletError, loadModel, type Model } from '../../host/webgpu.ts';
import { networkGraph, networkNames, networkPlan } from '../../models/zoo.ts';
import type {
  BackendChoice, CallName, Calls, LookOptions, NetworkFacts, NetworkSource, Question, Reply, RunsOn, TableColumn, Threads, Timing, Trouble,
} from './calls.ts';
import { layersOf } from './layers.ts';
import { useOf, type Use } from './tasks.ts';
import { timeModel } from './time-model.ts';

interface Loaded {
  readonly model: Model;
  readonly use: Use;
  readonly source: NetworkSource;
}
let loaded: Loaded | null = null;
let lastPlan: { readonly key: string; readonly plan: Uint8Array } | null = null;

type Handlers = { readonly [Name in CallName]: (goes: Calls[Name]['goes']) => Calls[Name]['comes'] | Promise<Calls[Name]['comes']> };
const handlers: Handlers = {
  names: () => networkNames,
  load: ({ source, threads, backend }) => load(source, threads, backend),
  look: ({ picture, options }) => look(picture, options),
  layers: () => layersOfCurrent(),
  time: (goes) => time(goes),
};

async function load(source: NetworkSource, threads: Threads, backend: BackendChoice): Promise<NetworkFacts> {
  loaded?.model.dispose();
  loaded = null;
  const started = performance.now();
  const notices: string[] = [];
  const model = await open(source, threads, backend, (text) => { notices.push(text); });
  const use = useOf(model);
  loaded = { model, use, source };
  const { inputs, outputs, stats } = model, { task, preset, fit } = use;
  return { inputs, outputs, stats, task, preset, fit, milliseconds: performance.now() - started, runsOn: runsOn(model), notices };
}

function runsOn({ stats: { backend, backendReason = '' } }: Model): RunsOn {
  return { backend, why: backendReason };
}

async function look(picture: ImageBitmap, options: LookOptions): Promise<Calls['look']['comes']> {
  try {
    const { use, model } = current();
    return { ...await use.look(picture, options), runsOn: runsOn(model) };
  } finally {
    picture.close();
  }
}

async function open(source: NetworkSource, threads: Threads, backend: BackendChoice, onNotice: (text: string) => void): Promise<Model> {
  const options = { onNotice, threads, backend };
  switch (source.kind) {
    case 'bytes': return loadModel(source.bytes, options);
    case 'own': return loadModel(new URL(source.file, import.meta.url), options);
    case 'zoo': return openZoo(source.name, source.int8, options);
  }
}

async function openZoo(name: string, int8: boolean, options: { threads: Threads; backend: BackendChoice; onNotice: (text: string) => void }): Promise<Model> {
  if (options.backend === 'wasm') return loadModel(await planOf(name, int8), options);
  return startOnGpu(optimiseGraph({ graph: await networkGraph(name, { int8 }), layout: 'NHWC' }), options);
}

/** The benchmark asks for one network many times in a row. */
async function planOf(name: string, int8: boolean): Promise<Uint8Array> {
  const key = `${name} ${String(int8)}`;
  if (lastPlan?.key !== key) lastPlan = { key, plan: await networkPlan(name, { int8 }) };
  return lastPlan.plan;
}

function current(): Loaded {
  if (!loaded) throw new KingletError('ERR_USAGE', 'no network is loaded', { hint: 'Choose a network first.' });
  return loaded;
}

async function layersOfCurrent(): Promise<TableColumn[]> {
  const { source, model } = current();
  return layersOf(source, model);
}

async function time({ name, int8, threads, forMs }: Calls['time']['goes']): Promise<Timing> {
  const notices: string[] = [];
  const model = await open({ kind: 'zoo', name, int8 }, threads, 'wasm', (text) => { notices.push(text); });
  try {
    const timing = await timeModel(model, forMs);
    if (timing.stats.threads === threads) return timing;
    throw new KingletError('ERR_ENGINE', `${threads} threads were asked for, and the network ran on ${timing.stats.threads}`, { hint: notices.join(' ') });
  } finally {
    model.dispose();
  }
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof KingletError) return { code: error.code, sentence: error.message, hint: error.hint };
  return { code: 'ERR_INTERNAL', sentence: error instanceof Error ? error.message : 'something unknown went wrong', hint: 'This is a bug. Please report it with the model.' };
}

async function answer({ id, call, goes }: Question): Promise<Reply> {
  try {
    const handler = handlers[call] as (goes: unknown) => unknown;
    return { id, comes: await handler(goes) };
  } catch (error) {
    return { id, trouble: troubleOf(error) };
  }
}

let queue: Promise<unknown> = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<Question>) => {
  queue = queue.then(async () => { postMessage(await answer(data)); });
});
