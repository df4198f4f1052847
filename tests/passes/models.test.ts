// What the passes make of real models: how many nodes and shuffles, no transposes but at the border, integers where they belong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Graph } from '../../host/graph/graph.ts';
import { printGraph } from '../../host/graph/print.ts';
import { verifyGraph } from '../../host/graph/verify.ts';
import { importModel } from '../../host/import/index.ts';
import { optimise, type Optimised } from '../../host/passes/index.ts';
import { sharedBytes, skipWithoutShared } from '../shared.ts';

function optimised(file: string): Optimised {
  return optimise(importModel(sharedBytes(`models/${file}`)), (pass, graph) => {
    assert.doesNotThrow(() => { verifyGraph(graph); }, `after ${pass.name}`);
  });
}

/** Transposes as "perm of shape", input side first. */
function transposes(graph: Graph): string[] {
  return printGraph(graph).split('\n').filter((line) => line.includes('= transpose(')).map((line) => line.replace(/^.*: (\S+) = .*perm: (\S+)}$/, '$2 $1'));
}

interface Expected {
  readonly nodes: number;
  readonly shuffles: number;
  /** The picture at the input, and what the model's own output layout forces. */
  readonly transposes: readonly string[];
  readonly integer?: boolean;
}
const models: Record<string, Expected> = {
  'nanodet_plus_m_320.onnx': { nodes: 195, shuffles: 16, transposes: ['[0,2,3,1] float32[1,320,320,3]', '[0,2,1] float32[1,112,2125]'] },
  'torchvision_shufflenet_v2_x1_0.onnx': { nodes: 119, shuffles: 16, transposes: ['[0,2,3,1] float32[1,224,224,3]'] },
  'torchvision_mobilenet_v3_small.onnx': { nodes: 82, shuffles: 0, transposes: ['[0,2,3,1] float32[1,224,224,3]'] },
  'mobilenet_v2_1.0_224_imagenet_f32.onnx': { nodes: 67, shuffles: 0, transposes: ['[0,2,3,1] float32[1,224,224,3]'] },
  'mobilenet_v2_1.0_224_imagenet_f32.tflite': { nodes: 66, shuffles: 0, transposes: [] },
  'version-RFB-320.onnx': { nodes: 82, shuffles: 0, transposes: ['[0,2,3,1] float32[1,240,320,3]'] },
  'qdq_mobilenet_v1_0.25_128.onnx': { nodes: 34, shuffles: 0, transposes: ['[0,2,3,1] int8[1,128,128,3]{0.0078119998797774315,0}'], integer: true },
  'qdq_shuffle_int8.onnx': { nodes: 28, shuffles: 3, transposes: ['[0,2,3,1] int8[1,56,56,3]{0.019999999552965164,-5}'], integer: true },
  'mobilenet_v2_1.0_224_quant.tflite': { nodes: 68, shuffles: 0, transposes: [], integer: true },
};
for (const [file, expected] of Object.entries(models)) {
  test(`${file}: ${expected.nodes} nodes, ${expected.shuffles} shuffles`, { skip: skipWithoutShared }, () => {
    const { graph, counts } = optimised(file);
    assert.equal(graph.nodes.length, expected.nodes);
    assert.equal(counts.get('recognise-shuffle'), expected.shuffles);
    assert.deepEqual(transposes(graph), expected.transposes);
    if (expected.integer) assert.ok(graph.nodes.every((node) => node.outputs.every((value) => value.dtype !== 'float32')));
  });
}

test('an optimised graph is a fixed point', { skip: skipWithoutShared }, () => {
  for (const file of ['qdq_shuffle_int8.onnx', 'version-RFB-320.onnx', 'torchvision_mobilenet_v3_small.onnx']) {
    const { graph } = optimised(file);
    const before = printGraph(graph);
    const { counts } = optimise(graph);
    assert.deepEqual([...counts].filter(([, count]) => count > 0), []);
    assert.equal(printGraph(graph), before);
  }
});
