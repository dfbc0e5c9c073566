import { HttpProblem } from '../common/http-problem.js';

/** Refuses what cannot be done about a node that nobody knows. */
export function checkKnown(nodeId: string, known: ReadonlySet<string>): void {
  if (known.has(nodeId)) return;
  const names = [...known].toSorted().join(', ');
  throw new HttpProblem(404, 'unknown-node', `there is no node ${JSON.stringify(nodeId)} here, only ${names}`);
}

/**
 * The groups of a partition: those that are named, and one more of the nodes that none of them names.
 * @param known the ids of all nodes. @throws HttpProblem 400 or 404 that says what is wrong with the groups.
 */
export function planGroups(groups: readonly (readonly string[])[], known: ReadonlySet<string>): string[][] {
  const seen = new Set<string>();
  for (const [index, group] of groups.entries()) {
    if (group.length === 0) refuse('empty-group', `group ${index + 1} has no node; leave it out, or name its nodes`);
    for (const nodeId of group) {
      checkKnown(nodeId, known);
      if (seen.has(nodeId)) refuse('node-in-two-groups', `${nodeId} is named twice; a node is in one group`);
      seen.add(nodeId);
    }
  }
  const rest = [...known].filter((nodeId) => !seen.has(nodeId));
  const all = [...groups.map((group) => [...group]), ...(rest.length > 0 ? [rest] : [])];
  if (seen.size > 0 && all.length > 1) return all;
  return refuse('empty-groups', 'this leaves all nodes together; name the nodes of at least one side: [["node-1"]]');
}

function refuse(code: string, detail: string): never {
  throw new HttpProblem(400, code, detail);
}
