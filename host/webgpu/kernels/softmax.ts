// Softmax and its logarithm along one axis: a workgroup per line, or a thread per line where lines are short. In: views with any strides.
// Out: a dispatch. Must not know which op it serves.

import type { View } from '../../plan/lowering.ts';
import { makeNest } from '../../plan/views.ts';
import { withoutAxis, type SoftmaxAttrs } from '../../ops/softmax.ts';
import { linear, linearMain, WORKGROUP, type Dispatch } from '../dispatch.ts';
import { nestParams, nestText } from '../nest-text.ts';
import { acrossMain, acrossText, neutral, SHORT_LINE } from './across-threads.ts';

export function softmaxLines(src: View, dst: View, { axis, log, beta }: SoftmaxAttrs, subgroups: boolean): Dispatch {
  const nest = makeNest([withoutAxis(dst, axis), withoutAxis(src, axis)]);
  const lines = nest.dims.reduce((a, d) => a * d, 1);
  const short = src.shape[axis] <= SHORT_LINE;
  const starts = (line: string): string => nestText(nest, line, [{ offset: 'to', first: 'p.y_at', name: 'e0' }, { offset: 'at', first: 'p.x_at', name: 'e1' }], 'e');
  const value = 'x[at + k * p.x_axis] * p.beta';
  const result = log ? `${value} - largest - log(sum)` : `exp(${value} - largest) / sum`;
  const alone = `
${linearMain}
  if (i >= p.lines) { return; }
  ${starts('i')}
  var largest = ${neutral.max};
  for (var k = 0; k < p.length; k++) { largest = max(largest, ${value}); }
  var sum = 0.0;
  for (var k = 0; k < p.length; k++) { sum += exp(${value} - largest); }
  for (var k = 0; k < p.length; k++) { y[to + k * p.y_axis] = ${result}; }
}`;
  const together = `${acrossMain('p.lines', subgroups)}
  ${starts('item')}
  var largest = ${neutral.max};
  for (var k = i32(lane); k < p.length; k += ${WORKGROUP}) { largest = max(largest, ${value}); }
  ${acrossText('max', 'largest', subgroups)}
  var sum = 0.0;
  for (var k = i32(lane); k < p.length; k += ${WORKGROUP}) { sum += exp(${value} - largest); }
  ${acrossText('sum', 'sum', subgroups)}
  for (var k = i32(lane); k < p.length; k += ${WORKGROUP}) { y[to + k * p.y_axis] = ${result}; }
}`;
  return {
    kernel: `softmax${log ? ' log' : ''}${short ? ' short' : ''}`,
    body: short ? alone : together,
    params: {
      lines, length: src.shape[axis], x_axis: src.strides[axis], y_axis: dst.strides[axis], beta: { f32: beta }, ...nestParams(nest, 'e'),
    },
    reads: [{ name: 'x', as: 'f32', view: src }],
    write: { name: 'y', as: 'f32', view: dst },
    workgroups: linear(short ? lines : lines * WORKGROUP),
    subgroups: subgroups && !short,
  };
}
