import type { ChainPage } from '../../chain/chain-schemas.js';
import { blocks, HOME_URL, home } from '../model/network.js';
import { getJson } from '../model/rest.js';
import type { ForkBlock } from '../model/wire.js';
import { unfolded } from './scene.js';
import type { CapsuleBox } from './tree-block.js';

/** So many blocks of a longer run are shown: its newest. */
const MOST_SHOWN = 60;

/** Opens a capsule: fetches its blocks, where they are not known yet, and draws them one by one. */
export async function openCapsule({ from, to }: CapsuleBox): Promise<void> {
  const first = Math.max(from, to - MOST_SHOWN + 1);
  const heights = new Set(unfolded.value);
  for (let height = first; height <= to; height++) heights.add(height);
  const runs = blocks.all().filter(({ run, height }) => run !== undefined && height >= first && height - run < to);
  for (const run of runs) await fetchRun(run.hash, run.height - run.run! + 1, run.height);
  unfolded.value = heights;
}

async function fetchRun(hash: string, from: number, to: number): Promise<void> {
  const nodeId = home.value!.nodeId;
  const start = Math.max(from, to - MOST_SHOWN + 1);
  const page = await getJson<ChainPage>(`${HOME_URL}/chain?from=${start}&limit=${to - start + 1}`);
  const found = page.blocks.map((block): ForkBlock => ({
    height: block.index,
    hash: block.hash,
    previousHash: block.previousHash,
    status: 'active',
    miner: block.miner,
    entries: block.transactions.length - 1,
    receivedMs: block.time * 1_000,
    chainWork: null,
  }));
  blocks.openRun(hash, found, nodeId, start > from ? { from, to: start - 1 } : undefined);
}
