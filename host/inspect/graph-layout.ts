// Places the nodes of an acyclic graph in rows so that every edge leads downwards and lines cross little.
// In: sizes of nodes and who feeds whom. Out: coordinates of nodes and of the lines between them. Must not know what nodes mean.
// After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures" (1981): rows by longest
// path, waypoints where a line passes rows, order by barycentres; places within a row by isotonic regression (pool adjacent violators).

export interface Sizes {
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  /** Between rows. */
  readonly rowGap: number;
  /** Between neighbours in a row. */
  readonly gap: number;
}
export interface Edge {
  readonly from: number;
  readonly to: number;
}
export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Placement {
  /** Middles of the nodes. */
  readonly nodes: readonly Point[];
  /** Lines from the lower border of one row to the upper border of the next; where one leads into a node, `enters`. */
  readonly lines: readonly { readonly from: Point; readonly to: Point; readonly enters: boolean }[];
  readonly width: number;
  readonly height: number;
}

/** A node, or a place where a line passes a row. */
interface Spot {
  readonly row: number;
  readonly width: number;
  readonly isNode: boolean;
  readonly above: Spot[];
  readonly below: Spot[];
  /** Order within the row while rows are sorted. */
  place: number;
  x: number;
}

const SWEEPS = 12;
const ALIGN_SWEEPS = 16;
/** Long lines bend less than short ones. */
const PASSING_WEIGHT = 4;
const PASSING_WIDTH = 2;

/** Larger pictures would take long to arrange and say nothing to anybody. */
const MAX_NODES = 3000;
const MAX_PASSING = 30_000;

/** Nodes are numbered in an order in which every edge leads to a higher number. Null: too large to draw. */
export function placeGraph(count: number, edges: readonly Edge[], sizes: Sizes): Placement | null {
  if (count > MAX_NODES) return null;
  const rows = rowsOf(count, edges);
  if (edges.reduce((sum, { from, to }) => sum + rows[to] - rows[from] - 1, 0) > MAX_PASSING) return null;
  const nodes = rows.map((row): Spot => ({ row, width: sizes.nodeWidth, isNode: true, above: [], below: [], place: 0, x: 0 }));
  const spots = [...nodes, ...thread(nodes, edges)];
  const grid = sortedRows(spots);
  for (let sweep = 0; sweep < ALIGN_SWEEPS; sweep++) align(grid, sweep % 2 === 0, sizes.gap);
  return drawn(nodes, spots, sizes);
}

/** Row = longest path from a source; a source stands just above its first user. */
function rowsOf(count: number, edges: readonly Edge[]): number[] {
  const rows = new Array<number>(count).fill(0);
  const users = Array.from({ length: count }, (): number[] => []);
  const hasSource = new Set(edges.map((edge) => edge.to));
  for (const { from, to } of edges) users[from].push(to);
  for (let node = 0; node < count; node++) for (const user of users[node]) rows[user] = Math.max(rows[user], rows[node] + 1);
  for (let node = 0; node < count; node++) {
    if (!hasSource.has(node) && users[node].length > 0) rows[node] = Math.min(...users[node].map((user) => rows[user])) - 1;
  }
  return rows;
}

/** Links neighbours in adjacent rows; all lines of one node that pass a row share one spot there. Returns those spots. */
function thread(nodes: readonly Spot[], edges: readonly Edge[]): Spot[] {
  const passing: Spot[] = [];
  const trunks = new Map<Spot, Spot[]>();
  for (const edge of edges) {
    const [from, to] = [nodes[edge.from], nodes[edge.to]];
    const trunk = trunks.get(from) ?? [from];
    trunks.set(from, trunk);
    while (from.row + trunk.length < to.row) {
      const spot: Spot = { row: from.row + trunk.length, width: PASSING_WIDTH, isNode: false, above: [], below: [], place: 0, x: 0 };
      link(trunk[trunk.length - 1], spot);
      trunk.push(spot);
      passing.push(spot);
    }
    link(trunk[to.row - from.row - 1], to);
  }
  return passing;
}

function link(above: Spot, below: Spot): void {
  above.below.push(below);
  below.above.push(above);
}

