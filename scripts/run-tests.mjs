// Runs every compiled test. In: build/tests/**/*.test.js, and what the environment names:
//   KINGLET_NODES    further node binaries, separated as in PATH; the tests that depend on the engine are repeated there
//   KINGLET_ARM64    an arm64 node binary, run under qemu-aarch64 with and without the processor's dot product
//   KINGLET_STRICT=1 turns whatever was skipped into a failure
// Arguments keep only the files whose path holds one of them.
// Out: node:test's reports, one line for each thing skipped, and a last line of counts.
// Files are listed here because no glob works on every Node, and because "no test ran" must fail.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';

const root = join('build', 'tests');
const compiled = (existsSync(root) ? readdirSync(root, { recursive: true }) : []).map((f) => join(root, f)).filter((f) => f.endsWith('.test.js'));
// tsc never deletes: a compiled test whose source is gone is not a test.
const tests = compiled.filter((f) => existsSync(f.replace(/^build./, '').replace(/\.js$/, '.ts'))).sort();
const wanted = process.argv.slice(2);
const files = wanted.length === 0 ? tests : tests.filter((f) => wanted.some((w) => f.includes(w)));
const matching = (pattern) => files.filter((f) => pattern.test(f));
/** What depends on the engine and is repeated on the other ones; the rest of the host is plain arithmetic. */
const engineDependent = matching(/^build.tests.(kernels|models|api|conformance|threads.team|zoo.(classic|published|quantize))\b/);
/** Emulation is slow: the kernels that multiply, and every golden with the relaxed build. */
const multiplying = matching(/^build.tests.kernels.(conv|dot-mode|dwconv|executor|matmul)\b/);
const goldens = matching(/^build.tests.models.goldens\b/);
const emulated = [
  { cpu: 'max', about: 'with dot product', list: multiplying, goldens: '/golden answers with relaxed/', dot: 's8s8' },
  { cpu: 'cortex-a53', about: 'without dot product', list: matching(/^build.tests.kernels.(conv|dot-mode)\b/), goldens: '/(int8|quant|qdq|kws|person).*golden answers with relaxed/', dot: 's8s8' },
];

let runs = 0;
const total = { passed: 0, failed: 0, skipped: 0 };
const binaries = (process.env.KINGLET_NODES ?? '').split(delimiter).filter(Boolean);

await runHere(process.execPath, files);
for (const node of binaries) await runHere(node, engineDependent);
if (binaries.length === 0) skip('the same tests on other engines', 'KINGLET_NODES is not set');
await runEmulated(process.env.KINGLET_ARM64);
checkSpills([process.execPath, ...binaries].find((node) => versionOf(node).startsWith('v24.')));

const strict = process.env.KINGLET_STRICT === '1' && total.skipped > 0;
if (strict) console.log('failed: something was skipped where nothing may be');
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || strict ? 1 : 0);

function versionOf(node) {
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() || `missing (${node})`;
}

function skip(what, why) {
  console.log(`skipped: ${what} (${why})`);
  total.skipped++;
}

/** All files in processes of their own, as many at a time as there are cores. */
async function runHere(node, list) {
  const name = `node ${versionOf(node)}`;
  console.log(`\n${name}: ${list.length} test files`);
  const command = [node, '--enable-source-maps', '--test', `--test-concurrency=${availableParallelism()}`];
  count(name, list.length === 0 ? null : await runNode(command, list));
}

/** Both kinds of processor beside each other; every one in a single process, because qemu-user starts no children by itself. */
async function runEmulated(node) {
  if (process.arch === 'arm64') return;
  if (!node) { skip('arm64 under emulation', 'KINGLET_ARM64 is not set'); return; }
  await Promise.all(emulated.map(async ({ cpu, about, list, goldens: pattern, dot }) => {
    const name = `node arm64, ${cpu} (${about})`;
    console.log(`\n${name}: ${list.length + goldens.length} test files`);
    const command = ['qemu-aarch64', '-cpu', cpu, '-L', '/usr/aarch64-linux-gnu', node, '--test', '--test-isolation=none'];
    const expected = { KINGLET_EXPECT_DOT: dot };
    if (list.length > 0) count(`${name}, kernels`, await runNode(command, list, expected));
    if (goldens.length > 0) count(`${name}, goldens`, await runNode([...command, `--test-name-pattern=${pattern}`], goldens));
  }));
}

/** V8 24's machine code of the hot loops, see scripts/check-spills.mjs. */
function checkSpills(node) {
  if (!node || process.arch !== 'x64') { skip('spills in hot loops', 'needs Node 24 on x64, here or in KINGLET_NODES'); return; }
  console.log('\nspills in hot loops');
  const { status } = spawnSync(process.execPath, ['scripts/check-spills.mjs', node], { stdio: 'inherit' });
  total[status === 0 ? 'passed' : 'failed']++;
}

/** Runs node:test; resolves to its exit status and its report in TAP. */
async function runNode([program, ...args], list, environment = {}) {
  mkdirSync('build', { recursive: true });
  const tapFile = join('build', `tests-${runs++}.tap`);
  rmSync(tapFile, { force: true });
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout', '--test-reporter=tap', `--test-reporter-destination=${tapFile}`];
  const status = await new Promise((resolve) => {
    const child = spawn(program, [...args, ...reporters, ...list], { stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '', ...environment } });
    child.on('error', (error) => { console.log(`${program}: ${error.message}`); resolve(-1); });
    child.on('exit', (code) => { resolve(code ?? -1); });
  });
  return { status, tap: existsSync(tapFile) ? readFileSync(tapFile, 'utf8') : '' };
}

/** Adds a run to the totals: its skipped tests by name, its counts on one line. A run without a passed test has failed. */
function count(name, run) {
  const read = (what) => Number(new RegExp(`^# ${what} ([\\d.]+)$`, 'm').exec(run?.tap ?? '')?.[1] ?? 0);
  const passed = read('pass');
  const bad = read('fail') + read('cancelled');
  const failed = bad === 0 && (passed === 0 || run?.status !== 0) ? 1 : bad;
  const skipped = [...(run?.tap ?? '').matchAll(/^\s*ok \d+ - (.*?) # SKIP ?(.*)$/gm)];
  for (const [, test, why] of skipped) skip(test, why || 'no reason given');
  total.passed += passed;
  total.failed += failed;
  console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped.length} skipped in ${(read('duration_ms') / 1000).toFixed(1)} s`);
  if (passed === 0) console.log(`${name}: no test ran to its end; run "npm run build" first`);
}
