// A golden's tensors, and whether an answer agrees with them: float32 within one tolerance, int8 and uint8 byte for byte.
// In: a golden, an engine's outputs. Out: an assertion that says how far they are off. Must not know where the model ran.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readNpy } from '../../host/npy.ts';
import type { Tensor, TensorData } from '../../host/tensor.ts';
import { sharedBytes, sharedFolder, type Golden } from '../shared.ts';
import { tolerance } from '../tolerance.ts';

export function tensors(golden: Golden, name: string, role: 'input' | 'output' | 'exact'): Tensor[] {
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

/** A byte behind a final softmax may differ by 1: its exponential rounds differently in other engines. */
function allowance(steps: readonly { readonly op: string }[]): number {
  return steps.slice(-3).some((step) => step.op === 'softmax') ? 1 : 0;
}

/** `role`: against LiteRT.js's outputs with the file's own scales, or the exact ones for scales of 6 digits (round-scales.ts). */
export function checkAnswer(golden: Golden, name: string, role: 'output' | 'exact', outputs: readonly TensorData[], steps: readonly { readonly op: string }[]): void {
  const expected = tensors(golden, name, role);
  assert.ok(expected.length > 0, 'the golden has an expected output');
  expected.forEach((want, i) => {
    const got = outputs[i];
    assert.ok(got, `output ${i} exists`);
    assert.equal(got.length, want.data.length);
    assert.equal(got.constructor, want.data.constructor, 'the dtype is the model\'s own');
    if (golden.quantized) {
      const { count, most } = byteDifference(got, want.data);
      assert.ok(most <= allowance(steps), `output ${i}: ${count} bytes differ, by up to ${most}`);
    } else {
      const error = relativeError(got, want.data);
      assert.ok(error <= tolerance.network, `output ${i} is off by ${error} of the largest value`);
    }
  });
}
