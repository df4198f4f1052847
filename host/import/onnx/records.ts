// onnx.proto's messages as plain records: only the fields that importing needs, by their numbers in the public schema.
// In: bytes of a model. Out: records; tensors keep their bytes undecoded. Must not know kinglet's graph or ops.

import { KingletError } from '../../error.ts';
import { checkLimit, type ImportLimits } from '../limits.ts';
import { BYTES, FIXED32, FIXED64, VARINT, Wire, type Budget } from './wire.ts';

export interface ModelRecord {
  readonly irVersion: number;
  /** Domain → version. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: GraphRecord;
}
export interface GraphRecord {
  readonly nodes: NodeRecord[];
  readonly initializers: TensorRecord[];
  readonly inputs: ValueInfoRecord[];
  readonly outputs: ValueInfoRecord[];
}
export interface NodeRecord {
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributes: AttributeRecord[];
  name: string;
  opType: string;
  domain: string;
}
export interface AttributeRecord {
  name: string;
  /** AttributeType; 0 when the file does not say. */
  type: number;
  /** AttributeTypes whose value fields are present. */
  readonly present: Set<number>;
  f: number;
  i: number;
  s: string;
  t: TensorRecord | undefined;
  readonly floats: number[];
  readonly ints: number[];
}
export interface TensorRecord {
  name: string;
  readonly dims: number[];
  dataType: number;
  raw: Uint8Array | undefined;
  external: boolean;
  segment: boolean;
  /** Field numbers of the typed data fields that are present (float_data and its siblings). */
  readonly typedFields: Set<number>;
  /** The whole message, for reading typed data once the shape is known. */
  readonly bytes: Uint8Array;
  readonly budget: Budget;
}
export interface ValueInfoRecord {
  name: string;
  /** TensorProto.DataType; 0 when the file does not say, -1 when it is not a tensor. */
  elemType: number;
  /** A symbolic dimension is -1. Undefined: no shape. */
  shape: number[] | undefined;
}

export const attributeType = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8, other: 9 } as const;

export function readModel(bytes: Uint8Array, limits: ImportLimits): ModelRecord {
  const wire = new Wire(bytes, 'model', { limits, entries: 0 });
  const opsets = new Map<string, number>();
  let irVersion = 0;
  let graph: GraphRecord | undefined;
  wire.fields((field) => {
    if (field === 1) irVersion = wire.int('ir_version');
    else if (field === 8) readOpset(wire, opsets);
    else if (field === 7) {
      if (graph) wire.fail('the model has two graphs');
      graph = readGraph(wire);
    }
  });
  if (!graph) throw new KingletError('ERR_MODEL_FORMAT', 'this is not an ONNX model: it has no graph');
  if (irVersion < 1) throw new KingletError('ERR_MODEL_FORMAT', 'this is not an ONNX model: it has no ir_version');
  return { irVersion, opsets, graph };
}

function readOpset(wire: Wire, opsets: Map<string, number>): void {
  let domain = '';
  let version = 0;
  wire.message('opset_import', (field) => {
    if (field === 1) domain = wire.string('domain');
    else if (field === 2) version = wire.int('version');
  });
  if (domain === 'ai.onnx') domain = '';
  if (opsets.has(domain) && opsets.get(domain) !== version) wire.fail('two versions of one operator set are imported');
  opsets.set(domain, version);
  checkLimit(opsets.size, 1000, 'operator sets');
}

function readGraph(wire: Wire): GraphRecord {
  const graph: GraphRecord = { nodes: [], initializers: [], inputs: [], outputs: [] };
  const { maxNodes, maxTensors } = wire.budget.limits;
  wire.message('graph', (field) => {
    if (field === 1) graph.nodes.push(readNode(wire));
    else if (field === 5) graph.initializers.push(readTensor(wire, 'initializer'));
    else if (field === 11) graph.inputs.push(readValueInfo(wire, 'input'));
    else if (field === 12) graph.outputs.push(readValueInfo(wire, 'output'));
    else if (field === 15) throw new KingletError('ERR_UNSUPPORTED', 'the model has sparse initializers, which kinglet does not read');
    checkLimit(graph.nodes.length, maxNodes, 'nodes');
    checkLimit(graph.initializers.length + graph.inputs.length + graph.outputs.length, maxTensors, 'tensors');
  });
  return graph;
}

