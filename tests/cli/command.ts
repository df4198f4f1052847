// Runs the compiled command in a process of its own, as people do.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after } from 'node:test';

const cli = fileURLToPath(new URL('../../host/cli/cli.js', import.meta.url));

/** A real network that comes with a dev dependency. */
export const blazeface = fileURLToPath(new URL('../../../node_modules/@mediapipe/face_detection/face_detection_short_range.tflite', import.meta.url));

export function kinglet(...words: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return { code: status, out: stdout, err: stderr };
}

/** A folder that is gone after the file's tests. */
export function scratch(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'kinglet-'));
  after(() => { rmSync(folder, { recursive: true, force: true }); });
  return (name) => join(folder, name);
}
