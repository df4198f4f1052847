// The law that lets transposes move: op(transpose(x), permuted attributes) is transpose(op(x)), for moving and elementwise ops.
// Also what placing promises: inputs written where `place` says make the op need no step.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../host/graph/graph.ts';
import { makeValue } from '../../host/graph/graph.ts';
import { binary } from '../../host/ops/binary.ts';
import { channelShuffle } from '../../host/ops/channel-shuffle.ts';
import { concat } from '../../host/ops/concat.ts';
import { expand } from '../../host/ops/expand.ts';
import { gather } from '../../host/ops/gather.ts';
import { lrn } from '../../host/ops/lrn.ts';
import { normalize } from '../../host/ops/normalize.ts';
import type { Op } from '../../host/ops/op.ts';
import { pad } from '../../host/ops/pad.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { slice } from '../../host/ops/slice.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { unary } from '../../host/ops/unary.ts';
import type { Tensor, TensorType } from '../../host/tensor.ts';
import { intTensor, randomTensor, scale } from './problem.ts';
import { random, randomInt } from '../random.ts';

const q = scale(0.05, 3);
const float = (...shape: number[]): TensorType => ({ dtype: 'float32', shape });
const int8 = (...shape: number[]): TensorType => ({ dtype: 'int8', shape, quantization: q });

function shuffled(seed: number, rank: number): number[] {
  const next = random(seed);
  const perm = Array.from({ length: rank }, (_, i) => i);
  for (let i = rank - 1; i > 0; i--) {
    const j = randomInt(next, i + 1);
    [perm[i], perm[j]] = [perm[j], perm[i]];
  }
  return perm;
}

function apply<A>(op: Op<A>, attrs: A, inputs: Tensor[]): Tensor {
  const types = op.infer(inputs, attrs).map((type) => ({ ...type, quantization: type.quantization ?? (type.dtype === 'int8' ? q : undefined) }));
  return { ...types[0], data: op.reference(inputs, attrs, types)[0].data };
}
function nodeOf<A>(op: Op<A>, attrs: A, inputs: readonly TensorType[]): Node<A> {
  return { op, attrs, name: 'n', inputs: inputs.map((t) => makeValue(t, 'x')), outputs: op.infer(inputs, attrs).map((t) => makeValue(t, 'y')) };
}

function checkLaw<A>(name: string, op: Op<A>, attrs: A, types: readonly TensorType[], indices?: Tensor): void {
  test(`${op.kind}: ${name}`, () => {
    for (let seed = 1; seed <= 12; seed++) {
      const inputs = [...types.map((t, i) => randomTensor(seed * 10 + i, t)), ...(indices ? [indices] : [])];
      const node = nodeOf(op, attrs, inputs);
      const perm = shuffled(seed, node.outputs[0].shape.length);
      const permuted = op.permute?.(attrs, perm, node);
      ok(permuted !== undefined, 'can be permuted');
      const wanted = op.permutedInputs?.(node) ?? inputs.map((_, i) => i);
      const moved = inputs.map((x, i) => (wanted.includes(i) ? apply(transpose, { perm }, [x]) : x));
      const expected = apply(transpose, { perm }, [apply(op, attrs, inputs)]);
      const actual = apply(op, permuted, moved);
      deepEqual([actual.shape, actual.data], [expected.shape, expected.data], `perm [${perm.join(', ')}], seed ${seed}`);
    }
  });
}

