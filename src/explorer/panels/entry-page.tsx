import type { JSX } from 'preact';
import type { TransactionStatus } from '../../mempool/mempool-schemas.js';
import { count, plural } from '../model/format.js';
import { home, HOME_URL, nodes } from '../model/network.js';
import { getJson } from '../model/rest.js';
import { hrefOf } from '../model/route.js';
import { NodeName } from '../ui/node-badge.jsx';
import { LazyProof } from '../proof/lazy-proof.jsx';
import { Panel } from '../ui/panel.jsx';
import { useAnswer } from '../ui/use-answer.js';
import { EntryText } from './entry-text.jsx';

function untimed({ kind }: TransactionStatus): string {
  return kind === 'signed' ? 'unknown: only its block has a time' : 'by the miner of the block';
}

/** One entry, and where each node has it. */
export function EntryPage({ id }: { readonly id: string }): JSX.Element {
  const path = `transactions/${encodeURIComponent(id)}`;
  const tips = nodes.value.map(({ tip, link }) => `${tip?.hash} ${link}`).join();
  const url = `${HOME_URL}/${path}`;
  const { value, error } = useAnswer(`${id} ${home.value?.tip?.hash} ${home.value?.mempool.transactions}`, () =>
    getJson<TransactionStatus>(url),
  );
  const { value: everywhere = [] } = useAnswer(`${id} ${tips}`, () =>
    Promise.all(
      nodes.value
        .filter(({ nodeId }) => nodeId !== '')
        .map(async (node) => ({
          nodeId: node.nodeId,
          status: await getJson<TransactionStatus>(`${node.url}/${path}`).catch(() => undefined),
        })),
    ),
  );
  if (error !== undefined) return <p class="notice">{error}</p>;
  if (value === undefined) return <p class="notice">Reading entry {id.slice(0, 16)}…</p>;
  return (
    <>
      <Panel title="Entry" url={url} class="wide">
        <EntryText text={value.data ?? ''} />
        <dl class="facts">
          <div>
            <dt>Id</dt>
            <dd class="hash">{value.id}</dd>
          </div>
          <div>
            <dt>Posted</dt>
            <dd>{value.timestamp?.replace('T', ' ').replace('Z', ' UTC') ?? untimed(value)}</dd>
          </div>
          {value.author !== undefined && (
            <div>
              <dt>Signed by</dt>
              <dd>
                <code>{value.author}</code>{' '}
                <a href={`${url}?format=sig`} download={`${value.id}.sig`}>
                  SSH signature
                </a>
              </dd>
            </div>
          )}
        </dl>
        <table>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Where</th>
              <th scope="col">Confirmations</th>
            </tr>
          </thead>
          <tbody>
            {everywhere.map(({ nodeId, status }) => (
              <tr key={nodeId}>
                <th scope="row">
                  <NodeName id={nodeId} />
                </th>
                <td>
                  {status === undefined ? (
                    'not known'
                  ) : status.block === null ? (
                    'mempool'
                  ) : (
                    <a href={hrefOf({ name: 'block', id: status.block.hash })}>block {count(status.block.index)}</a>
                  )}
                </td>
                <td>{status?.confirmations ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {value.confirmations > 0 && (
          <p class="faint">To undo it, somebody must redo the work of {plural(value.confirmations, 'block')}.</p>
        )}
      </Panel>
      <LazyProof id={value.id} isPending={value.block === null} />
    </>
  );
}
