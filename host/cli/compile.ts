// `kinglet compile`: a .tflite or .onnx model in, a .kgl plan out. Must not run anything.

import { compile } from '../compile.ts';
import { KingletError } from '../error.ts';
import { readSource } from '../load.ts';
import { writeWhole } from './files.ts';
import { grouped, print, printable } from './text.ts';

export interface CompileOptions {
  readonly output: string;
  readonly shape: Readonly<Record<string, number[]>>;
  readonly tolerance?: number;
}

export async function compileCommand(source: string, options: CompileOptions): Promise<void> {
  if (!options.output.endsWith('.kgl')) throw new KingletError('ERR_USAGE', 'the plan must be named .kgl', { hint: 'For example: kinglet compile model.onnx -o model.kgl' });
  const plan = compile(await readSource(source), { shapes: options.shape, tolerance: options.tolerance });
  await writeWhole(options.output, plan);
  print(`${printable(options.output, 200)} ${grouped(plan.length)} bytes`);
}
