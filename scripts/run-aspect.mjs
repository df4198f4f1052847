// Runs the AssemblyScript specs. The `asp` command exits 0 when its child dies or when it finds no spec, so its test runner
// is started directly and the count in its summary is checked: all specs passed, and there was at least one.
import { spawnSync } from 'node:child_process';

const runner = 'node_modules/@as-pect/cli/lib/test.js';
const { status, signal, stdout, stderr } = spawnSync(process.execPath, [runner, '-n', '--summary'], { encoding: 'utf8', maxBuffer: 1 << 28 });
process.stdout.write(stdout);
process.stderr.write(stderr);
// eslint-disable-next-line no-control-regex -- as-pect colours its summary
const plain = stdout.replace(/\u001b\[[0-9;]*m/g, '');
const counts = [...plain.matchAll(/\[Tests\]:\s*(\d+)\s*\/\s*(\d+)/g)].map(([, passed, all]) => [Number(passed), Number(all)]);
const ran = counts.reduce((sum, [, all]) => sum + all, 0);
const ok = status === 0 && signal === null && ran > 0 && counts.every(([passed, all]) => passed === all);
console.log(ok ? `${ran} specs passed` : `failed: status ${status}, signal ${signal}, ${ran} specs ran`);
process.exit(ok ? 0 : 1);
