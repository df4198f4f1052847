// Measured data → one Markdown document: the table, what holds, the soak, how it was measured.
// In: the data of main.mjs. Out: text. Must not measure anything.

import { coldBounds, engineTitles, LEAST_PEAK_SPEEDUP, peakBounds, ratioBounds, threadBounds } from './catalogue.mjs';

const median = (list) => (list.length === 0 ? null : [...list].sort((a, b) => a - b)[list.length >> 1]);
const ms = (value) => (value < 1 ? value.toFixed(3) : value < 10 ? value.toFixed(2) : value.toFixed(1));
const places = { chromium: 'Chromium', node: 'Node 24' };
const isOurs = (engine) => engine.startsWith('kinglet') || engine === 'transfer';

function table(header, rows) {
  const all = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  const line = (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(all[0]), `|${widths.map((w) => '-'.repeat(w + 2)).join('|')}|`, ...all.slice(1).map(line)].join('\n');
}

export function makeReport(data) {
  const { facts } = data;
  const verdicts = verdictRows(data);
  const failing = verdicts.filter((row) => row[4] !== 'holds').length;
  return [
    `# Benchmark of ${facts.date.slice(0, 16).replace('T', ' ')} UTC`,
    [
      `- machine: ${facts.machine}`,
      `- engines: ${facts.chromium}; ${facts.node}`,
      `- rivals: ${Object.entries(facts.rivals).map(([name, version]) => `${name} ${version}`).join(', ')}`,
      ...Object.entries(facts.parts).map(([name, part]) => `- ${name}: kinglet commit ${part.commit}; \`${part.command}\`; load average ${part.loadBefore.toFixed(2)} before, ${part.loadAfter.toFixed(2)} after${otherWork(part)}`),
    ].join('\n'),
    ...(data.time.length + data.cold.length > 0 ? ['## Side by side', mainTable(data), ...failures(data)] : []),
    ...(verdicts.length > 0 ? [`## Bounds: ${verdicts.length - failing} of ${verdicts.length} hold`, table(['what', 'where', 'measured', 'bound', 'verdict'], verdicts)] : []),
    ...layerTables(data, verdicts),
    ...(data.soak.length > 0 ? ['## Soak', soakTable(data.soak)] : []),
    ...(data['gpu-soak']?.length > 0 ? ['## Soak on a GPU', gpuSoakTable(data['gpu-soak'])] : []),
    '## How',
    how + floor(data.cold) + empty(facts.emptyPeakBytes),
  ].join('\n\n');
}

const how = `Time: from filled typed arrays to readable ones, median over all runs. All engines of a section run in one page or process, in blocks of
about 80 ms that take turns in alternating order, after a warm-up of 0.7 s and at least 10 runs; in brackets the quietest block's median.
Ratio: kinglet's block median divided by this rival's of the same round, median over the rounds: relaxed SIMD and, in brackets, simd128.
Two threads: kinglet with one and with two, rivals with two and the register-only peak with one and two take turns in one isolated page or
process; a window is four runs of each, of which the lower quartile counts, for everybody alike, between two measurements of the peak's gain,
of which the lower counts. Bounds: medians over the windows in which that is at least 1.8; the others are counted and repeated, up to three times as many in all.
Share of peak: 2 × MAC ÷ the quietest block's median ÷ the best of several runs of a register-only loop in the same process,
whatever Winograd saves of the multiplications.
First result: Chromium: since the start of navigation in a fresh profile, files from loopback, one script per page, the model and the WebAssembly
preloaded in its head, median of 10 profiles where a bound is checked and of fewer elsewhere (the .json has each); Node: since the start of
the process; "no engine" is a page that only reads the plan to its end. kinglet's number is from a compiled plan, in brackets from the source file; both without warm-up runs. Code: everything the page
fetched but models, gzip -9, as published. Memory: highest resident size of the page's process (with 20 further runs), of the process in Node.
Differs: largest difference of the first outputs from kinglet's relaxed build, relative to the largest output, or in integer steps.`;

