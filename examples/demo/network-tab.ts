// The tab for anybody's network: a file or one of the zoo, a photo or the camera. In: its panel. Out: guesses or boxes, costs, layers,
// or the sentence that says why not. Files are hostile until the worker has read them.

import { fits, presetNames, type Fit, type Preset } from '../../host/image/index.ts';
import type { BackendChoice, NetworkFacts, NetworkSource, RunsOn, Sight } from './calls.ts';
import { find, make, option, pairs, say, showTrouble, tableOf } from './elements.ts';
import { foundText, percent, speedOf } from './sight-text.ts';
import { Viewer } from './viewer.ts';
import { Refusal, troubleOf, WorkerLine } from './worker-line.ts';

const LOAD_MS = 60_000;
const LOOK_MS = 30_000;
const LAYERS_MS = 30_000;
const MAX_MODEL_BYTES = 500e6;
const MAX_LABEL_BYTES = 4e6;
/** Printed whole; what does not fit is cut by the style sheet. */
const MAX_NAME = 60;

const backendTexts: Readonly<Record<BackendChoice, string>> = { auto: 'Automatic', wasm: 'WebAssembly', webgpu: 'WebGPU' };
const backends = ['auto', 'wasm', 'webgpu'] as const;
const presetTexts: Readonly<Partial<Record<Preset, string>>> = { signed: '−1 … 1', unit: '0 … 1', raw: '0 … 255' };

export class NetworkTab {
  readonly viewer: Viewer;
  readonly #panel: HTMLElement;
  readonly #line = new WorkerLine();
  readonly #headline: HTMLElement;
  readonly #layers: HTMLDetailsElement;
  readonly #zoo: HTMLSelectElement;
  readonly #backend: HTMLSelectElement;
  #facts: NetworkFacts | null = null;
  /** How the network that was chosen last is loaded again. */
  #again: (() => Promise<void>) | null = null;
  #labels: readonly string[] = [];
  /** Counts networks chosen: what an older one says is void. */
  #turn = 0;

