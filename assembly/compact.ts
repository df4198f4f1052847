// Whether this build does without kernels and long loops whose work others do as exactly but slower: kinglet-cmd.relaxed, which would
// otherwise weigh too much with the kernels of both dot products. asconfig.json says it. Must not know which kernels.

// @ts-ignore: asc's constant, or nothing
export const COMPACT: bool = isDefined(COMPACT_KERNELS);
