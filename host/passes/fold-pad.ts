// Moves constant padding into the op that reads it. In: a graph with pad nodes. Out: convolutions and pools with larger pads.
// Exact only where the pad's value is what the op assumes outside of its input: 0 for convolutions (the zero point for int8)
// and for averages that count it, minus infinity for maxima.

import { onlyOutput, type Editor } from '../graph/edit.ts';
import { is, type Node, type Value } from '../graph/graph.ts';
import { conv2d } from '../ops/conv2d.ts';
import { pad, type PadAttrs } from '../ops/pad.ts';
import { pool2d, type Pool2dAttrs } from '../ops/pool2d.ts';
import { transpose } from '../ops/transpose.ts';
import type { Pads } from '../ops/window.ts';
import { nodePass } from './pass.ts';

/** Below this a value can be no maximum of float32 numbers. */
const LOWEST = -3.4028234663852886e38;

export const foldPad = nodePass('fold-pad', foldInto);

function foldInto(editor: Editor, node: Node): boolean {
  if (!is(node, conv2d) && !is(node, pool2d)) return false;
  const padded = paddedInput(editor, node);
  const spatial = padded && spatialPads(padded.attrs.pads);
  if (padded === undefined || spatial === undefined) return false;
  const { attrs: { value } } = padded;
  const input = (): Value => (padded.perm === undefined ? padded.x : editor.add(node, transpose, { perm: padded.perm }, [padded.x]));
  const { quantization } = onlyOutput(node);
  if (is(node, conv2d)) {
    const pads = sum(spatial, node.attrs.pads);
    if (pads === undefined || value !== 0) return false;
    editor.replaceNode(node, conv2d, { ...node.attrs, pads }, [input(), ...node.inputs.slice(1)], { quantization });
    return true;
  }
  const pads = sum(spatial, node.attrs.pads);
  if (pads === undefined || !keepsWindows(node, pads)) return false;
  if (node.attrs.kind === 'max') {
    if (value > LOWEST) return false;
    editor.replaceNode(node, pool2d, { ...node.attrs, pads }, [input()], { quantization });
    return true;
  }
  const counts = node.attrs.countIncludePad || node.attrs.pads.every((p) => p === 0);
  if (value !== 0 || !counts || node.attrs.ceilMode) return false;
  editor.replaceNode(node, pool2d, { ...node.attrs, pads, countIncludePad: true }, [input()], { quantization });
  return true;
}

interface Padded {
  /** As if the padding came after the transpose. */
  readonly attrs: PadAttrs;
  readonly x: Value;
  /** The transpose between pad and op, if there is one (a picture that is padded before it becomes NHWC). */
  readonly perm: readonly number[] | undefined;
}

function paddedInput(editor: Editor, node: Node): Padded | undefined {
  const above = editor.producer(node.inputs[0]);
  const maker = is(above, transpose) ? editor.producer(above.inputs[0]) : above;
  if (!is(maker, pad) || maker.attrs.mode !== 'constant') return undefined;
  const perm = is(above, transpose) ? above.attrs.perm : undefined;
  const attrs = perm === undefined ? maker.attrs : pad.permute?.(maker.attrs, perm, maker);
  return attrs && { attrs, x: maker.inputs[0] as Value, perm };
}

/** A pool refuses windows that lie in its padding altogether. */
function keepsWindows({ attrs }: Node<Pool2dAttrs>, pads: Pads): boolean {
  return attrs.dilations.every((d) => d === 1) && pads.every((p, side) => p >= 0 && p < attrs.kernel[side % 2]);
}

/** [top, left, bottom, right] of NHWC padding that leaves batch and channels alone. */
function spatialPads(pads: readonly number[]): Pads | undefined {
  const [n, top, left, c, nAfter, bottom, right, cAfter] = pads;
  if (pads.length !== 8 || n !== 0 || c !== 0 || nAfter !== 0 || cAfter !== 0) return undefined;
  return [top, left, bottom, right];
}

/** Both pads at once; cropping and then padding is not the same as padding less. */
function sum(first: Pads, second: Pads): Pads | undefined {
  if (first.some((p, i) => p < 0 && second[i] > 0)) return undefined;
  return [first[0] + second[0], first[1] + second[1], first[2] + second[2], first[3] + second[3]];
}
