// Opcode → kernel family: the lower-case names of abi.ts's opcode constants, at their opcodes.
// Written out because reading the names off the module would put every constant of abi.ts into the plan loader;
// tests/plan/kernel-names.test.ts compares the two.

export const kernelNames: readonly (string | undefined)[] = [
  undefined, 'f32_conv', 'qs8_conv', 'f32_dwconv', 'qs8_dwconv', 'f32_pool', 'qs8_pool', 'f32_binary', 'i32_binary', 'qs8_binary',
  'f32_unary', 'qs8_lut', 'x_copy', 'x_gather', 'f32_reduce', 'qs8_reduce', 'f32_softmax', 'qs8_softmax', 'x_argmax', 'f32_resize',
  'qs8_resize', 'x_resize_nearest', 'x_convert', 'qs8_matmul', 'f32_lrn', 'f32_normalize', 'f32_winograd', 'f32_resize_cubic',
];
