// Architecture rule 1: data flows one way, bytes → graph → passes → plan → executor, and a file imports only from earlier in that line.
// Rule 2: what a page needs to run a compiled plan imports neither graph, ops, importers nor passes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesUnder, importsOf } from './files.ts';

const files = filesUnder('host').filter((file) => file.endsWith('.ts'));
const edges = importsOf(files).filter((edge) => !edge.typeOnly);
const folderOf = (file: string): string => (file.split('/').length > 2 ? file.split('/')[1] : '');

/** Folder → folders it may not import values from. */
const later: Readonly<Record<string, readonly string[]>> = {
  doctor: ['graph', 'ops', 'import', 'passes', 'image', 'tasks', 'cli', 'quantize', 'inspect'],
  graph: ['import', 'passes', 'plan', 'backends', 'image', 'tasks', 'cli', 'quantize', 'inspect'],
  ops: ['passes', 'backends', 'image', 'tasks', 'cli', 'quantize', 'inspect'],
  import: ['passes', 'plan', 'backends', 'image', 'tasks', 'cli', 'quantize', 'inspect'],
  passes: ['import', 'plan', 'backends', 'image', 'tasks', 'cli', 'quantize', 'inspect'],
  plan: ['import', 'passes', 'ops', 'backends', 'image', 'tasks', 'cli', 'quantize', 'inspect'],
  backends: ['import', 'passes', 'image', 'tasks', 'cli', 'quantize', 'inspect'],
  threads: ['graph', 'ops', 'import', 'passes', 'image', 'tasks', 'cli', 'quantize', 'inspect'],
  webgpu: ['image', 'tasks', 'cli', 'quantize', 'inspect'],
  image: ['graph', 'ops', 'import', 'passes', 'plan', 'backends', 'tasks', 'cli', 'quantize', 'inspect'],
  inspect: ['import', 'backends', 'image', 'tasks', 'cli', 'quantize'],
  tasks: ['graph', 'ops', 'import', 'passes', 'plan', 'backends', 'cli', 'quantize', 'inspect'],
  quantize: ['import', 'image', 'tasks', 'cli', 'inspect'],
};

/** Every file that `file` pulls in at run time. */
function closure(file: string, seen = new Set<string>()): Set<string> {
  for (const edge of edges) {
    if (edge.from !== file || seen.has(edge.to)) continue;
    seen.add(edge.to);
    closure(edge.to, seen);
  }
  return seen;
}

test('imports point to earlier stages', () => {
  assert.ok(edges.length > 50, `only ${edges.length} imports found`);
  const wrong = edges.filter(({ from, to }) => later[folderOf(from)]?.includes(folderOf(to)));
  assert.deepEqual(wrong.map(({ from, to }) => `${from} imports ${to}`), []);
});

test('ops know of the plan only its vocabulary, of importers only how a node is read', () => {
  const known = /^host\/(plan\/(lowering|views)|import\/(onnx|tflite)\/[a-z-]+)\.ts$/;
  const wrong = edges.filter(({ from, to }) => folderOf(from) === 'ops' && ['plan', 'import'].includes(folderOf(to)) && !known.test(to));
  assert.deepEqual(wrong, []);
});

test('the host reads of assembly/ only the contract', () => {
  const wrong = edges.filter(({ to }) => to.startsWith('assembly/') && to !== 'assembly/abi.ts');
  assert.deepEqual(wrong, []);
});

test('kinglet/run imports no graph, op, importer or pass', () => {
  const heavy = [...closure('host/run.ts')].filter((file) => ['graph', 'ops', 'import', 'passes', 'inspect', 'cli', 'image'].includes(folderOf(file)) || file === 'host/backends/reference.ts');
  assert.deepEqual(heavy, []);
});

test('kinglet/onnx and kinglet/tflite have one importer each', () => {
  for (const [entry, other] of [['onnx', 'tflite'], ['tflite', 'onnx']]) {
    assert.ok(closure(`host/${entry ?? ''}.ts`).has(`host/import/${entry ?? ''}/import.ts`));
    assert.ok(!closure(`host/${entry ?? ''}.ts`).has(`host/import/${other ?? ''}/import.ts`));
  }
});

test('kinglet/inline is kinglet/run', () => {
  assert.deepEqual([...closure('host/inline.ts')].filter((file) => file !== 'host/run.ts').sort(), [...closure('host/run.ts')].sort());
});

test('kinglet/compile imports no executor and no file system', () => {
  assert.deepEqual([...closure('host/compile.ts')].filter((file) => ['inspect', 'cli', 'image', 'tasks'].includes(folderOf(file))), []);
});

test('who does not import kinglet/webgpu has nothing of it', () => {
  for (const entry of ['index', 'run', 'inline', 'onnx', 'tflite', 'compile', 'image/index', 'tasks/index']) {
    assert.deepEqual([...closure(`host/${entry}.ts`)].filter((file) => file.includes('webgpu')), []);
  }
  assert.deepEqual([...closure('host/webgpu.ts')].filter((file) => file.startsWith('host/webgpu/kernels/')), [], 'kernels come when there is a device');
});

test('of the host only the command knows networks built in code', () => {
  assert.deepEqual(edges.filter(({ from, to }) => to.startsWith('models/') && folderOf(from) !== 'cli'), []);
});

test('every imported file exists', () => {
  const all = new Set([...files, ...filesUnder('models'), 'assembly/abi.ts']);
  assert.deepEqual(edges.filter(({ to }) => !all.has(to) && !all.has(to.replace(/\.js$/, '.d.ts'))), []);
});
