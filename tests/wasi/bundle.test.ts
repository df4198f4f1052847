// One module with its network inside gives what the program with files gives, and opens none.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bundle } from '../../host/bundle/bundle.ts';
import { compile, loadModel } from '../../host/index.ts';
import { sharedBytes, skipWithoutShared } from '../shared.ts';
import { engines, programOf, root, runIn } from './engines.ts';

const folder = mkdtempSync(join(tmpdir(), 'kinglet-bundle-'));
process.on('exit', () => { rmSync(folder, { recursive: true }); });

/** The slot's address, asked of the program itself; its imports are never called. */
async function slotOf(program: Uint8Array<ArrayBuffer>): Promise<number> {
  const module = await WebAssembly.compile(program);
  const imports: WebAssembly.Imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) imports[from] = { ...imports[from], [name]: () => 0 };
  const { exports } = await WebAssembly.instantiate(module, imports);
  return (exports['bundleSlot'] as () => number)();
}

describe('a bundle', { skip: skipWithoutShared }, () => {
  for (const engine of engines) {
    it(`classifies without a folder in ${engine.name}`, { skip: engine.skip }, async () => {
      const program = new Uint8Array(readFileSync(programOf('simd'))), app = join(folder, 'app.wasm');
      const plan = compile(sharedBytes('models/mobilenet_v2_1.0_224_quant.tflite')), photo = sharedBytes('images/cat.bmp');
      writeFileSync(app, bundle(program, await slotOf(program), plan, { labels: sharedBytes('images/imagenet_labels.txt') }));
      writeFileSync(join(folder, 'm.kgl'), plan);
      writeFileSync(join(folder, 'l.txt'), sharedBytes('images/imagenet_labels.txt'));
      const plain = runIn(engine, programOf('simd'), ['classify', 'm.kgl', '-', '--labels', 'l.txt'], { folder, input: photo });
      const bundled = runIn(engine, app, [], { folder, dirs: [], input: photo });
      assert.equal(bundled.code, 0, bundled.err);
      assert.match(bundled.out.toString(), /Egyptian cat/);
      assert.deepEqual(bundled.out, plain.out);
    });
  }
  it('embeds without a host: kinglet-embed loads what it brings', async () => {
    const embed = new Uint8Array(readFileSync(join(root, 'build/host/kinglet-embed.simd.wasm'))), plan = compile(sharedBytes('models/person_detect.tflite'));
    const host = await loadModel(plan, { kernels: 'simd128' }), data = new Int8Array(96 * 96).map((_, i) => i * 7), [want] = await host.run([data]);
    const { instance: { exports } } = await WebAssembly.instantiate(bundle(embed, await slotOf(embed), plan));
    const call = (name: string, ...words: number[]): number => (exports[name] as (...all: number[]) => number)(...words);
    const memory = exports['memory'] as WebAssembly.Memory;
    call('_initialize');
    const handle = call('kgl_load', 0, 0, 0);
    assert.ok(handle > 0);
    const at = (name: string): number => new Uint32Array(memory.buffer, call(name, handle, 0), 1)[0];
    new Int8Array(memory.buffer).set(data, at('kgl_input'));
    assert.equal(call('kgl_run', handle), 0);
    assert.deepEqual(new Int8Array(memory.buffer, at('kgl_output'), want.length), want);
  });
  it('is refused where the plan is damaged', () => {
    const plan = compile(sharedBytes('models/person_detect.tflite'));
    plan[5000] ^= 1;
    assert.throws(() => bundle(new Uint8Array(readFileSync(programOf('simd'))), 0, plan), { code: 'ERR_PLAN_INVALID' });
  });
});
