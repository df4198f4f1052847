// Window arithmetic against windows that are laid one by one, and the exact scalars of int8 against cases worked out by hand.

import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import { dequantizeValue, quantizedClamp, quantizeValue, requantizeValue, rint, saturate } from '../../host/ops/quantized.ts';
import { outputSize, resolvePads, tfliteSamePads, windowSpan } from '../../host/ops/window.ts';

/** Lays windows from left to right as long as they fit (in ceil mode: as long as they start on the input or its first pad). */
function countWindows(input: number, kernel: number, stride: number, dilation: number, before: number, after: number, ceilMode: boolean): number {
  let count = 0;
  for (let start = -before; ; start += stride) {
    const end = start + (kernel - 1) * dilation;
    const fits = end < input + after && (!ceilMode || start < input);
    // One window may hang over, the next one may not: everything up to the padded end is covered by then.
    const needed = ceilMode && start < input && end - stride < input + after - 1;
    if (!fits && !needed) return count;
    count++;
  }
}

test('output sizes', () => {
  for (const ceilMode of [false, true]) {
    for (let input = 1; input <= 9; input++) for (let kernel = 1; kernel <= 3; kernel++) for (let stride = 1; stride <= 3; stride++) {
      for (let dilation = 1; dilation <= 2; dilation++) for (const [before, after] of [[0, 0], [1, 0], [0, 1], [1, 1], [2, 1]]) {
        const span = windowSpan(kernel, dilation);
        if (input + before + after < span || before >= span) continue;
        equal(outputSize(input, kernel, stride, dilation, before, after, ceilMode), countWindows(input, kernel, stride, dilation, before, after, ceilMode),
          JSON.stringify({ input, kernel, stride, dilation, before, after, ceilMode }));
      }
    }
  }
  throws(() => outputSize(2, 3, 1, 1, 0, 0), (e) => e instanceof KingletError && e.code === 'ERR_MODEL_INVALID');
});

test('SAME gives ceil(input / stride) windows and puts the odd pad behind, or in front for SAME_LOWER', () => {
  const window = { kernel: [3, 2], strides: [2, 1], dilations: [1, 2], pads: [0, 0, 0, 0] } as const;
  deepEqual(resolvePads({ ...window, autoPad: 'SAME_UPPER', input: [6, 5] }), [0, 1, 1, 1]);
  deepEqual(resolvePads({ ...window, autoPad: 'SAME_LOWER', input: [6, 5] }), [1, 1, 0, 1]);
  deepEqual(resolvePads({ ...window, autoPad: 'VALID', input: [6, 5] }), [0, 0, 0, 0]);
  deepEqual(resolvePads({ ...window, autoPad: 'NOTSET', pads: [1, 2, 3, 4], input: [6, 5] }), [1, 2, 3, 4]);
  deepEqual(tfliteSamePads(0, [224, 7], { kernel: [3, 3], strides: [2, 2], dilations: [1, 1] }), [0, 1, 1, 1]);
  deepEqual(tfliteSamePads(0, [5, 5], { kernel: [1, 1], strides: [3, 3], dilations: [1, 1] }), [0, 0, 0, 0]);
  deepEqual(tfliteSamePads(1, [224, 7], { kernel: [3, 3], strides: [2, 2], dilations: [1, 1] }), [0, 0, 0, 0]);
});

test('rint rounds ties to even, everywhere', () => {
  deepEqual([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 2.500001].map(rint).map((v) => v + 0), [0, 2, 2, 0, -2, -2, 0, 3]);
  deepEqual([1e300, -Infinity, 2 ** 52 + 1, 2 ** 31 + 0.5].map(rint), [1e300, -Infinity, 2 ** 52 + 1, 2 ** 31]);
  equal(rint(NaN), NaN);
});

test('int8 scalars saturate and work in float32', () => {
  deepEqual([saturate(200), saturate(-200), saturate(5), saturate(NaN), saturate(9, 0, 6)], [127, -128, 5, 0, 6]);
  deepEqual([quantizeValue(0.75, 0.5, 3), quantizeValue(1e30, 0.5, 3), quantizeValue(-Infinity, 0.5, 3), quantizeValue(NaN, 0.5, 3)], [5, 127, -128, 3]);
  equal(dequantizeValue(-128, Math.fround(0.1), 127), Math.fround(-255 * Math.fround(0.1)));
  // 0.5 / 0.2 in float32 is 2.5 exactly; 2.5 rounds to 2, 7.5 to 8.
  deepEqual([1, 3].map((q) => requantizeValue(q, { scale: 0.5, zeroPoint: 0 }, { scale: Math.fround(0.2), zeroPoint: 1 })), [3, 9]);
});

test('real clamps become quantised ones', () => {
  deepEqual(quantizedClamp(0, 6, Math.fround(6 / 255), -128), [-128, 127]);
  deepEqual(quantizedClamp(0, 6, Math.fround(0.1), -10), [-10, 50]);
  deepEqual(quantizedClamp(-Infinity, Infinity, 0.5, 7), [-128, 127]);
  deepEqual(quantizedClamp(-1, 1, 0.125, 0), [-8, 8]);
});
