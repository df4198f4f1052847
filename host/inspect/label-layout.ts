// Places labels beside circles so that none lies on another label or leaves the picture. In: circles with the sizes of their labels.
// Out: a place for each label. Must not know what circles mean.

export interface Circle {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly labelWidth: number;
  readonly labelHeight: number;
}
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Directions in which a label is tried, the most readable first: sides, above and below, corners, and between those. */
const directions: readonly (readonly [number, number])[] = [0, 180, 270, 90, 315, 225, 45, 135, 338, 202, 22, 158].map((degrees) => (
  [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]));
const FIRST_GAP = 5;
const NEXT_GAP = 10;
const RINGS = 16;
/** Each round lets every label choose again among the others. */
const ROUNDS = 5;

/** One box per circle. Labels that find no free place (more of them than the picture holds) lie where they disturb least. */
export function placeLabels(circles: readonly Circle[], bounds: Box, occupied: readonly Box[] = []): Box[] {
  let boxes = circles.map((circle) => candidate(circle, directions[0], FIRST_GAP));
  for (let round = 0; round < ROUNDS; round++) {
    boxes = circles.reduce<Box[]>((now, circle, i) => {
      const others = now.filter((_, k) => (round === 0 ? k < i : k !== i));
      return now.with(i, bestPlace(circle, { circles, taken: [...occupied, ...others], bounds }));
    }, boxes);
  }
  return boxes;
}

interface Surroundings {
  readonly circles: readonly Circle[];
  readonly taken: readonly Box[];
  readonly bounds: Box;
}

function bestPlace(circle: Circle, around: Surroundings): Box {
  let [best, least] = [inside(circle), costOf(inside(circle), around, circle)];
  if (circle.labelWidth > 1.7 * circle.radius) least = Infinity;
  for (let ring = 0; ring < RINGS; ring++) {
    for (const [rank, direction] of directions.entries()) {
      const box = candidate(circle, direction, FIRST_GAP + ring * NEXT_GAP);
      const cost = costOf(box, around, circle) + 25 * ring + rank;
      if (cost < least) [best, least] = [box, cost];
    }
  }
  return best;
}

/** Above the middle of the circle. */
function inside({ x, y, labelWidth: w, labelHeight: h }: Circle): Box {
  return { left: x - w / 2, right: x + w / 2, top: y - h - 3, bottom: y - 3 };
}

/** The box's nearest point lies in the direction, the gap away from the circle. */
function candidate({ x, y, radius, labelWidth: w, labelHeight: h }: Circle, [dx, dy]: readonly [number, number], gap: number): Box {
  const side = (d: number, size: number): number => (d > 0.3 ? 0 : d < -0.3 ? -size : -size / 2);
  const left = x + dx * (radius + gap) + side(dx, w), top = y + dy * (radius + gap) + side(dy, h);
  return { left, top, right: left + w, bottom: top + h };
}

/** Labels on labels and outside are as good as forbidden, labels on the middles of circles are bad, on their rims only worse. */
function costOf(box: Box, { circles, taken, bounds }: Surroundings, own: Circle): number {
  const outside = box.left < bounds.left || box.right > bounds.right || box.top < bounds.top || box.bottom > bounds.bottom;
  const hidden = taken.reduce((sum, other) => sum + overlap(box, other), 0);
  const covered = circles.filter((circle) => circle !== own).reduce((sum, { x, y, radius: r }) => {
    const core = overlap(box, { left: x - 4, right: x + 4, top: y - 4, bottom: y + 4 }) > 0 ? 200 : 0;
    return sum + core + overlap(box, { left: x - r, right: x + r, top: y - r, bottom: y + r }) / 15;
  }, 0);
  return (outside ? 1e6 : 0) + (hidden > 0 ? 1e5 + 100 * hidden : 0) + covered;
}

function overlap(a: Box, b: Box): number {
  return Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) * Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
}
