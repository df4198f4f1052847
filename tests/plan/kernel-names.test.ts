// The loader's table of kernel names against the opcodes that abi.ts defines.

import assert from 'node:assert/strict';
import test from 'node:test';
import * as abi from '../../assembly/abi.ts';
import { kernelNames } from '../../host/plan/kernel-names.ts';

void test('every opcode has the name of its constant, and nothing else has one', () => {
  const expected = new Array<string | undefined>(abi.OPCODE_COUNT).fill(undefined);
  for (const [name, code] of Object.entries(abi)) {
    if (/^(F32|QS8|I32|X)_[A-Z_]+$/.test(name)) expected[code] = name.toLowerCase();
  }
  assert.deepEqual([...kernelNames], expected);
  assert.equal(expected.slice(1).includes(undefined), false);
});
