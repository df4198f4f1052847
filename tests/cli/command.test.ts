// The command as a whole: words in; stdout, stderr, files and exit codes out.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { readNpy, writeNpy } from '../../host/npy.ts';
import { version } from '../../host/version.ts';
import { sharedBytes, sharedFolder, skipWithoutShared } from '../shared.ts';
import { blazeface, kinglet, scratch } from './command.ts';

const place = scratch();
const x = place('x.npy');
writeFileSync(x, writeNpy({ dtype: 'float32', shape: [1, 128, 128, 3], data: Float32Array.from({ length: 128 * 128 * 3 }, (_, i) => Math.sin(i)) }));

test('help and version go to stdout and end well', () => {
  const help = kinglet('--help');
  assert.equal(help.code, 0);
  for (const command of ['run', 'classify', 'detect', 'inspect', 'bench', 'compare', 'compile']) assert.match(help.out, new RegExp(`^  ${command} `, 'm'));
  assert.equal(kinglet('--version').out, `${version}\n`);
  for (const flag of ['--input', '--output', '--shape', '--tolerance', '--backend', '--kernels', '--dump', '--repeat']) assert.ok(kinglet('run', '--help').out.includes(flag), flag);
  for (const flag of ['--runs', '--warmup', '--layers', '--kernels', '--json']) assert.ok(kinglet('bench', '--help').out.includes(flag), flag);
  for (const flag of ['--labels', '--top', '--threshold', '--preset', '--fit', '--json']) assert.ok(kinglet('classify', '--help').out.includes(flag), flag);
  for (const flag of ['--labels', '--top', '--threshold', '--overlap', '--preset', '--fit', '--close-ups', '--output', '--json']) assert.ok(kinglet('detect', '--help').out.includes(flag), flag);
});

test('wrong words end with 64, and say so on stderr alone', () => {
  const lines = [[], ['fly'], ['run'], ['run', blazeface, '--wings'], ['run', blazeface, '--backend', 'gpu'], ['run', blazeface, '--repeat', '0'], ['bench'], ['bench', blazeface, '--runs', '0'],
    ['classify', blazeface], ['classify', blazeface, 'a.png', '--fit', 'fold'], ['compile', blazeface], ['run', blazeface, '--shape', 'x'], ['compile', blazeface, '-o', place('z.kgl'), '--tolerance', '2'], ['inspect', blazeface, '--tolerance', ''], ['compile', blazeface, '-o', place('plan.bin')],
    ['run', blazeface, '--input', `nobody=${x}`]];
  for (const words of lines) {
    const { code, out, err } = kinglet(...words);
    assert.equal(code, 64, words.join(' '));
    assert.equal(out, '');
    assert.notEqual(err, '');
  }
});

test('missing and wrong files end with a sentence, a hint and the table\'s code', () => {
  const html = place('model.onnx'), empty = place('empty.tflite');
  writeFileSync(html, '<!doctype html><title>404</title>');
  writeFileSync(empty, '');
  for (const [words, code] of [
    [['inspect', place('missing.tflite')], 66], [['inspect', html], 65], [['inspect', empty], 65], [['compile', html, '-o', place('z.kgl')], 65],
    [['run', blazeface], 65], [['run', blazeface, '--input', `0=${place('missing.npy')}`], 66], [['run', blazeface, '--input', `0=${html}`], 65],
    [['classify', blazeface, html], 65], [['classify', blazeface, place('missing.png')], 66],
  ] as const) {
    const result = kinglet(...words);
    assert.equal(result.code, code, `${words.join(' ')}: ${result.err}`);
    assert.match(result.err, /^kinglet: .+/m);
    assert.match(result.err, /\nhint: .+\.\n$/);
  }
  assert.deepEqual(readdirSync(place('.')).filter((name) => name.endsWith('.tmp') || name === 'z.kgl'), []);
});

test('an input of another shape or dtype is refused with both', () => {
  const wrong = place('wrong.npy');
  writeFileSync(wrong, writeNpy({ dtype: 'uint8', shape: [1, 2], data: new Uint8Array(2) }));
  const { code, err } = kinglet('run', blazeface, '--input', `0=${wrong}`);
  assert.equal(code, 65);
  assert.match(err, /uint8 \[1, 2\].*float32 \[1, 128, 128, 3\]/);
});

