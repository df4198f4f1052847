// The one error type and the one table of codes. In: a code and a sentence. Out: a KingletError a person can act on.
// CLI exit codes and the executor's refusals use the same table. Must not import anything.

/** Every code kinglet can report: the CLI's exit code and the hint printed when the thrower has none of its own. */
export const errorTable = {
  ERR_USAGE: { exit: 64, hint: 'Run `kinglet --help` for the options.' },
  ERR_MODEL_FORMAT: { exit: 65, hint: 'The file is damaged or is not a .kgl, .onnx or .tflite model. Download or export it again.' },
  ERR_MODEL_INVALID: { exit: 65, hint: 'The model contradicts itself at the place named. Export it again or report it to its authors.' },
  ERR_UNSUPPORTED_OP: { exit: 65, hint: 'docs/supported-ops.md lists what kinglet runs.' },
  ERR_UNSUPPORTED: { exit: 65, hint: 'docs/supported-ops.md lists what kinglet runs.' },
  ERR_EXTERNAL_DATA: { exit: 65, hint: 'Save the model with its weights inside the file (onnx.save with save_as_external_data=False).' },
  ERR_LIMIT: { exit: 65, hint: 'The model asks for more than the configured limits allow.' },
  ERR_PLAN_INVALID: { exit: 65, hint: 'Compile the model again with this version of kinglet.' },
  ERR_PLAN_VERSION: { exit: 65, hint: 'Compile the model again with this version of kinglet.' },
  ERR_INPUT: { exit: 65, hint: 'Run `kinglet inspect MODEL` to see the inputs the model expects.' },
  ERR_IMAGE: { exit: 65, hint: 'Use a PNG, JPEG, BMP or PPM picture.' },
  ERR_FILE: { exit: 66, hint: 'Check the path and its permissions.' },
  ERR_INTERNAL: { exit: 70, hint: 'This is a bug in kinglet. Please report it with the model.' },
  ERR_MEMORY: { exit: 71, hint: 'Free other models first, or use a smaller network or input.' },
  ERR_ENGINE: { exit: 71, hint: 'This engine lacks WebAssembly SIMD. Use Node 20 or later, or a browser of 2021 or later.' },
  ERR_WASM_FILE: { exit: 71, hint: 'Serve the .wasm files of kinglet\'s dist/ beside its JavaScript, or import kinglet/inline. `npx kinglet doctor URL` looks at a deployed page.' },
  ERR_WASM_VERSION: { exit: 71, hint: 'The .wasm file and the JavaScript are from different versions of kinglet. Deploy both again.' },
  ERR_DISPOSED: { exit: 70, hint: 'Load the model again before you use it.' },
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
