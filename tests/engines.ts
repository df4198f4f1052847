// Which kernel sets this engine can run: the tests repeat themselves on each.

export type KernelSet = 'reference' | 'simd128' | 'relaxed';

/** Node 22 and later have relaxed SIMD; Node 20 has it only behind a flag, with a wrong dot product. */
export function kernelSets(): readonly KernelSet[] {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 22 ? ['reference', 'simd128', 'relaxed'] : ['reference', 'simd128'];
}
