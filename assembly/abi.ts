// The contract between the compiler (tsc) and the executor (asc): plan header, records, opcodes, operand offsets.
// Untyped integer constants only; imports nothing. docs/plan-format.md explains every field.
// All numbers are little-endian. "Address" = byte offset from the plan's base. Strides are in elements and never negative
// unless said otherwise. A step is [opcode i32][stepBytes i32][operands…]; operand constants are byte offsets in the step.

export const ABI_VERSION = 1;
export const PLAN_MAGIC = 0x314c474b; // "KGL1"
export const PLAN_ALIGN = 64;
/** Readable bytes after the arena (and after the weights): kernels may load, never store, this far past an operand. */
export const SLACK_BYTES = 64;

// Header: 128 bytes. Sections lie in the file in this order, each 64-byte aligned: header, io, traces, steps, strings, weights.
export const HEADER_BYTES = 128;
export const HEADER_MAGIC = 0;
export const HEADER_VERSION = 4;
export const HEADER_CHECKSUM = 8; // over the file's 32-bit words from byte 12 on: host/plan/checksum.ts
export const HEADER_PLAN_BYTES = 12; // whole file, a multiple of 64; the arena follows it in memory
export const HEADER_ARENA_BYTES = 16; // includes SLACK_BYTES
export const HEADER_IO_AT = 20;
export const HEADER_INPUT_COUNT = 24;
export const HEADER_OUTPUT_COUNT = 28;
export const HEADER_STEPS_AT = 32;
export const HEADER_STEPS_BYTES = 36;
export const HEADER_STEP_COUNT = 40;
export const HEADER_STRINGS_AT = 44;
export const HEADER_STRINGS_BYTES = 48;
export const HEADER_WEIGHTS_AT = 52;
export const HEADER_WEIGHTS_BYTES = 56;
export const HEADER_LIVE_BYTES = 60; // largest sum of tensors alive at once
export const HEADER_WORK = 64; // f64: upper bound of the steps' work as the verifiers count it (inner iterations)
export const HEADER_MACS = 72; // f64: multiply-accumulates of the network
export const HEADER_PARAMS = 80; // f64: parameters of the network
export const HEADER_SHUFFLES = 88; // channel shuffles recognised
export const HEADER_TRACES_AT = 92; // step records (names for dump, inspect and profiles)
export const HEADER_DOT_MODE = 96; // 0 in the file; in memory init() writes here how this plan's int8 dot products are computed

// Input and output records.
export const IO_BYTES = 96;
export const IO_NAME_AT = 0; // offset in strings
export const IO_NAME_BYTES = 4;
export const IO_DTYPE = 8;
export const IO_RANK = 12;
export const IO_DIMS = 16; // 8 × i32
export const IO_ADDRESS = 48; // dense row-major tensor in the arena
export const IO_ELEMENTS = 52;
export const IO_HAS_SCALE = 56;
export const IO_SCALE = 60; // f32
export const IO_ZERO_POINT = 64;
export const IO_LAYOUT = 68; // 0 unknown, 1 NHWC, 2 NCHW

// Trace records, one per step: what the step computes, for people.
export const TRACE_BYTES = 112;
export const TRACE_NAME_AT = 0; // tensor that is complete after this step
export const TRACE_NAME_BYTES = 4;
export const TRACE_DTYPE = 8;
export const TRACE_RANK = 12;
export const TRACE_DIMS = 16; // 8 × i32
export const TRACE_STRIDES = 48; // 8 × i32, elements
export const TRACE_ADDRESS = 80;
export const TRACE_COMPLETE = 84; // 1: the tensor is whole now; 0: a part of it, or a copy for a kernel
export const TRACE_OP_AT = 88; // op kind, for example "conv2d"
export const TRACE_OP_BYTES = 92;
export const TRACE_MACS = 96; // f64
export const TRACE_PARAMS = 104; // f64

// dtypes
export const DTYPE_F32 = 1;
export const DTYPE_I8 = 2;
export const DTYPE_U8 = 3;
export const DTYPE_I32 = 4;
export const DTYPE_I64 = 5;
export const DTYPE_BOOL = 6; // a byte, 0 or 1