function readNode(wire: Wire): NodeRecord {
  const node: NodeRecord = { inputs: [], outputs: [], attributes: [], name: '', opType: '', domain: '' };
  wire.message('node', (field) => {
    if (field === 1) wire.strings('input', node.inputs);
    else if (field === 2) wire.strings('output', node.outputs);
    else if (field === 3) node.name = wire.string('name');
    else if (field === 4) node.opType = wire.string('op_type');
    else if (field === 5) node.attributes.push(readAttribute(wire));
    else if (field === 7) node.domain = wire.string('domain');
    checkLimit(node.attributes.length, 1000, 'attributes in one node');
  });
  return node;
}

function readAttribute(wire: Wire): AttributeRecord {
  const attribute: AttributeRecord = { name: '', type: 0, present: new Set(), f: 0, i: 0, s: '', t: undefined, floats: [], ints: [] };
  const { present } = attribute;
  wire.message('attribute', (field) => {
    switch (field) {
      case 1: attribute.name = wire.string('name'); break;
      case 2: attribute.f = wire.float('f'); present.add(attributeType.float); break;
      case 3: attribute.i = wire.int('i'); present.add(attributeType.int); break;
      case 4: attribute.s = new TextDecoder().decode(wire.bytes('s')); present.add(attributeType.string); break;
      case 5: attribute.t = readTensor(wire, 't'); present.add(attributeType.tensor); break;
      case 6: present.add(attributeType.graph); break;
      case 7: wire.floats('floats', attribute.floats); present.add(attributeType.floats); break;
      case 8: wire.ints('ints', attribute.ints); present.add(attributeType.ints); break;
      case 9: present.add(attributeType.strings); break;
      case 20: attribute.type = wire.int('type'); break;
      case 10: case 11: case 14: case 15: case 21: case 22: case 23: present.add(attributeType.other); break;
    }
  });
  return attribute;
}

/** Reads the TensorProto in the current field. Typed data is only counted as present: its size is checked when it is decoded. */
function readTensor(outer: Wire, name: string): TensorRecord {
  const tensor: TensorRecord = {
    name: '', dims: [], dataType: 0, raw: undefined, external: false, segment: false, typedFields: new Set(),
    bytes: outer.bytes(name), budget: outer.budget,
  };
  const wire = new Wire(tensor.bytes, name, outer.budget);
  wire.fields((field) => {
    switch (field) {
      case 1: wire.ints('dims', tensor.dims); break;
      case 2: tensor.dataType = wire.int('data_type'); break;
      case 3: tensor.segment = true; break;
      case 4: case 5: case 6: case 7: case 10: case 11: tensor.typedFields.add(field); break;
      case 8: tensor.name = wire.string('name'); break;
      case 9: tensor.raw = wire.bytes('raw_data'); break;
      case 13: tensor.external = true; break;
      case 14: tensor.external ||= wire.int('data_location') !== 0; break;
    }
  });
  return tensor;
}

/** The entries of float_data (4), int32_data (5), int64_data (7) or double_data (10), one call each. */
export function eachTypedEntry(tensor: TensorRecord, dataField: number, each: (entry: number) => void): void {
  const wire = new Wire(tensor.bytes, 'tensor', tensor.budget);
  const elementType = dataField === 4 ? FIXED32 : dataField === 10 ? FIXED64 : VARINT;
  const read = dataField === 4 ? () => wire.float32() : dataField === 10 ? () => wire.float64() : () => wire.varint();
  wire.fields((field) => {
    if (field === dataField) wire.repeat(elementType, 'of typed data', () => { each(read()); });
  });
}

function readValueInfo(wire: Wire, what: string): ValueInfoRecord {
  const info: ValueInfoRecord = { name: '', elemType: 0, shape: undefined };
  wire.message(what, (field) => {
    if (field === 1) info.name = wire.string('name');
    else if (field === 2) readType(wire, info);
  });
  return info;
}

function readType(wire: Wire, info: ValueInfoRecord): void {
  wire.message('type', (field) => {
    if (field === 1) {
      wire.message('tensor_type', (inner) => {
        if (inner === 1) info.elemType = wire.int('elem_type');
        else if (inner === 2) info.shape = readShape(wire);
      });
    } else if (field !== 6 && wire.type === BYTES) {
      info.elemType = -1;
    }
  });
}

function readShape(wire: Wire): number[] {
  const shape: number[] = [];
  wire.message('shape', (field) => {
    if (field !== 1) return;
    let size = -1;
    wire.message('dim', (inner) => {
      if (inner === 1) size = wire.int('dim_value');
    });
    shape.push(size);
    checkLimit(shape.length, 64, 'dimensions in one shape');
  });
  return shape;
}
