// The JS API on a tiny plan: copies and views, queue, abort, dispose, input checks, several plans in one process.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import { Builder } from '../../host/graph/builder.ts';
import { KingletError, loadModel, type ErrorCode } from '../../host/index.ts';
import { binary } from '../../host/ops/binary.ts';
import { cast } from '../../host/ops/cast.ts';
import { unary } from '../../host/ops/unary.ts';
import { noise } from '../../models/random.ts';
import { planOf, tinyGraph } from '../../models/tiny.ts';
import { kernelSets } from '../engines.ts';
import { tolerance } from '../tolerance.ts';

const plan = planOf(tinyGraph());
const image = noise(7, [1, 6, 5, 3]).data;
const other = noise(8, [1, 6, 5, 3]).data;

function close(got: ArrayLike<number>, want: ArrayLike<number>): void {
  const largest = Math.max(...Array.from(want, Math.abs));
  assert.equal(got.length, want.length);
  for (let i = 0; i < want.length; i++) assert.ok(Math.abs((got[i] ?? NaN) - (want[i] ?? 0)) <= tolerance.kernel * largest, `element ${i}: ${got[i]} for ${want[i]}`);
}
function code(expected: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof KingletError && error.code === expected && error.message.length > 0 && error.hint.length > 0;
}
function expected(data: Float32Array): Float32Array {
  return runReference(tinyGraph(), [data])[0]?.data as Float32Array;
}

for (const kernels of kernelSets()) {
  if (kernels === 'reference') continue;
  it(`answers as the definition does (${kernels})`, async () => {
    const model = await loadModel(plan, { kernels });
    close((await model.run(image))[0] as Float32Array, expected(image));
    assert.equal(model.stats.kernels, kernels);
  });
}

it('describes inputs and outputs', async () => {
  const model = await loadModel(plan);
  assert.deepEqual(model.inputs, [{ name: 'image', dtype: 'float32', shape: [1, 6, 5, 3], layout: 'NHWC', quantization: null }]);
  assert.deepEqual(model.outputs[0]?.shape, [1, 3, 2, 7]);
  assert.equal(model.stats.macs, 6 * 5 * 10 * 27 + 3 * 2 * 10 * 9 + 3 * 2 * 7 * 10);
  assert.equal(model.stats.params, 270 + 10 + 90 + 10 + 70 + 7);
});

it('takes and gives tensors without elements, and booleans as bytes', async () => {
  const b = new Builder();
  const x = b.input('x', { dtype: 'float32', shape: [0, 4] });
  b.output(b.add(unary, { kind: 'abs', p0: 0, p1: 0 }, [x]), 'y');
  const flags = b.input('flags', { dtype: 'bool', shape: [3] });
  const wide = b.add(cast, { to: 'int32' }, [flags]);
  b.output(b.add(cast, { to: 'bool' }, [b.add(binary, { kind: 'equal', min: -Infinity, max: Infinity }, [wide, b.constant({ dtype: 'int32', shape: [], data: Int32Array.of(0) })])]), 'opposite');
  const model = await loadModel(planOf(b.graph));
  assert.deepEqual(model.outputs.map(({ dtype, shape }) => [dtype, shape]), [['float32', [0, 4]], ['bool', [3]]]);
  assert.deepEqual(await model.run([new Float32Array(0), Uint8Array.of(1, 0, 1)]), [new Float32Array(0), Uint8Array.of(0, 1, 0)]);
  await assert.rejects(model.run([new Float32Array(0), Int32Array.of(1, 0, 1)]), code('ERR_INPUT'));
});

it('takes inputs by name, by position, or the only one', async () => {
  const model = await loadModel(plan);
  const [a, b, c] = [await model.run({ image }), await model.run([image]), await model.run(image)];
  assert.deepEqual(a, b);
  assert.deepEqual(b, c);
});

it('run() returns copies, runSync() views that the next run overwrites', async () => {
  const model = await loadModel(plan);
  const [copy] = await model.run(image);
  const [view] = model.runSync(image);
  assert.deepEqual(view, copy);
  const before = Float32Array.from(copy as Float32Array);
  const [again] = model.runSync(other);
  assert.equal(again, view, 'the same view object');
  assert.notDeepEqual(view, before);
  assert.deepEqual(copy, before);
});

it('input(i) is a live array: write, then runSync()', async () => {
  const model = await loadModel(plan);
  (model.input(0) as Float32Array).set(image);
  close(model.runSync()[0] as Float32Array, expected(image));
  close(model.runSync()[0] as Float32Array, expected(image)); // inputs survive a run
  (model.input(0) as Float32Array).set(other);
  close((await model.run(model.input(0)))[0] as Float32Array, expected(other));
  assert.throws(() => model.input(1), code('ERR_INPUT'));
});

it('queues concurrent runs', async () => {
  const model = await loadModel(plan);
  const results = await Promise.all([model.run(image), model.run(other), model.run(image)]);
  results.forEach(([y], i) => { close(y as Float32Array, expected(i === 1 ? other : image)); });
});