// Error codes of init(): host/backends/wasm.ts gives the sentences.
export const OK = 0;
export const BAD_HEADER = 1;
export const BAD_OPCODE = 2;
export const BAD_STEP_BYTES = 3;
export const BAD_OPERAND = 4;
export const BAD_READ = 5;
export const BAD_WRITE = 6;
export const BAD_WORK = 7;
export const BAD_TABLE = 8;

// What relaxed_dot does here: the executor's dot mode (see simd.ts and host/backends/probe.ts)
export const DOT_I16 = 0; // no usable relaxed dot: i32x4.dot_i16x8_s
export const DOT_U8S8 = 1; // operand b is read as u8, exact
export const DOT_S8S8 = 2; // operand b is read as s8, exact but for two neighbouring products of (-128)*(-128), which may wrap

// Opcodes. The lower-case name of the constant is the kernel family's name.
export const F32_CONV = 1;
export const QS8_CONV = 2;
export const F32_DWCONV = 3;
export const QS8_DWCONV = 4;
export const F32_POOL = 5;
export const QS8_POOL = 6;
export const F32_BINARY = 7;
export const I32_BINARY = 8;
export const QS8_BINARY = 9;
export const F32_UNARY = 10;
export const QS8_LUT = 11;
export const X_COPY = 12;
export const X_GATHER = 13;
export const F32_REDUCE = 14;
export const QS8_REDUCE = 15;
export const F32_SOFTMAX = 16;
export const QS8_SOFTMAX = 17;
export const X_ARGMAX = 18;
export const F32_RESIZE = 19;
export const QS8_RESIZE = 20;
export const X_RESIZE_NEAREST = 21;
export const X_CONVERT = 22;
export const QS8_MATMUL = 23;
export const F32_LRN = 24;
export const F32_NORMALIZE = 25;
export const F32_WINOGRAD = 26;
export const F32_RESIZE_CUBIC = 27;
export const OPCODE_COUNT = 28;

/** In lists of a team's threads only (assembly/threads.ts): no step, and no opcode of plans. */
export const BARRIER = 0;

// Control words of a team of threads, byte offsets from where they begin; those that many write have a cache line each. In a shared memory the
// first team's begin at CONTROL_AT; a second one's, of another build, lie behind them.
export const CONTROL_AT = 64;
export const CONTROL_BYTES = 448;
export const CONTROL_ARRIVED = 0; // threads that wait at the barrier
export const CONTROL_ROUND = 64; // barriers passed
export const CONTROL_SLEEPERS = 128; // threads that need a notify
export const CONTROL_ABORT = 192; // not 0: the team was stopped
export const CONTROL_JOB = 256; // jobs begun; the words that follow describe the last one
export const CONTROL_BASE = 260; // where the plan lies
export const CONTROL_LISTS = 264; // where the lists' table lies: per thread [address, bytes]
export const CONTROL_SPINS = 268; // looks at a barrier before a thread sleeps
export const CONTROL_FINISHED = 320; // threads that are done with the job
export const CONTROL_PARKED = 384; // per thread: 1 while it waits for a message, not for CONTROL_JOB
export const MAX_THREADS = 16;

export const STEP_OPCODE = 0;
export const STEP_BYTES = 4;

