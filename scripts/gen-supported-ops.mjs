// docs/supported-ops.md from the op table and the lists of tests/conformance. Run after a build: node scripts/gen-supported-ops.mjs [--check]
// --check writes nothing and exits 1 when the file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { ops } from '../build/host/ops/index.js';

const target = new URL('../docs/supported-ops.md', import.meta.url);
const names = (readers) => Object.keys(readers ?? {}).sort((a, b) => (a < b ? -1 : 1));
const all = (format) => [...new Set(ops.flatMap((op) => names(op[format])))].sort((a, b) => (a < b ? -1 : 1));
const cell = (list) => (list.length === 0 ? '' : list.map((name) => `\`${name}\``).join(' '));
const rows = ops.filter((op) => op.onnx || op.tflite).map((op) => `| ${op.kind} | ${cell(names(op.onnx))} | ${cell(names(op.tflite))} |`);

const lines = (file) => readFileSync(new URL(`../tests/conformance/${file}.txt`, import.meta.url), 'utf8').split('\n').filter((line) => line !== '');
const excused = lines('not-passing');
const passing = (list) => lines(list).filter((name) => !excused.includes(name)).length;
const excuses = excused.map((line) => (line.startsWith('# ') ? `\n${line.slice(2)}:` : `\`${line.replace(/^node\/test_/, '')}\``)).join('\n');
const text = `# Supported operators

Made from \`host/ops/index.ts\` by \`node scripts/gen-supported-ops.mjs\`; a test keeps it fresh.

ONNX: opsets 1 to 21, ${all('onnx').length} operators. TFLite: schema version 3, ${all('tflite').length} operators.
A model with any other operator is refused at load; the error names all of them at once. Attributes that an operator's
reader does not know are errors too, never ignored.

| kinglet's op | ONNX | TFLite |
|---|---|---|
${rows.join('\n')}

## ONNX operator tests

The tests of ONNX 1.12 (Debian's \`libonnx-testdata\`) on the reference, simd128 and relaxed SIMD; \`npm run conformance\` runs them.
What the importer needs to know when it compiles (weights, shapes, axes) is a constant there, the first data input never is.

| list | passing | what it is |
|---|---|---|
| CORE | ${passing('core')} of ${lines('core').length} | what convolutional networks are made of |
| WIDE | ${passing('wide')} of ${lines('wide').length} | the rest that inference may meet |
| OUT | none expected | ${lines('out').length} tests of training, sequences, strings, control flow and signals: refused with a typed error, or right |

These do not pass, and the list may only shrink: a test fails when one of them passes.
${excuses}
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('docs/supported-ops.md is stale: run node scripts/gen-supported-ops.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
