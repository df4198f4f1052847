// The table of engines in docs/wasi.md, as far as it does not speak of time: engines and versions are those that tests install, builds those
// that run in them, every golden is counted, and the dot product is what each engine does on the machine that the table names.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { goldens, skipWithoutShared } from '../shared.ts';
import { engines, programOf, root, runIn, type Build, type Engine } from './engines.ts';

interface Row { readonly engine: string; readonly build: string; readonly dot: string; readonly goldens: string }

const docs = readFileSync(join(root, 'docs/wasi.md'), 'utf8'), table = /<!-- engines[^\n]*-->\n([\s\S]*?)<!-- \/engines -->/.exec(docs)?.[1] ?? '';
const rows: Row[] = [...table.matchAll(/^\| (\w+ [^|]*) \| (\w+) \| (\w+) \| ([^|]*) \|/gm)].map(([, engine, build, dot, found]) => ({ engine, build, dot, goldens: found }));
const isTheMachine = table.includes(`${cpus().length}-core ${cpus()[0].model}`);

/** Node's patches come and go; other engines are pinned. */
function release(engine: string): string { return engine.replace(/^(node v\d+)\..*/, '$1'); }
function rowOf(engine: Engine, build: Build): Row {
  const row = rows.find((one) => release(one.engine) === release(engine.name) && one.build === build);
  assert.ok(row, `${engine.name} with ${build} is not in the table: node scripts/wasi-table.mjs`);
  return row;
}

describe('the table of engines', () => {
  it('names the versions that are installed for tests, and no engine twice', () => {
    const pins = [readFileSync(join(root, '.ci/run'), 'utf8').matchAll(/(wasmtime)==([\d.]+)/g), readFileSync(join(root, 'tests/wasi/wazero/go.mod'), 'utf8').matchAll(/(wazero) v([\d.]+)/g)].flatMap((found) => [...found]).map(([, name, version]) => `${name} ${version}`);
    const named = new Set(rows.map(({ engine }) => engine));
    assert.deepEqual([...named].filter((name) => !name.startsWith('node ')), pins);
    assert.equal(new Set(rows.map(({ engine, build }) => `${release(engine)} ${build}`)).size, rows.length);
  });
  it('counts every golden', { skip: skipWithoutShared }, () => {
    const cases = goldens().reduce((sum, golden) => sum + golden.cases.length, 0);
    for (const row of rows) assert.equal(row.goldens, `${cases} of ${cases} equal${row.build === 'simd' ? '' : ' / within tolerance'}`, row.engine);
  });
  for (const engine of engines) {
    it(`knows ${engine.name}, its builds and dot products${isTheMachine ? '' : ' (another machine: only their names)'}`, { skip: engine.skip }, () => {
      assert.deepEqual(rows.filter((row) => release(row.engine) === release(engine.name)).map(({ build }) => build), engine.builds);
      for (const build of engine.builds) {
        const { code, out, err } = runIn(engine, programOf(build), ['version'], { folder: root });
        assert.equal(code, 0, err);
        const dot = /, dot (\w+)\n$/.exec(out.toString())?.[1];
        if (build === 'simd') assert.deepEqual([rowOf(engine, build).dot, dot], ['i16', 'i16']);
        else if (isTheMachine) assert.equal(rowOf(engine, build).dot, dot);
        else assert.ok(dot === 'i16' || dot === 'u8s8' || dot === 's8s8');
      }
    });
  }
});
