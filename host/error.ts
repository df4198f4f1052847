// The one error type and the one table of codes. In: a code and a sentence. Out: a KingletError a person can act on.
// CLI exit codes and the executor's refusals use the same table. Must not import anything.

/** Every code kinglet can report: the CLI's exit code and the hint printed when the thrower has none of its own. docs/errors.md is made of it. */
export const errorTable = {
  /** A function or the command was called with arguments or options that make no sense. */
  ERR_USAGE: { exit: 64, hint: 'Run `kinglet --help` for the options.' },
  /** The bytes are not a model of a format that this entry point reads. */
  ERR_MODEL_FORMAT: { exit: 65, hint: 'The file is damaged or is not a .kgl, .onnx or .tflite model. Download or export it again.' },
  /** The model's parts do not fit each other: shapes, types, names, references. */
  ERR_MODEL_INVALID: { exit: 65, hint: 'The model contradicts itself at the place named. Export it again or report it to its authors.' },
  /** The model uses operators that kinglet lacks; all of them are named at once, also in `details`. */
  ERR_UNSUPPORTED_OP: { exit: 65, hint: 'docs/supported-ops.md lists what kinglet runs.' },
  /** The model uses a known operator or format in a way that kinglet lacks. */
  ERR_UNSUPPORTED: { exit: 65, hint: 'docs/supported-ops.md lists what kinglet runs.' },
  /** The ONNX model keeps its weights in other files. */
  ERR_EXTERNAL_DATA: { exit: 65, hint: 'Save the model with its weights inside the file (onnx.save with save_as_external_data=False).' },
  /** The model asks for more nodes, bytes or work than the limits allow. */
  ERR_LIMIT: { exit: 65, hint: 'The model asks for more than the configured limits allow.' },
  /** The .kgl file is damaged, was cut off, or would read or write outside its memory. */
  ERR_PLAN_INVALID: { exit: 65, hint: 'Compile the model again with this version of kinglet.' },
  /** The .kgl file was compiled by a kinglet whose plan format is another one. */
  ERR_PLAN_VERSION: { exit: 65, hint: 'Compile the model again with this version of kinglet.' },
  /** A tensor that was given has the wrong name, type or length; a detached array has length 0. */
  ERR_INPUT: { exit: 65, hint: 'Run `kinglet inspect MODEL` to see the inputs the model expects.' },
  /** A picture is damaged, empty, too large, or of a format that kinglet does not read. */
  ERR_IMAGE: { exit: 65, hint: 'Use a PNG, JPEG, BMP or PPM picture.' },
  /** A file or URL that the caller named cannot be read, or its download broke off. */
  ERR_FILE: { exit: 66, hint: 'Check the path and its permissions.' },
  /** Something happened that kinglet believed impossible. */
  ERR_INTERNAL: { exit: 70, hint: 'This is a bug in kinglet. Please report it with the model.' },
  /** The engine gave no memory of the size that the network needs. */
  ERR_MEMORY: { exit: 71, hint: 'Free other models first, or use a smaller network or input.' },
  /** The engine has no WebAssembly, no SIMD, not the kernels that were asked for, or the page's policy forbids them. */
  ERR_ENGINE: { exit: 71, hint: 'This engine lacks WebAssembly SIMD. Use Node 20 or later, or a browser of 2021 or later.' },
  /** kinglet's own .wasm file is missing, was cut off, or something else came in its place. */
  ERR_WASM_FILE: { exit: 71, hint: 'Serve the .wasm files of kinglet\'s dist/ beside its JavaScript, or import kinglet/inline; ask `npx kinglet doctor URL`.' },
  /** The .wasm file works but belongs to another version of kinglet. */
  ERR_WASM_VERSION: { exit: 71, hint: 'The .wasm file and the JavaScript are from different versions of kinglet. Deploy both again.' },
  /** The model was used after dispose(). */
  ERR_DISPOSED: { exit: 70, hint: 'Load the model again before you use it.' },
  /** The model is running on its threads, which nothing else may disturb. */
  ERR_BUSY: { exit: 70, hint: 'Await run() first.' },
  /** A worker of a model with threads died or did not start. */
  ERR_WORKER: { exit: 71, hint: 'The model goes on with one thread; load it again for more.' },
  /** WebGPU is missing or was lost, or a device or driver is not fit or reported an error. */
  ERR_DEVICE: { exit: 71, hint: 'Use wasm.' },
  /** `kinglet doctor` found an error; its output says which. */
  ERR_DOCTOR: { exit: 69, hint: 'Each line marked "error" says what to do.' },
  /** The caller's AbortSignal fired. */
  ERR_ABORTED: { exit: 75, hint: 'The operation was cancelled by its AbortSignal.' },
} as const;

export type ErrorCode = keyof typeof errorTable;

/** What every public function throws: `code` is stable, `message` names the place, `hint` says what to do. */
export class KingletError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(code: ErrorCode, message: string, options: { hint?: string; details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KingletError';
    this.code = code;
    this.hint = options.hint ?? errorTable[code].hint;
    this.details = options.details ?? {};
  }
}

/** Names from models are data: shown quoted, without control characters, at most 80 characters. */
export function quote(name: string): string {
   
  const clean = name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
  return `"${clean.length > 80 ? `${clean.slice(0, 77)}...` : clean}"`;
}
