// Headless Chromium in a fresh profile per call.
// In: a page address and a promise of its result. Out: the result, with the renderer's peak memory where /proc tells it.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export function findChromium() {
  const candidates = process.env.CHROMIUM ? [process.env.CHROMIUM] : ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  return candidates.find((path) => existsSync(path)) ?? null;
}

/** `gpu`: "hardware" or an adapter of Chromium's own, such as "swiftshader"; absent: the browser has no GPU. */
const flagsFor = (gpu) => (gpu === undefined ? flags : [
  ...flags.filter((flag) => flag !== '--disable-gpu'), '--enable-unsafe-webgpu', ...(gpu === 'hardware' ? [] : [`--use-webgpu-adapter=${gpu}`]),
]);

export async function inFreshBrowser({ chromium, executablePath, url, result, gpu, seconds = 300 }) {
  const profile = mkdtempSync(join(tmpdir(), 'kinglet-bench-profile-'));
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: flagsFor(gpu) });
  try {
    const page = context.pages()[0] ?? await context.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('crash', () => complaints.push('the page crashed'));
    await new Promise((resolve) => { setTimeout(resolve, 400); }); // the browser's own start is not what is measured
    await page.goto(url, { waitUntil: 'commit' });
    let timer;
    const late = new Promise((resolve) => { timer = setTimeout(() => { resolve({ failed: `no result after ${seconds} s: ${complaints.join('; ') || 'no message'}` }); }, seconds * 1000); });
    const value = await Promise.race([result, late]);
    clearTimeout(timer);
    return { ...value, peakBytes: rendererPeak(profile) };
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Highest resident size of any renderer below the browser with this profile; null where /proc is missing. */
function rendererPeak(profile) {
  if (!existsSync('/proc/self/status')) return null;
  const processes = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      processes.set(pid, {
        parent: /^PPid:\s*(\d+)/m.exec(status)?.[1], peak: Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0) * 1024,
        command: readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
      });
    } catch { /* it ended meanwhile */ }
  }
  const belongs = (pid) => {
    for (let p = processes.get(pid); p; p = processes.get(p.parent)) if (p.command.includes(`--user-data-dir=${profile}`)) return true;
    return false;
  };
  const peaks = [...processes].filter(([pid, p]) => p.command.includes('--type=renderer') && belongs(pid)).map(([, p]) => p.peak);
  return peaks.length > 0 ? Math.max(...peaks) : null;
}
