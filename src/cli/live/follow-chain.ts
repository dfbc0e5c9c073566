import type { BlockView } from '../../chain/chain-schemas.js';
import type { NodeClient } from '../node-client.js';

const PAGE_BLOCKS = 500;
/** So deep a reorganisation is said to be; a deeper one begins again at the lowest block that is remembered. */
const REMEMBERED = 2_000;

export interface ChainListener {
  block(block: BlockView): void;
  /** Blocks that were shown have left the chain; those that took their place follow. */
  left(from: number, to: number): void;
}

/** Tells each block of the active chain once, by comparing hashes: whatever was missed, nothing is left out. */
export class ChainFollower {
  /** The newest that were told, by ascending height. */
  readonly #told: { readonly height: number; readonly hash: string }[] = [];

  /** The height to go on at where none is remembered. */
  #start: number;

  /** @param shown blocks that were shown already. @param start the height after them. */
  constructor(
    private readonly client: NodeClient,
    private readonly listener: ChainListener,
    { shown, start }: { readonly shown: readonly BlockView[]; readonly start: number },
  ) {
    this.#start = start;
    for (const block of shown) this.#push(block);
  }

  /** Tells what is new. @throws CliError */
  async advance(): Promise<void> {
    await this.#goBack();
    for (;;) {
      const last = this.#told.at(-1);
      const from = last === undefined ? this.#start : last.height + 1;
      const { body } = await this.client.ask('GET /chain', { query: { from, limit: PAGE_BLOCKS } });
      // A reorganisation between two pages.
      if (last !== undefined && body.blocks[0] !== undefined && body.blocks[0].previousHash !== last.hash) {
        await this.#goBack();
        continue;
      }
      for (const block of body.blocks) {
        this.#push(block);
        this.listener.block(block);
      }
      if (body.blocks.length < PAGE_BLOCKS) return;
    }
  }

  /** Forgets blocks that have left the active chain. */
  async #goBack(): Promise<void> {
    const top = this.#told.at(-1)?.height;
    if (top === undefined) return;
    this.#start = this.#told[0]!.height;
    for (let reach = 1; this.#told.length > 0; reach = Math.min(PAGE_BLOCKS, reach * 8)) {
      const low = Math.max(this.#told[0]!.height, this.#told.at(-1)!.height - reach + 1);
      const { body } = await this.client.ask('GET /chain', { query: { from: low, limit: reach } });
      const active = new Set(body.blocks.map(({ hash }) => hash));
      while (this.#told.length > 0 && this.#told.at(-1)!.height >= low) {
        if (active.has(this.#told.at(-1)!.hash)) return this.#tellLeft(top);
        this.#told.pop();
      }
    }
    this.#tellLeft(top);
  }

  #tellLeft(top: number): void {
    const last = this.#told.at(-1);
    const from = last === undefined ? this.#start : last.height + 1;
    if (from <= top) this.listener.left(from, top);
  }

  #push({ index, hash }: BlockView): void {
    this.#told.push({ height: index, hash });
    if (this.#told.length > REMEMBERED) this.#told.shift();
  }
}
