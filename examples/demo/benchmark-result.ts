// Times as a table, as text and as JSON. In: what was measured, and where. Out: text for people and for programs. Must not measure.

import type { Cells } from './elements.ts';
import type { Timing } from './calls.ts';

export interface Measured extends Timing {
  readonly name: string;
  readonly int8: boolean;
  readonly threads: number;
}
export interface Surroundings {
  readonly kinglet: string;
  readonly userAgent: string;
  /** Logical processors, as the browser tells. */
  readonly cores: number;
  /** Threads need an isolated page. */
  readonly isolated: boolean;
}

const numbers = ({ int8 }: Measured): string => (int8 ? 'int8' : 'float32');
/** Two per multiply-accumulate. */
const gigaOperations = ({ stats, medianMs }: Measured): string => (medianMs > 0 ? ((2 * stats.macs) / (medianMs * 1e6)).toFixed(1) : '');

export function resultColumns(results: readonly Measured[]): Cells[] {
  const column = (title: string, numeric: boolean, of: (result: Measured) => string): Cells => ({ title, numeric, cells: results.map(of) });
  return [
    column('network', false, ({ name }) => name),
    column('type', false, numbers),
    column('threads', true, ({ threads }) => String(threads)),
    column('median ms', true, ({ medianMs }) => milliseconds(medianMs)),
    column('fastest ms', true, ({ fastestMs }) => milliseconds(fastestMs)),
    column('GOPS', true, gigaOperations),
    column('runs', true, ({ runs }) => String(runs)),
  ];
}

export function milliseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

export function resultText(results: readonly Measured[], { kinglet, userAgent, cores, isolated }: Surroundings): string {
  const columns = resultColumns(results);
  const rows = [columns.map(({ title }) => title), ...results.map((_, row) => columns.map(({ cells }) => cells[row]))];
  const widths = columns.map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  const lines = rows.map((row) => row.map((cell, c) => (columns[c].numeric ? cell.padStart(widths[c]) : cell.padEnd(widths[c]))).join('  ').trimEnd());
  return [`kinglet ${kinglet}, kernels ${kernelsOf(results)}, ${cores} cores, ${isolated ? 'isolated' : 'not isolated'}`, userAgent, '', ...lines, ''].join('\n');
}

export function resultJson(results: readonly Measured[], surroundings: Surroundings): string {
  return JSON.stringify({
    ...surroundings,
    results: results.map(({ name, int8, threads, medianMs, fastestMs, runs, stats }) => (
      { network: name, numbers: int8 ? 'int8' : 'float32', threads, medianMs, fastestMs, runs, macs: stats.macs, kernels: stats.kernels, dot: stats.dot })),
  }, null, 2);
}

function kernelsOf(results: readonly Measured[]): string {
  return [...new Set(results.map(({ stats }) => stats.kernels))].join(' and ');
}
