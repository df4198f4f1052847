// Pictures that go to the GPU as what a page shows, against the definition of scaling in plain loops. The shader rounds once, the definition
// after each pass: samples may differ by one of 255.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Region } from '../../host/image/region.ts';
import type { PictureRule } from '../../host/webgpu/gpu-network.ts';
import { skipWithoutChromium, swiftshader, swiftshaderThroughout } from '../browser/chromium.ts';
import { plainResize } from '../image/plain-resize.ts';
import { random } from '../random.ts';
import { openGpuPage, type GpuPage } from './gpu-site.ts';

const SEED = 5;
const [width, height] = [47, 31];
const next = random(SEED);
/** Opaque, so that no source multiplies by alpha. */
const data = Array.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 ? 255 : Math.floor(next() * 256)));
const regions: Readonly<Record<string, Region>> = {
  'all of it': { x: 0, y: 0, width, height }, 'a part, enlarged': { x: 5.5, y: 3, width: 11, height: 9.25 }, 'more than there is': { x: -8, y: -4, width: 66, height: 38 },
};

/** Both ways of a frame to the shader: where it lies, or through a bitmap, which may convert it to another colour format. */
const browsers = [{ way: 'through bitmaps', flags: swiftshader, imports: false }, { way: 'as external textures', flags: swiftshaderThroughout, imports: true }] as const;

for (const { way, flags, imports } of browsers) describe(`pictures on the GPU, frames ${way}, seed ${SEED}`, { skip: skipWithoutChromium, timeout: 240_000 }, () => {
  let gpu: GpuPage;
  before(async () => { gpu = await openGpuPage(flags); });
  after(() => gpu.close());

  for (const [text, region] of Object.entries(regions)) {
    for (const [kind, layout, blueFirst] of [['planes', 'NCHW', true], ['pixels', 'NHWC', false]] as const) {
      it(`${text} as ${kind}`, async (t) => {
        const rule: PictureRule = { region, width: 20, height: 16, channels: 3, layout, blueFirst, mean: [10, 20, 30], std: [2, 4, 8] };
        const samples = plainResize({ width, height, data: Uint8Array.from(data.filter((_, i) => i % 4 !== 3)) }, 20, 16, region);
        const answers = await gpu.page.evaluate(([name, picture, how]) => kingletGpu.pictures({ kernelCase: `picture of ${name}` }, picture, how), [kind, { width, height, data }, rule] as const);
        assert.deepEqual(Object.keys(answers), ['ImageData', 'OffscreenCanvas', 'ImageBitmap', 'VideoFrame']);
        if (answers.VideoFrame.imported !== imports) t.skip(`frames do not go ${way} in this Chromium`);
        for (const [source, { outputs, imported, created }] of Object.entries(answers)) {
          assert.equal(created, imported ? 1 : 0); // the bind group of what was imported
          assert.equal(outputs.length, 2);
          const allowed = source === 'VideoFrame' && !imported ? 3 : 1;
          for (const output of outputs) {
            for (let i = 0; i < samples.length; i++) {
              const [pixel, c] = [Math.floor(i / 3), i % 3];
              const channel = blueFirst ? 2 - c : c;
              const got = -Number(output[layout === 'NCHW' ? channel * 320 + pixel : pixel * 3 + channel]) * (rule.std[channel] ?? 1) + (rule.mean[channel] ?? 0);
              assert.ok(Math.abs(got - samples[i]) <= allowed + 1e-3, `${source}: sample ${i} is ${got}, not ${samples[i]}`);
            }
          }
        }
      });
    }
  }
  it('ignores alpha', async () => {
    const colour = [200, 100, 50];
    const translucent = Array.from({ length: width * height }, () => [...colour, 128]).flat();
    const rule: PictureRule = { region: regions['all of it'], width: 20, height: 16, channels: 3, layout: 'NHWC', blueFirst: false, mean: [0, 0, 0], std: [1, 1, 1] };
    const answers = await gpu.page.evaluate(([picture, how]) => kingletGpu.pictures({ kernelCase: 'picture of pixels' }, picture, how), [{ width, height, data: translucent }, rule] as const);
    for (const [source, { outputs }] of Object.entries(answers)) {
      // Canvases hold colours multiplied by alpha, in bytes: a step of 255 is two there.
      outputs.forEach((output) => { output.forEach((value: number | bigint, i: number) => { assert.ok(Math.abs(-Number(value) - colour[i % 3]) <= 2 + 1e-3, `${source}: ${-Number(value)}`); }); });
    }
  });
  it('a rule for another input is refused', async () => {
    const rule: PictureRule = { region: regions['all of it'], width: 21, height: 16, channels: 3, layout: 'NHWC', blueFirst: false, mean: [0, 0, 0], std: [1, 1, 1] };
    await assert.rejects(gpu.page.evaluate(([picture, how]) => kingletGpu.pictures({ kernelCase: 'picture of pixels' }, picture, how), [{ width, height, data }, rule] as const), /is not what the network takes/);
  });
});