// F32_CONV, QS8_CONV, F32_WINOGRAD: grouped NHWC convolution as a GEMM over packed rows; also dense layers and matmul (rows as width).
// src element (n,y,x,g*IC+c) at SRC + n*SRC_BATCH + y*SRC_ROW + x*SRC_PIXEL + (g*IC+c)*SRC_CHANNEL
// dst element (n,y,x,g*OC+c) at DST + n*DST_BATCH + (y*OW+x)*DST_PIXEL + (g*OC+c)*DST_CHANNEL
// weights f32, per group, per panel of 8 output channels: [bias 8 f32][K][8] f32, K = (ky,kx,c) order
// weights qs8, per group, per panel: [bias 8 i32][colsum 8 i32][scale 8 f32][row factor i32, 28 bytes of zero][K4/4][8][4] i8,
//   K4 = K rounded up to 4. colsum = sum of w over K; bias already holds K*srcZero*weightZero and the model's bias.
//   A panel has its own weight zero point: row factor = -weightZero, either 0 or -WEIGHT_ZERO (then row sums are added).
// SCRATCH holds BLOCK_ROWS packed rows, see kernels/f32-gemm.ts and qs8-gemm.ts
// F32_WINOGRAD: the operands of F32_CONV with one group, 3x3, stride, dilation and channel strides 1, no activation but leaky relu;
//   BLOCK_ROWS counts tiles of 4x4 outputs. weights f32, per panel of 8 output channels, per product i = 6*p + q (p, q = 0…5):
//   [start 8][IC][8] f32. Weight of 3x3 filter g: (G g GT)[p][q], G = rows (1 0 0), -(1 ±r r²)/(3√2) for r = √½,
//   -(1 ±s s²)/12 for s = √2, (0 0 1). start = bias*v[p]*v[q], v = (1/2 √2/4 -√2/4 1/4 1/4 1/2).
export const QS8_PANEL_SCALES = 64;
export const QS8_PANEL_ROW_FACTOR = 96;
export const QS8_PANEL_HEAD = 128;
export const CONV_SRC = 8;
export const CONV_DST = 12;
export const CONV_WEIGHTS = 16;
export const CONV_SCRATCH = 20;
export const CONV_SCRATCH_BYTES = 24;
export const CONV_BATCH = 28;
export const CONV_IH = 32;
export const CONV_IW = 36;
export const CONV_IC = 40; // per group
export const CONV_OH = 44;
export const CONV_OW = 48;
export const CONV_OC = 52; // per group
export const CONV_GROUPS = 56;
export const CONV_KH = 60;
export const CONV_KW = 64;
export const CONV_SH = 68;
export const CONV_SW = 72;
export const CONV_DH = 76;
export const CONV_DW = 80;
export const CONV_PT = 84; // may be negative
export const CONV_PL = 88; // may be negative
export const CONV_SRC_BATCH = 92;
export const CONV_SRC_ROW = 96;
export const CONV_SRC_PIXEL = 100;
export const CONV_SRC_CHANNEL = 104;
export const CONV_DST_BATCH = 108;
export const CONV_DST_PIXEL = 112;
export const CONV_DST_CHANNEL = 116;
export const CONV_DIRECT = 120; // 1: rows are read in place (1x1, stride 1, no pads, SRC_CHANNEL 1, SRC_ROW = IW*SRC_PIXEL)
export const CONV_BLOCK_ROWS = 124; // rows packed (or kept in cache) at a time, a multiple of 12 where they are rows
export const CONV_MIN = 128; // f32, or i32 in the output's quantised units
export const CONV_MAX = 132;
export const CONV_SRC_ZERO = 136; // qs8
export const CONV_DST_ZERO = 140; // qs8
export const CONV_WEIGHT_ZERO = 144; // qs8: zero point (s8 domain) of the panels whose row factor is not 0; 0 where none is
export const CONV_OUT_I32 = 148; // qs8: 1 stores the int32 accumulators (dst is i32), no scale, no clamp
export const CONV_PLANAR = 152; // f32: 1: K = (c,ky,kx) order, for sources whose pixels, not channels, are neighbours
export const CONV_ACTIVATION = 156; // f32: 0, or UNARY_SWISH, UNARY_HARD_SWISH or UNARY_HARD_SIGMOID after the clamp, or UNARY_LEAKY_RELU
//   in its place, as max(x, P0*x)
export const CONV_P0 = 160;
export const CONV_P1 = 164;
export const CONV_STEP_BYTES = 168;

// F32_DWCONV, QS8_DWCONV: depthwise NHWC, channel stride 1 on both sides, multiplier 1.
// weights f32, per 4 channels: [bias 4][KH*KW][4] f32
// weights qs8, per 8 channels: [bias 8 i32][scale 8 f32][ceil(KH*KW/2)][8][2] i16 = w - weightZero;
//   bias already holds -srcZero*sum(w - weightZero); a missing odd tap has weight 0
export const DW_SRC = 8;
export const DW_DST = 12;
export const DW_WEIGHTS = 16;
export const DW_BATCH = 20;
export const DW_IH = 24;
export const DW_IW = 28;
export const DW_C = 32;
export const DW_OH = 36;
export const DW_OW = 40;
export const DW_KH = 44;
export const DW_KW = 48;
export const DW_SH = 52;
export const DW_SW = 56;
export const DW_DH = 60;
export const DW_DW = 64;
export const DW_PT = 68; // may be negative
export const DW_PL = 72; // may be negative
export const DW_SRC_BATCH = 76;
export const DW_SRC_ROW = 80;
export const DW_SRC_PIXEL = 84;
export const DW_DST_BATCH = 88;
export const DW_DST_ROW = 92;
export const DW_DST_PIXEL = 96;
export const DW_MIN = 100;
export const DW_MAX = 104;
export const DW_SRC_ZERO = 108; // qs8
export const DW_DST_ZERO = 112; // qs8
export const DW_FILL = 116; // qs8: SRC_ZERO in each of 8 bytes, what rows outside the input hold
export const DW_SCRATCH = 124; // see kernels/f32-dwconv.ts and qs8-dwconv-padded.ts
export const DW_SCRATCH_BYTES = 128;
export const DW_CHUNK = 132; // blocks (f32: of 4 channels, qs8: of 8) that are copied with what is outside at a time; 0: no copy
export const DW_ACTIVATION = 136; // f32: as CONV_ACTIVATION
export const DW_P0 = 140;
export const DW_P1 = 144;
export const DW_STEP_BYTES = 148;