function failures({ time, threads, cold }) {
  const lines = [...time, ...threads, ...cold].filter((row) => row.failed !== undefined)
    .map(({ model, where, engine, failed }) => `- failed: ${engineTitles[engine]} on ${model} in ${places[where]}: ${failed}`);
  return lines.length > 0 ? [[...new Set(lines)].join('\n')] : [];
}

/** For each model that misses a bound on time: the ten steps that cost most, as Node measures them. */
function layerTables(data, verdicts) {
  const short = data.models.filter(({ id }) => verdicts.some(([what, , , , verdict]) => what.startsWith(`${id}:`) && !what.includes('first result') && verdict !== 'holds'));
  const tables = short.flatMap(({ id }) => {
    const row = data.time.find((r) => r.model === id && r.where === 'node' && r.engine === 'kinglet relaxed' && r.layers);
    if (!row) return [];
    const total = row.layers.reduce((sum, layer) => sum + layer.ms, 0);
    const worst = [...row.layers].sort((a, b) => b.ms - a.ms).slice(0, 10);
    return [`### ${id}: ${row.layers.length} steps, ${ms(total)} ms step by step`, table(['kernel', 'op', 'output', 'ms', 'share of time', 'share of peak'], worst.map((layer) => [
      layer.kernel, layer.op, layer.shape.join('×'), layer.ms.toFixed(3), `${((100 * layer.ms) / total).toFixed(0)} %`,
      layer.macs > 0 && layer.ms > 0 ? `${((200 * layer.macs) / layer.ms / 1e6 / row.peak.gflops).toFixed(0)} %` : '–',
    ]))];
  });
  return tables.length > 0 ? ['## Where the time goes in what falls short', ...tables] : [];
}

function otherWork({ busy }) {
  if (busy.length === 0) return '';
  const noisy = busy.filter((b) => b >= 0.15).length;
  return `; other work kept the machine ${(100 * median(busy)).toFixed(0)} % busy (median over sections, ${noisy} of ${busy.length} began above 15 %)`;
}

function floor(cold) {
  const all = cold.flatMap((row) => row.scriptMs);
  return all.length === 0 ? '' : `\nOf every first result in Chromium, ${median(all).toFixed(0)} ms (median) pass before the page's first line runs.`;
}

function empty(bytes) {
  const known = Object.entries(bytes).filter(([, peak]) => peak);
  return known.length === 0 ? '' : `\nMemory without any engine: ${known.map(([where, peak]) => `${places[where]} ${(peak / 1e6).toFixed(0)} MB`).join(', ')}.`;
}

function mainTable(data) {
  const times = [...data.time, ...data.threads];
  const keys = [...new Map([...times, ...data.cold.map((row) => ({ ...row, threads: 1 }))]
    .map(({ model, where, engine, threads }) => [[model, where, threads, engine].join('|'), { model, where, engine, threads }])).values()];
  const order = (key) => data.models.findIndex((m) => m.id === key.model) * 100 + (key.where === 'node' ? 50 : 0) + key.threads * 10;
  keys.sort((a, b) => order(a) - order(b));
  return table(
    ['model', 'where', 'engine', 'ms (quietest)', 'kinglet ÷ it (simd128)', 'share of peak', 'differs', 'code gzipped', 'first result ms', 'peak MB'],
    keys.map((key) => mainRow(data, times, key)),
  );
}

