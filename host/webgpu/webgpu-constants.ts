// GPUBufferUsage and GPUMapMode by value: the globals exist only where WebGPU does, and a page may bring a device of its own.
// https://gpuweb.github.io/gpuweb/#namespacedef-gpubufferusage

export const bufferUsage = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128, QUERY_RESOLVE: 512 } as const;
export const MAP_READ_MODE = 1;
