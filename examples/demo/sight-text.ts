// What was seen, in words and numbers. In: a sight's parts. Out: text for the page.

/** A rate of 0 is not known yet; null: it was a photo. */
export function speedOf(milliseconds: number, framesPerSecond: number | null): (readonly [string, string])[] {
  const time = ['ms', milliseconds.toFixed(milliseconds < 10 ? 1 : 0)] as const;
  return !framesPerSecond ? [time] : [time, ['fps', framesPerSecond.toFixed(0)]];
}

/** "4 faces"; "2 × person, dog". */
export function foundText(labels: readonly string[], areFaces: boolean): string {
  if (labels.length === 0) return areFaces ? 'No face found' : 'Nothing found';
  if (areFaces) return labels.length === 1 ? '1 face' : `${labels.length} faces`;
  const count = (label: string): number => labels.filter((other) => other === label).length;
  return [...new Set(labels)].map((label) => (count(label) === 1 ? label : `${count(label)} × ${label}`)).join(', ');
}

export function percent(score: number): string {
  return `${(100 * score).toFixed(score < 0.1 ? 1 : 0)}\u202f%`;
}
