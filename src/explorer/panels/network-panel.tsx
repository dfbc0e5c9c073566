import type { JSX } from 'preact';
import { count, duration, plural } from '../model/format.js';
import { blocks, home, HOME_URL, nodes, standings } from '../model/network.js';
import { nodeColour, NodeName } from '../ui/node-badge.jsx';
import { badgeOf } from '../model/letters.js';
import { Panel } from '../ui/panel.jsx';

const RADIUS = 62;
const SIZE = { width: 220, height: 190 } as const;

/** Who is connected to whom, and who is on which block. */
export function NetworkPanel(): JSX.Element {
  void blocks.version.value;
  const { peers = [], nodeId = '' } = home.value ?? {};
  const latency = new Map(peers.map((peer) => [peer.id, peer]));
  return (
    <Panel title="Network" url={`${HOME_URL}/peers`}>
      <div class="network">
        <Links />
        <table>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Tip</th>
              <th scope="col">Latency</th>
            </tr>
          </thead>
          <tbody>
            {standings.value.map(({ nodeId: id, tip, isDown }) => {
              const ms = latency.get(id)?.latencyMs;
              return (
                <tr key={id} class={isDown ? 'down' : ''}>
                  <th scope="row">
                    <NodeName id={id} />
                  </th>
                  <td>{isDown ? 'down' : tip === undefined ? '?' : count(tip.height)}</td>
                  <td>{id === nodeId ? 'this node' : ms === null || ms === undefined ? '–' : duration(ms)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p class="faint">
        {peers.filter(({ connected }) => connected).length} of {peers.length} known peers connected;{' '}
        {plural(blocks.size, 'block')} of the tree loaded.
      </p>
    </Panel>
  );
}

/** The nodes in a circle, with a line for each session that a followed node reports. */
function Links(): JSX.Element {
  const all = standings.value;
  const place = (i: number): { x: number; y: number } => {
    const angle = (2 * Math.PI * i) / Math.max(1, all.length) - Math.PI / 2;
    const far = all.length === 1 ? 0 : RADIUS;
    return { x: SIZE.width / 2 + far * Math.cos(angle), y: SIZE.height / 2 + 6 + far * Math.sin(angle) };
  };
  const where = new Map(all.map(({ nodeId }, i) => [nodeId, place(i)]));
  const links = new Map<string, { from: string; to: string }>();
  for (const { nodeId: from, peers, link } of nodes.value) {
    for (const { id: to, connected } of peers) {
      if (!connected || to === null || link === 'down' || !where.has(to) || !where.has(from)) continue;
      links.set([from, to].sort().join('\n'), { from, to });
    }
  }
  return (
    <svg class="links" viewBox={`0 0 ${SIZE.width} ${SIZE.height}`} aria-hidden="true">
      {[...links].map(([key, { from, to }]) => {
        const [a, b] = [where.get(from)!, where.get(to)!];
        return <line key={key} x1={a.x} y1={a.y} x2={b.x} y2={b.y} />;
      })}
      {all.map(({ nodeId, isDown, tip }) => {
        const { x, y } = where.get(nodeId)!;
        return (
          <g key={nodeId} class={`station ${nodeColour(nodeId)} ${isDown ? 'down' : ''}`}>
            <circle cx={x} cy={y} r="21" />
            <text x={x} y={y - 1} text-anchor="middle">
              {badgeOf(nodeId).letter}
            </text>
            <text class="height" x={x} y={y + 12} text-anchor="middle">
              {isDown ? 'down' : (tip?.height ?? '?')}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
