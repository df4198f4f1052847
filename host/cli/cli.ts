// The `kinglet` command: words in, exit code out. Errors become one sentence and a hint on stderr; their codes are in host/error.ts.
// Must not know how the commands work.

import { Command, CommanderError, Option } from 'commander';
import { KingletError, errorTable } from '../error.ts';
import { presetNames } from '../image/presets.ts';
import { fits } from '../image/region.ts';
import { version } from '../version.ts';
import { benchCommand } from './bench.ts';
import { bundleCommand } from './bundle.ts';
import { classifyCommand } from './classify.ts';
import { compareCommand } from './compare.ts';
import { compileCommand } from './compile.ts';
import { detectCommand } from './detect.ts';
import { doctorCommand } from './doctor.ts';
import { inspectCommand } from './inspect.ts';
import { collect, parseCount, parseTolerance, withCompiling, withKernels, withModelOptions, withNetworks, withThreads } from './options.ts';
import { runCommand } from './run.ts';
import { notice, printable } from './text.ts';

function program(): Command {
  const root = new Command('kinglet')
    .description('Runs small convolutional networks (.onnx, .tflite, .kgl) on WebAssembly SIMD.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('Run `kinglet --help` for the options.');
  withThreads(withNetworks(withModelOptions(root.command('run').description('run a model on .npy inputs').argument('<MODEL>', 'file, URL or network of the zoo'))))
    .option('--input <KEY=FILE>', 'input by index or name, a .npy file (repeatable)', collect)
    .option('--output <KEY=FILE>', 'output by index or name, a .npy file (repeatable)', collect)
    .option('--dump <DIR>', 'write the output of every step to DIR as .npy')
    .option('--repeat <N>', 'time N runs: median, and share of the peak measured in this process', parseCount)
    .action(runCommand);
  withModelOptions(root.command('classify').description('name what photos show').argument('<MODEL>', 'file or URL').argument('<PHOTO...>', 'PNG, JPEG, BMP or PPM'))
    .option('--labels <FILE>', 'one label a line; the line number from 0 on is the output index')
    .option('--top <N>', 'how many labels', parseCount, 5)
    .addOption(new Option('--preset <NAME>', 'how samples become numbers (default: by the input)').choices(presetNames))
    .addOption(new Option('--fit <HOW>', 'how the photo fills the input (default: the preset\'s, otherwise stretch)').choices(fits))
    .option('--threshold <SHARE>', 'least score', parseTolerance)
    .option('--json', 'one JSON object per photo')
    .action(classifyCommand);
  withModelOptions(root.command('detect').description('find faces or objects on photos: BlazeFace, Ultra-Light RFB, NanoDet-Plus').argument('<MODEL>', 'file or URL').argument('<PHOTO...>', 'PNG, JPEG, BMP or PPM'))
    .option('--labels <FILE>', 'one label a line (default: face, or COCO\'s 80)')
    .option('--threshold <SHARE>', 'least score (default: by the network)', parseTolerance)
    .option('--overlap <SHARE>', 'boxes that overlap more are one (default: by the network)', parseTolerance)
    .option('--top <N>', 'how many at most (default: 100)', parseCount)
    .addOption(new Option('--preset <NAME>', 'how samples become numbers (default: by the network)').choices(presetNames))
    .addOption(new Option('--fit <HOW>', 'how the photo fills the input (default: the preset\'s, otherwise pad)').choices(fits))
    .option('--close-ups', 'look at each one again from near')
    .option('--output <FILE>', 'write the photo with its boxes as PNG')
    .option('--json', 'one JSON object per photo')
    .action(detectCommand);
  withNetworks(withKernels(root.command('inspect').description('list layers, sizes and costs').argument('<MODEL>', 'file, URL or network of the zoo')))
    .option('--steps', 'the plan\'s steps too')
    .option('--html <FILE>', 'write a page with the table, memory over time and a graph')
    .addOption(new Option('--backend <NAME>', 'webgpu: the GPU\'s dispatches, or the operators that it lacks').choices(['wasm', 'webgpu']).default('wasm'))
    .option('--json', 'one JSON object per line')
    .action(inspectCommand);
  withThreads(withNetworks(withKernels(root.command('bench').description('time models, whole and per step').argument('<MODEL...>', 'files, URLs or networks of the zoo'))))
    .option('--runs <N>', 'timed runs', parseCount, 100)
    .option('--warmup <N>', 'runs before them (default: half a second)', parseCount)
    .addOption(new Option('--backend <NAME>', 'what computes; webgpu and auto need the package webgpu in Node').choices(['wasm', 'webgpu', 'auto']).default('wasm'))
    .option('--layers', 'each step (each dispatch of a GPU), and totals by kernel')
    .option('--json', 'one JSON object per line')
    .action(benchCommand);
  withNetworks(withKernels(root.command('compare').description('time models side by side: size, cost, latency').argument('<MODEL...>', 'files, URLs or networks of the zoo')))
    .option('--runs <N>', 'timed runs', parseCount, 100)
    .option('--warmup <N>', 'runs before them (default: half a second)', parseCount)
    .option('--html <FILE>', 'write a page with the chart: multiply-adds, latency, parameters')
    .option('--json', 'one JSON object per line')
    .action(compareCommand);
  withNetworks(withCompiling(root.command('compile').description('compile a model to a plan that loads without an importer').argument('<MODEL>', 'file, URL or network of the zoo')))
    .requiredOption('-o, --output <FILE>', 'the .kgl file to write')
    .action(compileCommand);
  withNetworks(withCompiling(root.command('bundle').description('one WASI program with the network inside').argument('<MODEL>', 'file, URL or network of the zoo')))
    .requiredOption('-o, --output <FILE>', 'the .wasm file to write')
    .addOption(new Option('--kernels <NAME>', 'which executor').choices(['simd128', 'relaxed']).default('simd128'))
    .option('--labels <FILE>', 'one label a line, kept inside')
    .option('--top <N>', 'how many labels it prints', parseCount)
    .addOption(new Option('--preset <NAME>', 'how samples become numbers (default: by the input)').choices(presetNames))
    .addOption(new Option('--fit <HOW>', 'how the picture fills the input (default: the preset\'s, otherwise stretch)').choices(fits))
    .option('--embed', 'a module for embedding instead of a program')
    .action(bundleCommand);
  root.command('doctor').description('say what this machine offers, or whether a deployed page serves kinglet well').argument('[URL]', 'a page, or the folder that holds the .wasm files')
    .option('--json', 'one JSON object per line')
    .action(doctorCommand);
  return root;
}

/** Runs one command line; resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : errorTable.ERR_USAGE.exit;
    if (error instanceof KingletError) return explain(error);
    return explain(new KingletError('ERR_INTERNAL', `unexpected error: ${error instanceof Error ? error.message : String(error)}`));
  }
}

function explain(error: KingletError): number {
  notice(error.message.split('\n').map((line) => printable(line, 1000)).join('\n'));
  process.stderr.write(`hint: ${printable(error.hint, 1000)}\n`);
  return errorTable[error.code].exit;
}

// `kinglet … | head`: the reader has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { process.exit(error.code === 'EPIPE' ? 0 : errorTable.ERR_FILE.exit); });
process.exitCode = await main(process.argv);
