// Every golden of ../shared on every kernel set that this engine has: float32 within one tolerance, int8 and uint8 byte for byte.
// Also: one wasm call per inference, memory that never grows, the arena's bound, and .kgl = source.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { compile, loadModel, type Model } from '../../host/index.ts';
import { readNpy } from '../../host/npy.ts';
import type { Tensor, TensorData } from '../../host/tensor.ts';
import { goldens, sharedBytes, sharedFolder, skipWithoutShared, type Golden } from '../shared.ts';
import { tolerance } from '../tolerance.ts';
import { kernelSets } from '../engines.ts';

function tensors(golden: Golden, name: string, role: 'input' | 'output' | 'exact'): Tensor[] {
  const list: Tensor[] = [];
  for (let i = 0; existsSync(`${sharedFolder}goldens/${golden.name}/${name}.${role}_${i}.npy`); i++) {
    list.push(readNpy(sharedBytes(`goldens/${golden.name}/${name}.${role}_${i}.npy`)));
  }
  return list;
}

/** Largest difference as a share of the largest expected magnitude. */
function relativeError(got: TensorData, want: TensorData): number {
  let error = 0;
  let largest = 0;
  for (let i = 0; i < want.length; i++) {
    error = Math.max(error, Math.abs(Number(got[i]) - Number(want[i])));
    largest = Math.max(largest, Math.abs(Number(want[i])));
  }
  return Number.isFinite(error) ? error / largest : Infinity;
}

/** Bytes that differ, and by how much at most. */
function byteDifference(got: TensorData, want: TensorData): { count: number; most: number } {
  let count = 0;
  let most = 0;
  for (let i = 0; i < want.length; i++) {
    const difference = Math.abs(Number(got[i]) - Number(want[i]));
    if (difference > 0) count++;
    most = Math.max(most, difference);
  }
  return { count, most };
}

function check(golden: Golden, model: Model, name: string): void {
  const inputs = tensors(golden, name, 'input');
  const outputs = model.runSync(inputs.map((t) => t.data));
  const expected = tensors(golden, name, golden.quantized ? 'exact' : 'output');
  assert.ok(expected.length > 0, 'the golden has an expected output');
  expected.forEach((want, i) => {
    const got = outputs[i];
    assert.ok(got, `output ${i} exists`);
    assert.equal(got.length, want.data.length);
    assert.equal(got.constructor, want.data.constructor, 'the dtype is the model\'s own');
    if (!golden.quantized) {
      const error = relativeError(got, want.data);
      assert.ok(error <= tolerance.network, `output ${i} is off by ${error} of the largest value`);
      return;
    }
    const { count, most } = byteDifference(got, want.data);
    const endsInSoftmax = model.steps().at(-1)?.op === 'softmax' || model.steps().at(-2)?.op === 'softmax';
    assert.ok(most <= (endsInSoftmax ? 1 : 0), `output ${i}: ${count} bytes differ, by up to ${most}`);
  });
}

for (const golden of goldens()) {
  const bytes = sharedBytes(golden.modelFile);
  describe(golden.name, { skip: skipWithoutShared }, () => {
    for (const kernels of kernelSets()) {
      it(`gives the golden answers with ${kernels}`, async () => {
        const model = await loadModel(bytes, kernels === 'reference' ? { backend: 'reference' } : { kernels });
        assert.equal(model.stats.kernels, kernels);
        for (const name of golden.cases) check(golden, model, name);
        model.dispose();
      });
    }
    it('gives the same bytes from its compiled plan', async () => {
      const [source, plan] = [await loadModel(bytes), await loadModel(compile(bytes))];
      const inputs = tensors(golden, golden.cases[0] ?? '', 'input').map((t) => t.data);
      const [a, b] = [await source.run(inputs), await plan.run(inputs)];
      a.forEach((data, i) => { assert.deepEqual(data, b[i]); });
    });
    it('plans an arena close to the largest sum of live tensors', async () => {
      const { stats } = await loadModel(bytes);
      assert.ok(stats.arenaBytes <= 1.1 * stats.liveBytes, `${stats.arenaBytes} bytes for ${stats.liveBytes} alive`);
    });
    it('makes one wasm call per inference and keeps its memory size', async () => {
      const { calls, memories, restore } = countCalls();
      try {
        const model = await loadModel(bytes, { warmup: false });
        const inputs = tensors(golden, golden.cases[0] ?? '', 'input').map((t) => t.data);
        const before = calls.length;
        const sizes = memories.map((m) => m.buffer.byteLength);
        model.runSync(inputs);
        model.runSync(inputs);
        assert.equal(calls.length - before, 2, `calls: ${calls.slice(before).join(', ')}`);
        assert.deepEqual(memories.map((m) => m.buffer.byteLength), sizes);
      } finally {
        restore();
      }
    });
  });
}

/** Wraps WebAssembly so that every call of an export and every memory is seen. */
function countCalls(): { calls: string[]; memories: WebAssembly.Memory[]; restore(): void } {
  const calls: string[] = [];
  const memories: WebAssembly.Memory[] = [];
  const { Instance, Memory } = WebAssembly;
  WebAssembly.Instance = function counting(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
    const { exports } = new Instance(module, imports);
    const wrapped = Object.fromEntries(Object.entries(exports).map(([name, item]) => [name, typeof item !== 'function' ? item
      : (...args: unknown[]): unknown => {
        calls.push(name);
        return (item as (...a: unknown[]) => unknown)(...args);
      }]));
    return { exports: wrapped } as unknown as WebAssembly.Instance;
  } as unknown as typeof WebAssembly.Instance;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(this);
    }
  };
  return { calls, memories, restore: () => { Object.assign(WebAssembly, { Instance, Memory }); } };
}

it('has goldens to check', { skip: skipWithoutShared }, () => {
  assert.equal(goldens().length, 17);
});
