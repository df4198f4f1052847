// Recognises swish, hard sigmoid and hard swish spelled out in products with a sigmoid (EfficientNet), or in additions, clamps,
// products and divisions by 6 (MobileNetV3).
// In: a graph whose clamps are fused. Out: one unary node each; the same function up to rounding. Only float32.

import { onlyOutput, type Editor } from '../graph/edit.ts';
import { is, isConstant, type Node, type Value } from '../graph/graph.ts';
import { binary, type BinaryAttrs, type BinaryKind } from '../ops/binary.ts';
import { unary, type UnaryAttrs } from '../ops/unary.ts';
import { sameShape } from '../tensor.ts';
import { nodePass } from './pass.ts';

const SIXTH = 1 / 6;

export const recogniseSwish = nodePass('recognise-swish', recognise);

function recognise(editor: Editor, node: Node): boolean {
  if (onlyOutput(node).dtype !== 'float32') return false;
  const soft = factorsOf(node)?.find(([x, gate]) => sigmoidOperand(editor, gate) === x);
  if (soft !== undefined) return put(editor, node, soft[0], { kind: 'swish', p0: 0, p1: 0 });
  const whole = hardSwishOperand(editor, node);
  if (whole !== undefined) return put(editor, node, whole, { kind: 'hardSwish', p0: 0, p1: 0 });
  const x = sixthOf(node);
  const inner = x && shiftedClampOperand(editor, x);
  return inner !== undefined && put(editor, node, inner, { kind: 'hardSigmoid', p0: SIXTH, p1: 0.5 });
}

function put(editor: Editor, node: Node, x: Value, attrs: UnaryAttrs): boolean {
  // A constant of more axes than x stretches the result.
  if (!sameShape(x.shape, onlyOutput(node).shape)) return false;
  editor.replaceNode(node, unary, attrs, [x]);
  return true;
}

/** x where node is x * hardSigmoid(x) or x * clamp(x + 3, 0, 6) / 6. */
function hardSwishOperand(editor: Editor, node: Node): Value | undefined {
  const gated = factorsOf(node)?.find(([x, gate]) => hardSigmoidOperand(editor, gate) === x);
  if (gated !== undefined) return gated[0];
  const scaled = sixthOf(node);
  const product = editor.producer(scaled);
  return product && factorsOf(product)?.find(([x, gate]) => shiftedClampOperand(editor, gate) === x)?.[0];
}

/** Both orders of the factors of a plain product. */
function factorsOf(node: Node): [Value, Value][] | undefined {
  const [a, b] = node.inputs;
  return isPlain(node, 'mul') && a && b ? [[a, b], [b, a]] : undefined;
}

function isPlain(node: Node | undefined, kind: BinaryKind): node is Node<BinaryAttrs> {
  return is(node, binary) && node.attrs.kind === kind && node.attrs.min === -Infinity && node.attrs.max === Infinity;
}

/** x where node is x / 6 or x * (1/6). */
function sixthOf(node: Node): Value | undefined {
  const [a, b] = node.inputs;
  if (isPlain(node, 'div') && a && scalarIs(b, 6)) return a;
  if (!isPlain(node, 'mul') || !a || !b) return undefined;
  return scalarIs(b, SIXTH) ? a : scalarIs(a, SIXTH) ? b : undefined;
}

/** x where value is 1 / (1 + exp(-x)). */
function sigmoidOperand(editor: Editor, value: Value): Value | undefined {
  const node = editor.producer(value);
  return is(node, unary) && node.attrs.kind === 'sigmoid' ? node.inputs[0] ?? undefined : undefined;
}

/** x where value is clamp(x / 6 + 1/2, 0, 1). */
function hardSigmoidOperand(editor: Editor, value: Value): Value | undefined {
  const node = editor.producer(value);
  const known = is(node, unary) && node.attrs.kind === 'hardSigmoid' && near(node.attrs.p0, SIXTH) && near(node.attrs.p1, 0.5);
  return known ? node.inputs[0] ?? undefined : undefined;
}

/** x where value is clamp(x + 3, 0, 6). */
function shiftedClampOperand(editor: Editor, value: Value): Value | undefined {
  const node = editor.producer(value);
  if (!is(node, binary) || node.attrs.kind !== 'add' || node.attrs.min !== 0 || node.attrs.max !== 6) return undefined;
  const [a, b] = node.inputs;
  return a && scalarIs(b, 3) ? a : b && scalarIs(a, 3) ? b : undefined;
}

function scalarIs(value: Value | null | undefined, wanted: number): boolean {
  return isConstant(value) && value.data.length === 1 && near(Number(value.data[0]), wanted);
}

/** Equal as float32 numbers that exporters computed in different ways. */
function near(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-6 * Math.max(1, Math.abs(b));
}
