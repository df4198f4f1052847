// The loader's table of kernel names against the opcodes that abi.ts defines.

import assert from 'node:assert/strict';
import test from 'node:test';
import * as abi from '../../assembly/abi.ts';
import { kernelNames } from '../../host/plan/kernel-names.ts';
import { opcodeNames } from '../repo/files.ts';

void test('every opcode has the name of its constant, and nothing else has one', () => {
  assert.deepEqual([...kernelNames], [undefined, ...opcodeNames().map((name) => name.toLowerCase())]);
  assert.equal(kernelNames.length, abi.OPCODE_COUNT);
});