// F32_POOL, QS8_POOL: NHWC windows, channel stride 1. Windows are clipped to the input; an empty window is refused by verify.
export const POOL_SRC = 8;
export const POOL_DST = 12;
export const POOL_KIND = 16; // POOL_MAX or POOL_AVERAGE
export const POOL_BATCH = 20;
export const POOL_IH = 24;
export const POOL_IW = 28;
export const POOL_C = 32;
export const POOL_OH = 36;
export const POOL_OW = 40;
export const POOL_KH = 44;
export const POOL_KW = 48;
export const POOL_SH = 52;
export const POOL_SW = 56;
export const POOL_DH = 60;
export const POOL_DW = 64;
export const POOL_PT = 68;
export const POOL_PL = 72;
export const POOL_PB = 76; // average with COUNT_PADS: positions up to IH+PB (IW+PR) count, beyond (ceil_mode) they do not
export const POOL_PR = 80;
export const POOL_COUNT_PADS = 84;
export const POOL_SRC_BATCH = 88;
export const POOL_SRC_ROW = 92;
export const POOL_SRC_PIXEL = 96;
export const POOL_DST_BATCH = 100;
export const POOL_DST_ROW = 104;
export const POOL_DST_PIXEL = 108;
export const POOL_MIN = 112; // f32, or i32 quantised units
export const POOL_MAX_VALUE = 116;
export const POOL_SRC_SCALE = 120; // qs8 average: y = rint(f32(sum - n*SRC_ZERO) * f32(SRC_SCALE / f32(DST_SCALE*n))) + DST_ZERO
export const POOL_DST_SCALE = 124;
export const POOL_SRC_ZERO = 128;
export const POOL_DST_ZERO = 132;
export const POOL_STEP_BYTES = 136;
export const POOL_MAX = 0;
export const POOL_AVERAGE = 1;

// Nests: 6 dims, outermost first, unused = 1 (stride 0). Broadcasting is stride 0 on a source.
export const NEST_RANK = 6;

// F32_BINARY, I32_BINARY, QS8_BINARY
export const BINARY_A = 8;
export const BINARY_B = 12;
export const BINARY_DST = 16;
export const BINARY_KIND = 20;
export const BINARY_DIMS = 24; // 6
export const BINARY_A_STRIDES = 48; // 6
export const BINARY_B_STRIDES = 72; // 6
export const BINARY_DST_STRIDES = 96; // 6
export const BINARY_MIN = 120; // clamp: f32 (i32 in I32_BINARY and QS8_BINARY)
export const BINARY_MAX = 124;
export const BINARY_A_SCALE = 128; // qs8, f32; ADD and SUB use f32(A_SCALE / DST_SCALE), MUL f32(f32(A_SCALE * B_SCALE) / DST_SCALE)
export const BINARY_B_SCALE = 132;
export const BINARY_DST_SCALE = 136;
export const BINARY_A_ZERO = 140;
export const BINARY_B_ZERO = 144;
export const BINARY_DST_ZERO = 148;
export const BINARY_STEP_BYTES = 152;
export const BINARY_ADD = 0;
export const BINARY_SUB = 1;
export const BINARY_MUL = 2;
export const BINARY_DIV = 3;
export const BINARY_MAXIMUM = 4;
export const BINARY_MINIMUM = 5;
export const BINARY_POW = 6;
export const BINARY_PRELU = 7; // a >= 0 ? a : a*b
export const BINARY_FLOOR_DIV = 8;
export const BINARY_SQUARED_DIFFERENCE = 9;
export const BINARY_LESS = 10; // a < b ? 1 : 0
export const BINARY_EQUAL = 11; // a == b ? 1 : 0
export const BINARY_KEEP = 12; // a == 0 ? 0 : b
export const BINARY_KIND_COUNT = 13;

