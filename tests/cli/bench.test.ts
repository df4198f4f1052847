// `kinglet bench`: the arithmetic of its numbers, and that lines for people and objects for machines hold together.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { kernelTotals } from '../../host/cli/bench.ts';
import { gigaOps, noise, percentile, speedText } from '../../host/cli/timing.ts';
import { blazeface, kinglet, scratch } from './command.ts';

type Row = Readonly<Record<string, unknown>>;
const place = scratch();

function near(a: unknown, b: number, share = 1e-4): void {
  assert.ok(Math.abs(Number(a) - b) <= share * Math.abs(b), `${String(a)} instead of ${b}`);
}

test('percentiles are times that happened', () => {
  const ten = Float64Array.from({ length: 10 }, (_, i) => i + 1);
  assert.deepEqual([0.5, 0.9, 0.99, 1].map((share) => percentile(ten, share)), [5, 9, 10, 10]);
  assert.deepEqual([0.5, 0.99].map((share) => percentile(Float64Array.of(7), share)), [7, 7]);
  assert.equal(gigaOps(3e6, 2), 3);
  assert.equal(gigaOps(1, 0), 0);
});

test('a share above the peak is called what it is', () => {
  assert.equal(speedText(30, { gflops: 60, kind: 'float32' }), '30.00 GFLOPS, 50.0 % of the register-only peak of 60.00');
  assert.equal(speedText(90, { gflops: 60, kind: 'float32' }, true), '90.00 GFLOPS, 150.0 % of the register-only peak of 60.00 (counting what Winograd saves)');
  assert.match(speedText(90, { gflops: 60, kind: 'int8' }), /^90\.00 GOPS int8, 150\.0 % .* \(no true peak: /);
});

test('noise is the same every time, in the dtype of the input', () => {
  const info = { name: 'x', dtype: 'float32', shape: [2, 50], layout: null, quantization: null } as const;
  const x = noise(info);
  assert.deepEqual(noise(info), x);
  assert.ok(x.length === 100 && new Set(x as Float32Array).size > 90 && (x as Float32Array).every((v) => v >= -1 && v < 1));
  assert.ok(new Set(noise({ ...info, dtype: 'int8' }) as Int8Array).size > 60);
});

test('layers add up by kernel, the dearest first', () => {
  const totals = kernelTotals([
    { kernel: 'a', ms: 1, share: 0.1, macs: 1e6 }, { kernel: 'b', ms: 6, share: 0.6, macs: 12e6 }, { kernel: 'a', ms: 3, share: 0.3, macs: 7e6 },
  ]);
  assert.deepEqual(totals, [{ kernel: 'b', steps: 1, ms: 6, share: 0.6, gops: 4 }, { kernel: 'a', steps: 2, ms: 4, share: 0.4, gops: 4 }]);
});

test('bench: lines for people, progress on stderr', () => {
  const { code, out, err } = kinglet('bench', blazeface, '--runs', '3', '--warmup', '4', '--layers', '--kernels', 'simd128');
  assert.equal(code, 0, err);
  assert.match(out, /^network {4}[\d,]+ MACs, \d+ steps, simd128, dot i16, 1 thread$/m);
  assert.match(out, /^load {7}\d+\.\d ms$/m);
  assert.match(out, /^warm-up {4}(\d+\.\d{3} ){4}ms, 4 runs$/m);
  assert.match(out, /^latency {4}p50 [\d.]+, p90 [\d.]+, p99 [\d.]+, min [\d.]+ ms, 3 runs$/m);
  assert.match(out, /^speed {6}[\d.]+ GMAC\/s, [\d.]+ GFLOPS, [\d.]+ % of the register-only peak of [\d.]+( \(no true peak: .+\))?$/m);
  assert.match(out, /^ *# +kernel +op +name +output +ms +share % +GFLOPS$/m);
  assert.match(out, /^kernel +steps +ms +share % +GFLOPS$/m);
  for (const phase of ['loading', 'warming up', '3 runs', 'step by step']) assert.ok(err.includes(phase), phase);
});

test('bench --json: objects whose numbers agree, for several models', () => {
  const plan = place('blazeface.kgl');
  assert.equal(kinglet('compile', blazeface, '-o', plan).code, 0);
  const { code, out, err } = kinglet('bench', blazeface, plan, '--runs', '5', '--layers', '--json');
  assert.equal(code, 0, err);
  const rows = out.trimEnd().split('\n').map((line) => JSON.parse(line) as Row);
  for (const model of [blazeface, plan]) {
    const own = rows.filter((row) => row.model === model);
    const [total] = own.filter(({ type }) => type === 'bench');
    const layers = own.filter(({ type }) => type === 'layer'), kernels = own.filter(({ type }) => type === 'kernel');
    const sum = (list: readonly Row[], key: string): number => list.reduce((all, row) => all + Number(row[key]), 0);
    const ms = (key: string): number => Number(total[key]);
    assert.ok(ms('minMs') <= ms('p50Ms') && ms('p50Ms') <= ms('p90Ms') && ms('p90Ms') <= ms('p99Ms') && ms('minMs') > 0 && ms('loadMs') > 0);
    assert.equal(total.firstMs, (total.warmupMs as number[])[0]);
    assert.equal(total.runs, 5);
    near(total.gops, 2 * Number(total.gmacs));
    near(total.gops, (2 * Number(total.macs)) / ms('p50Ms') / 1e6);
    near(total.peakShare, Number(total.gops) / Number(total.peakGops));
    assert.equal(layers.length, total.steps);
    assert.equal(sum(kernels, 'steps'), total.steps);
    assert.equal(sum(layers, 'macs'), total.macs);
    near(sum(layers, 'share'), 1, 1e-3);
    near(sum(kernels, 'ms'), sum(layers, 'ms'), 1e-3);
  }
});

test('bench of several models says which one is wrong', () => {
  const bad = place('bad.onnx');
  writeFileSync(bad, '<html>');
  const { code, err } = kinglet('bench', blazeface, bad, '--runs', '1', '--warmup', '1');
  assert.equal(code, 65);
  assert.match(err, /^kinglet: ".*bad\.onnx": .+$/m);
});
