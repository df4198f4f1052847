// The one place for float32 tolerances, as a share of the largest absolute expected value. int8 has none: equal.

export const tolerance = {
  /** Real networks against another engine's outputs. */
  network: 1e-4,
  /** One kernel against plain loops in float64. */
  kernel: 1e-5,
  /** A network on a GPU, whose compilers reassociate and fuse, against another engine's outputs. */
  gpuNetwork: 1e-3,
  /** One kernel on a GPU against the definition; WGSL's functions are less exact than its sums. */
  gpuKernel: 1e-4,
  /** A rewritten graph against the original, where constants were folded. */
  rewrite: 1e-5,
  /** ONNX's operator tests, whose runner allows both per element: absolute + relative * |expected|. */
  onnxRelative: 1e-3,
  onnxAbsolute: 1e-7,
  /** One op made int8 against itself in float32: a few of 255 steps. */
  quantizedOp: 0.02,
  /** Least cosine between a network's outputs in int8 and in float32. */
  quantizedCosine: 0.95,
  /** The same between the differences of two pictures' outputs, which are smaller than the outputs. */
  quantizedContrast: 0.8,
} as const;
