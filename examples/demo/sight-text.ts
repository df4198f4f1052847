// What was seen, in words and numbers. In: a sight's parts. Out: text for the page.

export function speedOf(milliseconds: number, framesPerSecond: number | null): (readonly [string, string])[] {
  const time = ['ms', milliseconds.toFixed(milliseconds < 10 ? 1 : 0)] as const;
  return framesPerSecond === null ? [time] : [time, ['fps', framesPerSecond.toFixed(0)]];
}

export function foundText(count: number, areFaces: boolean): string {
  const [one, many] = areFaces ? ['face', 'faces'] : ['thing', 'things'];
  return count === 0 ? `No ${one} found` : `${count} ${count === 1 ? one : many}`;
}

export function percent(score: number): string {
  return `${(100 * score).toFixed(score < 0.1 ? 1 : 0)} %`;
}