// F32_UNARY: dst = kind(src; P0, P1)
export const UNARY_SRC = 8;
export const UNARY_DST = 12;
export const UNARY_KIND = 16;
export const UNARY_P0 = 20; // f32
export const UNARY_P1 = 24; // f32
export const UNARY_DIMS = 28;
export const UNARY_SRC_STRIDES = 52;
export const UNARY_DST_STRIDES = 76;
export const UNARY_STEP_BYTES = 100;
export const UNARY_CLAMP = 0; // min(max(x, P0), P1)
export const UNARY_LEAKY_RELU = 1; // x >= 0 ? x : P0*x
export const UNARY_SIGMOID = 2;
export const UNARY_TANH = 3;
export const UNARY_HARD_SIGMOID = 4; // clamp(P0*x + P1, 0, 1)
export const UNARY_HARD_SWISH = 5; // x * clamp(x/6 + 1/2, 0, 1)
export const UNARY_ELU = 6; // x >= 0 ? x : P0*(exp(x)-1)
export const UNARY_SOFTPLUS = 7; // log(1 + exp(x))
export const UNARY_EXP = 8;
export const UNARY_LOG = 9;
export const UNARY_SQRT = 10;
export const UNARY_NEG = 11;
export const UNARY_ABS = 12;
export const UNARY_RSQRT = 13;
export const UNARY_FLOOR = 14;
export const UNARY_CEIL = 15;
export const UNARY_SQUARE = 16;
export const UNARY_ROUND = 17; // to the nearest integer, ties to even
export const UNARY_SWISH = 18; // x / (1 + exp(-x))
export const UNARY_KIND_COUNT = 19;

// QS8_LUT: dst = table[src + 128], 256 int8 results in the weights
export const LUT_SRC = 8;
export const LUT_DST = 12;
export const LUT_TABLE = 16;
export const LUT_DIMS = 20;
export const LUT_SRC_STRIDES = 44;
export const LUT_DST_STRIDES = 68;
export const LUT_STEP_BYTES = 92;

// X_COPY: dst[i] = src[i] over a nest; SRC_STRIDES may be negative (reversing slice) or 0 (broadcast, fill)
export const COPY_SRC = 8;
export const COPY_DST = 12;
export const COPY_ELEMENT_BYTES = 16; // 1, 2, 4 or 8
export const COPY_DIMS = 20;
export const COPY_SRC_STRIDES = 44;
export const COPY_DST_STRIDES = 68;
export const COPY_STEP_BYTES = 92;

// X_GATHER: for o < OUTER, m < COUNT: copies INNER_BYTES
// from SRC + o*SRC_OUTER_BYTES + sum_k index(m,k)*AXIS_BYTES[k]  to  DST + (o*COUNT + m)*INNER_BYTES
// index(m,k) = i32 at INDICES + 4*(m*DEPTH + k), + AXIS[k] if negative, then clamped to 0…AXIS[k]-1
export const GATHER_SRC = 8;
export const GATHER_INDICES = 12;
export const GATHER_DST = 16;
export const GATHER_OUTER = 20;
export const GATHER_SRC_OUTER_BYTES = 24;
export const GATHER_COUNT = 28;
export const GATHER_DEPTH = 32; // 1…4
export const GATHER_INNER_BYTES = 36;
export const GATHER_AXIS = 40; // 4
export const GATHER_AXIS_BYTES = 56; // 4
export const GATHER_STEP_BYTES = 72;