test('run: outputs by index and by name, compiled and not, on every backend', () => {
  const plan = place('blazeface.kgl');
  assert.equal(kinglet('compile', blazeface, '-o', plan).code, 0);
  const outputs = (model: string, name: string, ...more: string[]): Uint8Array[] => {
    const files = [place(`${name}-0.npy`), place(`${name}-1.npy`)];
    const { code, err, out } = kinglet('run', model, '--input', `input=${x}`, '--output', `regressors=${files[0]}`, '--output', `1=${files[1]}`, ...more);
    assert.equal(code, 0, err);
    assert.match(out, /^output 0 regressors float32 \[1, 896, 16\] .*\noutput 1 classificators/);
    return files.map((file) => readFileSync(file));
  };
  const direct = outputs(blazeface, 'direct');
  assert.deepEqual(outputs(plan, 'plan'), direct, 'a plan gives the same bytes as its source');
  const reference = outputs(blazeface, 'reference', '--backend', 'reference');
  for (const [i, bytes] of reference.entries()) {
    const a = readNpy(bytes).data as Float32Array, b = readNpy(direct[i]).data as Float32Array;
    const largest = a.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    a.forEach((v, k) => { assert.ok(Math.abs(v - b[k]) <= 1e-5 * largest); });
  }
});

test('run --dump: every complete tensor, the last of which is the output', () => {
  const folder = place('dump'), y = place('y.npy');
  assert.equal(kinglet('run', blazeface, '--input', `0=${x}`, '--output', `0=${y}`, '--dump', folder).code, 0);
  const files = readdirSync(folder).sort();
  assert.ok(files.length > 30 && files.every((file) => /^\d{4}-[A-Za-z0-9_.-]+\.npy$/.test(file)), files.join(' '));
  const shapes = files.map((file) => readNpy(readFileSync(`${folder}/${file}`)).shape.join('x'));
  assert.ok(shapes.includes('1x64x64x24') || shapes.includes('1x64x64x28'), shapes.join(' '));
});

test('run --repeat: the median and the share of the peak, without an input', () => {
  const { code, out, err } = kinglet('run', blazeface, '--repeat', '5');
  assert.equal(code, 0, err);
  assert.match(out, /^p50 \d+\.\d+ ms, min .* 5 runs, 1 thread, (simd128|relaxed), dot /m);
  assert.match(out, /^\d+\.\d+ GFLOPS, \d+\.\d % of the register-only peak of \d+\.\d+( \(no true peak: .+\))?$/m);
  assert.match(err, /timing on noise/);
});

test('inspect: the table of layers for people, steps on request, one object a line for machines', () => {
  const { code, out, err } = kinglet('inspect', blazeface);
  assert.equal(code, 0, err);
  assert.match(out, /^layer +op +input +filters +kernel +stride +pad +output +memory KB +weights k +MACs M$/m);
  assert.match(out, /conv, relu +128x128x3 +24 +5x5 +2 +1\+2 +64x64x24/);
  for (const word of ['weights ', 'parameters', 'MACs ', 'peak activations', 'arena bytes', 'arena / live', 'shuffles', 'weight bytes']) assert.ok(out.includes(word), word);
  assert.ok(!out.includes('f32_conv'));
  const withSteps = kinglet('inspect', blazeface, '--steps').out;
  for (const word of ['#', 'kernel', 'params k', 'f32_conv']) assert.ok(withSteps.includes(word), word);
  const objects = kinglet('inspect', blazeface, '--json').out.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const of = (wanted: string): Record<string, unknown>[] => objects.filter(({ type }) => type === wanted);
  const [total] = of('total');
  assert.equal(of('output').length, 2);
  assert.equal(of('step').length, total.steps);
  assert.equal(of('layer').length, total.layers);
  for (const kind of ['step', 'layer']) assert.equal(of(kind).reduce((sum, { macs }) => sum + Number(macs), 0), total.macs);
  const [first] = of('layer');
  assert.deepEqual(
    ['op', 'then', 'input', 'output', 'filters', 'kernel', 'stride', 'pad', 'memoryKB', 'weights', 'macs'].map((key) => first[key]),
    ['conv', ['relu'], [1, 128, 128, 3], [1, 64, 64, 24], 24, [5, 5], [2, 2], [1, 1, 2, 2], 384, 1800, 7372800],
  );
  assert.equal(typeof first.name, 'string');
});

