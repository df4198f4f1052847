// What a layer does to the mean and the mean square of its values, so that seeded weights can be scaled to keep every layer's
// spread near 1. In: the moments of a layer's inputs. Out: those of its output. Estimates: values count as normally distributed
// and neighbours as dependent. Must not know graphs.

/** Over all elements of a tensor and all random weights. */
export interface Moments {
  readonly mean: number;
  /** Mean of the squares. */
  readonly power: number;
}

/** Spread of uniform numbers in [-1, 1): their power is a third. */
export const UNIFORM_POWER = 1 / 3;

export const unit: Moments = { mean: 0, power: 1 };

function variance({ mean, power }: Moments): number {
  return Math.max(0, power - mean * mean);
}

/** An elementwise function: its mean over 64 points of a normal density from -4 to 4 standard deviations. */
export function throughFunction(x: Moments, f: (x: number) => number): Moments {
  const deviation = Math.sqrt(variance(x));
  let [weight, mean, power] = [0, 0, 0];
  for (let i = 0; i < 64; i++) {
    const z = (i - 31.5) / 8;
    const density = Math.exp(-z * z / 2);
    const y = f(x.mean + z * deviation);
    weight += density;
    mean += density * y;
    power += density * y * y;
  }
  return { mean: mean / weight, power: power / weight };
}

export function sumOf(a: Moments, b: Moments): Moments {
  return { mean: a.mean + b.mean, power: a.power + b.power + 2 * a.mean * b.mean };
}

export function productOf(a: Moments, b: Moments): Moments {
  return { mean: a.mean * b.mean, power: a.power * b.power };
}

/** Parts weighted by their numbers of elements. */
export function mixOf(parts: readonly { readonly moments: Moments; readonly count: number }[]): Moments {
  const total = parts.reduce((sum, part) => sum + part.count, 0);
  const mean = (of: (m: Moments) => number): number => parts.reduce((sum, part) => sum + part.count * of(part.moments), 0) / total;
  return { mean: mean((m) => m.mean), power: mean((m) => m.power) };
}

/** The mean of n neighbours keeps what they share: of their variance about n^-0.15, as the zoo's networks have it. */
export function averageOf(x: Moments, n: number): Moments {
  return { mean: x.mean, power: x.mean * x.mean + variance(x) * n ** -0.15 };
}

/** The largest of n neighbours: about 0.35 ln n standard deviations above their mean. */
export function largestOf(x: Moments, n: number): Moments {
  const mean = x.mean + 0.35 * Math.log(n) * Math.sqrt(variance(x));
  return { mean, power: mean * mean + 0.8 * variance(x) };
}