// F32_REDUCE, QS8_REDUCE: outer nest of 4 (dst position), inner nest of 3 (reduced); the innermost outer dim is the vector one
export const REDUCE_SRC = 8;
export const REDUCE_DST = 12;
export const REDUCE_KIND = 16;
export const REDUCE_DIMS = 20; // 4 kept
export const REDUCE_SRC_STRIDES = 36; // 4
export const REDUCE_DST_STRIDES = 52; // 4
export const REDUCE_INNER_DIMS = 68; // 3 reduced
export const REDUCE_INNER_STRIDES = 80; // 3
export const REDUCE_SRC_SCALE = 92; // qs8 mean: rint(f32(sum - n*SRC_ZERO) * f32(SRC_SCALE / f32(DST_SCALE*n))) + DST_ZERO; sum: n = 1 in the divisor
export const REDUCE_DST_SCALE = 96;
export const REDUCE_SRC_ZERO = 100;
export const REDUCE_DST_ZERO = 104;
export const REDUCE_STEP_BYTES = 108;
export const REDUCE_MEAN = 0;
export const REDUCE_SUM = 1;
export const REDUCE_MAX = 2;
export const REDUCE_MIN = 3;
export const REDUCE_PROD = 4; // f32 only
export const REDUCE_KIND_COUNT = 5;

// F32_SOFTMAX, QS8_SOFTMAX: over an axis of length AXIS; outer nest of 4
export const SOFTMAX_SRC = 8;
export const SOFTMAX_DST = 12;
export const SOFTMAX_LOG = 16; // 1: log-softmax (f32 only)
export const SOFTMAX_DIMS = 20; // 4
export const SOFTMAX_SRC_STRIDES = 36;
export const SOFTMAX_DST_STRIDES = 52;
export const SOFTMAX_AXIS = 68;
export const SOFTMAX_SRC_AXIS_STRIDE = 72;
export const SOFTMAX_DST_AXIS_STRIDE = 76;
export const SOFTMAX_BETA = 80; // f32, TFLite's beta; 1 otherwise
export const SOFTMAX_SRC_SCALE = 84; // qs8
export const SOFTMAX_DST_SCALE = 88;
export const SOFTMAX_DST_ZERO = 92;
export const SOFTMAX_SCRATCH = 96; // qs8: AXIS f32
export const SOFTMAX_STEP_BYTES = 100;

// X_ARGMAX: int32 index of the largest element along an axis (first one, or last one with LAST); outer nest of 4
export const ARGMAX_SRC = 8;
export const ARGMAX_DST = 12;
export const ARGMAX_DTYPE = 16; // DTYPE_F32, DTYPE_I8 or DTYPE_I32
export const ARGMAX_DIMS = 20;
export const ARGMAX_SRC_STRIDES = 36;
export const ARGMAX_DST_STRIDES = 52;
export const ARGMAX_AXIS = 68;
export const ARGMAX_SRC_AXIS_STRIDE = 72;
export const ARGMAX_LAST = 76;
export const ARGMAX_STEP_BYTES = 80;

// F32_RESIZE, QS8_RESIZE (bilinear), F32_RESIZE_CUBIC, X_RESIZE_NEAREST: NHWC, channel stride 1.
// Tables in the weights: y: OH × [index0 i32, index1 i32, weight1 f32], x: OW × the same; nearest: OH (OW) × i32;
// cubic: OH (OW) × [4 indices i32, 4 weights f32], y = sum of wy * (sum of wx * pixel)
// bilinear: top = a + (b-a)*wx, bottom likewise, y = top + (bottom-top)*wy, every step in f32;
// qs8: on f32(q - SRC_ZERO), then rint(y * f32(SRC_SCALE/DST_SCALE)) + DST_ZERO
export const RESIZE_SRC = 8;
export const RESIZE_DST = 12;
export const RESIZE_Y_TABLE = 16;
export const RESIZE_X_TABLE = 20;
export const RESIZE_BATCH = 24;
export const RESIZE_IH = 28;
export const RESIZE_IW = 32;
export const RESIZE_C = 36;
export const RESIZE_OH = 40;
export const RESIZE_OW = 44;
export const RESIZE_SRC_BATCH = 48;
export const RESIZE_SRC_ROW = 52;
export const RESIZE_SRC_PIXEL = 56;
export const RESIZE_DST_BATCH = 60;
export const RESIZE_DST_ROW = 64;
export const RESIZE_DST_PIXEL = 68;
export const RESIZE_ELEMENT_BYTES = 72; // X_RESIZE_NEAREST
export const RESIZE_SRC_SCALE = 76;
export const RESIZE_DST_SCALE = 80;
export const RESIZE_SRC_ZERO = 84;
export const RESIZE_DST_ZERO = 88;
export const RESIZE_STEP_BYTES = 92;

