// Everything that has to exist before anything is measured: rivals, browser, a copy of dist/, plans.
// In: the repository. Out: paths, versions, model facts. Models stay where they are; what is written goes to the system's temporary folder.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findChromium } from './browser.mjs';
import { exportOnnx } from './export-onnx.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const rivalsFolder = join(here, 'rivals');

export async function setUp(wanted, say) {
  const modelsFolder = process.env.KINGLET_MODELS ?? resolve(root, '../shared/models');
  if (!existsSync(modelsFolder)) throw new Error(`no models at ${modelsFolder}; set KINGLET_MODELS to the folder with the reference models`);
  if (!existsSync(join(root, 'dist/kinglet.relaxed.wasm')) || !existsSync(join(root, 'build/models'))) throw new Error('dist/ or build/ is missing: run "npm run build" first');
  installRivals(say);
  // A copy, so that a build during the run cannot mix two versions.
  const work = mkdtempSync(join(tmpdir(), 'kinglet-bench-'));
  process.on('exit', () => { rmSync(work, { recursive: true, force: true }); });
  const dist = join(work, 'dist');
  cpSync(join(root, 'dist'), dist, { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'));
  const [plans, zoo] = ['plans', 'zoo'].map((name) => join(work, name));
  [plans, zoo].forEach((folder) => mkdirSync(folder));
  await writeZoo(wanted, zoo);

  const { compile, loadModel } = await import(pathToFileURL(join(dist, 'index.js')).href);
  const models = [];
  for (const model of wanted) {
    const bytes = new Uint8Array(readFileSync(join(model.zoo ? zoo : modelsFolder, model.file)));
    const plan = compile(bytes);
    writeFileSync(join(plans, `${model.file}.kgl`), plan);
    const loaded = await loadModel(plan, { warmup: false });
    models.push({ ...model, inputs: loaded.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })), fileBytes: bytes.length, planBytes: plan.length });
    loaded.dispose();
  }
  const { chromium } = await import(pathToFileURL(join(rivalsFolder, 'node_modules/playwright-core/index.mjs')).href);
  return {
    root, here, work, dist, plans, zoo, modelsFolder, models, chromium, executablePath: findChromium(),
    rivals: join(rivalsFolder, 'node_modules'), node: join(rivalsFolder, 'node_modules/node/bin/node'),
  };
}

/** Networks that exist in code only, as files for everybody. */
async function writeZoo(wanted, folder) {
  const { networks } = await import(pathToFileURL(join(root, 'build/models/index.js')).href);
  for (const { zoo, file } of wanted.filter((model) => model.zoo)) writeFileSync(join(folder, file), exportOnnx(networks.get(zoo)()));
}

function installRivals(say) {
  const wanted = JSON.parse(readFileSync(join(rivalsFolder, 'package.json'), 'utf8')).dependencies;
  const missing = Object.entries(wanted).filter(([name, version]) => installed(name) !== version);
  if (missing.length === 0) return;
  say(`installing rivals: ${missing.map(([name, version]) => `${name}@${version}`).join(', ')}`);
  // nsfwjs names all of TensorFlow.js as a peer and needs none of it here; the package "node" fetches its binary package in a script.
  const { status, stderr } = spawnSync('npm', ['ci', '--legacy-peer-deps', '--ignore-scripts=false', '--no-audit', '--no-fund'], { cwd: rivalsFolder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm could not install bench/rivals:\n${stderr}`);
}

function installed(name) {
  const file = join(rivalsFolder, 'node_modules', name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : null;
}

export function describe(place) {
  const output = (command, args) => spawnSync(command, args, { cwd: place.root, encoding: 'utf8' }).stdout?.trim() ?? '';
  const { dependencies } = JSON.parse(readFileSync(join(place.here, 'rivals/package.json'), 'utf8'));
  return {
    date: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}`,
    commit: output('git', ['rev-parse', '--short', 'HEAD']) + (output('git', ['status', '--porcelain', '--', 'assembly', 'host']) ? ' with uncommitted changes' : ''),
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    node: output(place.node, ['-p', '`Node ${process.versions.node} (V8 ${process.versions.v8})`']),
    chromium: place.executablePath ? output(place.executablePath, ['--version']).replace(/ built on.*/, '') : 'not found',
    rivals: Object.fromEntries(Object.entries(dependencies).filter(([name]) => !['node', 'playwright-core'].includes(name))),
  };
}
