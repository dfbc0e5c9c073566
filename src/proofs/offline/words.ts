import type { Entry } from '../../consensus/transaction.js';
import type { Proven } from './verify-proof.js';

const SHOWN_CHARS = 200;

/** A proof in words: what it shows, and what nobody should read into it. */
export interface ProofWords {
  readonly proven: readonly string[];
  readonly notProven: readonly string[];
}

export function describeProof(proof: Proven): ProofWords {
  const { entry, author, network, block, tip, confirmations, work, anchor, basis, fileSha256 } = proof;
  const onTop = confirmations - 1;
  const place = `block ${block.height}${network === undefined ? '' : ` of network ${network.name ?? network.genesis}`}`;
  const blocks = onTop === 0 ? 'no block on it yet' : `${onTop} ${onTop === 1 ? 'block' : 'blocks'} of work on it`;
  const whose =
    onTop === 0 ? 'Its work' : `Its work and that of the blocks on it, up to block ${tip.height} (${tip.hash})`;
  const what = entry === undefined ? `The id ${proof.id}` : `The text ${quoted(entry)}`;
  const proven = [
    `${what} stands in ${place}, with ${blocks}.`,
    ...(author === undefined ? [] : [`The owner of the key ${author} signed it for this network.`]),
    ...(fileSha256 === undefined ? [] : [`The entry has the SHA-256 of the file as its salt: ${fileSha256}.`]),
    `Block ${block.height} is ${block.hash}; its time is ${isoOf(block.timeSeconds * 1000)}, by the clock of its miner.`,
    `${whose}: about ${work.toLocaleString('en-US')} hashes.`,
    ...(network === undefined ? [] : [`The network has the genesis ${network.genesis}.`]),
    ...(basis === 'tip' ? ['The chain ends with the block that you named.'] : []),
    ...(basis === 'headers' ? ['The chain is the one with the most work among the headers that you gave.'] : []),
  ];
  const notProven = [
    ...(basis === 'work'
      ? [`that no other chain has more work: ask a node that you trust for block ${tip.height}`]
      : []),
    ...(anchor === undefined
      ? []
      : [`which chain block ${anchor.height} (${anchor.hash}) is of, after which the headers begin`]),
    ...(entry === undefined
      ? ['that this is the id of an entry, and not a hash inside the Merkle tree: the bytes of the entry would show it']
      : []),
    'exactly when the entry was written: a clock of a miner may be wrong by hours',
    ...(entry?.kind === 'data'
      ? [`that the timestamp of the entry, ${isoOf(entry.timestampMs)}, is right: its poster chose it`]
      : []),
    ...(entry?.kind === 'signed' && author === undefined
      ? ['that its signature holds: headers from block 1 on, or from a node, would say for which network']
      : []),
    author === undefined
      ? 'who wrote the text, and whether it is true'
      : 'who owns the key, and whether the text is true',
  ];
  return { proven, notProven };
}

function quoted({ data }: Entry): string {
  return JSON.stringify(data.length > SHOWN_CHARS ? `${data.slice(0, SHOWN_CHARS - 1)}…` : data);
}

function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
