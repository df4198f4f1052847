// Networks of the zoo where the command expects a model: names, options, what happens to wrong ones.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseSize } from '../../host/cli/options.ts';
import { networkOf } from '../../host/cli/source.ts';
import { KingletError } from '../../host/error.ts';
import { loadPlan } from '../../host/run.ts';
import { networkPlan } from '../../models/zoo.ts';
import { kinglet, scratch } from './command.ts';

const place = scratch();
const usage = (e: unknown): boolean => e instanceof KingletError && e.code === 'ERR_USAGE';

test('a network is compiled and inspected by its name, and its plan runs', () => {
  const plan = place('lenet.kgl');
  assert.equal(kinglet('compile', 'lenet5', '--batch', '2', '--size', '20x24', '--classes', '7', '--int8', '-o', plan).code, 0);
  const { code, out } = kinglet('inspect', plan, '--json');
  assert.equal(code, 0);
  const [input, output] = out.split('\n').slice(0, 2).map((line) => JSON.parse(line) as { dtype: string; shape: number[] });
  assert.deepEqual([input.dtype, input.shape, output.dtype, output.shape], ['int8', [2, 20, 24, 1], 'int8', [2, 7]]);
  assert.match(kinglet('run', 'lenet5', '--repeat', '1').out, /^output 0 fc4 float32 \[1, 10\]/);
  assert.match(kinglet('run', 'lenet5', '--repeat', '1', '--backend', 'reference').out, /^output 0 fc4 float32 \[1, 10\]/);
  assert.match(kinglet('bench', 'lenet5', 'shufflenet_v2_x0_5', '--size', '32', '--runs', '1', '--warmup', '1').out, /shufflenet_v2_x0_5\nnetwork/);
});

test('an unknown name brings the nearest ones', () => {
  const { code, err } = kinglet('inspect', 'mobilenetv2');
  assert.equal(code, 66);
  assert.match(err, /neither a file nor a network "mobilenetv2"\nhint: Did you mean mobilenet_v2[,?]/);
  assert.match(kinglet('inspect', 'missing.onnx').err, /cannot read/);
  assert.match(kinglet('inspect', '__proto__').err, /neither a file nor a network "__proto__"/);
});

test('a file wins over a network of its name, and takes none of its options', async () => {
  const before = process.cwd();
  mkdirSync(place('folder'));
  process.chdir(place('folder'));
  try {
    writeFileSync('lenet5', await networkPlan('alexnet', { size: 64, classes: 3 }));
    assert.equal(await networkOf('lenet5', { shape: {} }), null);
    await assert.rejects(networkOf('lenet5', { shape: {}, batch: 2 }), usage);
  } finally {
    process.chdir(before);
  }
  await assert.rejects(networkOf('vgg11', { shape: { image: [1, 32, 32, 3] } }), usage);
});

test('sizes are read height first', () => {
  assert.deepEqual(parseSize('96'), [96, 96]);
  assert.deepEqual(parseSize('96x128'), [96, 128]);
  for (const word of ['0', '96x', 'x96', '1.5', '96x96x3', '-1', '1e2']) assert.throws(() => parseSize(word), word);
});

test('plans by name, from JavaScript', async () => {
  const model = await loadPlan(await networkPlan('lenet5', { batch: 3, classes: 4 }));
  assert.deepEqual(model.outputs.map(({ shape }) => shape), [[3, 4]]);
  model.dispose();
  await assert.rejects(networkPlan('no-such-network'), usage);
  await assert.rejects(networkPlan('lenet5', { batch: 0 }), usage);
  await assert.rejects(networkPlan('alexnet', { size: 8 }), (e) => e instanceof KingletError && e.code === 'ERR_MODEL_INVALID' && e.message.includes('pool2'));
});
