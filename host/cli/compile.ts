// `kinglet compile`: a .tflite or .onnx model, or a network of the zoo, in; a .kgl plan out. Must not run anything.

import { KingletError } from '../error.ts';
import { writeWhole } from './files.ts';
import type { NetworkWords, CompilingOptions } from './options.ts';
import { planOf } from './source.ts';
import { grouped, print, printable } from './text.ts';

export interface CompileOptions extends CompilingOptions, NetworkWords {
  readonly output: string;
}

export async function compileCommand(source: string, options: CompileOptions): Promise<void> {
  if (!options.output.endsWith('.kgl')) throw new KingletError('ERR_USAGE', 'the plan must be named .kgl', { hint: 'For example: kinglet compile model.onnx -o model.kgl' });
  const plan = await planOf(source, options);
  await writeWhole(options.output, plan);
  print(`${printable(options.output, 200)} ${grouped(plan.length)} bytes`);
}
