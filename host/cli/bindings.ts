// `--input KEY=FILE` and `--output KEY=FILE`. In: words and the model's inputs or outputs. Out: which file belongs to which index.
// Must not read files.

import { KingletError, quote } from '../error.ts';
import type { IoInfo } from '../model.ts';

/** Maps index → file. A key is an index or a name; names may hold "=", so every "=" is tried as the divider. */
export function bind(option: '--input' | '--output', words: readonly string[], infos: readonly IoInfo[]): Map<number, string> {
  const bound = new Map<number, string>();
  for (const word of words) {
    const { index, file } = resolve(option, word, infos);
    if (bound.has(index)) throw new KingletError('ERR_USAGE', `${option} ${index} is given twice`);
    bound.set(index, file);
  }
  return bound;
}

function resolve(option: string, word: string, infos: readonly IoInfo[]): { index: number; file: string } {
  for (let at = word.indexOf('='); at > 0; at = word.indexOf('=', at + 1)) {
    const key = word.slice(0, at), file = word.slice(at + 1);
    const named = infos.findIndex((info) => info.name === key);
    const index = /^\d{1,6}$/.test(key) && Number(key) < infos.length ? Number(key) : named;
    if (index >= 0 && file !== '') return { index, file };
  }
  const known = infos.map((info, i) => `${i} (${quote(info.name)})`).join(', ');
  throw new KingletError('ERR_USAGE', `${option} ${quote(word)} does not read KEY=FILE with a KEY the model has: ${known}`);
}
