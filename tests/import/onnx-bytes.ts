// Writes ONNX files byte by byte for the import tests. In: fields. Out: bytes, right or deliberately wrong.
// Must not use the importer's own code: it is the independent side.

export type Part = Uint8Array;

export function join(...parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
export function rawVarint(value: bigint | number): Part {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
export function tag(field: number, wireType: number): Part {
  return rawVarint(BigInt(field) * 8n + BigInt(wireType));
}
export function int(field: number, value: bigint | number): Part {
  return join(tag(field, 0), rawVarint(value));
}
export function message(field: number, ...parts: readonly Part[]): Part {
  const body = join(...parts);
  return join(tag(field, 2), rawVarint(body.length), body);
}
export function text(field: number, value: string): Part {
  return message(field, new TextEncoder().encode(value));
}
export function float(field: number, value: number): Part {
  return join(tag(field, 5), new Uint8Array(Float32Array.of(value).buffer));
}
export function floats(...values: readonly number[]): Part {
  return new Uint8Array(Float32Array.from(values).buffer);
}

export const DATA_TYPE = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7, string: 8, bool: 9, float16: 10, double: 11 } as const;

export interface TensorSpec {
  readonly name?: string;
  readonly type: number;
  readonly dims: readonly (number | bigint)[];
  /** Fields that hold the data. */
  readonly data: readonly Part[];
}
export function tensorParts(spec: TensorSpec): Part[] {
  return [...spec.dims.map((dim) => int(1, dim)), int(2, spec.type), text(8, spec.name ?? ''), ...spec.data];
}
export function initializer(spec: TensorSpec): Part {
  return message(5, ...tensorParts(spec));
}
/** A value_info; a string dimension is symbolic. */
export function valueInfo(field: number, name: string, type: number, dims: readonly (number | string)[]): Part {
  const shape = dims.map((dim) => message(1, typeof dim === 'string' ? text(2, dim) : int(1, dim)));
  return message(field, text(1, name), message(2, message(1, int(1, type), message(2, ...shape))));
}
export const input = (name: string, type: number, dims: readonly (number | string)[]): Part => valueInfo(11, name, type, dims);
export const output = (name: string, type: number, dims: readonly (number | string)[]): Part => valueInfo(12, name, type, dims);

export interface NodeSpec {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: readonly Part[];
}
export function node(spec: NodeSpec): Part {
  return message(1, ...spec.in.map((name) => text(1, name)), ...spec.out.map((name) => text(2, name)),
    ...(spec.name === undefined ? [] : [text(3, spec.name)]), text(4, spec.op), ...(spec.attributes ?? []),
    ...(spec.domain === undefined ? [] : [text(7, spec.domain)]));
}
export function attribute(name: string, type: number, ...value: readonly Part[]): Part {
  return message(5, text(1, name), ...value, int(20, type));
}

export function model(...graph: readonly Part[]): Uint8Array<ArrayBuffer> {
  return modelWith([message(7, ...graph), message(8, text(1, ''), int(2, 13))]);
}
export function modelWith(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  return join(int(1, 8), ...parts);
}
