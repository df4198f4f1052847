// Builds the WebAssembly modules: asconfig.json's targets in, their outFiles out.
// Fails if a module got a start function or other imports than its line below says, or, where the host owns the memory, a data section.
import { readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { optimize } from './optimize-wasm.mjs';
import { FAR_BASE, FAR_PAGES, placeData } from './place-data.mjs';
import { shortenConstants } from './shorten-constants.mjs';
import { SECTION_CODE, SECTION_DATA, moduleOf, sectionsOf } from './wasm-sections.mjs';

/**
 * asconfig.json cannot say this per target. `further`: entries besides; `imports`: how many, where it is more than env.memory. `embed`: a
 * JavaScript module that holds the bytes in base64 is written beside it. `program`: it owns its memory and has static data, which place-data.mjs moves together.
 */
const modules = {
  simd: { entry: 'assembly/executor.ts' },
  relaxed: { entry: 'assembly/executor.ts' },
  'simd-threads': { entry: 'assembly/executor.ts', further: ['assembly/threads.ts'], imports: 2 }, // env.wait
  'relaxed-threads': { entry: 'assembly/executor.ts', further: ['assembly/threads.ts'], imports: 2 },
  image: { entry: 'assembly/image/picture.ts', embed: 'pictureWasm' },
  'cmd-simd': { entry: 'assembly/wasi/command.ts', program: true, imports: 14 }, // assembly/wasi/sys.ts
  'cmd-relaxed': { entry: 'assembly/wasi/command.ts', program: true, imports: 14 },
  'embed-simd': { entry: 'assembly/embed.ts', program: true, imports: 0 },
  'embed-relaxed': { entry: 'assembly/embed.ts', program: true, imports: 0 },
};

const config = JSON.parse(readFileSync('asconfig.json', 'utf8'));
for (const [target, { outFile, enable = [] }] of Object.entries(config.targets)) {
  const { entry, further = [], imports = 1, embed, program } = modules[target];
  const far = program ? ['--memoryBase', `${FAR_BASE}`, '--initialMemory', `${FAR_PAGES}`] : [];
  const { error, stderr } = await asc.main([entry, ...further, '--target', target, ...far]);
  process.stderr.write(stderr.toString());
  if (error) fail(target, error.message);
  const compiled = readFileSync(outFile), features = [...config.options.enable, ...enable];
  const bytes = program ? optimizeProgram(compiled, features) : optimize(compiled, features);
  writeFileSync(outFile, bytes);
  check(target, moduleShape(bytes), imports);
  if (embed) writeFileSync(outFile.replace(/\.wasm$/, '-wasm.js'), `export const ${embed} = '${bytes.toString('base64')}';\n`);
}

function optimizeProgram(compiled, features) {
  const { module, data } = placeData(compiled);
  const sections = sectionsOf(optimize(module, features, { program: true })).map(({ id, content }) => ({ id, content: id === SECTION_CODE ? shortenConstants(content) : content }));
  return moduleOf([...sections, { id: SECTION_DATA, content: data }]);
}

/** Section ids and import count, read without compiling: this Node may not know relaxed SIMD. */
function moduleShape(bytes) {
  const shape = { bytes: bytes.length, imports: 0, sections: [] };
  let p = 8;
  const number = () => {
    let value = 0, shift = 0, byte;
    do { byte = bytes[p++]; value |= (byte & 127) << shift; shift += 7; } while (byte & 128);
    return value >>> 0;
  };
  while (p < bytes.length) {
    const id = bytes[p++], size = number(), end = p + size;
    shape.sections.push(id);
    if (id === 2) shape.imports = number();
    p = end;
  }
  return shape;
}

function check(target, shape, imports) {
  if (shape.sections.includes(11) && !modules[target].program) fail(target, 'has a data section');
  if (shape.sections.includes(8)) fail(target, 'has a start function');
  if (shape.imports !== imports) fail(target, `has ${shape.imports} imports, expected ${imports}`);
  console.log(`${target}: ${shape.bytes} bytes`);
}

function fail(target, message) {
  console.error(`${target}: ${message}`);
  process.exit(1);
}
