// The reference backend: runs every op's definition, node by node, in plain TypeScript. Slow and obviously right.
// In: a graph. Out: tensors. Must not know plans or kernels.

import { KingletError } from '../error.ts';
import { named } from '../graph/builder.ts';
import { isConstant, type Graph, type Node, type Value } from '../graph/graph.ts';
import type { Backend, IoInfo, StepInfo } from '../model.ts';
import { allocate, elementCount, type Tensor, type TensorData } from '../tensor.ts';

/** Evaluates the graph; `visit` sees every node with its outputs. */
export function runReference(graph: Graph, inputs: readonly TensorData[], visit?: (node: Node, outputs: readonly Tensor[]) => void): Tensor[] {
  const known = new Map<Value, Tensor>();
  graph.inputs.forEach((value, i) => {
    const data = inputs[i];
    if (data) known.set(value, { ...value, data });
  });
  const tensorOf = (value: Value): Tensor => {
    const tensor = isConstant(value) ? value : known.get(value);
    if (!tensor) throw new KingletError('ERR_INTERNAL', `value ${value.name} is used before it is computed`);
    return tensor;
  };
  for (const node of graph.nodes) {
    try {
      const outputs = node.op.reference(node.inputs.map((v) => v && tensorOf(v)), node.attrs, node.outputs);
      node.outputs.forEach((value, i) => {
        const tensor = outputs[i];
        if (tensor) known.set(value, { ...value, data: tensor.data });
      });
      visit?.(node, outputs);
    } catch (error) {
      throw named(error, node.op.kind, node.name);
    }
  }
  return graph.outputs.map(tensorOf);
}

export function referenceBackend(graph: Graph, facts: { layout: 'NHWC' | 'NCHW'; shuffles: number }): Backend {
  const info = (value: Value): IoInfo => ({
    name: value.name, dtype: value.dtype, shape: value.shape, layout: value.shape.length === 4 ? facts.layout : null,
    quantization: value.quantization?.scale.length === 1
      ? { scale: value.quantization.scale[0] ?? 0, zeroPoint: value.quantization.zeroPoint[0] ?? 0 } : null,
  });
  const inputData = graph.inputs.map((value) => allocate(value.dtype, elementCount(value.shape)));
  const params = (node: Node): number => node.inputs.filter(isConstant).reduce((sum, c) => sum + elementCount(c.shape), 0);
  const steps = graph.nodes.map((node, index): StepInfo => ({
    index, kernel: 'reference', op: node.op.kind, name: node.outputs[0]?.name ?? '', dtype: node.outputs[0]?.dtype ?? 'float32',
    shape: node.outputs[0]?.shape ?? [], macs: node.op.macs?.(node) ?? 0, params: params(node), complete: true,
  }));
  return {
    inputs: graph.inputs.map(info),
    outputs: graph.outputs.map(info),
    stats: {
      macs: steps.reduce((sum, s) => sum + s.macs, 0), params: steps.reduce((sum, s) => sum + s.params, 0),
      weightBytes: 0, arenaBytes: 0, liveBytes: 0, steps: steps.length, shuffles: facts.shuffles,
      kernels: 'reference', dot: 'reference', threads: 1, backend: 'reference',
    },
    inputData,
    runOnce: () => runReference(graph, inputData).map((t) => t.data),
    steps: () => steps,
    traceOnce(visit) {
      let index = 0;
      runReference(graph, inputData, (_, outputs) => {
        const step = steps[index++];
        const [first] = outputs;
        if (step && first) visit(step, first.data);
      });
    },
    profileOnce(ms) {
      let index = 0;
      let start = performance.now();
      runReference(graph, inputData, () => {
        const now = performance.now();
        ms[index++] += now - start;
        start = now;
      });
    },
    peak() {
      return Promise.reject(new KingletError('ERR_USAGE', 'the reference backend has no peak to measure'));
    },
    release() { /* garbage collected */ },
  };
}
