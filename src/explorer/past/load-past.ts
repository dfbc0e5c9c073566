import type { StoredBlock } from '../../chain/chain-schemas.js';
import type { Block } from '../../consensus/block.js';
import type { ConsensusParams } from '../../consensus/params.js';
import { loadConsensus, loadParams, type Consensus } from '../browser/load-consensus.js';
import { home, HOME_URL } from '../model/network.js';
import { getBytes, getJson } from '../model/rest.js';

/** So many later blocks are loaded and mined again; the point is made with fewer. */
const MOST_LATER = 40;
const AT_ONCE = 5;

/** A stretch of the active chain, to be rewritten in this browser. */
export interface Past {
  readonly rules: Consensus;
  readonly params: ConsensusParams;
  readonly firstHeight: number;
  readonly entryId: string;
  readonly text: string;
  /** From the block of the entry on. */
  readonly blocks: readonly Block[];
  /** Ids of all transactions in them, which the node has checked. */
  readonly checked: Set<string>;
  /** Blocks of the active chain above the last of these. */
  readonly more: number;
  /** Work of the chain below the first, as the node says. */
  readonly parentHash: string;
}

/** @param place `height/entry id` */
export async function loadPast(place: string): Promise<Past> {
  const [height, entryId = ''] = place.split('/');
  const firstHeight = Number(height);
  const [rules, params, first] = await Promise.all([
    loadConsensus(),
    loadParams(),
    getJson<StoredBlock>(`${HOME_URL}/blocks/${firstHeight}`),
  ]);
  const entry = first.transactions.find(({ id }) => id === entryId);
  if (typeof entry?.data !== 'string') throw new Error(`Block ${firstHeight} has no such entry.`);
  const tip = home.peek()?.tip?.height ?? firstHeight;
  const last = Math.min(tip, firstHeight + MOST_LATER);
  const blocks: Block[] = [];
  for (let from = firstHeight; from <= last; from += AT_ONCE) {
    const heights = Array.from({ length: Math.min(AT_ONCE, last - from + 1) }, (_, i) => from + i);
    const raw = await Promise.all(heights.map((at) => getBytes(`${HOME_URL}/blocks/${at}?format=raw`)));
    blocks.push(...raw.map((bytes) => rules.decodeBlock(bytes)));
  }
  return {
    rules,
    params,
    firstHeight,
    entryId,
    text: entry.data,
    blocks,
    checked: new Set(blocks.flatMap(({ transactions }) => transactions.map(({ id }) => id))),
    more: tip - last,
    parentHash: first.previousHash,
  };
}
