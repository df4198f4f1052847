// What the relaxed dot product does here: the probe's answer against what this engine and processor are known to do, and the one
// case where signed dot products differ between compilers, two neighbouring products of (-128)*(-128).
// KINGLET_EXPECT_DOT=i16|u8s8|s8s8 overrides the expectation (emulated processors).

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, platform } from 'node:process';
import { test } from 'node:test';
import * as abi from '../../assembly/abi.ts';
import { dotName, getEngine } from '../../host/backends/engine.ts';
import { convWords, place, requantised, type Shape } from './conv-problem.ts';
import { machines, runOne, type Problem, type Word } from './machine.ts';

const major = Number(process.versions.node.split('.')[0]);

/** V8 12.4 (Node 22) multiplies bytes with pmaddubsw on every x64; V8 13.6 (Node 24) uses AVX-VNNI, and sdot on arm64. */
function expectedDot(): string | null {
  const told = process.env.KINGLET_EXPECT_DOT;
  if (told) return told;
  if (major < 22) return 'i16';
  if (arch === 'arm64') return 's8s8';
  if (arch !== 'x64' || platform !== 'linux') return null;
  if (major < 24) return 'i16';
  const flags = readFileSync('/proc/cpuinfo', 'utf8');
  return /\bavx_vnni_int8\b/.test(flags) ? 's8s8' : /\bavx_vnni\b/.test(flags) ? 'u8s8' : 'i16';
}

test('the probe finds what this processor does', async (t) => {
  const engine = await getEngine();
  t.diagnostic(`${process.version} ${arch}: ${engine.kernels}, dot mode ${dotName(engine.dotMode)}`);
  assert.equal(engine.kernels, major < 22 ? 'simd128' : 'relaxed');
  const expected = expectedDot();
  if (expected === null) t.diagnostic('nothing is known about this platform');
  else assert.equal(dotName(engine.dotMode), expected);
});

const K = 8;
const COLUMNS = 8;

/** A 1x1 convolution of nothing but -128, stored as int32. */
function lowestConv(): { problem: Problem; arena: Uint8Array; dstAt: number } {
  const shape: Shape = {
    batch: 1, ih: 1, iw: 7, ic: K, oh: 1, ow: 7, oc: COLUMNS, groups: 1, kh: 1, kw: 1, sh: 1, sw: 1, dh: 1, dw: 1, pt: 0, pl: 0,
    srcBatch: 7 * K, srcRow: 7 * K, srcPixel: K, srcChannel: 1, dstBatch: 7 * COLUMNS, dstPixel: COLUMNS, dstChannel: 1, direct: 1, blockRows: 12,
  };
  const scratchBytes = 12 * K * 2 + 12 * 4 + 512;
  const at = place(shape, 1, 4, scratchBytes);
  const words = convWords(shape, at, scratchBytes).set(abi.CONV_MIN, -128).set(abi.CONV_MAX, 127).set(abi.CONV_SRC_ZERO, 0)
    .set(abi.CONV_DST_ZERO, 0).set(abi.CONV_WEIGHT_ZERO, 0).set(abi.CONV_OUT_I32, 1);
  const weights = new Uint8Array(abi.QS8_PANEL_HEAD + K * COLUMNS).fill(0x80, abi.QS8_PANEL_HEAD);
  new Int32Array(weights.buffer).fill(-128 * K, 8, 16); // column sums
  const arena = new Uint8Array(at.arenaBytes).fill(0x80, at.srcAt, at.srcAt + 7 * K);
  return { problem: { opcode: abi.QS8_CONV, stepBytes: abi.CONV_STEP_BYTES, words, weights, arenaBytes: at.arenaBytes }, arena, dstAt: at.dstAt };
}

