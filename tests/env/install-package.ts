// The packed package installed in a folder, as a stranger does it. No network: npm installs the tarball and, from this checkout, the
// packages that it depends on. In: an empty folder. Out: a folder with node_modules.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { read, root } from '../repo/files.ts';

export interface Ended { readonly code: number | null; readonly out: string; readonly err: string }

export function executeIn(cwd: string, program: string, words: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(program, words, { cwd, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });
  return { code: status, out: stdout, err: stderr };
}

export function succeedIn(cwd: string, program: string, words: readonly string[]): string {
  const { code, out, err } = executeIn(cwd, program, words);
  assert.equal(code, 0, `${program} ${words.join(' ')}: ${err}`);
  return out;
}

interface Lock { readonly packages: Record<string, { readonly dependencies?: Record<string, string> } | undefined> }

/** Everything that the package needs at run time, also indirectly. */
function runtimePackages(): string[] {
  const { packages } = JSON.parse(read('package-lock.json')) as Lock;
  const found = new Set<string>();
  const visit = (key: string): void => {
    for (const name of Object.keys(packages[key]?.dependencies ?? {})) {
      if (found.has(name)) continue;
      found.add(name);
      visit(`node_modules/${name}`);
    }
  };
  visit('');
  return [...found];
}

export function installPackage(folder: string): void {
  succeedIn(root, 'npm', ['pack', '--ignore-scripts', '--pack-destination', folder]);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  assert.ok(tarball);
  const dependencies = Object.fromEntries(runtimePackages().map((name) => [name, `file:${join(root, 'node_modules', name)}`]));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies: { ...dependencies, kinglet: `file:${tarball}` } }));
  succeedIn(folder, 'npm', ['install', '--offline', '--install-links', '--ignore-scripts', '--no-audit', '--no-fund']);
}
