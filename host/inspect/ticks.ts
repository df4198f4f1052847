// Axes: from numbers to places, and the round numbers between. In: a range and a length. Out: a scale with ticks.
// Must not know what is measured or drawn.

export interface Scale {
  /** Distance from the axis' beginning, in the unit of its length. */
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Evenly from 0 to at least `largest`, about `count` steps of 1, 2 or 5 times a power of ten; or of two where `binary`. */
export function linearScale(largest: number, length: number, count = 5, binary = false): Scale {
  const step = binary ? binaryStep(largest / count) : decimalStep(largest / count);
  const end = Math.max(1, Math.ceil(largest / step)) * step;
  return { at: (value) => (value / end) * length, ticks: Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step) };
}

/** 1, 2 and 5 times the powers of ten from 1e-9 to 1e12. */
export const ladder: readonly number[] = Array.from({ length: 64 }, (_, i) => Number(`${[1, 2, 5][i % 3]}e${Math.floor(i / 3) - 9}`));

/** From the ladder's rung below the smallest to the one above the largest positive value. */
export function logScale(smallest: number, largest: number, length: number): Scale {
  const from = ladder.findLastIndex((value) => value < smallest), to = ladder.findIndex((value) => value > largest);
  const ticks = ladder.slice(Math.max(0, from), to < 0 ? undefined : to + 1);
  const [start, end] = [Math.log(ticks[0]), Math.log(ticks[ticks.length - 1])];
  return { at: (value) => ((Math.log(value) - start) / (end - start)) * length, ticks };
}

/** The ticks that can be named with at least `gap` between neighbours; powers of ten go before others. */
export function spaced({ at, ticks }: Scale, gap: number): number[] {
  const rank = (tick: number): number => (tick.toExponential().startsWith('1e') ? 0 : 1);
  const kept: number[] = [];
  for (const tick of [...ticks].sort((a, b) => rank(a) - rank(b))) {
    if (kept.every((other) => Math.abs(at(other) - at(tick)) >= gap)) kept.push(tick);
  }
  return kept.sort((a, b) => a - b);
}

function decimalStep(least: number): number {
  const unit = 10 ** Math.floor(Math.log10(least || 1));
  return unit * ([1, 2, 5, 10].find((factor) => factor * unit >= least) ?? 10);
}
function binaryStep(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, least)));
}

/** 1536000 → "1.5 M"; three digits at most. */
export function engineering(value: number): string {
  const [unit, name] = value >= 1e9 ? [1e9, ' G'] : value >= 1e6 ? [1e6, ' M'] : value >= 1e3 ? [1e3, ' k'] : [1, ''];
  return `${Number((value / unit).toPrecision(3))}${name}`;
}
/** Bytes in binary units: 1536 → "1.5 KB". */
export function bytesText(bytes: number): string {
  const [unit, name] = bytes >= 2 ** 20 ? [2 ** 20, 'MB'] : bytes >= 2 ** 10 ? [2 ** 10, 'KB'] : [1, 'bytes'];
  return `${Number((bytes / unit).toPrecision(3))} ${name}`;
}
