// Every opcode of the contract is verified and run by the executor, under the name that its constant spells.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as abi from '../../assembly/abi.ts';
import { opcodeNames, read } from './files.ts';

/** QS8_DWCONV → qs8Dwconv. */
const functionName = (opcode: string): string => opcode.toLowerCase().replace(/_(\w)/g, (_, c: string) => c.toUpperCase());

test('opcodes are numbered from 1 without gaps', () => {
  const values = opcodeNames().map((name) => (abi as Readonly<Record<string, number>>)[name]);
  assert.deepEqual(values, Array.from({ length: abi.OPCODE_COUNT - 1 }, (_, i) => i + 1));
});

test('the executor verifies and runs each opcode', () => {
  const executor = read('assembly/steps.ts');
  for (const opcode of opcodeNames()) {
    const name = functionName(opcode);
    const verify = `verify${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    assert.ok(executor.includes(`case ${opcode}: ${verify}(step); break;`), `no line verifies ${opcode}`);
    assert.ok(executor.includes(`case ${opcode}: ${name}(step, base); break;`), `no line runs ${opcode}`);
  }
});
