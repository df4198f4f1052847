// Positions of the largest elements along one axis: a workgroup per line, or a thread per line where lines are short. Of equals the first or the
// last; NaN never wins. Positions are written as floats, which hold them exactly below 2^24. In: views with any strides. Out: a dispatch.
// Must not know what becomes of them.

import type { View } from '../../plan/lowering.ts';
import { makeNest } from '../../plan/views.ts';
import type { ArgmaxAttrs } from '../../ops/argmax.ts';
import { withoutAxis } from '../../ops/softmax.ts';
import { linear, linearMain, WORKGROUP, type Dispatch } from '../dispatch.ts';
import { nestParams, nestText } from '../nest-text.ts';
import { acrossMain, acrossText, neutral, SHORT_LINE } from './across-threads.ts';

/** Longest axis whose positions are exact. */
export const ARGMAX_LENGTH = 2 ** 24;

/** `dst`: without the axis. */
export function argmaxLines(src: View, dst: View, { axis, last }: ArgmaxAttrs, subgroups: boolean): Dispatch {
  const nest = makeNest([dst, withoutAxis(src, axis)]);
  const lines = nest.dims.reduce((a, d) => a * d, 1);
  const short = src.shape[axis] <= SHORT_LINE;
  const starts = (line: string): string => nestText(nest, line, [{ offset: 'to', first: 'p.y_at', name: 'e0' }, { offset: 'at', first: 'p.x_at', name: 'e1' }], 'e');
  const search = (first: string, step: string): string => `var largest = ${neutral.max};
  var best = 0;
  for (var k = ${first}; k < p.length; k += ${step}) {
    let value = x[at + k * p.x_axis];
    if (value ${last ? '>=' : '>'} largest) { largest = value; best = k; }
  }`;
  const alone = `
${linearMain}
  if (i >= p.lines) { return; }
  ${starts('i')}
  ${search('0', '1')}
  y[to] = f32(best);
}`;
  const together = `${acrossMain('p.lines', subgroups)}
  ${starts('item')}
  ${search('i32(lane)', `${WORKGROUP}`)}
  let mine = largest;
  ${acrossText('max', 'largest', subgroups)}
  var position = select(${last ? '-1.0' : 'f32(p.length)'}, f32(best), mine == largest);
  ${acrossText(last ? 'max' : 'min', 'position', subgroups)}
  if (lane == 0u) { y[to] = position; }
}`;
  return {
    kernel: `argmax${short ? ' short' : ''}`,
    body: short ? alone : together,
    params: { lines, length: src.shape[axis], x_axis: src.strides[axis], ...nestParams(nest, 'e') },
    reads: [{ name: 'x', as: 'f32', view: src }],
    write: { name: 'y', as: 'f32', view: dst },
    workgroups: linear(short ? lines : lines * WORKGROUP),
    subgroups: subgroups && !short,
  };
}
