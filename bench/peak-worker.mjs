// One thread of the register-only peak. In: a module once, then how long to compute. Out: a message when it is done. Pages and Node.

const node = typeof process !== 'undefined' && process.getBuiltinModule?.('node:worker_threads');
const post = (message) => { if (node) node.parentPort.postMessage(message); else globalThis.postMessage(message); };
let executor;

function receive({ module, int8, iterations }) {
  if (module) executor = new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } }).exports;
  else if (int8) executor.peakI8(iterations, 3, 5);
  else executor.peakF32(iterations, 0.5, 0.25);
  post('done');
}

if (node) node.parentPort.on('message', receive);
else globalThis.onmessage = ({ data }) => { receive(data); };
