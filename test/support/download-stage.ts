import { linkHeader, type BlockNode } from '../../src/consensus/block-tree.js';
import type { Block } from '../../src/consensus/block.js';
import { BlockDownload, type DownloadResult } from '../../src/peers/block-download.js';
import type { Body } from '../../src/peers/messages.js';
import type { Peer } from '../../src/peers/peer.js';
import { RequestPace } from '../../src/peers/request-pace.js';
import type { HandlerTable } from '../../src/peers/session.js';
import { decodeHashes } from '../../src/peers/wire.js';
import { mineChain, openChain } from './chain-builders.js';
import { MemoryNetwork } from './memory-network.js';
import { linkTo, type PeerLink, type ScriptedPeer } from './scripted-peer.js';
import { SeededRandom } from './seeded-random.js';
import { VirtualClock } from './virtual-clock.js';

export function answerOf(blocks: readonly Block[]): Body {
  return { $case: 'blocks', value: { blocks: blocks.map(({ bytes }) => ({ raw: bytes })) } };
}

/** A chain that downloads blocks from scripted peers. */
export class DownloadStage {
  readonly clock = new VirtualClock();
  readonly net = new MemoryNetwork(this.clock, new SeededRandom(1));
  readonly ours = openChain({ clock: this.clock });
  readonly pace = new RequestPace();
  readonly links: PeerLink[] = [];
  /** "name code" each. */
  readonly blamed: string[] = [];

  /** Blocks on our genesis, and their nodes as header sync would give them. */
  readonly mine = (
    count: number,
    entriesAt?: (index: number) => string[],
  ): { blocks: Block[]; branch: BlockNode[] } => {
    const { blocks } = mineChain(this.ours.chain.genesis, count, entriesAt);
    const branch: BlockNode[] = [];
    for (const { hash, header } of blocks)
      branch.push(linkHeader(hash, header, branch.at(-1) ?? this.ours.chain.genesis));
    return { blocks, branch };
  };
  /** Answers that hold those of these blocks that are asked for, `limit` at the most. */
  readonly having = (blocks: readonly Block[], limit = 128): HandlerTable => {
    const byHash = new Map<string, Block>(blocks.map((block) => [block.hash, block]));
    return {
      getBlocks: ({ hashes }) =>
        answerOf(
          decodeHashes(hashes, 512)
            .flatMap((hash) => byHash.get(hash) ?? [])
            .slice(0, limit),
        ),
    };
  };
  readonly add = (name: string, handlers: HandlerTable): ScriptedPeer => {
    const link = linkTo(this.net, name, handlers, this.ours.chain.genesis);
    this.links.push(link);
    return link.remote;
  };
  readonly create = (branch: readonly BlockNode[]): BlockDownload =>
    new BlockDownload({
      branch,
      chain: this.ours.chain,
      clock: this.clock,
      pace: this.pace,
      ports: {
        sources: () => this.links.map(({ peer }) => peer),
        blame: (peer: Peer, { code }) => void this.blamed.push(`${peer.nodeId} ${code}`),
        connecting: () => {},
        progress: () => {},
      },
    });
  readonly finish = async (download: BlockDownload): Promise<DownloadResult | Error> => {
    let result: DownloadResult | Error | undefined;
    download.run().then(
      (value) => (result = value),
      (error: Error) => (result = error),
    );
    await this.clock.until('the download is over', () => result !== undefined, 600_000);
    return result!;
  };
}
