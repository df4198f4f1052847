// The `exact` goldens of the .tflite files were computed from scales rounded to six decimals (docs/decisions/0004): with the
// files' own scales no implementation of the rule can give those bytes. This rounds the scales in a copy of the file, so that the
// goldens test what they can: the integer arithmetic, byte for byte.
// In: .tflite bytes. Out: the same file with other scales. Written against schema.fbs: Model.subgraphs = field 2,
// SubGraph.tensors = 0, Tensor.quantization = 4, QuantizationParameters.scale = 2.

import { ByteBuffer } from 'flatbuffers';

/** Absolute position of field `index` of the table at `table`, 0 when absent. */
function field(file: ByteBuffer, table: number, index: number): number {
  const offset = file.__offset(table, 4 + 2 * index);
  return offset === 0 ? 0 : table + offset;
}

/** As Python's round(): exact ties (0.0078125) go to the even digit, unlike toFixed(). */
function roundHalfEven(value: number, decimals: number): number {
  const scaled = value * 10 ** decimals;
  const below = Math.floor(scaled);
  const up = scaled - below > 0.5 || (scaled - below === 0.5 && below % 2 === 1);
  return Math.fround((below + (up ? 1 : 0)) / 10 ** decimals);
}

function* tables(file: ByteBuffer, vectorField: number): Generator<number> {
  if (vectorField === 0) return;
  const vector = vectorField + file.readInt32(vectorField);
  for (let i = 0; i < file.readInt32(vector); i++) {
    const at = vector + 4 + 4 * i;
    yield at + file.readInt32(at);
  }
}

/** Returns the changed copy and how many scales it changed. */
export function roundScales(bytes: Uint8Array, decimals: number): { bytes: Uint8Array; changed: number } {
  const copy = bytes.slice();
  const file = new ByteBuffer(copy);
  const model = file.readInt32(0);
  let changed = 0;
  for (const subgraph of tables(file, field(file, model, 2))) {
    for (const tensor of tables(file, field(file, subgraph, 0))) {
      const quantization = field(file, tensor, 4);
      if (quantization === 0) continue;
      const scales = field(file, quantization + file.readInt32(quantization), 2);
      if (scales === 0) continue;
      const vector = scales + file.readInt32(scales);
      for (let i = 0; i < file.readInt32(vector); i++) {
        const at = vector + 4 + 4 * i;
        const scale = file.readFloat32(at);
        const rounded = roundHalfEven(scale, decimals);
        if (rounded === scale || rounded === 0) continue; // a scale of 0 would be refused
        changed++;
        file.writeFloat32(at, rounded);
      }
    }
  }
  return { bytes: copy, changed };
}