function mainRow(data, times, { model, where, engine, threads }) {
  const at = (name, list = data.time) => list.find((row) => row.model === model && row.where === where && row.engine === name && row.threads === (name === engine ? threads : 1));
  const row = at(engine, times);
  const cold = (fromPlan) => (threads > 1 ? undefined : data.cold.find((c) => c.model === model && c.where === where && c.engine === engine && c.fromPlan === fromPlan));
  const plan = cold(true), source = cold(false);
  const failed = row?.failed ?? source?.failed;
  const title = `${engineTitles[engine]}${threads > 1 ? `, ${threads} threads` : ''}`;
  if (failed !== undefined) return [model, places[where], title, 'failed', '', '', '', '', '', ''];
  const ratio = (name) => { const ours = at(name); return ours?.ms && row?.ms ? ratioOf(ours, row).toFixed(2) : '–'; };
  const kb = (c) => (c?.codeBytes ? `${(c.codeBytes / 1000).toFixed(0)} KB` : null);
  const first = (c) => (c && c.firstMs.length > 0 ? median(c.firstMs).toFixed(0) : null);
  const memory = (c) => (c && c.peakBytes.length > 0 ? (median(c.peakBytes) / 1e6).toFixed(0) : null);
  const pair = (f) => [f(plan), f(source) === null ? null : plan ? `(${f(source)})` : f(source)].filter((v) => v !== null).join(' ') || '–';
  return [
    model, places[where], title, row ? `${ms(row.ms)} (${ms(Math.min(...row.blocks))})` : '–',
    isOurs(engine) || threads > 1 || !row ? '' : `${ratio('kinglet relaxed')} (${ratio('kinglet simd128')})`,
    row?.peak ? `${share(row).toFixed(0)} %` : '', threads > 1 ? '' : differs(row?.differs), pair(kb), pair(first), pair(memory),
  ];
}

/** Both engines of a round met the same neighbours: their ratio is steadier than either time. */
const ratioOf = (ours, theirs) => median(ours.blocks.map((block, round) => block / theirs.blocks[round]));
/** Both sides of the share are the best of several: a busy machine slows the median, not what the code can do. */
const share = (row) => (100 * 2 * row.macs) / Math.min(...row.blocks) / 1e6 / row.peak.gflops;
function differs(d) {
  if (!d) return '';
  if (d.value === 'Infinity') return 'OUTPUTS DO NOT MATCH';
  return d.value === 0 ? '0' : d.kind === 'steps' ? `${d.value} steps` : Number(d.value).toExponential(0);
}

/** Rows [what, where, measured, bound, verdict] for every bound whose data was measured. */
function verdictRows(data) {
  const find = (model, where, engine) => data.time.find((row) => row.model === model && row.where === where && row.engine === engine);
  const verdict = (value, bound, atMost) => ((atMost ? value <= bound : value >= bound) ? 'holds' : `falls short by ${(100 * Math.abs(value / bound - 1)).toFixed(0)} %`);
  const rows = [];
  for (const { model, where, rival, engine, atMost, goal } of ratioBounds) {
    const ours = find(model, where, engine), theirs = find(model, where, rival);
    if (!ours || !theirs) continue;
    const what = `${model}: ${engine} ÷ ${engineTitles[rival]}`;
    const bound = `≤ ${atMost}${goal ? ` (goal ${goal})` : ''}`;
    if (ours.failed || theirs.failed) { rows.push([what, places[where], 'failed', bound, `not measured: ${ours.failed ?? theirs.failed}`]); continue; }
    const value = ratioOf(ours, theirs);
    rows.push([what, places[where], value.toFixed(3), bound, verdict(value, atMost, true)]);
  }
  for (const { model, engine, atLeast } of peakBounds) {
    for (const where of ['chromium', 'node']) {
      const row = find(model, where, engine);
      if (row?.peak) rows.push([`${model}: share of peak`, places[where], `${share(row).toFixed(0)} % of ${row.peak.gflops.toFixed(0)} G/s`, `≥ ${atLeast * 100} %`, verdict(share(row) / 100, atLeast, false)]);
    }
  }
  rows.push(...threadRows(data.threads, verdict));
  for (const { model, atMost } of coldBounds) {
    const first = (engine, fromPlan) => { const c = data.cold.find((r) => r.model === model && r.where === 'chromium' && r.engine === engine && r.fromPlan === fromPlan); return c ? median(c.firstMs) : null; };
    const ours = first('kinglet relaxed', true), theirs = first('litert', false), least = first('transfer', true);
    const beside = least ? `; the plan alone has arrived at ${least.toFixed(0)}` : '';
    if (ours && theirs) rows.push([`${model}: first result, plan ÷ LiteRT.js`, 'Chromium', `${(ours / theirs).toFixed(3)} (${ours.toFixed(0)} / ${theirs.toFixed(0)} ms${beside})`, `≤ ${atMost}`, verdict(ours / theirs, atMost, true)]);
  }
  for (const row of data.soak) {
    if (row.failed) { rows.push([`${row.file}: soak`, 'Node 24', 'failed', '', `not measured: ${row.failed}`]); continue; }
    const grown = growth(row);
    rows.push([`${row.file}: ${row.runs} inferences`, 'Node 24', `${(grown / 1e6).toFixed(2)} MB`, 'no growth above 1 MB', grown <= 1e6 && row.same ? 'holds' : 'falls short']);
  }
  return rows;
}

