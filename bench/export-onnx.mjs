// Writes a zoo network as an ONNX file (opset 13, NCHW, weights included), so that other engines can run it.
// In: a graph as models/ builds it, before any pass: NHWC float32. Out: the bytes of a .onnx file.
// Must not know any one network. Field numbers are those of onnx.proto3, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3

import { PbfWriter } from 'pbf';

const FLOAT = 1, INT64 = 7;
/** NCHW axis → NHWC axis, and back. */
const TO_NCHW = [0, 3, 1, 2], TO_NHWC = [0, 2, 3, 1];
const isPicture = (value) => value.shape.length === 4;
const moved = (value, list) => (isPicture(value) ? TO_NCHW.map((from) => list[from]) : [...list]);
const axisOf = (value, axis) => (isPicture(value) ? TO_NCHW.indexOf(axis) : axis);

/** The nodes and initializers of the file under construction. Tensors are known by name; pictures lie as NCHW. */
class Draft {
  nodes = [];
  initializers = [];
  #names = new Map();

  /** The name under which `value` is read. Constants of other than four dimensions are written as they are. */
  read(value) {
    if (!this.#names.has(value)) {
      if (!value.data || isPicture(value)) throw new Error(`nothing made the value "${value.name}"`);
      this.define(value, this.constant(value.shape, value.data));
    }
    return this.#names.get(value);
  }

