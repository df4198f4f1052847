// Weights in half precision. SwiftShader has no shader-f16, so the shaders are compared as text and not run; the numbers are checked here.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { optimise } from '../../host/passes/index.ts';
import { moduleText } from '../../host/webgpu/dispatch.ts';
import { toHalves } from '../../host/webgpu/half-floats.ts';
import { lowerGpu } from '../../host/webgpu/lower-gpu.ts';
import { networkGraph } from '../../models/zoo.ts';
import { random } from '../random.ts';
import { read } from '../repo/files.ts';
import { kernelCases } from './kernel-cases.ts';

/** IEEE 754-2019, 3.4: what 16 bits mean. */
function valueOf(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15, (bits >> 10) & 31, bits & 1023];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return sign ? -size : size;
}
const finite = Array.from({ length: 2 ** 16 }, (_, bits) => bits).filter((bits) => ((bits >> 10) & 31) !== 31);

describe('half precision', () => {
  it('keeps every number that it has', () => {
    assert.deepEqual(Array.from(toHalves(Float32Array.from(finite, valueOf)) ?? []), finite);
  });
  it('rounds to the nearest, ties to even: between all neighbours, seed 3', () => {
    const next = random(3);
    const positive = finite.filter((bits) => bits < 0x8000);
    for (const [i, low] of positive.slice(0, -1).entries()) {
      const high = positive[i + 1];
      const [a, b] = [valueOf(low), valueOf(high)];
      const middle = (a + b) / 2;
      const between = Math.fround(a + (b - a) * next());
      const want = between === middle ? (low % 2 === 0 ? low : high) : between - a < b - between ? low : high;
      assert.deepEqual(Array.from(toHalves(Float32Array.of(middle, -middle, between)) ?? []), [low % 2 === 0 ? low : high, 0x8000 | (low % 2 === 0 ? low : high), want], `${a} to ${b}`);
    }
  });
  it('refuses what it cannot hold', () => {
    for (const value of [65505, -70000, Infinity, NaN]) assert.equal(toHalves(Float32Array.of(1, value)), null);
  });

  it('halves a network\'s weights and leaves dispatches and sums as they are', async () => {
    const graph = optimise(await networkGraph('mobilenet_v3_small', { classes: 10 })).graph;
    const [full, half] = [lowerGpu(graph), lowerGpu(graph, { half: true })];
    const bytes = (lowered: typeof full): number => [...lowered.weights.values()].reduce((sum, data) => sum + data.byteLength, 0);
    assert.equal(bytes(half), bytes(full) / 2);
    assert.deepEqual(half.steps.map(({ dispatch }) => dispatch.kernel), full.steps.map(({ dispatch }) => dispatch.kernel));
    const texts = half.steps.map(({ dispatch }) => moduleText(dispatch));
    texts.forEach((text, i) => {
      const has = /\bw[12]?: array/.test(text);
      assert.equal(text.startsWith('enable f16;\n'), has);
      // The same text but for how weights are declared.
      assert.equal(text.replace('enable f16;\n', '').replaceAll('vec4h', 'vec4f'), moduleText(full.steps[i].dispatch));
    });
    assert.ok(texts.filter((text) => text.startsWith('enable f16;')).length > 20);
  });
  it('has the text of the golden shader (not run: SwiftShader has no shader-f16)', () => {
    const graph = kernelCases.find(({ name }) => name === 'pointwise 5x3, 24 to 144')?.make();
    assert.ok(graph);
    const text = lowerGpu(graph, { half: true }).steps.map(({ dispatch }) => moduleText(dispatch)).at(-1);
    assert.equal(text, read('tests/webgpu/pointwise-half.wgsl'));
  });
});
