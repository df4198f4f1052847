// docs/errors.md from host/error.ts: its table and the comment above each code. Run after a build: node scripts/gen-errors.mjs [--check]
// --check writes nothing and exits 1 when the file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { errorTable } from '../build/host/error.js';

const target = new URL('../docs/errors.md', import.meta.url);
const source = readFileSync(new URL('../host/error.ts', import.meta.url), 'utf8');
const meanings = new Map([...source.matchAll(/^ {2}\/\*\* (.+) \*\/\n {2}(ERR_[A-Z_]+): \{/gm)].map(([, text, code]) => [code, text]));
const rows = Object.entries(errorTable).map(([code, { exit, hint }]) => {
  if (!meanings.has(code)) throw new Error(`${code} has no comment that says when it is thrown`);
  return `| \`${code}\` | ${meanings.get(code)} | ${hint} | ${exit} |`;
});

const text = `# Errors

Made from \`host/error.ts\` by \`node scripts/gen-errors.mjs\`; a test keeps it fresh.

Whatever kinglet throws is a \`KingletError\`: \`code\` is one of these and never changes its meaning, \`message\` names the place,
\`hint\` says what to do, \`details\` holds what a program may want to know, \`cause\` what lay beneath. The hint below is the one that
is given when the place where it happened knows no better one. The command prints message and hint and exits with the code's number.

| code | when | hint | exit |
|---|---|---|---|
${rows.join('\n')}
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('docs/errors.md is stale: run node scripts/gen-errors.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
