// kinglet-embed: no imports, the host API's bytes, memory that kgl_run leaves alone, hostile arguments.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compile, loadModel } from '../../host/index.ts';
import { goldens, sharedBytes, skipWithoutShared } from '../shared.ts';
import { readNpy } from '../../host/npy.ts';
import { root } from './engines.ts';

type Call = (...words: number[]) => number;
interface Embedded { readonly call: (name: string, ...words: number[]) => number; readonly memory: WebAssembly.Memory }

async function embedded(): Promise<Embedded> {
  const module = await WebAssembly.compile(readFileSync(join(root, 'build/host/kinglet-embed.simd.wasm')));
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  const { exports } = await WebAssembly.instantiate(module);
  (exports['_initialize'] as Call)();
  return { call: (name, ...words) => (exports[name] as Call)(...words), memory: exports['memory'] as WebAssembly.Memory };
}

function put({ call, memory }: Embedded, bytes: Uint8Array): number {
  const at = call('kgl_alloc', bytes.length);
  assert.ok(at > 0);
  new Uint8Array(memory.buffer).set(bytes, at);
  return at;
}
const bytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

describe('kinglet-embed', { skip: skipWithoutShared }, () => {
  it('gives the host API\'s bytes for every golden, model after model in one memory', async () => {
    const module = await embedded();
    for (const golden of goldens()) {
      const plan = compile(sharedBytes(golden.modelFile)), host = await loadModel(plan, { kernels: 'simd128' });
      const inputs = host.inputs.map((_, i) => readNpy(sharedBytes(`goldens/${golden.name}/${golden.cases[0]}.input_${i}.npy`)).data);
      const want = await host.run(inputs);
      const h = module.call('kgl_load', put(module, plan), plan.length, 1);
      assert.ok(h > 0, golden.name);
      const words = (name: string, i: number): Uint32Array => new Uint32Array(module.memory.buffer, module.call(name, h, i), 24);
      inputs.forEach((data, i) => { new Uint8Array(module.memory.buffer).set(bytesOf(data), words('kgl_input', i)[0]); });
      const pages = module.memory.buffer.byteLength;
      assert.equal(module.call('kgl_run', h), 0);
      assert.equal(module.memory.buffer.byteLength, pages);
      const check = (): void => {
        want.forEach((data, i) => {
          const [at, length] = words('kgl_output', i);
          assert.deepEqual(new Uint8Array(module.memory.buffer, at, length), bytesOf(data), golden.name);
        });
      };
      check();
      inputs.forEach((data, i) => { new Uint8Array(module.memory.buffer).set(bytesOf(data), words('kgl_input', i)[0]); });
      while (module.call('kgl_step', h, 3) > 0);
      check();
      assert.equal(module.call('kgl_unload', h), 0);
    }
  });
  it('leaves memory alone over 1000 runs', async () => {
    const module = await embedded(), plan = compile(sharedBytes('models/mlperf_tiny_ad01_int8.tflite'));
    const h = module.call('kgl_load', put(module, plan), plan.length, 1), { buffer } = module.memory;
    for (let i = 0; i < 1000; i++) assert.equal(module.call('kgl_run', h), 0);
    assert.equal(module.memory.buffer, buffer);
  });
  it('answers hostile arguments with codes', async () => {
    const module = await embedded(), plan = compile(sharedBytes('models/person_detect.tflite'));
    for (const name of ['kgl_run', 'kgl_unload']) for (const h of [-1, 0, 1, 65, 2 ** 31 - 1]) assert.equal(module.call(name, h), -64);
    assert.equal(module.call('kgl_load', 0xfffffff0 | 0, 4096, 0), -64);
    assert.equal(module.call('kgl_load', put(module, plan), plan.length - 64, 0), -65);
    plan[3000] ^= 1;
    assert.equal(module.call('kgl_load', put(module, plan), plan.length, 0), -65);
    module.call('kgl_free', 12345);
    assert.equal(module.call('kgl_input', 1, 0), 0);
  });
});