test('inspect: a plan lists its steps; it has no layers for a page', () => {
  const plan = place('inspected.kgl');
  assert.equal(kinglet('compile', blazeface, '-o', plan).code, 0);
  assert.match(kinglet('inspect', plan).out, /params k[^]*f32_conv[^]*plan +\d+ steps/);
  const { code, err } = kinglet('inspect', plan, '--html', place('plan.html'));
  assert.equal(code, 64);
  assert.match(err, /no layers/);
});

test('inspect --html writes one page', () => {
  const file = place('report.html');
  assert.equal(kinglet('inspect', blazeface, '--html', file).code, 0);
  const html = readFileSync(file, 'utf8');
  assert.match(html, /^<!doctype html>[^]*<h1>face_detection_short_range<\/h1>[^]*Memory over time[^]*<\/html>\n$/);
});

test('compare: a row per model, figures as bench takes them, and the chart', () => {
  const file = place('chart.html'), plan = place('compared.kgl');
  assert.equal(kinglet('compile', blazeface, '-o', plan).code, 0);
  const counts = ['--runs', '3', '--warmup', '2'];
  const { code, out, err } = kinglet('compare', blazeface, plan, ...counts, '--html', file);
  assert.equal(code, 0, err);
  assert.match(out, /^model +parameters M +MACs M +p50 ms +p90 ms +per second +GMAC\/s$/m);
  assert.match(readFileSync(file, 'utf8'), /<h1>Complexity<\/h1>[^]*face_detection_short_range[^]*compared/);
  const rows = kinglet('compare', blazeface, plan, ...counts, '--json').out.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, number>);
  assert.equal(rows.length, 2);
  assert.equal(rows[0].macs, rows[1].macs);
  for (const row of rows) {
    assert.ok(row.minMs > 0 && row.minMs <= row.p50Ms && row.p50Ms <= row.p90Ms && row.parameters > 1e4);
    assert.ok(Math.abs(row.perSecond * row.p50Ms - 1e3) < 1e-6 && Math.abs(row.gmacs - row.macs / row.p50Ms / 1e6) < 1e-9);
  }
});

test('classify: the right label first, with no flag but --labels', { skip: skipWithoutShared }, () => {
  const photos = ['cat', 'bird', 'grace_hopper'].map((name) => `${sharedFolder}images/${name}.bmp`);
  const labels = ['--labels', `${sharedFolder}images/imagenet_labels.txt`];
  for (const model of ['mobilenet_v2_1.0_224_quant.tflite', 'mobilenet_v2_1.0_224_imagenet_f32.tflite', 'mobilenet_v2_1.0_224_imagenet_f32.onnx']) {
    const { code, out, err } = kinglet('classify', `${sharedFolder}models/${model}`, ...photos, ...labels, '--json');
    assert.equal(code, 0, err);
    const firsts = out.trimEnd().split('\n').map((line) => (JSON.parse(line) as { top: { index: number; label: string }[] }).top);
    assert.deepEqual(firsts.map((top) => top[0].index), [286, 20, 653], model);
    assert.deepEqual(firsts.map((top) => top[0].label), ['Egyptian cat', 'chickadee', 'military uniform']);
    assert.equal(firsts[0].length, 5);
    assert.match(err, /preset (signed|bytes) .*fit stretch/);
  }
});

test('run: a golden\'s bytes from a quantised network', { skip: skipWithoutShared }, () => {
  const y = place('exact.npy');
  const golden = 'goldens/qdq_shuffle_int8/random0';
  const { code, err } = kinglet('run', `${sharedFolder}models/qdq_shuffle_int8.onnx`, '--input', `0=${sharedFolder}${golden}.input_0.npy`, '--output', `0=${y}`);
  assert.equal(code, 0, err);
  assert.deepEqual(readNpy(readFileSync(y)), readNpy(sharedBytes(`${golden}.exact_0.npy`)));
});