it('refuses wrong inputs by name, length and dtype', async () => {
  const model = await loadModel(plan);
  await assert.rejects(model.run({ picture: image }), code('ERR_INPUT'));
  await assert.rejects(model.run({}), code('ERR_INPUT'));
  await assert.rejects(model.run(image.subarray(1)), code('ERR_INPUT'));
  await assert.rejects(model.run(new Uint8Array(90)), code('ERR_INPUT'));
  await assert.rejects(model.run([image, image]), code('ERR_INPUT'));
  await assert.rejects(model.run(null as unknown as Float32Array), code('ERR_INPUT'));
  await assert.rejects(model.run({ __proto__: null, constructor: image } as unknown as Record<string, Float32Array>), code('ERR_INPUT'));
  close((await model.run(image))[0] as Float32Array, expected(image)); // and goes on working
});

it('honours AbortSignal at load and at run', async () => {
  const aborted = AbortSignal.abort();
  await assert.rejects(loadModel(plan, { signal: aborted }), code('ERR_ABORTED'));
  const model = await loadModel(plan);
  await assert.rejects(model.run(image, { signal: aborted }), code('ERR_ABORTED'));
  const controller = new AbortController();
  const [first, second] = [model.run(image), model.run(other, { signal: controller.signal })];
  controller.abort();
  close((await first)[0] as Float32Array, expected(image));
  await assert.rejects(second, code('ERR_ABORTED'));
});

it('dispose() ends a model, twice is once', async () => {
  const model = await loadModel(plan);
  model.dispose();
  model.dispose();
  assert.throws(() => model.runSync(image), code('ERR_DISPOSED'));
  await assert.rejects(model.run(image), code('ERR_DISPOSED'));
  assert.throws(() => model.input(0), code('ERR_DISPOSED'));
});

it('keeps several models apart', async () => {
  const [a, b] = [await loadModel(plan), await loadModel(plan)];
  (a.input(0) as Float32Array).set(image);
  (b.input(0) as Float32Array).set(other);
  const [ya] = a.runSync();
  const [yb] = b.runSync();
  close(ya as Float32Array, expected(image));
  close(yb as Float32Array, expected(other));
});

it('traces every tensor under its name', async () => {
  const model = await loadModel(plan);
  const seen: { op: string; shape: readonly number[]; last: number }[] = [];
  model.trace(image, (step, data) => { seen.push({ op: step.op, shape: step.shape, last: Number(data.at(-1)) }); });
  assert.deepEqual(seen.map((s) => s.op), ['conv2d', 'conv2d', 'conv2d']);
  close([seen.at(-1)?.last ?? NaN], [expected(image).at(-1) ?? 0]);
});

it('a plan may be overwritten by its owner once it is loaded', async () => {
  const bytes = plan.slice();
  const model = await loadModel(bytes);
  bytes.fill(0xff);
  close((await model.run(image))[0] as Float32Array, expected(image));
});

const notModels: readonly (readonly [string, Uint8Array, ErrorCode])[] = [
  ['an empty file', new Uint8Array(0), 'ERR_MODEL_FORMAT'],
  ['a single byte', Uint8Array.of(8), 'ERR_MODEL_FORMAT'],
  ['an HTML page', new TextEncoder().encode('<!DOCTYPE html><html><body>404</body></html>'), 'ERR_MODEL_FORMAT'],
  ['JSON', new TextEncoder().encode('{"format":"graph-model"}'), 'ERR_MODEL_FORMAT'],
  ['a zip file', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0), 'ERR_MODEL_FORMAT'],
  ['a plan of another version', (() => { const p = plan.slice(); p[4] = 99; return p; })(), 'ERR_PLAN_VERSION'],
  ['a damaged plan', (() => { const p = plan.slice(); p[p.length - 80] = 1 ^ (p[p.length - 80] ?? 0); return p; })(), 'ERR_PLAN_INVALID'],
  ['a plan cut short', plan.slice(0, plan.length - 64), 'ERR_PLAN_INVALID'],
];
for (const [what, bytes, expectedCode] of notModels) {
  it(`refuses ${what} with ${expectedCode}`, async () => {
    await assert.rejects(loadModel(bytes), code(expectedCode));
  });
}
it('says what is wrong with a missing file', async () => {
  await assert.rejects(loadModel('no-such-file.onnx'), code('ERR_FILE'));
});

it('reads given bytes before it returns: they may change while the model loads', async () => {
  const mine = plan.slice();
  const loading = loadModel(mine, { warmup: false });
  mine.fill(0);
  const changed = await loading;
  const untouched = await loadModel(plan.buffer, { warmup: true });
  assert.deepEqual([...changed.runSync([image])[0]], [...untouched.runSync([image])[0]]);
});

it('takes bytes in shared memory by copy', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(plan.length));
  shared.set(plan);
  for (const source of [shared, shared.buffer as unknown as ArrayBuffer]) {
    const model = await loadModel(source, { warmup: false });
    assert.equal(model.runSync([image]).length, 1);
  }
});

it('reports the model alone when both model and engine fail', async () => {
  await assert.rejects(loadModel(plan.slice(0, 100), { wasm: Uint8Array.of(1, 2, 3) }), code('ERR_PLAN_INVALID'));
  await assert.rejects(loadModel(plan, { wasm: Uint8Array.of(1, 2, 3) }), code('ERR_WASM_FILE'));
  await new Promise((resolve) => { setTimeout(resolve, 10); }); // an unhandled rejection would end the process
});
