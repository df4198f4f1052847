// The tab that finds faces, with BlazeFace from this page's own folder. In: its panel. Out: faces drawn, counted and listed.

import type { Sight } from './calls.ts';
import { find, make, pairs, say, showTrouble } from './elements.ts';
import { foundText, percent, speedOf } from './sight-text.ts';
import { Viewer } from './viewer.ts';
import { troubleOf, WorkerLine } from './worker-line.ts';

const NETWORK = './face_detection_short_range.tflite';
const LOAD_MS = 30_000;
const LOOK_MS = 10_000;

export class FacesTab {
  readonly viewer: Viewer;
  readonly #panel: HTMLElement;
  readonly #line = new WorkerLine();
  #ready: Promise<unknown> | null = null;

  constructor(panel: HTMLElement) {
    this.#panel = panel;
    this.viewer = new Viewer(find(panel, '[data-viewer]', HTMLElement), {
      look: (picture, isLive) => this.#look(picture, isLive),
      onSight: (sight, framesPerSecond) => { this.#show(sight, framesPerSecond); },
      onTrouble: (error) => { this.#fail(error); },
    });
  }

  /** Called when the tab is shown; the first time it begins with the sample. */
  open(): void {
    if (!this.viewer.hasPhoto) void this.viewer.showSample();
  }

  async #look(picture: ImageBitmap, isLive: boolean): Promise<Sight> {
    this.#ready ??= this.#line.ask('load', { source: { kind: 'own', file: NETWORK }, threads: 1, backend: 'wasm' }, LOAD_MS);
    try {
      await this.#ready;
      return await this.#line.ask('look', { picture, options: { labels: [], preset: null, fit: null, closeUps: !isLive } }, LOOK_MS, [picture]);
    } catch (error) {
      this.#ready = null; // the next picture tries again
      throw error;
    }
  }

  #show(sight: Sight, framesPerSecond: number | null): void {
    if (sight.kind !== 'boxes') return;
    const { boxes, milliseconds } = sight;
    showTrouble(find(this.#panel, '[data-trouble]', HTMLElement), null);
    say(find(this.#panel, '[data-headline]', HTMLElement), foundText(boxes.map(() => 'face'), true));
    find(this.#panel, '[data-speed]', HTMLElement).replaceChildren(...pairs(speedOf(milliseconds, framesPerSecond)));
    find(this.#panel, '[data-list]', HTMLElement).replaceChildren(...boxes.map(({ score, box }) => make('li', {},
      make('strong', {}, percent(score)), make('span', {}, `${box.width.toFixed(0)} pixels`))));
  }

  #fail(error: unknown): void {
    say(find(this.#panel, '[data-headline]', HTMLElement), 'That did not work');
    showTrouble(find(this.#panel, '[data-trouble]', HTMLElement), troubleOf(error));
  }
}
