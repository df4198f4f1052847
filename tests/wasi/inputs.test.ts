// What kinglet-cmd makes of pictures, raw pixels, tensors and streams, against the host's own decoders and conversion; and what it shares
// with the host by agreement alone: its version, exit codes, numbers as text, and what inspect says.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bundledFits, bundledPresets } from '../../host/cli/bundle.ts';
import { errorTable } from '../../host/error.ts';
import { decodeImage } from '../../host/image/decode.ts';
import { fits, toTensor, type Fit, type Picture, type Preset } from '../../host/image/index.ts';
import { presetNames } from '../../host/image/presets.ts';
import { compile, loadModel, type Model } from '../../host/index.ts';
import { Builder } from '../../host/graph/builder.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { writeNpy } from '../../host/npy.ts';
import type { TensorData } from '../../host/tensor.ts';
import { version } from '../../host/version.ts';
import { planOf } from '../../models/tiny.ts';
import { random, randomInt } from '../random.ts';
import { sharedBytes, skipWithoutShared } from '../shared.ts';
import { tolerance } from '../tolerance.ts';
import { engines, programOf, root, runIn, type Engine, type Result } from './engines.ts';

const folder = mkdtempSync(join(tmpdir(), 'kinglet-wasi-inputs-'));
process.on('exit', () => { rmSync(folder, { recursive: true }); });
const SEED = 4711;
const next = random(SEED);

const models = { rgb: 'mobilenet_v1_0.25_128_quant', gray: 'person_detect' };
const hosts: Partial<Record<string, Model>> = {};
if (!skipWithoutShared) {
  for (const name of Object.values(models)) {
    const plan = compile(sharedBytes(`models/${name}.tflite`));
    writeFileSync(join(folder, `${name}.kgl`), plan);
    hosts[name] = await loadModel(plan, { kernels: 'simd128' });
  }
}

/** A network that answers with its float32 input: three channels, each copied by a convolution. */
const echo = 'echo';
const b = new Builder(), pixels = b.input('pixels', { dtype: 'float32', shape: [1, 20, 24, 3] });
const unit = b.constant({ dtype: 'float32', shape: [1, 1, 3, 3], data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) });
const whole = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1, min: -Infinity, max: Infinity } as const;
b.output(b.add(conv2d, whole, [pixels, unit]), 'copy');
writeFileSync(join(folder, `${echo}.kgl`), planOf(b.graph));
hosts[echo] = await loadModel(planOf(b.graph), { kernels: 'simd128' });

async function hostAnswer(name: string, picture: Picture, preset?: Preset, fit?: Fit): Promise<Uint8Array> {
  const host = hosts[name];
  assert.ok(host);
  const [answer] = await host.run([toTensor(picture, host.inputs[0], { preset, fit })]);
  return bytesOf(answer);
}
function bytesOf({ buffer, byteOffset, byteLength }: TensorData): Uint8Array { return new Uint8Array(buffer, byteOffset, byteLength).slice(); }
function run(engine: Engine, words: readonly string[], input?: Uint8Array): Result {
  return runIn(engine, programOf('simd'), words, input ? { folder, input } : { folder });
}
/** Both networks answer in bytes. */
function answer(engine: Engine, name: string, input: Uint8Array, more: readonly string[] = []): Uint8Array {
  const { code, out, err } = run(engine, ['run', `${name}.kgl`, '--input', '-', '--output', '-', ...more], input);
  assert.equal(code, 0, err);
  return new Uint8Array(out);
}
const noise = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => randomInt(next, 256));
const randomPhoto = noise(24 * 20 * 3);
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** A Windows bitmap of random pixels: 24 or 32 bits bottom-up, or 8 with a palette, top-down. */
function bitmap(width: number, height: number, bits: 8 | 24 | 32): Uint8Array {
  const head = new DataView(new ArrayBuffer(54)), palette = bits === 8 ? noise(1024) : noise(0), rowBytes = Math.ceil((width * bits) / 32) * 4;
  const pixelsAt = 54 + palette.length;
  head.setUint16(0, 0x424d);
  for (const [at, value] of [[2, pixelsAt + rowBytes * height], [10, pixelsAt], [14, 40], [18, width], [22, bits === 8 ? -height : height], [34, rowBytes * height]]) head.setInt32(at, value, true);
  head.setUint16(26, 1, true);
  head.setUint16(28, bits, true);
  return joined(new Uint8Array(head.buffer), palette, noise(rowBytes * height));
}

