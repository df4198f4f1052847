// What this machine and engine offer to kinglet. In: nothing. Out: findings. Must not know deployed pages or how findings are shown.

import { availableParallelism } from 'node:os';
import { gzipSync } from 'node:zlib';
import { ABI_VERSION } from '../../assembly/abi.ts';
import { dotName, getEngine } from '../backends/engine.ts';
import { KingletError } from '../error.ts';
import { readAll } from '../open-url.ts';
import { version } from '../version.ts';
import { kernelFile } from '../wasm-files.ts';
import { failure, ok, warning, type Finding } from './finding.ts';
import { abiVersionOf } from './wasm-file.ts';

export async function examineMachine(): Promise<Finding[]> {
  return [
    ok('kinglet', `${version}, plan version ${ABI_VERSION}`),
    ok('engine', `Node ${process.versions.node}, V8 ${process.versions.v8}, ${process.platform} ${process.arch}`),
    ok('cores', `${availableParallelism()}`),
    ...await Promise.all([executor('simd'), executor('relaxed'), executor('simd', true), executor('relaxed', true)]),
    await simd(),
    await relaxedSimd(),
    threads(),
  ];
}

async function executor(build: 'simd' | 'relaxed', threaded = false): Promise<Finding> {
  const topic = `kinglet${threaded ? '-threads' : ''}.${build}.wasm`;
  const bytes = await kernelFile(build, threaded).then((file) => readAll(file)).catch((error: unknown) => String(error));
  if (typeof bytes === 'string') return failure(topic, bytes, 'Install kinglet again.');
  const abi = abiVersionOf(bytes);
  if (abi !== ABI_VERSION) return failure(topic, `speaks plan version ${abi ?? 'unknown'}, not ${ABI_VERSION}`, 'Install kinglet again.');
  return ok(topic, `${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped, plan version ${abi}`);
}

async function simd(): Promise<Finding> {
  const problem = await getEngine({ kernels: 'simd128' }).then(() => null, (error: unknown) => error);
  if (problem === null) return ok('SIMD', 'the simd128 kernels run');
  return failure('SIMD', problem instanceof Error ? problem.message : 'unknown error', problem instanceof KingletError ? problem.hint : 'Use another engine.');
}

async function relaxedSimd(): Promise<Finding> {
  const engine = await getEngine({ kernels: 'relaxed' }).catch(() => null);
  if (engine === null) return warning('relaxed SIMD', 'missing: the simd128 kernels are used instead', 'Node 22 and later have it, and browsers since Chrome 114.');
  if (engine.dotMode < 0) return warning('relaxed SIMD', 'its dot product is wrong: the simd128 kernels are used instead', 'A later engine may do it right.');
  const what = { u8s8: 'uint8 by int8, exact', s8s8: 'int8 by int8, exact', i16: 'exact for 7-bit operands only: 16-bit products are used' };
  return ok('relaxed SIMD', `dot product: ${what[dotName(engine.dotMode)]}`);
}

function threads(): Finding {
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    if (memory.buffer instanceof SharedArrayBuffer) return ok('threads', 'shared memory exists');
  } catch { /* answered below */ }
  return warning('threads', 'this engine gives no shared memory', 'Networks run on one thread.');
}