  define(value, name) { this.#names.set(value, name); }

  constant(shape, data) {
    const name = `c${this.initializers.length}`;
    this.initializers.push({ name, shape, data });
    return name;
  }

  ints(...list) { return this.constant([list.length], BigInt64Array.from(list, BigInt)); }

  /** Adds a node with one output; returns its name. Attributes: integers, lists of integers, and { float }. */
  add(type, inputs, attributes = {}) {
    const output = `t${this.nodes.length}`;
    this.nodes.push({ type, inputs, output, attributes });
    return output;
  }
}

/** Weights [H, W, I, O] as [O, I, H, W]. */
function toOihw({ shape: [kh, kw, ic, oc], data }) {
  const out = new Float32Array(data.length);
  for (let t = 0, from = 0; t < kh * kw; t++) for (let i = 0; i < ic; i++) for (let o = 0; o < oc; o++) out[(o * ic + i) * kh * kw + t] = data[from++];
  return { shape: [oc, ic, kh, kw], data: out };
}

const noClamp = ({ attrs, op }) => {
  if (attrs.min !== -Infinity || attrs.max !== Infinity) throw new Error(`a ${op.kind} with a clamp was optimised before`);
};
const window = ({ strides, dilations, pads }) => ({ strides, dilations, pads });
const unaries = { sigmoid: 'Sigmoid', tanh: 'Tanh' };
const binaries = { add: 'Add', sub: 'Sub', mul: 'Mul', div: 'Div' };

/** Kind of node → what it is in ONNX: (draft, node, names of its inputs) → name of its output. */
const writers = {
  conv2d(draft, node, [x]) {
    noClamp(node);
    const weights = toOihw(node.inputs[1]), bias = node.inputs[2];
    const [top, left, bottom, right] = node.attrs.pads;
    // Other engines crop in Pad only.
    const crops = node.attrs.pads.some((pad) => pad < 0);
    const padded = crops ? draft.add('Pad', [x, draft.ints(0, 0, top, left, 0, 0, bottom, right)]) : x;
    const inputs = [padded, draft.constant(weights.shape, weights.data), ...(bias ? [draft.read(bias)] : [])];
    const pads = crops ? [0, 0, 0, 0] : node.attrs.pads;
    return draft.add('Conv', inputs, { kernel_shape: weights.shape.slice(2), ...window(node.attrs), pads, group: node.attrs.groups });
  },
  batchNorm: (draft, node, inputs) => draft.add('BatchNormalization', inputs, { epsilon: { float: node.attrs.epsilon } }),
  pool2d(draft, node, [x]) {
    noClamp(node);
    const { kind, kernel, strides, dilations, pads, ceilMode, countIncludePad } = node.attrs;
    const common = { kernel_shape: kernel, strides, pads, ceil_mode: Number(ceilMode) };
    return kind === 'max' ? draft.add('MaxPool', [x], { ...common, dilations }) : draft.add('AveragePool', [x], { ...common, count_include_pad: Number(countIncludePad) });
  },
  unary(draft, { attrs: { kind, p0, p1 } }, [x]) {
    const hardSigmoid = (alpha, beta) => draft.add('HardSigmoid', [x], { alpha: { float: alpha }, beta: { float: beta } });
    if (kind === 'hardSigmoid') return hardSigmoid(p0, p1);
    if (kind === 'hardSwish') return draft.add('Mul', [x, hardSigmoid(1 / 6, 0.5)]);
    if (kind === 'clamp' && p0 === 0 && p1 === Infinity) return draft.add('Relu', [x]);
    if (kind === 'clamp') return draft.add('Clip', [x, ...[p0, p1].map((bound) => draft.constant([], Float32Array.of(bound)))]);
    return draft.add(known(unaries, kind), [x]);
  },
  binary(draft, node, inputs) {
    noClamp(node);
    return draft.add(known(binaries, node.attrs.kind), inputs);
  },
  matmul(draft, node, inputs) {
    noClamp(node);
    return draft.add('Gemm', inputs);
  },
  reduce(draft, { attrs: { kind, axes, keepDims }, inputs: [value] }, [x]) {
    if (kind !== 'mean') throw new Error(`no way to write a ${kind}`);
    if (isPicture(value) && keepDims && axes.join() === '1,2') return draft.add('GlobalAveragePool', [x]);
    return draft.add('ReduceMean', [x], { axes: axes.map((axis) => axisOf(value, axis)), keepdims: Number(keepDims) });
  },
  lrn(draft, { attrs: { before, after, scale, bias, beta } }, [x]) {
    const size = before + after + 1;
    return draft.add('LRN', [x], { size, alpha: { float: scale * size }, bias: { float: bias }, beta: { float: beta } });
  },
  concat: (draft, { attrs, outputs: [value] }, inputs) => draft.add('Concat', inputs, { axis: axisOf(value, attrs.axis) }),
  softmax: (draft, { attrs, outputs: [value] }, [x]) => draft.add('Softmax', [x], { axis: axisOf(value, attrs.axis) }),
  reshape(draft, { inputs: [from], outputs: [to] }, [x]) {
    // A flattened picture keeps the order of its own layout.
    const mixed = isPicture(from) && from.shape[1] * from.shape[2] > 1;
    const flat = draft.add('Reshape', [mixed ? draft.add('Transpose', [x], { perm: TO_NHWC }) : x, draft.ints(...to.shape)]);
    return isPicture(to) ? draft.add('Transpose', [flat], { perm: TO_NCHW }) : flat;
  },
  slice(draft, { attrs: { starts, sizes, steps }, inputs: [value] }, [x]) {
    const [from, step] = [starts, steps].map((list) => moved(value, list));
    const ends = moved(value, starts.map((start, i) => start + (sizes[i] - 1) * steps[i] + 1));
    return draft.add('Slice', [x, draft.ints(...from), draft.ints(...ends), draft.ints(...from.keys()), draft.ints(...step)]);
  },
  channelShuffle(draft, { attrs: { groups }, inputs: [value] }, [x]) {
    const [n, h, w, c] = value.shape;
    const split = draft.add('Reshape', [x, draft.ints(n, groups, c / groups, h, w)]);
    return draft.add('Reshape', [draft.add('Transpose', [split], { perm: [0, 2, 1, 3, 4] }), draft.ints(n, c, h, w)]);
  },
};

function known(table, kind) {
  if (!Object.hasOwn(table, kind)) throw new Error(`no way to write a ${kind}`);
  return table[kind];
}

/** Throws for what the zoo does not build: other kinds of nodes, fused clamps, quantised tensors. */
export function exportOnnx(graph) {
  const draft = new Draft();
  graph.inputs.forEach((value) => draft.define(value, value.name));
  for (const node of graph.nodes) {
    if (node.outputs.some((value) => value.dtype !== 'float32')) throw new Error(`${node.op.kind} of ${node.outputs[0].dtype}`);
    const write = known(writers, node.op.kind);
    const inputs = node.op.kind === 'conv2d' ? [draft.read(node.inputs[0])] : node.inputs.filter(Boolean).map((value) => draft.read(value));
    draft.define(node.outputs[0], write(draft, node, inputs));
  }
  for (const value of graph.outputs) draft.nodes.push({ type: 'Identity', inputs: [draft.read(value)], output: value.name, attributes: {} });
  return encode(graph, draft);
}

function encode(graph, draft) {
  const file = new PbfWriter();
  file.writeVarintField(1, 7); // the IR version that opset 13 came with
  file.writeStringField(2, 'kinglet bench');
  file.writeMessage(7, (_, pbf) => {
    draft.nodes.forEach((node) => pbf.writeMessage(1, encodeNode, node));
    pbf.writeStringField(2, 'network');
    draft.initializers.forEach((tensor) => pbf.writeMessage(5, encodeTensor, tensor));
    graph.inputs.forEach((value) => pbf.writeMessage(11, encodeInfo, value));
    graph.outputs.forEach((value) => pbf.writeMessage(12, encodeInfo, value));
  });
  file.writeMessage(8, (_, pbf) => { pbf.writeVarintField(2, 13); });
  return file.finish();
}

function encodeNode({ type, inputs, output, attributes }, pbf) {
  inputs.forEach((name) => pbf.writeStringField(1, name));
  pbf.writeStringField(2, output);
  pbf.writeStringField(3, output);
  pbf.writeStringField(4, type);
  Object.entries(attributes).forEach((attribute) => pbf.writeMessage(5, encodeAttribute, attribute));
}

function encodeAttribute([name, value], pbf) {
  pbf.writeStringField(1, name);
  if (typeof value === 'number') pbf.writeVarintField(3, value);
  else if (Array.isArray(value)) value.forEach((item) => pbf.writeVarintField(8, item));
  else pbf.writeFloatField(2, value.float);
  pbf.writeVarintField(20, typeof value === 'number' ? 2 : Array.isArray(value) ? 7 : 1);
}

function encodeTensor({ name, shape, data }, pbf) {
  shape.forEach((dim) => pbf.writeVarintField(1, dim));
  pbf.writeVarintField(2, data instanceof Float32Array ? FLOAT : INT64);
  pbf.writeStringField(8, name);
  pbf.writeBytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function encodeInfo(value, pbf) {
  const dims = moved(value, value.shape);
  pbf.writeStringField(1, value.name);
  pbf.writeMessage(2, (_, type) => {
    type.writeMessage(1, (__, tensor) => {
      tensor.writeVarintField(1, FLOAT);
      tensor.writeMessage(2, (___, shape) => { dims.forEach((dim) => shape.writeMessage(1, (size, pbf2) => pbf2.writeVarintField(1, size), dim)); });
    });
  });
}