  constructor(panel: HTMLElement) {
    this.#panel = panel;
    this.#headline = find(panel, '[data-headline]', HTMLElement);
    this.#layers = find(panel, '[data-layers]', HTMLDetailsElement);
    this.#zoo = find(panel, '[data-zoo]', HTMLSelectElement);
    this.#backend = find(panel, '[data-backend]', HTMLSelectElement);
    this.viewer = new Viewer(find(panel, '[data-viewer]', HTMLElement), {
      look: (picture, isLive) => this.#look(picture, isLive),
      onSight: (sight, framesPerSecond) => { this.#show(sight, framesPerSecond); },
      onTrouble: (error) => { this.#fail(error); },
    });
    this.#fillChoices();
    onFile(find(panel, '[data-model]', HTMLInputElement), (file) => { void this.openModel(file, null); });
    onFile(find(panel, '[data-labels]', HTMLInputElement), (file) => { void this.openLabels(file); });
    this.#layers.addEventListener('toggle', () => { if (this.#layers.open) void this.#showLayers(); });
  }

  /** Called when the tab is shown: the worker knows the zoo, this page does not. */
  async open(): Promise<void> {
    if (this.#zoo.childElementCount > 1) return;
    const names = await this.#line.ask('names', {}, LOAD_MS).catch(() => []);
    if (names.length === 0 || this.#zoo.childElementCount > 1) return;
    for (const [suffix, title] of [['', 'float32'], [' int8', 'int8']] as const) {
      this.#zoo.append(make('optgroup', { label: title }, ...names.map((name) => option(`${name}${suffix}`, `${name}${suffix}`))));
    }
  }

  /** Labels belong to one network: those of the last one are forgotten, those that come with this one are kept. */
  async openModel(file: File, labels: File | null): Promise<void> {
    this.#zoo.value = '';
    if (this.#facts) this.#setLabels([], '');
    if (labels) await this.openLabels(labels);
    await this.#load(file.name, async () => {
      if (file.size > MAX_MODEL_BYTES) throw new Refusal({ code: 'ERR_LIMIT', sentence: `the file has ${(file.size / 1e6).toFixed(0)} MB`, hint: `This page takes at most ${MAX_MODEL_BYTES / 1e6} MB.` });
      return { kind: 'bytes', bytes: await file.arrayBuffer() };
    });
  }

  async openLabels(file: File): Promise<void> {
    if (file.size > MAX_LABEL_BYTES) {
      this.#fail(new Refusal({ code: 'ERR_LIMIT', sentence: 'this is no list of labels: it is too large', hint: 'Labels are a text file with one name a line.' }));
      return;
    }
    const lines = (await file.text()).split(/\r?\n/);
    if (lines.at(-1) === '') lines.pop();
    this.#setLabels(lines, file.name);
    await this.viewer.lookAgain();
  }

  #setLabels(labels: readonly string[], from: string): void {
    this.#labels = labels;
    say(find(this.#panel, '[data-labels-note]', HTMLElement), labels.length === 0 ? '' : `${labels.length} labels from ${from.slice(0, MAX_NAME)}`);
  }

  #fillChoices(): void {
    this.#zoo.addEventListener('change', () => {
      const [name, int8] = this.#zoo.value.split(' ');
      if (this.#facts) this.#setLabels([], '');
      if (name !== '') void this.#load(this.#zoo.value, () => Promise.resolve({ kind: 'zoo', name, int8: int8 === 'int8' }));
    });
    this.#backend.append(...backends.map((name) => option(name, backendTexts[name])));
    this.#backend.addEventListener('change', () => { void this.#again?.(); });
    const preset = find(this.#panel, '[data-preset]', HTMLSelectElement), fit = find(this.#panel, '[data-fit]', HTMLSelectElement);
    preset.append(...presetNames.map((name) => option(name, presetTexts[name] ?? name)));
    fit.append(...fits.map((name) => option(name, name)));
    for (const select of [preset, fit]) select.addEventListener('change', () => { void this.viewer.lookAgain(); });
  }

  async #load(name: string, open: () => Promise<NetworkSource>): Promise<void> {
    const turn = ++this.#turn;
    this.#again = () => this.#load(name, open);
    this.#line.end(); // whatever the last network is still doing
    this.#reset(`Loading ${name.slice(0, MAX_NAME)}…`);
    try {
      const source = await open();
      const facts = await this.#line.ask('load', { source, threads: 'auto', backend: this.#backend.value as BackendChoice }, LOAD_MS, source.kind === 'bytes' ? [source.bytes] : []);
      if (turn !== this.#turn) return;
      this.#facts = facts;
      this.#describe(name, facts);
      find(this.#panel, '[data-random]', HTMLElement).hidden = source.kind !== 'zoo';
      if (facts.task !== 'none') await this.viewer.lookAgain();
    } catch (error) {
      if (turn === this.#turn) this.#fail(error);
    }
    await this.open(); // the worker that was to tell the names may have been ended
  }

  #reset(headline: string): void {
    this.#facts = null;
    showTrouble(find(this.#panel, '[data-trouble]', HTMLElement), null);
    say(this.#headline, headline);
    this.viewer.clearBoxes();
    this.#list([]);
    this.#showBackend(null);
    for (const place of ['[data-speed]', '[data-facts]']) find(this.#panel, place, HTMLElement).replaceChildren();
    find(this.#panel, '[data-random]', HTMLElement).hidden = true;
    find(this.#panel, '[data-options]', HTMLElement).hidden = true;
    this.#layers.hidden = true;
    this.#layers.open = false;
  }

  #describe(name: string, { inputs, stats, task, preset, fit, milliseconds, runsOn }: NetworkFacts): void {
    this.#showBackend(runsOn);
    say(this.#headline, task === 'none' ? `${name.slice(0, MAX_NAME)} takes no photo` : this.viewer.hasPhoto ? name.slice(0, MAX_NAME) : `${name.slice(0, MAX_NAME)} is ready: now a photo`);
    find(this.#panel, '[data-facts]', HTMLElement).replaceChildren(...pairs([
      ['multiply-adds', millions(stats.macs)], ['weights', millions(stats.params)],
      [inputs[0]?.dtype ?? 'input', inputs.map(({ shape }) => shape.join('×')).join(', ').slice(0, MAX_NAME)],
      ['ms to load', milliseconds.toFixed(0)],
      stats.gpu ? ['dispatches', String(stats.gpu.dispatches)] : [stats.threads === 1 ? 'thread' : 'threads', String(stats.threads)],
    ]));
    if (preset) find(this.#panel, '[data-preset]', HTMLSelectElement).value = preset;
    if (fit) find(this.#panel, '[data-fit]', HTMLSelectElement).value = fit;
    find(this.#panel, '[data-options]', HTMLElement).hidden = task !== 'classes';
    this.#layers.hidden = false;
  }

  #showBackend(runsOn: RunsOn | null): void {
    const text = runsOn && `Runs on ${runsOn.backend === 'webgpu' ? 'WebGPU' : 'WebAssembly'}: ${runsOn.why}.`;
    say(find(this.#panel, '[data-runs-on]', HTMLElement), text ?? '');
  }

  async #look(picture: ImageBitmap, isLive: boolean): Promise<Sight | null> {
    if (!this.#facts) {
      picture.close();
      return null;
    }
    const preset = find(this.#panel, '[data-preset]', HTMLSelectElement).value as Preset;
    const fit = find(this.#panel, '[data-fit]', HTMLSelectElement).value as Fit;
    const turn = this.#turn;
    const sight = this.#line.ask('look', { picture, options: { labels: this.#labels, preset, fit, closeUps: !isLive } }, LOOK_MS, [picture]);
    try {
      const { runsOn, ...seen } = await sight;
      if (turn === this.#turn) this.#showBackend(runsOn);
      return seen;
    } catch (error) {
      if (turn === this.#turn) throw error;
      return null; // another network was chosen meanwhile
    }
  }

  #show(sight: Sight, framesPerSecond: number | null): void {
    showTrouble(find(this.#panel, '[data-trouble]', HTMLElement), null);
    find(this.#panel, '[data-speed]', HTMLElement).replaceChildren(...pairs(speedOf(sight.milliseconds, framesPerSecond)));
    if (sight.kind === 'boxes') {
      const { boxes, areFaces } = sight;
      say(this.#headline, foundText(boxes.map(nameOf), areFaces));
      this.#list(boxes.map((box) => ({ text: nameOf(box), share: box.score, score: percent(box.score) })));
      return;
    }
    const { guesses } = sight;
    const named = guesses.map((guess) => ({ text: nameOf(guess), share: guess.score, score: percent(guess.score) }));
    say(this.#headline, named[0]?.text ?? 'No answer');
    this.#list(named);
  }

  #list(entries: readonly { text: string; share: number; score: string }[]): void {
    find(this.#panel, '[data-list]', HTMLElement).replaceChildren(...entries.map(({ text, share, score }) => {
      const bar = make('span', { class: 'bar', 'aria-hidden': 'true' });
      bar.style.setProperty('--share', String(share));
      return make('li', {}, make('span', {}, text), make('strong', {}, score), bar);
    }));
  }

  async #showLayers(): Promise<void> {
    const turn = this.#turn;
    const place = find(this.#layers, '[data-table]', HTMLElement);
    place.replaceChildren('Reading…');
    try {
      const columns = await this.#line.ask('layers', {}, LAYERS_MS);
      if (turn === this.#turn) place.replaceChildren(tableOf(columns, 'Sizes, weights and multiply-accumulates of each layer'));
    } catch (error) {
      if (turn === this.#turn) place.replaceChildren(troubleOf(error).sentence);
    }
  }

  #fail(error: unknown): void {
    say(this.#headline, this.#facts ? 'That did not work' : 'This model cannot be used');
    this.#list([]);
    showTrouble(find(this.#panel, '[data-trouble]', HTMLElement), troubleOf(error));
  }
}

function nameOf({ label, index }: { readonly label: string | null; readonly index: number }): string {
  return label ?? `class ${index}`;
}

function millions(count: number): string {
  return `${(count / 1e6).toPrecision(count < 1e9 ? 3 : 4)}\u202fM`;
}

function onFile(input: HTMLInputElement, act: (file: File) => void): void {
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    input.value = ''; // so that the same file can be chosen again
    if (file) act(file);
  });
}
