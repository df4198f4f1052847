// The tab that measures: networks of the zoo × float32, int8 × threads, one after the other in a worker. In: its panel, what this
// browser can do. Out: a chart, a table and a text to copy.

import { benchmarkChart } from './benchmark-chart.ts';
import { resultColumns, resultJson, resultText, type Measured, type Surroundings } from './benchmark-result.ts';
import { find, make, say, showTrouble, tableOf } from './elements.ts';
import { troubleOf, WorkerLine } from './worker-line.ts';

/** A time for each of these is what people ask for; the rest of the zoo is a click away in the other tab. */
const choices: readonly { readonly name: string; readonly isChosen: boolean }[] = [
  { name: 'mobilenet_v2', isChosen: true }, { name: 'mobilenet_v3_small', isChosen: true }, { name: 'shufflenet_v2_x1_0', isChosen: true },
  { name: 'squeezenet1_1', isChosen: false }, { name: 'mobilenet_v1_0.25', isChosen: false }, { name: 'mobilenet_v3_large', isChosen: false },
  { name: 'efficientnet_lite0', isChosen: false }, { name: 'mnasnet1_0', isChosen: false }, { name: 'resnet18', isChosen: false },
  { name: 'lenet5', isChosen: false },
];
const MEASURE_MS = 1200;
const LIMIT_MS = 90_000;

interface Job {
  readonly name: string;
  readonly int8: boolean;
  readonly threads: number;
}

export class BenchmarkTab {
  readonly #panel: HTMLElement;
  readonly #line = new WorkerLine();
  readonly #surroundings: Surroundings;
  #results: Measured[] = [];
  /** Counts starts and stops. */
  #turn = 0;

  constructor(panel: HTMLElement, surroundings: Surroundings, maxThreads: number) {
    this.#panel = panel;
    this.#surroundings = surroundings;
    this.#fillChoices(maxThreads);
    find(panel, '[data-form]', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#run(this.#jobs());
    });
    find(panel, '[data-cancel]', HTMLButtonElement).addEventListener('click', () => { this.#stop('Stopped'); });
    this.#copies('[data-copy-text]', () => resultText(this.#results, this.#surroundings));
    this.#copies('[data-copy-json]', () => resultJson(this.#results, this.#surroundings));
    new ResizeObserver(() => { this.#drawChart(); }).observe(find(panel, '[data-chart]', HTMLElement));
  }

  #fillChoices(maxThreads: number): void {
    const box = (name: string, value: string, text: string, isChosen: boolean): HTMLElement => {
      const input = make('input', { type: 'checkbox', name, value });
      input.checked = isChosen;
      return make('label', {}, input, make('span', {}, text));
    };
    find(this.#panel, '[data-networks]', HTMLElement).append(...choices.map(({ name, isChosen }) => box('network', name, name, isChosen)));
    find(this.#panel, '[data-types]', HTMLElement).append(box('type', 'float32', 'float32', true), box('type', 'int8', 'int8', true));
    const counts = [...new Set([1, 2, 4, 8, maxThreads])].filter((count) => count <= maxThreads).sort((a, b) => a - b);
    find(this.#panel, '[data-threads]', HTMLElement).append(...counts.map((count) => box('threads', String(count), String(count), true)));
    const note = find(this.#panel, '[data-threads-note]', HTMLElement);
    note.hidden = maxThreads > 1;
    note.textContent = this.#surroundings.isolated ? 'This device has one core.' : 'One thread: the server of this page does not isolate it (COOP and COEP headers).';
  }

  #jobs(): Job[] {
    const chosen = (name: string): string[] => [...this.#panel.querySelectorAll<HTMLInputElement>(`input[name=${name}]:checked`)].map(({ value }) => value);
    return chosen('network').flatMap((name) => chosen('type').flatMap((type) => chosen('threads').map((threads) => (
      { name, int8: type === 'int8', threads: Number(threads) }))));
  }

  async #run(jobs: readonly Job[]): Promise<void> {
    const turn = ++this.#turn;
    this.#results = [];
    showTrouble(find(this.#panel, '[data-trouble]', HTMLElement), null);
    if (jobs.length === 0) {
      this.#stop('Choose at least one of each');
      return;
    }
    this.#setRunning(true);
    this.#show();
    for (const [i, job] of jobs.entries()) {
      say(find(this.#panel, '[data-headline]', HTMLElement), `${i + 1} of ${jobs.length}: ${titleOf(job)}`);
      find(this.#panel, '[data-progress]', HTMLProgressElement).value = i / jobs.length;
      try {
        const timing = await this.#line.ask('time', { ...job, forMs: MEASURE_MS }, LIMIT_MS);
        if (turn !== this.#turn) return;
        this.#results.push({ ...job, ...timing });
        this.#show();
      } catch (error) {
        if (turn !== this.#turn) return;
        showTrouble(find(this.#panel, '[data-trouble]', HTMLElement), troubleOf(error));
        this.#stop(`${titleOf(job)} could not be measured`);
        return;
      }
    }
    this.#stop(jobs.length === 1 ? 'Done: 1 result' : `Done: ${jobs.length} results`);
  }

  #stop(headline: string): void {
    this.#turn++;
    this.#line.end(); // its memory too: nothing of a benchmark stays
    this.#setRunning(false);
    say(find(this.#panel, '[data-headline]', HTMLElement), headline);
  }

  #setRunning(isRunning: boolean): void {
    const start = find(this.#panel, '[data-start]', HTMLButtonElement), cancel = find(this.#panel, '[data-cancel]', HTMLButtonElement);
    const hadFocus = [start, cancel].some((button) => button === document.activeElement);
    start.hidden = isRunning;
    cancel.hidden = !isRunning;
    find(this.#panel, '[data-progress]', HTMLElement).hidden = !isRunning;
    for (const set of this.#panel.querySelectorAll('fieldset')) set.disabled = isRunning;
    if (hadFocus) (isRunning ? cancel : start).focus();
  }

  #show(): void {
    const isEmpty = this.#results.length === 0;
    const table = find(this.#panel, '[data-table]', HTMLElement);
    table.hidden = isEmpty;
    table.replaceChildren(...(isEmpty ? [] : [tableOf(resultColumns(this.#results), 'Milliseconds of one inference')]));
    find(this.#panel, '[data-copying]', HTMLElement).hidden = isEmpty;
    say(find(this.#panel, '[data-copied]', HTMLElement), '');
    this.#drawChart();
  }

  #drawChart(): void {
    const place = find(this.#panel, '[data-chart]', HTMLElement);
    place.replaceChildren(...(this.#results.length > 0 && place.clientWidth > 0 ? [benchmarkChart(this.#results, place.clientWidth)] : []));
  }

  #copies(selector: string, text: () => string): void {
    const copied = find(this.#panel, '[data-copied]', HTMLElement);
    find(this.#panel, selector, HTMLButtonElement).addEventListener('click', () => {
      navigator.clipboard.writeText(text()).then(() => { say(copied, 'Copied'); }, () => { say(copied, 'The browser does not let this page copy'); });
    });
  }
}

function titleOf({ name, int8, threads }: Job): string {
  return `${name} ${int8 ? 'int8' : 'float32'}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