const add = { kind: 'add', min: -Infinity, max: Infinity } as const;
checkLaw('two of one shape', binary, add, [float(2, 3, 4, 5), float(2, 3, 4, 5)]);
checkLaw('stretched', binary, { ...add, kind: 'mul' }, [float(2, 3, 1, 5), float(1, 3, 4, 1)]);
checkLaw('with a scalar', binary, { ...add, kind: 'sub' }, [float(2, 3, 4), float()]);
checkLaw('with a single element of lower rank', binary, { ...add, kind: 'div' }, [float(1), float(2, 3, 4)]);
checkLaw('int8', binary, add, [int8(2, 3, 4), int8(2, 3, 4)]);
checkLaw('tanh', unary, { kind: 'tanh', p0: 0, p1: 0 }, [float(2, 3, 4)]);
checkLaw('three parts', concat, { axis: 2 }, [float(2, 3, 1, 5), float(2, 3, 4, 5), float(2, 3, 2, 5)]);
checkLaw('steps and reverse', slice, { starts: [0, 2, 1, 0], sizes: [2, 3, 2, 1], steps: [1, -1, 2, 1] }, [float(2, 3, 4, 5)]);
checkLaw('constant', pad, { pads: [0, 1, 2, 0, 3, 0], mode: 'constant', value: 0.5 }, [int8(2, 3, 4)]);
checkLaw('reflect', pad, { pads: [1, 0, 2, 0, 2, 3], mode: 'reflect', value: 0 }, [float(2, 3, 4)]);
checkLaw('stretch', expand, { shape: [2, 7, 4] }, [float(2, 1, 4)]);
checkLaw('with parameters', normalize, { axes: [0, 2], epsilon: 1e-3 }, [float(2, 3, 4, 5), float(1, 3, 1, 5), float(1, 3, 1, 5)]);
checkLaw('two groups', channelShuffle, { axis: 1, groups: 2 }, [float(2, 6, 4)]);
checkLaw('vector of indices', gather, { axis: 1 }, [float(2, 3, 4)], intTensor([4], [2, 0, 0, -1]));

test('what cannot be permuted says so', () => {
  equal(binary.permute?.(add, [1, 0, 2], nodeOf(binary, add, [float(2, 3, 4), float(3, 4)])), undefined);
  equal(expand.permute?.({ shape: [5, 3, 4] }, [1, 0, 2], nodeOf(expand, { shape: [5, 3, 4] }, [float(3, 4)])), undefined);
  equal(lrn.permute?.({ before: 1, after: 1, scale: 1, bias: 1, beta: 0.75 }, [0, 3, 1, 2], nodeOf(lrn, { before: 1, after: 1, scale: 1, bias: 1, beta: 0.75 }, [float(2, 3, 4, 5)])), undefined);
  const matrix: TensorType = { dtype: 'int32', shape: [2, 2] };
  equal(gather.permute?.({ axis: 0 }, [0, 2, 1], nodeOf(gather, { axis: 0 }, [float(3, 4), matrix])), undefined);
});

test('places: views of the whole, none for a part with other parameters', () => {
  const region = { kind: 'arena', bytes: 4096 } as const;
  const at = { region, offsetBytes: 64 };
  const joined = concat.place?.(nodeOf(concat, { axis: 1 }, [float(2, 3, 4), float(2, 1, 4)]), { dtype: 'float32', shape: [2, 4, 4], strides: [16, 4, 1], at });
  deepEqual(joined, [
    { dtype: 'float32', shape: [2, 3, 4], strides: [16, 4, 1], at },
    { dtype: 'float32', shape: [2, 1, 4], strides: [16, 4, 1], at: { region, offsetBytes: 64 + 48 } },
  ]);
  const other: TensorType = { dtype: 'int8', shape: [2, 1], quantization: scale(1, 0) };
  const mixed = nodeOf(concat, { axis: 1 }, [int8(2, 1), other]);
  const whole: Node<{ axis: number }> = { ...mixed, outputs: [makeValue(int8(2, 2), 'y')] };
  deepEqual(concat.place?.(whole, { dtype: 'int8', shape: [2, 2], strides: [2, 1], at })[1], undefined);
  const turned = transpose.place?.(nodeOf(transpose, { perm: [2, 0, 1] }, [float(2, 3, 4)]), { dtype: 'float32', shape: [4, 2, 3], strides: [6, 3, 1], at });
  deepEqual(turned, [{ dtype: 'float32', shape: [2, 3, 4], strides: [3, 1, 6], at }]);
  const flat = reshape.place?.(nodeOf(reshape, { shape: [6, 4] }, [float(2, 3, 4)]), { dtype: 'float32', shape: [6, 4], strides: [8, 1], at });
  deepEqual(flat, [{ dtype: 'float32', shape: [2, 3, 4], strides: [24, 8, 1], at }]);
});
