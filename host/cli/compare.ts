// `kinglet compare`: several models side by side: parameters, multiply-adds, latency as `kinglet bench` takes it, throughput.
// In: models and counts. Out: a table, or one JSON object a line, and on request a page with the chart. Must not know how charts look.

import { chartHtml } from '../inspect/chart-html.ts';
import type { Contender } from '../inspect/chart-svg.ts';
import type { Study } from '../inspect/study.ts';
import type { Model } from '../model.ts';
import { aboutFile, writeWhole } from './files.ts';
import { titleOf, withStudy, type ModelWords } from './study.ts';
import { grouped, notice, print, printJson, printTable, printable, progress } from './text.ts';
import { fillWithNoise, gigaOps, percentile, timeRuns, warmUp } from './timing.ts';

export interface CompareOptions extends ModelWords {
  readonly runs: number;
  /** Absent: until the model is warm. */
  readonly warmup?: number;
  readonly html?: string;
  readonly json?: true;
}
interface Row extends Contender {
  readonly p90Ms: number;
  readonly minMs: number;
  readonly kernels: string;
}

export async function compareCommand(sources: readonly string[], options: CompareOptions): Promise<void> {
  const rows: Row[] = [];
  for (const source of sources) {
    try {
      progress(`${source}: loading`);
      rows.push(await withStudy(source, options, (model, study) => rowOf(source, model, study, options)));
    } catch (error) {
      throw aboutFile(source, error);
    } finally {
      progress('');
    }
  }
  if (options.json) for (const row of rows) printJson(record(row));
  else printRows(rows);
  if (options.html === undefined) return;
  const conditions = `Median of ${grouped(options.runs)} runs after warm-up, one thread, ${rows[0].kernels} kernels, Node ${process.versions.node}, ${process.arch}.`;
  await writeWhole(options.html, new TextEncoder().encode(chartHtml(rows, conditions)));
  notice(`wrote ${printable(options.html, 200)}`);
}

/** A plan's parameters are its constants. */
async function rowOf(source: string, model: Model, study: Study | null, options: CompareOptions): Promise<Row> {
  fillWithNoise(model);
  progress(`${source}: warming up`);
  await warmUp(model, options.warmup);
  progress(`${source}: ${options.runs} runs`);
  const sorted = await timeRuns(model, options.runs);
  return {
    name: titleOf(source),
    parameters: study?.overview.totals.parameters ?? model.stats.params, macs: study?.overview.totals.macs ?? model.stats.macs,
    p50Ms: percentile(sorted, 0.5), p90Ms: percentile(sorted, 0.9), minMs: sorted[0], kernels: model.stats.kernels,
  };
}

function record({ name, kernels, parameters, macs, p50Ms, p90Ms, minMs }: Row): object {
  return { type: 'compare', model: name, kernels, parameters, macs, p50Ms, p90Ms, minMs, perSecond: 1e3 / p50Ms, gmacs: gigaOps(macs, p50Ms) / 2 };
}

function printRows(rows: readonly Row[]): void {
  printTable(['model', 'parameters M>', 'MACs M>', 'p50 ms>', 'p90 ms>', 'per second>', 'GMAC/s>'], rows.map((row) => [
    printable(row.name), (row.parameters / 1e6).toFixed(2), (row.macs / 1e6).toFixed(1), row.p50Ms.toFixed(3), row.p90Ms.toFixed(3),
    (1e3 / row.p50Ms).toFixed(1), (gigaOps(row.macs, row.p50Ms) / 2).toFixed(1),
  ]));
  print(`${rows[0].kernels} kernels, 1 thread`);
}
