// Runs every compiled test. In: build/tests/**/*.test.js; KINGLET_NODES (further node binaries, separated as in PATH);
// KINGLET_STRICT=1 turns skipped tests into a failure; arguments keep only the files whose path holds one of them.
// Out: node:test's report, then per engine one line for each skipped test and one line of counts.
// Files are listed here because no glob works on every Node, and because "no test ran" must fail.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join('build', 'tests');
const tapFile = join('build', 'tests.tap');
const compiled = (existsSync(root) ? readdirSync(root, { recursive: true }) : []).map((f) => join(root, f)).filter((f) => f.endsWith('.test.js'));
// tsc never deletes: a compiled test whose source is gone is not a test.
const tests = compiled.filter((f) => existsSync(f.replace(/^build./, '').replace(/\.js$/, '.ts'))).sort();
const wanted = process.argv.slice(2);
const files = wanted.length === 0 ? tests : tests.filter((f) => wanted.some((w) => f.includes(w)));
/** What depends on the engine and is repeated on the other ones; the rest of the host is plain arithmetic. */
const engineDependent = files.filter((f) => /^build.tests.(kernels|models|executor|backends|api|cli)\b/.test(f));

let failed = run(process.execPath, files);
for (const node of (process.env.KINGLET_NODES ?? '').split(delimiter).filter(Boolean)) {
  failed = run(node, engineDependent) || failed;
}
process.exit(failed ? 1 : 0);

/** Runs the files on one engine and prints the counts; true when it failed. */
function run(node, list) {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? `missing (${node})`;
  if (list.length === 0) {
    console.error(`node ${version}: no test file found; run "npm run build" first`);
    return true;
  }
  console.log(`\nnode ${version}: ${list.length} test files`);
  mkdirSync('build', { recursive: true });
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout', '--test-reporter=tap', `--test-reporter-destination=${tapFile}`];
  const { status } = spawnSync(node, ['--enable-source-maps', '--test', ...reporters, ...list], {
    stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '' },
  });
  const tap = existsSync(tapFile) ? readFileSync(tapFile, 'utf8') : '';
  const count = (what) => Number(new RegExp(`^# ${what} ([\\d.]+)$`, 'm').exec(tap)?.[1] ?? 0);
  const skipped = [...tap.matchAll(/^\s*ok \d+ - (.*?) # SKIP ?(.*)$/gm)];
  for (const [, name, why] of skipped) console.log(`skipped: ${name}${why ? ` (${why})` : ''}`);
  const seconds = (count('duration_ms') / 1000).toFixed(1);
  console.log(`node ${version}: ${count('pass')} passed, ${count('fail') + count('cancelled')} failed, ${skipped.length} SKIPPED in ${seconds} s`);
  if (count('pass') === 0) console.error('no test ran');
  const strict = process.env.KINGLET_STRICT === '1' && skipped.length > 0;
  if (strict) console.error('tests were skipped where none may be');
  return status !== 0 || count('pass') === 0 || strict;
}
