// What the command prints. In: names and numbers, some of them from hostile files. Out: text that cannot steer a terminal.
// Results go to stdout, notices to stderr. Must not know models.

import { UNSAFE_CHARACTERS, printable } from '../plain-text.ts';

export { printable } from '../plain-text.ts';

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One object on one line. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value).replace(UNSAFE_CHARACTERS, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

export function notice(line: string): void {
  process.stderr.write(`kinglet: ${line}\n`);
}

/** What is happening now: one line that rewrites itself where somebody watches, a line each in a log. '' clears it. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${printable(text, process.stderr.columns - 1)}`);
  else if (text !== '') notice(printable(text, 200));
}

/** Rows as aligned columns. Columns whose name ends in ">" are numbers: aligned right. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const names = head.map((name) => name.replace(/>$/, ''));
  const widths = names.map((name, i) => rows.reduce((most, row) => Math.max(most, row[i].length), name.length));
  for (const row of [names, ...rows]) {
    const cells = row.map((cell, i) => (head[i].endsWith('>') ? cell.padStart(widths[i]) : cell.padEnd(widths[i])));
    print(cells.join('  ').trimEnd());
  }
}

/** 12345678 → "12,345,678". */
export function grouped(value: number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
