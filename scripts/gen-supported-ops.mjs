// docs/supported-ops.md from the op table. Run after a build: node scripts/gen-supported-ops.mjs [--check]
// --check writes nothing and exits 1 when the file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { ops } from '../build/host/ops/index.js';

const target = new URL('../docs/supported-ops.md', import.meta.url);
const names = (readers) => Object.keys(readers ?? {}).sort((a, b) => (a < b ? -1 : 1));
const all = (format) => [...new Set(ops.flatMap((op) => names(op[format])))].sort((a, b) => (a < b ? -1 : 1));
const cell = (list) => (list.length === 0 ? '' : list.map((name) => `\`${name}\``).join(' '));
const rows = ops.filter((op) => op.onnx || op.tflite).map((op) => `| ${op.kind} | ${cell(names(op.onnx))} | ${cell(names(op.tflite))} |`);
const text = `# Supported operators

Made from \`host/ops/index.ts\` by \`node scripts/gen-supported-ops.mjs\`; a test keeps it fresh.

ONNX: opsets 6 to 21, ${all('onnx').length} operators. TFLite: schema version 3, ${all('tflite').length} operators.
A model with any other operator is refused at load; the error names all of them at once. Attributes that an operator's
reader does not know are errors too, never ignored.

| kinglet's op | ONNX | TFLite |
|---|---|---|
${rows.join('\n')}
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('docs/supported-ops.md is stale: run node scripts/gen-supported-ops.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
