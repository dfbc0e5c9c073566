import type { JSX } from 'preact';
import { hashRate } from '../model/format.js';
import { blocks, home, HOME_URL, nodes } from '../model/network.js';
import { NodeBadge, NodeName } from '../ui/node-badge.jsx';
import { Panel } from '../ui/panel.jsx';

/** The newest blocks whose miners are shown. */
const LAST_WINNERS = 24;

/** Who searches, how fast, and who won lately. */
export function MiningPanel(): JSX.Element {
  const difficulty = home.value?.status?.difficulty ?? 0;
  return (
    <Panel title="Mining" url={`${HOME_URL}/status`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Now</th>
            <th scope="col">Rate</th>
          </tr>
        </thead>
        <tbody>
          {nodes.value
            .filter(({ nodeId }) => nodeId !== '')
            .map(({ nodeId, status, searchingOn, link }) => (
              <tr key={nodeId} class={link === 'down' ? 'down' : ''}>
                <th scope="row">
                  <NodeName id={nodeId} />
                </th>
                <td>
                  {link === 'down'
                    ? 'down'
                    : searchingOn
                      ? 'searching'
                      : status?.mining.auto
                        ? 'waits for entries'
                        : 'off'}
                </td>
                <td>{status?.mining.hashRate ? hashRate(status.mining.hashRate) : '–'}</td>
              </tr>
            ))}
        </tbody>
      </table>
      <Winners />
      <p class="faint">
        A block needs a hash with {difficulty} leading zero hex digits: one in{' '}
        {Math.round(16 ** difficulty).toLocaleString('en')} tries.
      </p>
    </Panel>
  );
}

/** The miners of the newest blocks of the active chain, newest last. */
function Winners(): JSX.Element | null {
  void blocks.version.value;
  const miners: { hash: string; miner: string }[] = [];
  for (let at = home.value?.tip?.hash; at !== undefined && miners.length < LAST_WINNERS; at = blocks.parentOf(at)) {
    const block = blocks.get(at);
    if (block === undefined || block.run !== undefined || block.height === 0) break;
    miners.push({ hash: block.hash, miner: block.miner });
  }
  if (miners.length === 0) return null;
  return (
    <p class="winners" role="img" aria-label={`Miners of the last ${miners.length} blocks, newest last`}>
      {miners.reverse().map(({ hash, miner }) => (
        <NodeBadge key={hash} id={miner} />
      ))}
    </p>
  );
}
