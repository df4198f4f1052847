// The one error about operators that kinglet does not have: it names them all. In: operators and their nodes. Must not know any format.

import { KingletError, quote } from '../error.ts';

export interface RefusedOp {
  readonly op: string;
  readonly node: string;
}

/** Operators listed in the message; `details.ops` has all nodes. */
const MAX_LISTED = 40;

/** Throws ERR_UNSUPPORTED_OP for a list that is not empty. */
export function refuseOps(refused: readonly RefusedOp[]): void {
  if (refused.length === 0) return;
  const nodesByOp = new Map<string, string[]>();
  for (const { op, node } of refused) {
    const nodes = nodesByOp.get(op);
    if (nodes) nodes.push(node); else nodesByOp.set(op, [node]);
  }
  const list = [...nodesByOp].slice(0, MAX_LISTED).map(([op, nodes]) => `${quote(op)} (${nodes.length} times, first in node ${quote(nodes[0] ?? '')})`);
  if (nodesByOp.size > MAX_LISTED) list.push(`${nodesByOp.size - MAX_LISTED} more`);
  throw new KingletError('ERR_UNSUPPORTED_OP', `the model uses operators that kinglet does not have: ${list.join(', ')}`, { details: { ops: refused } });
}
