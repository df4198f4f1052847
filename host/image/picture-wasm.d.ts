// The module of assembly/image in base64; scripts/build-wasm.mjs writes the JavaScript.
export const pictureWasm: string;
