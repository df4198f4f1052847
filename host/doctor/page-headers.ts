// What a page's headers allow: isolation for threads, WebAssembly under its policy. In: a page's headers and text. Out: findings.
// Must not fetch.

import { failure, ok, warning, type Finding } from './finding.ts';

/** What an isolated page demands of its workers' scripts. */
export function embeds(headers: Headers): boolean {
  return /^\s*(require-corp|credentialless)\b/i.test(headers.get('Cross-Origin-Embedder-Policy') ?? '');
}

export function examineIsolation(headers: Headers): Finding {
  const opener = headers.get('Cross-Origin-Opener-Policy')?.trim().toLowerCase();
  const embedder = headers.get('Cross-Origin-Embedder-Policy')?.trim().toLowerCase();
  if (opener?.startsWith('same-origin') && !opener.startsWith('same-origin-allow') && embeds(headers)) {
    return ok('isolation', 'COOP and COEP are set: threads may run');
  }
  return warning('isolation', `COOP is ${opener ?? 'missing'}, COEP is ${embedder ?? 'missing'}: networks run on one thread`,
    'For threads send Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp with the page.');
}

/** How much of a page is searched for a policy: it must stand before any script. */
const HEAD_CHARACTERS = 100_000;

/** Every policy must allow what is needed: that of the header, each one of a list, and those of <meta> elements. */
export function examinePolicy(headers: Headers, html: string): Finding[] {
  const metas = [...html.slice(0, HEAD_CHARACTERS).matchAll(/<meta\b[^>]{0,4000}>/gi)].map(([tag]) => tag).filter((tag) => /content-security-policy(?!-report)/i.test(tag));
  const policies = [...(headers.get('Content-Security-Policy')?.split(',') ?? []), ...metas.map((tag) => /content\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)')/i.exec(tag)?.slice(1).join('') ?? '')];
  if (policies.length === 0) return [ok('CSP', 'there is none')];
  return policies.flatMap((policy) => {
    const scripts = sources(policy, 'script-src', 'default-src');
    const connects = sources(policy, 'connect-src', 'default-src');
    const wasm = scripts === null || scripts.includes("'wasm-unsafe-eval'") || scripts.includes("'unsafe-eval'");
    const self = connects === null || connects.some((source) => source === "'self'" || source === '*' || !source.startsWith("'"));
    return [
      wasm ? ok('CSP', 'script-src allows WebAssembly') : failure('CSP', 'script-src forbids WebAssembly', "Add 'wasm-unsafe-eval' to script-src."),
      ...(self ? [] : [failure('CSP', 'connect-src forbids fetching the .wasm file', "Add 'self' to connect-src, or import kinglet/inline.")]),
    ];
  });
}

/** The sources of the first of the directives that the policy has; null when it has none: all is allowed. */
function sources(policy: string, ...names: readonly string[]): readonly string[] | null {
  const directives = policy.split(';').map((text) => text.trim().toLowerCase().split(/\s+/));
  for (const name of names) {
    const found = directives.find(([first]) => first === name);
    if (found) return found.slice(1);
  }
  return null;
}