/** Pixels as cameras give them → RGB or gray, by the definition of each format. */
const pixelFormats: Record<string, { bytes: number; read: (p: Uint8Array) => number[] }> = {
  gray8: { bytes: 1, read: ([g]) => [g] },
  rgb565: { bytes: 2, read: ([low, high]) => {
    const word = low | (high << 8), r = word >> 11, g = (word >> 5) & 63, b = word & 31;
    return [(r << 3) | (r >> 2), (g << 2) | (g >> 4), (b << 3) | (b >> 2)];
  } },
  rgb8: { bytes: 3, read: (p) => [...p] },
  rgba8: { bytes: 4, read: ([r, g, b]) => [r, g, b] },
};

function checkPictures(engine: Engine): void {
  const files: Record<string, Uint8Array> = {
    'a BMP of 24 bits': bitmap(37, 21, 24), 'a BMP of 32 bits': bitmap(20, 33, 32), 'a BMP with a palette, top-down': bitmap(19, 24, 8),
    'a PPM with comments': joined(text('P6 # a camera\n# made this\n31 17 # wide\n255\n'), noise(31 * 17 * 3)),
    'a PPM of 5 bits': joined(text('P6 9 9 31\n'), noise(243).map((x) => x & 31)), 'a PGM': joined(text('P5\n40 30\n255\n'), noise(1200)),
  };
  for (const [what, bytes] of Object.entries(files)) {
    for (const name of Object.values(models)) {
      it(`reads ${what} for ${name} (seed ${SEED})`, async () => { assert.deepEqual(answer(engine, name, bytes), await hostAnswer(name, await decodeImage(bytes))); });
    }
  }
  const refused: Record<string, Uint8Array> = {
    'a PPM of 16 bits': joined(text('P6 2 2 65535\n'), noise(24)), 'a PPM as text': text('P3 1 1 255 1 2 3\n'), 'a PGM as text': text('P2 1 1 255 7\n'),
    'a PPM cut off': text('P6 10 10 255\n'), 'a PPM without pixels': text('P6 0 0 255\n'), 'a BMP cut off': bitmap(30, 30, 24).subarray(0, 200), 'a PNG': Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10, 0, 0]),
  };
  for (const [what, bytes] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      const { code, out, err } = run(engine, ['run', `${models.rgb}.kgl`, '--input', '-'], bytes);
      assert.deepEqual([code, out.length], [65, 0], err);
      assert.match(err, /^kinglet: [^\n]+\n$/);
    });
  }
}

function checkPixels(engine: Engine): void {
  for (const [format, { bytes, read }] of Object.entries(pixelFormats)) {
    for (const fit of fits) {
      it(`takes ${format}, ${fit} (seed ${SEED})`, async () => {
        const width = 50, height = 34, raw = noise(width * height * bytes);
        const data = Uint8Array.from(Array.from({ length: width * height }, (_, i) => read(raw.subarray(i * bytes, (i + 1) * bytes))).flat());
        const words = ['--pixel', format, '--size', `${width}x${height}`, '--fit', fit, '--preset', 'signed'];
        assert.deepEqual(answer(engine, models.gray, raw, words), await hostAnswer(models.gray, { width, height, data }, 'signed', fit));
      });
    }
  }
  for (const preset of presetNames) {
    it(`knows the preset ${preset} and its fit, as numbers and as bytes (seed ${SEED})`, async () => {
      const width = 70, height = 45, data = noise(width * height * 3), words = ['--pixel', 'rgb8', '--size', `${width}x${height}`, '--preset', preset];
      for (const name of [echo, models.rgb]) assert.deepEqual(answer(engine, name, data, words), await hostAnswer(name, { width, height, data }, preset));
    });
  }
  it('streams frames, one JSON line each, and refuses the cut last one', async () => {
    const width = 24, height = 20, frames = [0, 1, 2].map(() => noise(width * height * 3));
    const words = ['run', `${models.rgb}.kgl`, '--stream', '--pixel', 'rgb8', '--size', `${width}x${height}`];
    const { code, out, err } = run(engine, words, joined(...frames, noise(7)));
    assert.equal(code, 65, err);
    assert.match(err, /^kinglet: the stream ended inside frame 3: 7 of 1440 bytes\n$/);
    const lines = out.toString().trimEnd().split('\n').map((line) => JSON.parse(line) as { frame: number; outputs: { max: number; at: number }[] });
    assert.deepEqual(lines.map(({ frame }) => frame), [0, 1, 2]);
    for (const [i, data] of frames.entries()) {
      const want = await hostAnswer(models.rgb, { width, height, data }), most = Math.max(...want);
      assert.deepEqual([lines[i].outputs[0].max, lines[i].outputs[0].at], [most, want.indexOf(most)]);
    }
  });
  it('takes the tensor as .npy and as it is', async () => {
    const host = hosts[models.rgb];
    assert.ok(host);
    const [{ dtype, shape }] = host.inputs, data = noise(128 * 128 * 3), [result] = await host.run([data]), want = bytesOf(result);
    assert.deepEqual(answer(engine, models.rgb, new Uint8Array(writeNpy({ dtype, shape, data }))), want);
    assert.deepEqual(answer(engine, models.rgb, data), want);
  });
}

