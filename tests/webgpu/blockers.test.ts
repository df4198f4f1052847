// What a GPU refuses before it is touched: networks beyond WebGPU's default limits, operators and integers that it lacks.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Builder } from '../../host/graph/builder.ts';
import type { Graph, Value } from '../../host/graph/graph.ts';
import { argmax } from '../../host/ops/argmax.ts';
import { binary } from '../../host/ops/binary.ts';
import { cast } from '../../host/ops/cast.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { optimise } from '../../host/passes/index.ts';
import { elementCount, type DType } from '../../host/tensor.ts';
import { checkLimits, defaultLimits } from '../../host/webgpu/gpu-limits.ts';
import { buildGpuNetwork, gpuBlockers } from '../../host/webgpu/gpu-network.ts';
import { networkGraph, networkNames, type WeightSource } from '../../models/zoo.ts';

describe('what a GPU cannot take', () => {
  /** A device that must not be touched before the network is known to fit. */
  const device = { limits: defaultLimits } as unknown as GPUDevice;
  const weights: WeightSource = (_, shape) => new Float32Array(elementCount(shape));
  const large = ['alexnet', 'zfnet', 'zfnet512', 'vgg11', 'vgg13', 'vgg16', 'vgg19'];
  for (const name of networkNames) {
    it(`${name} at its own size ${large.includes(name) ? 'exceeds' : 'is within'} the default binding limit`, async () => {
      const graph = optimise(await networkGraph(name, { weights })).graph;
      if (large.includes(name)) await assert.rejects(buildGpuNetwork(graph, device), { code: 'ERR_LIMIT', message: /maxStorageBufferBindingSize is 128 MiB/ });
      else checkLimits(graph, defaultLimits);
    });
  }
  it('integers are named as blockers, all of them', async () => {
    const graph = optimise(await networkGraph('lenet5', { int8: true })).graph;
    const blockers = gpuBlockers(graph);
    assert.ok(blockers.length >= 4 && blockers.every(({ why }) => /float32 alone|no kernel/.test(why)));
    await assert.rejects(buildGpuNetwork(graph, device), { code: 'ERR_UNSUPPORTED', message: /conv2d/ });
  });

  const graphOf = (dtype: DType, build: (b: Builder, x: Value) => Value): Graph => {
    const b = new Builder();
    b.output(build(b, b.input('x', { dtype, shape: [2, 5] })), 'y');
    return b.graph;
  };
  const position = (b: Builder, x: Value): Value => b.add(argmax, { axis: 1, keepDims: true, last: false }, [x]);
  const refused: readonly (readonly [what: string, graph: Graph, why: RegExp | null])[] = [
    ['positions that are moved and made wide', graphOf('float32', (b, x) => b.add(cast, { to: 'int64' }, [b.add(reshape, { shape: [2] }, [position(b, x)])])), null],
    ['sums of positions', graphOf('float32', (b, x) => b.add(binary, { kind: 'add', min: -Infinity, max: Infinity }, [position(b, x), position(b, x)])), /^binary: it works on int32/],
    ['positions as truths', graphOf('float32', (b, x) => b.add(cast, { to: 'bool' }, [position(b, x)])), /^cast: it makes bool/],
    ['floats that become integers', graphOf('float32', (b, x) => b.add(cast, { to: 'int32' }, [x])), /^cast: it works on int32/],
    ['integers that are moved', graphOf('int32', (b, x) => b.add(reshape, { shape: [10] }, [x])), /^reshape: it works on int32/],
    ['the largest of integers', graphOf('int32', position), /^argmax: it works on int32/],
    ['integers that are both input and output', graphOf('int32', (_, x) => x), /^output: it works on int32/],
  ];
  for (const [what, graph, why] of refused) {
    it(`${what}: ${why ? 'no' : 'yes'}`, () => {
      const found = gpuBlockers(graph).map((blocker) => `${blocker.op}: ${blocker.why}`);
      if (why) assert.match(found.join(), why);
      assert.equal(found.length, why ? 1 : 0);
    });
  }
});