/** Rows in the order with the fewest crossings that the sweeps came by. */
function sortedRows(spots: readonly Spot[]): Spot[][] {
  let grid: Spot[][] = [];
  for (const spot of spots) (grid[spot.row] ??= []).push(spot);
  grid = Array.from(grid, (row: Spot[] | undefined) => row ?? []);
  number(grid);
  let [best, fewest] = [grid.map((row) => [...row]), crossings(grid)];
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? grid : [...grid].reverse()) sortByNeighbours(row, down);
    const now = crossings(grid);
    if (now < fewest) [best, fewest] = [grid.map((row) => [...row]), now];
  }
  number(best);
  return best;
}

function number(grid: readonly (readonly Spot[])[]): void {
  for (const row of grid) row.forEach((spot, i) => { spot.place = i; });
}

function sortByNeighbours(row: Spot[], down: boolean): void {
  const wanted = new Map(row.map((spot) => [spot, mean((down ? spot.above : spot.below).map((other) => other.place)) ?? spot.place]));
  row.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || a.place - b.place);
  row.forEach((spot, i) => { spot.place = i; });
}

function crossings(grid: readonly (readonly Spot[])[]): number {
  let count = 0;
  for (const row of grid) {
    const lines = row.flatMap((spot) => spot.below.map((below) => [spot.place, below.place]));
    for (let i = 0; i < lines.length; i++) for (let j = 0; j < i; j++) if ((lines[i][0] - lines[j][0]) * (lines[i][1] - lines[j][1]) < 0) count++;
  }
  return count;
}

/** Moves every spot as near as the order and the gaps allow to the middle of its neighbours. */
function align(grid: readonly (readonly Spot[])[], down: boolean, gap: number): void {
  for (const row of down ? grid : [...grid].reverse()) {
    let taken = 0;
    const offsets = row.map((spot, i) => (taken += i === 0 ? 0 : (row[i - 1].width + spot.width) / 2 + gap));
    const wishes = row.map((spot, i) => {
      const near = down ? spot.above : spot.below;
      const passes = !spot.isNode && near.some((other) => !other.isNode);
      return { at: (mean(near.map((other) => other.x)) ?? spot.x) - offsets[i], weight: passes ? PASSING_WEIGHT : 1 };
    });
    ascending(wishes).forEach((x, i) => { row[i].x = x + offsets[i]; });
  }
}

/** The non-decreasing numbers nearest to the wishes in weighted least squares. */
function ascending(wishes: readonly { at: number; weight: number }[]): number[] {
  const pools: { at: number; weight: number; count: number }[] = [];
  for (const wish of wishes) {
    let pool = { ...wish, count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.at > pool.at; last = pools.at(-1)) {
      pools.pop();
      const weight = last.weight + pool.weight;
      pool = { at: (last.at * last.weight + pool.at * pool.weight) / weight, weight, count: last.count + pool.count };
    }
    pools.push(pool);
  }
  return pools.flatMap(({ at, count }) => new Array<number>(count).fill(at));
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;
}

function drawn(nodes: readonly Spot[], spots: readonly Spot[], { nodeHeight, rowGap }: Sizes): Placement {
  const left = Math.min(...spots.map((spot) => spot.x - spot.width / 2));
  const right = Math.max(...spots.map((spot) => spot.x + spot.width / 2));
  const x = (spot: Spot): number => spot.x - left;
  const y = (spot: Spot): number => spot.row * (nodeHeight + rowGap) + nodeHeight / 2;
  const half = nodeHeight / 2;
  const lines = spots.flatMap((spot) => [
    ...spot.below.map((below) => ({ from: { x: x(spot), y: y(spot) + half }, to: { x: x(below), y: y(below) - half }, enters: below.isNode })),
    ...(spot.isNode ? [] : [{ from: { x: x(spot), y: y(spot) - half }, to: { x: x(spot), y: y(spot) + half }, enters: false }]),
  ]);
  const rowCount = spots.reduce((most, spot) => Math.max(most, spot.row + 1), 0);
  return {
    nodes: nodes.map((spot) => ({ x: x(spot), y: y(spot) })), lines,
    width: Math.max(0, right - left), height: Math.max(0, rowCount * (nodeHeight + rowGap) - rowGap),
  };
}