// X_CONVERT: elementwise between dtypes over a nest
export const CONVERT_SRC = 8;
export const CONVERT_DST = 12;
export const CONVERT_KIND = 16;
export const CONVERT_DIMS = 20;
export const CONVERT_SRC_STRIDES = 44;
export const CONVERT_DST_STRIDES = 68;
export const CONVERT_SCALE = 92; // f32
export const CONVERT_ZERO = 96;
export const CONVERT_STEP_BYTES = 100;
export const CONVERT_FLIP = 0; // u8 <-> s8: x ^ 0x80
export const CONVERT_QUANTIZE = 1; // f32 -> i8: clamp(rint(f32(x / SCALE)) + ZERO)
export const CONVERT_DEQUANTIZE = 2; // i8 -> f32: f32(q - ZERO) * SCALE
export const CONVERT_I32_F32 = 3;
export const CONVERT_F32_I32 = 4; // towards zero, saturating, NaN -> 0
export const CONVERT_I32_I64 = 5;
export const CONVERT_I64_I32 = 6; // saturating
export const CONVERT_I8_I32 = 7;
export const CONVERT_I32_I8 = 8; // saturating
export const CONVERT_DEQUANTIZE_I32 = 9; // i32 -> f32: f32(q - ZERO) * SCALE
export const CONVERT_KIND_COUNT = 10;

// QS8_MATMUL: [BATCH] × M×K times K×N, both operands computed at run time, per-tensor scales:
// y = clamp(rint(f32(sum (a-A_ZERO)*(b-B_ZERO)) * SCALE) + DST_ZERO), strides as given
export const MATMUL_A = 8;
export const MATMUL_B = 12;
export const MATMUL_DST = 16;
export const MATMUL_BATCH = 20;
export const MATMUL_M = 24;
export const MATMUL_K = 28;
export const MATMUL_N = 32;
export const MATMUL_A_BATCH = 36;
export const MATMUL_A_ROW = 40;
export const MATMUL_A_COLUMN = 44;
export const MATMUL_B_BATCH = 48;
export const MATMUL_B_ROW = 52;
export const MATMUL_B_COLUMN = 56;
export const MATMUL_DST_BATCH = 60;
export const MATMUL_DST_ROW = 64;
export const MATMUL_A_ZERO = 68;
export const MATMUL_B_ZERO = 72;
export const MATMUL_DST_ZERO = 76;
export const MATMUL_SCALE = 80; // f32
export const MATMUL_OUT_I32 = 84;
export const MATMUL_STEP_BYTES = 88;

// F32_LRN: y = x / (BIAS + SCALE * sum of squares of channels c-BEFORE … c+AFTER)^BETA; outer nest of 4, channel stride 1
export const LRN_SRC = 8;
export const LRN_DST = 12;
export const LRN_SCRATCH = 16; // BEFORE + C + AFTER f32
export const LRN_DIMS = 20; // 4
export const LRN_SRC_STRIDES = 36;
export const LRN_DST_STRIDES = 52;
export const LRN_C = 68;
export const LRN_BEFORE = 72;
export const LRN_AFTER = 76;
export const LRN_SCALE = 80; // f32
export const LRN_BIAS = 84; // f32
export const LRN_BETA = 88; // f32
export const LRN_STEP_BYTES = 92;

// F32_NORMALIZE: y = (x - mean) / sqrt(variance + EPSILON) * factor + offset; outer nest of 4 (kept), inner nest of 3 (the region that
// mean and variance are taken over). Factor and offset have the same strides, 0 where they repeat.
export const NORMALIZE_SRC = 8;
export const NORMALIZE_DST = 12;
export const NORMALIZE_FACTOR = 16;
export const NORMALIZE_OFFSET = 20;
export const NORMALIZE_EPSILON = 24; // f32
export const NORMALIZE_DIMS = 28; // 4
export const NORMALIZE_SRC_STRIDES = 44;
export const NORMALIZE_DST_STRIDES = 60;
export const NORMALIZE_FACTOR_STRIDES = 76;
export const NORMALIZE_REGION = 92; // 3
export const NORMALIZE_REGION_SRC_STRIDES = 104;
export const NORMALIZE_REGION_DST_STRIDES = 116;
export const NORMALIZE_REGION_FACTOR_STRIDES = 128;
export const NORMALIZE_STEP_BYTES = 140;
