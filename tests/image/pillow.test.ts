// The same bytes as Pillow, an implementation that shares nothing with ours. pillow-golden.py makes the expectations.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { toTensor } from '../../host/image/tensor.ts';
import { pattern } from './pictures.ts';

interface Golden {
  readonly pillow: string;
  readonly cases: readonly { readonly from: [number, number]; readonly to: [number, number]; readonly region: [number, number, number, number]; readonly sha256: string; readonly bytes?: number[] }[];
}
const golden = JSON.parse(readFileSync(new URL('../../../tests/image/pillow-golden.json', import.meta.url), 'utf8')) as Golden;

for (const { from: [w, h], to: [width, height], region: [x, y, across, down], sha256, bytes } of golden.cases) {
  test(`${w}x${h}, ${across}x${down} at ${x},${y} to ${width}x${height} as Pillow ${golden.pillow}`, () => {
    const input = { name: 'x', dtype: 'uint8', shape: [1, height, width, 3], layout: null, quantization: null };
    const scaled = toTensor({ width: w, height: h, data: pattern(w, h) }, input, { region: { x, y, width: across, height: down } });
    if (bytes) assert.deepEqual([...scaled], bytes);
    assert.equal(createHash('sha256').update(scaled).digest('hex'), sha256);
  });
}
