// Where the GPU backend puts tensors: no dispatch writes the buffer that it reads, and tensors that live at once do not overlap. On the zoo,
// on every kernel case and on random graphs of joins, slices, sums and convolutions. Needs no GPU.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Builder } from '../../host/graph/builder.ts';
import type { Graph, Value } from '../../host/graph/graph.ts';
import { binary } from '../../host/ops/binary.ts';
import { channelShuffle } from '../../host/ops/channel-shuffle.ts';
import { concat } from '../../host/ops/concat.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { slice } from '../../host/ops/slice.ts';
import { unary } from '../../host/ops/unary.ts';
import { optimise } from '../../host/passes/index.ts';
import type { Region } from '../../host/plan/lowering.ts';
import { BUFFER_ALIGN, colourRegions } from '../../host/webgpu/colour-regions.ts';
import { moduleText, paramWords } from '../../host/webgpu/dispatch.ts';
import { lowerGpu } from '../../host/webgpu/lower-gpu.ts';
import { networkGraph } from '../../models/zoo.ts';
import { noise } from '../../models/random.ts';
import { random, randomInt } from '../random.ts';
import { kernelCases } from './kernel-cases.ts';

/** Default limit maxStorageBuffersPerShaderStage. */
const STORAGE_BUFFERS = 8;

function check(graph: Graph): { buffers: number; dispatches: number } {
  const lowered = lowerGpu(graph);
  const { places, bufferBytes } = colourRegions(lowered);
  const lives = new Map<Region, { first: number; last: number }>();
  const touch = (region: Region, step: number): void => {
    if (region.kind === 'arena') lives.set(region, { first: Math.min(step, lives.get(region)?.first ?? step), last: Math.max(step, lives.get(region)?.last ?? step) });
  };
  for (const { view } of lowered.inputs) touch(view.at.region, -1);
  lowered.steps.forEach(({ dispatch }, i) => {
    const [reads, write] = [dispatch.reads.map(({ view }) => view.at.region), dispatch.write.view.at.region];
    for (const region of [...reads, write]) touch(region, i);
    const written = places.get(write)?.buffer;
    assert.ok(written !== undefined, 'what is written has a place');
    assert.ok(!reads.some((region) => region.kind === 'arena' && places.get(region)?.buffer === written), `dispatch ${i} (${dispatch.kernel}) writes a buffer that it reads`);
    assert.ok(reads.length + 1 <= STORAGE_BUFFERS);
    assert.ok(paramWords(dispatch).byteLength <= 256, dispatch.kernel);
    assert.ok(dispatch.workgroups.every((n) => n >= 1 && n <= 65535));
  });
  for (const { view } of lowered.outputs) touch(view.at.region, lowered.steps.length);
  const all = [...lives].map(([region, life]) => ({ region, ...life, ...(places.get(region) ?? assert.fail('a region has no place')) }));
  all.forEach((a, i) => {
    assert.equal(a.offsetBytes % BUFFER_ALIGN, 0);
    assert.ok(a.offsetBytes + a.region.bytes <= bufferBytes[a.buffer]);
    for (const b of all.slice(i + 1)) {
      if (a.buffer !== b.buffer || a.first > b.last || b.first > a.last) continue;
      assert.ok(a.offsetBytes + a.region.bytes <= b.offsetBytes || b.offsetBytes + b.region.bytes <= a.offsetBytes, `${a.region.name} and ${b.region.name} overlap`);
    }
  });
  return { buffers: bufferBytes.length, dispatches: lowered.steps.length };
}

const attrs = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1, min: -Infinity, max: Infinity } as const;

/** Values of one plane and few widths, each node on earlier ones; whatever nobody reads is an output. */
function randomGraph(seed: number): Graph {
  const next = random(seed);
  const b = new Builder();
  const values: Value[] = [b.input('x', { dtype: 'float32', shape: [1, 3, 3, 8] }), b.input('y', { dtype: 'float32', shape: [1, 3, 3, 6] })];
  const any = (): Value => values[Math.max(0, values.length - 1 - randomInt(next, 6))];
  const width = (value: Value): number => value.shape[3];
  const convolve = (x: Value, channels: number): Value => b.add(conv2d, attrs, [x, b.constant({ dtype: 'float32', shape: [1, 1, width(x), channels], data: noise(seed, [width(x), channels]).data }), null]);
  const makers: readonly (() => Value)[] = [
    () => convolve(any(), 2 + 2 * randomInt(next, 5)),
    () => { const x = any(); return b.add(binary, { kind: 'add', min: -Infinity, max: Infinity }, [x, convolve(any(), width(x))]); },
    () => b.add(concat, { axis: 3 }, [any(), any(), any()].slice(0, 2 + randomInt(next, 2))),
    () => { const x = any(); const size = 1 + randomInt(next, width(x)); const start = randomInt(next, width(x) - size + 1); return b.add(slice, { starts: [0, 0, 0, start], sizes: [1, 3, 3, size], steps: [1, 1, 1, 1] }, [x]); },
    () => b.add(unary, { kind: 'abs', p0: 0, p1: 0 }, [any()]),
    () => { const x = any(); return b.add(channelShuffle, { axis: 3, groups: 2 }, [b.add(concat, { axis: 3 }, [x, convolve(any(), width(x))])]); },
  ];
  for (let i = 0; i < 12; i++) {
    const value = makers[randomInt(next, makers.length)]();
    values.push(width(value) > 48 ? convolve(value, 8) : value);
  }
  const read = new Set(b.graph.nodes.flatMap((node) => node.inputs));
  const open = values.slice(2).filter((value) => !read.has(value));
  open.forEach((value, i) => { b.output(value, `out${i}`); });
  return b.graph;
}

describe('buffers of the GPU backend', () => {
  for (const name of ['mobilenet_v1', 'mobilenet_v2', 'mobilenet_v3_small', 'shufflenet_v1_g3', 'shufflenet_v2_x1_0', 'densenet121', 'googlenet', 'nasnet_a_mobile', 'efficientnet_b0']) {
    it(`of ${name} are few`, async () => {
      const { buffers } = check(optimise(await networkGraph(name, { classes: 10 })).graph);
      assert.ok(buffers <= 5, `${buffers} buffers`);
    });
  }
  it('are right for every kernel case', () => {
    for (const { make } of kernelCases) check(make());
  });
  it('are right for 300 random graphs, seeds 1 to 300, as written and optimised', () => {
    for (let seed = 1; seed <= 300; seed++) {
      try {
        check(randomGraph(seed));
        check(optimise(randomGraph(seed)).graph);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
  it('and the same graph gives the same text', () => {
    const text = (): string => lowerGpu(randomGraph(5)).steps.map(({ dispatch }) => moduleText(dispatch)).join();
    assert.equal(text(), text());
  });
});
