// 100,000 inferences of two small networks leave WebAssembly memory and the JS heap where they were.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadModel } from '../../host/index.ts';
import { sharedBytes, skipWithoutShared } from '../shared.ts';

const INFERENCES = 100_000;
/** Every so often by the copying, queued path. */
const COPY_EVERY = 100;
/** What the engine may keep for itself, such as type feedback: less than three bytes for each inference. */
const HEAP_BYTES = 256 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Memories made while `act` runs. */
async function memoriesOf<T>(act: () => Promise<T>): Promise<{ result: T; memories: WebAssembly.Memory[] }> {
  const { Memory } = WebAssembly;
  const memories: WebAssembly.Memory[] = [];
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(this);
    }
  };
  try {
    return { result: await act(), memories };
  } finally {
    WebAssembly.Memory = Memory;
  }
}

/** Heap and array buffers in use, after everything unreachable is gone. */
async function bytesInUse(): Promise<{ heap: number; buffers: number }> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, buffers: arrayBuffers };
}

for (const name of ['mlperf_tiny_kws_ref_model', 'person_detect']) {
  test(`${name}: ${INFERENCES} inferences leave memory where it was`, { skip: skipWithoutShared }, async (t) => {
    const bytes = sharedBytes(`models/${name}.tflite`);
    const { result: model, memories } = await memoriesOf(() => loadModel(bytes));
    const input = model.input(0) as Int8Array;
    const data = Int8Array.from(input, (_, i) => (i * 37) & 255);
    const infer = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        if (i % COPY_EVERY === 0) await model.run([data]);
        else model.runSync();
      }
    };
    await infer(2000);
    const sizes = memories.map((memory) => memory.buffer.byteLength);
    const before = await bytesInUse();
    const started = performance.now();
    await infer(INFERENCES);
    const ms = (performance.now() - started) / INFERENCES;
    const after = await bytesInUse();
    t.diagnostic(`${ms.toFixed(3)} ms each; heap ${after.heap - before.heap} bytes, array buffers ${after.buffers - before.buffers} bytes more`);
    assert.ok(memories.length > 0);
    assert.deepEqual(memories.map((memory) => memory.buffer.byteLength), sizes);
    assert.ok(after.heap - before.heap < HEAP_BYTES, `the heap grew by ${after.heap - before.heap} bytes`);
    assert.ok(after.buffers - before.buffers < HEAP_BYTES, `array buffers grew by ${after.buffers - before.buffers} bytes`);
    model.dispose(); // with its last model a memory goes: the next network makes its own
  });
}