/** Windows in which the peak itself gained too little are dropped and counted. */
function threadRows(threads, verdict) {
  return threadBounds.flatMap(({ model, atLeast, rival, atMost }) => ['chromium', 'node'].flatMap((where) => {
    const find = (engine) => threads.find((row) => row.model === model && row.where === where && row.engine === engine && row.blocks);
    const ours = find('kinglet relaxed'), theirs = find(rival);
    if (!ours) return [];
    const kept = ours.peakSpeedups.flatMap((peak, window) => (peak >= LEAST_PEAK_SPEEDUP ? [window] : []));
    const dropped = `${ours.blocks.length - kept.length} of ${ours.blocks.length} windows dropped`;
    if (kept.length === 0) return [[`${model}: second thread`, places[where], dropped, `≥ ${atLeast} of the peak's gain`, 'not measured: no window had two free cores']];
    const of = (value) => median(kept.map(value));
    const share = of((w) => ours.speedups[w] / ours.peakSpeedups[w]);
    const rows = [[`${model}: second thread`, places[where], `${share.toFixed(3)} (${of((w) => ours.speedups[w]).toFixed(2)} of ${of((w) => ours.peakSpeedups[w]).toFixed(2)}; ${dropped})`, `≥ ${atLeast} of the peak's gain`, verdict(share, atLeast, false)]];
    if (theirs) {
      const ratio = of((w) => ours.blocks[w] / theirs.blocks[w]);
      rows.push([`${model}: two threads ÷ ${engineTitles[rival]}'s two`, places[where], `${ratio.toFixed(3)} (${of((w) => ours.blocks[w]).toFixed(2)} / ${of((w) => theirs.blocks[w]).toFixed(2)} ms)`, `≤ ${atMost}`, verdict(ratio, atMost, true)]);
    }
    return rows;
  }));
}

/** Growth of what JavaScript holds, after garbage collection. Resident size is shown beside it: the engine may keep freed pages. */
const growth = ({ before, after }) => after.heapUsed + after.external - before.heapUsed - before.external;

function gpuSoakTable(rows) {
  const counts = (created) => Object.entries(created).map(([name, count]) => `${name} ${count}`).join(', ');
  return table(['model', 'adapter', 'inferences', 'seconds', 'created by the load', 'and by all runs', 'same bytes'], rows.map((row) => (row.failed
    ? [row.file, row.adapter, 'failed', row.failed, '', '', '']
    : [row.file, row.adapter, row.runs, row.seconds.toFixed(0), counts(row.before), counts(row.after), row.same ? 'yes' : 'NO'])));
}

function soakTable(rows) {
  const mb = (bytes) => (bytes / 1e6).toFixed(2);
  return table(['model', 'inferences', 'seconds', 'heap + external MB before', 'after', 'resident MB before', 'after', 'same bytes'], rows.map((row) => (row.failed
    ? [row.file, 'failed', row.failed, '', '', '', '', '']
    : [row.file, row.runs, row.seconds.toFixed(0), mb(row.before.heapUsed + row.before.external), mb(row.after.heapUsed + row.after.external), mb(row.before.rss), mb(row.after.rss), row.same ? 'yes' : 'NO'])));
}