/** A flipped bit is found by the checksum; one whose checksum was made to fit, by the verifier, or changes weights alone. */
function checkDamage(engine: Engine, count: number): void {
  it(`survives ${count} damaged plans (seed ${SEED})`, () => {
    const plan = readFileSync(join(folder, `${models.gray}.kgl`));
    for (let i = 0; i < count; i++) {
      const bytes = new Uint8Array(plan), at = randomInt(next, i % 2 === 0 ? 4096 : bytes.length);
      bytes[at] ^= 1 << randomInt(next, 8);
      const { code, out, err } = run(engine, ['inspect', '-'], i % 5 === 4 ? bytes.subarray(0, at) : bytes);
      assert.ok(code === 65 || code === 71, `byte ${at}: ${code} ${err}`);
      assert.match(err, /^kinglet: [^\n]+\n$/, `byte ${at}`);
      assert.equal(out.length, 0);
    }
  });
}

function checkAgreements(engine: Engine): void {
  it('has the host\'s version', () => {
    assert.ok(run(engine, ['version']).out.toString().startsWith(`kinglet ${version}, plans of version `));
  });
  it('numbers presets and fits as bundles do', () => {
    const help = run(engine, ['--help']).out.toString();
    assert.equal(/--preset and one of (.*)\n/.exec(help)?.[1], bundledPresets.slice(1).join(' '));
    assert.equal(/--fit (\S+)/.exec(help)?.[1], bundledFits.slice(1).join('|'));
    assert.deepEqual([...bundledPresets.slice(1)].sort(), [...presetNames].sort());
    assert.deepEqual([...bundledFits.slice(1)].sort(), [...fits].sort());
  });
  it('inspects as the host does', () => {
    const words = ['inspect', `${models.rgb}.kgl`, '--json'];
    assert.deepEqual(objects(run(engine, words).out.toString()).slice(0, -1), objects(hostCommand(...words)).slice(0, -1));
  });
  it('dumps the tensors of steps as the host does', () => {
    const host = hosts[models.gray];
    assert.ok(host);
    const [{ dtype, shape }] = host.inputs, own = `own-${engine.name.replace(/\W/g, '-')}`;
    writeFileSync(join(folder, 'x.npy'), writeNpy({ dtype, shape, data: new Int8Array(noise(96 * 96)) }));
    const { code, err } = run(engine, ['run', `${models.gray}.kgl`, '--input', '0=x.npy', '--dump', own]);
    assert.equal(code, 0, err);
    hostCommand('run', `${models.gray}.kgl`, '--input', '0=x.npy', '--dump', 'host');
    const names = readdirSync(join(folder, 'host'));
    assert.ok(names.length > 20);
    assert.deepEqual(readdirSync(join(folder, own)), names);
    for (const name of names) assert.deepEqual(readFileSync(join(folder, own, name)), readFileSync(join(folder, 'host', name)), name);
  });
  // Both networks' answers and, from the echo, logits, some of which are negative.
  for (const [name, threshold] of [[echo, '0.0012'], [echo, '0.9'], [echo, '0'], [models.rgb, '.05'], [models.gray, '0.3']] as const) {
    it(`classifies as the host does: ${name} from ${threshold} on (seed ${SEED})`, () => {
      writeFileSync(join(folder, 'photo.ppm'), joined(text('P6 24 20 255\n'), randomPhoto));
      const words = ['classify', `${name}.kgl`, 'photo.ppm', '--preset', 'signed', '--top', '9', '--threshold', threshold, '--json'];
      const { code, out, err } = run(engine, words);
      assert.equal(code, 0, err);
      const [own, host] = [out.toString(), hostCommand(...words)].map((json) => (JSON.parse(json) as { top: { index: number; score: number; label: null }[] }).top);
      assert.deepEqual(own.map(({ index, label }) => [index, label]), host.map(({ index, label }) => [index, label]));
      own.forEach(({ score }, i) => { assert.ok(Math.abs(score - host[i].score) <= tolerance.kernel * host[0].score, `${score} for ${host[i].score}`); });
    });
  }
  it('refuses thresholds that are no numbers', () => {
    for (const word of ['', '.', 'x', '1..2', '-1', '1e3', '12345678901234567']) {
      const { code, out, err } = run(engine, ['classify', `${models.gray}.kgl`, 'photo.ppm', `--threshold=${word}`]);
      assert.deepEqual([code, out.length], [64, 0], `${word}: ${err}`);
    }
  });
  it('lists layers and kernels as the host does, but for what takes time', () => {
    const words = ['bench', `${models.gray}.kgl`, '--runs', '3', '--warmup', '1', '--layers'], timeless = (line: Record<string, unknown>): unknown => ({ ...line, ms: 0, share: 0, gops: 0 });
    const [own, host] = [run(engine, [...words, '--json']).out.toString(), hostCommand(...words, '--json')].map(objects).map((lines) => lines.slice(1));
    const byName = (lines: Record<string, unknown>[], type: string): unknown[] => lines.filter((line) => line['type'] === type).map(timeless).sort((x, y) => JSON.stringify(x).localeCompare(JSON.stringify(y)));
    for (const type of ['layer', 'kernel']) assert.deepEqual(byName(own, type), byName(host, type));
    const layers = own.filter(({ type }) => type === 'layer') as { kernel: string; ms: number; share: number }[], kernels = own.filter(({ type }) => type === 'kernel') as typeof layers;
    for (const { kernel, ms } of kernels) assert.ok(Math.abs(ms - layers.filter((layer) => layer.kernel === kernel).reduce((sum, layer) => sum + layer.ms, 0)) < 1e-4, kernel);
    assert.ok(Math.abs(layers.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-4);
    assert.deepEqual(kernels.map(({ ms }) => ms), kernels.map(({ ms }) => ms).sort((x, y) => y - x));
    const shape = (lines: string): string[] => lines.split('\n').slice(7).map((line) => line.replace(/ +/g, ' ').replace(/ \d+\.\d\d.*$/, '')).sort();
    assert.deepEqual(shape(run(engine, words).out.toString()), shape(hostCommand(...words)));
  });
}
function hostCommand(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...words, '--kernels', 'simd128'], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}
function objects(lines: string): Record<string, unknown>[] { return lines.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); }

describe('codes', () => {
  it('of assembly/fault.ts are exit codes of the host\'s table', () => {
    const exits = new Set<number>(Object.values(errorTable).map(({ exit }) => exit));
    const codes = [...readFileSync(join(root, 'assembly/fault.ts'), 'utf8').matchAll(/^export const [A-Z]+ = (\d+);$/gm)].map(([, code]) => Number(code));
    assert.equal(codes.length, 5);
    for (const code of codes) assert.ok(exits.has(code), `${code}`);
  });
});

for (const [i, engine] of engines.entries()) {
  describe(`inputs in ${engine.name}`, { skip: engine.skip || skipWithoutShared }, () => {
    checkPictures(engine);
    checkPixels(engine);
    checkDamage(engine, i === 0 ? 120 : 8);
    checkAgreements(engine);
  });
}
