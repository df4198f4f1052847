// Asserts that something throws a KingletError of one code, and returns it for closer looks.

import assert from 'node:assert/strict';
import { KingletError, type ErrorCode } from '../../host/error.ts';

export function throws(code: ErrorCode, pattern: RegExp, run: () => unknown): KingletError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof KingletError, `not a KingletError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    assert.ok(error.hint.length > 0);
    return error;
  }
  return assert.fail(`nothing was thrown, expected ${code}`);
}