/** A depthwise 3x3 of nothing but -128 without padding: one row of four outputs, eight channels. */
function lowestDwconv(): { problem: Problem; arena: Uint8Array; dstAt: number } {
  const srcAt = 64, dstAt = 64 + 3 * 6 * 8 + 64;
  const words = new Map<number, Word>([
    [abi.DW_SRC, (p) => p.arena + srcAt], [abi.DW_DST, (p) => p.arena + dstAt], [abi.DW_WEIGHTS, (p) => p.weights],
    [abi.DW_BATCH, 1], [abi.DW_IH, 3], [abi.DW_IW, 6], [abi.DW_C, 8], [abi.DW_OH, 1], [abi.DW_OW, 4], [abi.DW_KH, 3], [abi.DW_KW, 3],
    [abi.DW_SH, 1], [abi.DW_SW, 1], [abi.DW_DH, 1], [abi.DW_DW, 1], [abi.DW_PT, 0], [abi.DW_PL, 0],
    [abi.DW_SRC_BATCH, 144], [abi.DW_SRC_ROW, 48], [abi.DW_SRC_PIXEL, 8], [abi.DW_DST_BATCH, 32], [abi.DW_DST_ROW, 32],
    [abi.DW_DST_PIXEL, 8], [abi.DW_MIN, -128], [abi.DW_MAX, 127], [abi.DW_SRC_ZERO, 0], [abi.DW_DST_ZERO, 0],
  ]);
  const weights = new Uint8Array(64 + 5 * 32);
  new Float32Array(weights.buffer).fill(SCALE, 8, 16);
  const taps = new Int16Array(weights.buffer, 64);
  taps.fill(-128);
  for (let c = 0; c < 8; c++) taps[4 * 16 + 2 * c + 1] = 0; // the tenth tap
  const arenaBytes = dstAt + 32 + 64;
  const arena = new Uint8Array(arenaBytes).fill(0x80, srcAt, srcAt + 144);
  return { problem: { opcode: abi.QS8_DWCONV, stepBytes: abi.DW_STEP_BYTES, words, weights, arenaBytes }, arena, dstAt };
}
const SCALE = 2 ** -11;

for (const machine of machines) {
  for (const mode of machine.modes) {
    test(`${machine.name}, mode ${dotName(mode)}: neighbouring products of (-128)*(-128) are exact`, () => {
      machine.executor.setDotMode(mode);
      const conv = lowestConv();
      const sums = new Int32Array(runOne(machine, conv.problem, conv.arena).slice(conv.dstAt).buffer);
      assert.deepEqual(sums, new Int32Array(7 * COLUMNS).fill(K * 128 * 128));
      machine.executor.setDotMode(mode);
      const dwconv = lowestDwconv();
      const bytes = runOne(machine, dwconv.problem, dwconv.arena).slice(dwconv.dstAt, dwconv.dstAt + 32);
      assert.deepEqual(new Int8Array(bytes.buffer), new Int8Array(32).fill(requantised(9 * 128 * 128, SCALE, 0, -128, 127)));
    });
  }
}

if (major === 20) {
  // V8 11.3 has relaxed SIMD behind a flag, and its baseline compiler computes even legal products wrongly.
  test('Node 20 with relaxed SIMD switched on falls back to simd128 and says so once', () => {
    const engine = new URL('../../host/backends/engine.js', import.meta.url).href;
    const script = `const { getEngine } = await import('${engine}');
      const notices = [];
      const kernels = [];
      for (let i = 0; i < 3; i++) kernels.push((await getEngine({ onNotice: (text) => notices.push(text) })).kernels);
      console.log(JSON.stringify({ kernels, notices }));`;
    const flags = ['--experimental-wasm-relaxed-simd', '--input-type=module', '--eval', script];
    const { stdout, stderr, status } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const { kernels, notices } = JSON.parse(stdout) as { kernels: string[]; notices: string[] };
    assert.deepEqual(kernels, ['simd128', 'simd128', 'simd128']);
    assert.equal(notices.length, 1);
    assert.match(notices[0] ?? '', /simd128/);
  });
}
