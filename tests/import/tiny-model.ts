// One small valid model of each format, for cutting and flipping.

import * as onnx from './onnx-bytes.ts';
import { buildTflite } from './tflite-bytes.ts';

/** y = Perm(Copy(x) ...) with a weight as raw_data and one as float_data. */
export function tinyOnnx(): Uint8Array<ArrayBuffer> {
  const { float } = onnx.DATA_TYPE;
  return onnx.model(
    onnx.input('x', float, ['n', 2, 3]),
    onnx.initializer({ name: 'raw', type: float, dims: [2], data: [onnx.message(9, onnx.floats(1, 2))] }),
    onnx.initializer({ name: 'typed', type: float, dims: [2], data: [onnx.message(4, onnx.floats(3, 4))] }),
    onnx.node({ op: 'Copy', name: 'copy', in: ['x', 'raw'], out: ['c'] }),
    onnx.node({ op: 'Perm', in: ['c', 'typed'], out: ['y'], attributes: [onnx.attribute('perm', 7, onnx.message(8, Uint8Array.of(0, 2, 1)))] }),
    onnx.output('y', float, [1, 3, 2]),
  );
}

export function tinyTflite(): Uint8Array {
  return buildTflite({
    buffers: [[], [1, 2, 3]],
    tensors: [
      { name: 'x', shape: [1, 3], type: 3, quantization: { scale: [0.5], zeroPoint: [128] } },
      { name: 'w', shape: [3], type: 9, buffer: 1, quantization: { scale: [1, 2, 3], zeroPoint: [0, 0, 0], axis: 0 } },
      { name: 'y', shape: [1, 3], type: 3, quantization: { scale: [0.5], zeroPoint: [128] } },
    ],
    operators: [{ code: 0, inputs: [0, 1], outputs: [2], optionsTag: 17, optionShape: [1, 3] }],
    codes: [{ builtin: 22 }],
    inputs: [0],
    outputs: [2],
  });
}
