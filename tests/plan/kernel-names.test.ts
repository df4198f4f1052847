// The loader's table of kernel names against the opcodes that abi.ts defines.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import * as abi from '../../assembly/abi.ts';
import { kernelNames } from '../../host/plan/kernel-names.ts';
import { opcodeNames, root } from '../repo/files.ts';

void test('every opcode has the name of its constant, and nothing else has one', () => {
  assert.deepEqual([...kernelNames], [undefined, ...opcodeNames().map((name) => name.toLowerCase())]);
  assert.equal(kernelNames.length, abi.OPCODE_COUNT);
});
void test('the WASI command has the same names', () => {
  const words = /KERNELS = "([^"]*)"/.exec(readFileSync(join(root, 'assembly/wasi/step-walk.ts'), 'utf8'))?.[1].split(' ');
  assert.deepEqual(words, kernelNames.slice(1));
});
