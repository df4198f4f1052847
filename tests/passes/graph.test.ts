// The editor keeps a graph whole, and the verifier notices when one is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import { Builder } from '../../host/graph/builder.ts';
import { Editor, onlyOutput } from '../../host/graph/edit.ts';
import { makeValue, type Graph } from '../../host/graph/graph.ts';
import { fingerprint, formatAttrs, printGraph } from '../../host/graph/print.ts';
import { verifyGraph } from '../../host/graph/verify.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { binary } from '../../host/ops/binary.ts';
import { unary } from '../../host/ops/unary.ts';
import { text } from './rewrite.ts';

const tanh = { kind: 'tanh', p0: 0, p1: 0 } as const;
const exp = { kind: 'exp', p0: 0, p1: 0 } as const;

/** y = tanh(x) + exp(tanh(x)) */
function sample(): Graph {
  const b = new Builder();
  const x = b.input('x', { dtype: 'float32', shape: [2, 3] });
  const t = b.add(unary, tanh, [x], { name: 't' });
  const e = b.add(unary, exp, [t], { name: 'e' });
  b.output(b.add(binary, { kind: 'add', ...noClamp }, [t, e], { name: 's' }), 'y');
  return b.graph;
}

test('prints a graph', () => {
  assert.equal(printGraph(sample()), text(`
    input %0 "x": float32[2,3]
    %1: float32[2,3] = unary(%0) {kind: tanh, p0: 0, p1: 0}
    %2: float32[2,3] = unary(%1) {kind: exp, p0: 0, p1: 0}
    %3: float32[2,3] = binary(%1, %2) {kind: add}
    output %3 "y"`));
  assert.equal(formatAttrs({ min: -Infinity, max: 6, list: [1, 0.5], flag: true }), '{flag: true, list: [1,0.5], max: 6}');
});

test('a node inserted behind its users comes before them after finish', () => {
  const graph = sample();
  const editor = new Editor(graph);
  const [t, e] = graph.nodes;
  const negative = editor.add(t, unary, { kind: 'neg', p0: 0, p1: 0 }, [onlyOutput(t)]);
  editor.replaceValue(onlyOutput(e), negative);
  editor.finish();
  verifyGraph(graph);
  assert.deepEqual(graph.nodes.map((node) => (node.attrs as { kind: string }).kind), ['tanh', 'neg', 'add']);
  assert.equal(editor.has(e), false);
});

test('an output that becomes an input gets a copy with its own name', () => {
  const graph = sample();
  const editor = new Editor(graph);
  editor.replaceValue(graph.outputs[0], graph.inputs[0]);
  editor.finish();
  verifyGraph(graph);
  assert.equal(printGraph(graph), text(`
    input %0 "x": float32[2,3]
    %1: float32[2,3] = reshape(%0) {shape: [2,3]}
    output %1 "y"`));
});

test('a fingerprint tells graphs apart and ignores the order of nodes', () => {
  const graph = sample();
  const same = fingerprint(graph);
  assert.equal(fingerprint(sample()), same);
  const editor = new Editor(graph);
  editor.add(graph.nodes[0], unary, exp, [graph.inputs[0]]);
  editor.finish();
  assert.notEqual(fingerprint(graph), same);
  editor.removeDead();
  editor.finish();
  assert.equal(fingerprint(graph), same);
  editor.replaceNode(graph.nodes[1], unary, { ...exp, kind: 'log' }, graph.nodes[1].inputs);
  editor.finish();
  assert.notEqual(fingerprint(graph), same);
});

function refuses(change: (graph: Graph) => void, message: RegExp): void {
  const graph = sample();
  change(graph);
  assert.throws(() => { verifyGraph(graph); }, (error) => error instanceof KingletError && error.code === 'ERR_INTERNAL' && message.test(error.message));
}

test('the verifier names what is broken', () => {
  refuses((g) => { g.nodes.reverse(); }, /before anything produces it/);
  refuses((g) => { g.nodes.splice(1, 1); }, /before anything produces it/);
  refuses((g) => { g.nodes.push(g.nodes[0]); }, /already has a producer/);
  refuses((g) => { g.outputs.push(g.outputs[0]); }, /one value is two outputs/);
  refuses((g) => { g.outputs[0] = makeValue(g.outputs[0], 'lost'); }, /produced by nothing/);
  refuses((g) => { g.nodes[2].outputs[0] = makeValue({ dtype: 'float32', shape: [3, 2] }, 'wrong'); }, /its output says float32\[3,2\]/);
  refuses((g) => { g.nodes[2].inputs[1] = makeValue({ dtype: 'float32', shape: [3] }, 'short', new Float32Array(2)); }, /2 elements instead of 3/);
  refuses((g) => { g.nodes[2].inputs[1] = makeValue({ dtype: 'float32', shape: [3] }, 'bytes', new Int8Array(3)); }, /holds Int8Array/);
  refuses((g) => {
    const quantization = { scale: Float32Array.of(1, 0), zeroPoint: Int32Array.of(0, 0), axis: 0 };
    g.nodes[2].inputs[1] = makeValue({ dtype: 'int8', shape: [2], quantization }, 'flat', new Int8Array(2));
  }, /not a positive number/);
});
