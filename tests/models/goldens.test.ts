// Every golden of ../shared on every kernel set that this engine has: float32 within one tolerance, int8 and uint8 byte for byte
// (the .tflite ones with the scales that their goldens were made with, see round-scales.ts; with the files' own scales the uint8
// networks are compared with LiteRT.js instead).
// Also: one wasm call per inference, memory that never grows, the arena's bound, and .kgl = source.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compile, loadModel, type Model } from '../../host/index.ts';
import type { TensorData } from '../../host/tensor.ts';
import { goldens, sharedBytes, skipWithoutShared, type Golden } from '../shared.ts';
import { kernelSets, type KernelSet } from '../engines.ts';
import { roundScales } from '../round-scales.ts';
import { checkAnswer, tensors } from './golden-answers.ts';

function inputsOf(golden: Golden, name: string): TensorData[] {
  return tensors(golden, name, 'input').map((t) => t.data);
}

function check(golden: Golden, model: Model, name: string, role: 'output' | 'exact'): void {
  checkAnswer(golden, name, role, model.runSync(inputsOf(golden, name)), model.steps());
}

async function load(bytes: Uint8Array, kernels: KernelSet): Promise<Model> {
  const model = await loadModel(bytes, kernels === 'reference' ? { backend: 'reference' } : { kernels });
  assert.equal(model.stats.kernels, kernels);
  return model;
}

/** Wraps WebAssembly so that every call of an export and every memory is seen. Models share instances, so from the first one on. */
function countCalls(): { calls: string[]; memories: WebAssembly.Memory[] } {
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
    return { exports: wrapped };
  } as unknown as typeof WebAssembly.Instance;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(this);
    }
  };
  return { calls, memories };
}

const { calls, memories } = countCalls();

for (const golden of goldens()) {
  const bytes = sharedBytes(golden.modelFile);
  describe(golden.name, { skip: skipWithoutShared }, () => {
    const rounded = golden.quantized && golden.modelFile.endsWith('.tflite');
    for (const kernels of kernelSets()) {
      it(`gives the golden answers with ${kernels}`, async () => {
        const model = await load(rounded ? roundScales(bytes, 6).bytes : bytes, kernels);
        for (const name of golden.cases) check(golden, model, name, golden.quantized ? 'exact' : 'output');
      });
      if (rounded && golden.cases.some((name) => tensors(golden, name, 'output').length > 0)) {
        it(`is within one step of LiteRT.js with the file's own scales and ${kernels}`, async () => {
          const model = await load(bytes, kernels);
          for (const name of golden.cases) check(golden, model, name, 'output');
        });
      }
    }
    if (golden.quantized) it('gives the same bytes with all kernels', async () => {
      const [first, ...others] = await Promise.all(kernelSets().map((kernels) => load(bytes, kernels)));
      for (const name of golden.cases) {
        const want = await first?.run(inputsOf(golden, name));
        for (const model of others) assert.deepEqual(await model.run(inputsOf(golden, name)), want);
      }
    });
    it('gives the same bytes from its compiled plan', async () => {
      const [source, plan] = [await loadModel(bytes), await loadModel(compile(bytes))];
      const inputs = inputsOf(golden, golden.cases[0] ?? '');
      const [a, b] = [await source.run(inputs), await plan.run(inputs)];
      a.forEach((data, i) => { assert.deepEqual(data, b[i]); });
    });
    it('plans an arena close to the largest sum of live tensors', async () => {
      const { stats } = await loadModel(bytes);
      assert.ok(stats.arenaBytes <= 1.1 * stats.liveBytes, `${stats.arenaBytes} bytes for ${stats.liveBytes} alive`);
    });
    it('makes one wasm call per inference and keeps its memory size', async () => {
      const model = await loadModel(bytes, { warmup: false });
      const inputs = inputsOf(golden, golden.cases[0] ?? '');
      const before = calls.length;
      const sizes = memories.map((m) => m.buffer.byteLength);
      model.runSync(inputs);
      model.runSync(inputs);
      assert.deepEqual(calls.slice(before), ['run', 'run']);
      assert.deepEqual(memories.map((m) => m.buffer.byteLength), sizes);
    });
  });
}

it('has goldens to check', { skip: skipWithoutShared }, () => {
  assert.equal(goldens().length, 17);
});
