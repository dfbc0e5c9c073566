import type { BlockNode } from '../consensus/block-tree.js';

/** Callers that may wait at a time. */
export const MAX_MINE_REQUESTS = 16;
/** Blocks that all of them together may wait for. */
export const MAX_MINE_BLOCKS = 1_000;

interface MineRequest {
  readonly blocks: number;
  readonly mined: BlockNode[];
  readonly resolve: (mined: BlockNode[]) => void;
  readonly reject: (error: unknown) => void;
}

/** More blocks were asked for than may wait. */
export class MineQueueFullError extends Error {
  override readonly name = 'MineQueueFullError';

  constructor(callers: number, blocks: number) {
    super(
      `${callers} callers wait for ${blocks} blocks; at most ${MAX_MINE_REQUESTS} may wait, for ${MAX_MINE_BLOCKS} blocks in all`,
    );
  }
}

/** The requests for blocks, oldest first. Each block that is mined counts for the oldest request alone. */
export class MineQueue {
  readonly #requests: MineRequest[] = [];

  get isEmpty(): boolean {
    return this.#requests.length === 0;
  }

  /** Blocks that are still to be mined for all requests. */
  get blocksLeft(): number {
    return this.#requests.reduce((sum, { blocks, mined }) => sum + blocks - mined.length, 0);
  }

  /**
   * Resolves with the next `blocks` blocks after those that earlier requests wait for.
   * @param signal aborted when the caller has gone: the request then resolves with what was mined for it so far.
   * @param onGone called after such a request has left the queue.
   * @throws (by rejecting) MineQueueFullError
   */
  push(blocks: number, signal?: AbortSignal, onGone: () => void = () => {}): Promise<BlockNode[]> {
    if (signal?.aborted) return Promise.resolve([]);
    const { length } = this.#requests;
    if (length >= MAX_MINE_REQUESTS || this.blocksLeft + blocks > MAX_MINE_BLOCKS) {
      return Promise.reject(new MineQueueFullError(length, this.blocksLeft));
    }
    return new Promise((resolve, reject) => {
      const request: MineRequest = { blocks, mined: [], resolve, reject };
      this.#requests.push(request);
      signal?.addEventListener(
        'abort',
        () => {
          const index = this.#requests.indexOf(request);
          if (index < 0) return;
          this.#requests.splice(index, 1);
          resolve(request.mined);
          onGone();
        },
        { once: true },
      );
    });
  }

  onMined(node: BlockNode): void {
    const request = this.#requests[0];
    if (request === undefined) return;
    request.mined.push(node);
    if (request.mined.length < request.blocks) return;
    this.#requests.shift();
    request.resolve(request.mined);
  }

  rejectOldest(error: unknown): void {
    this.#requests.shift()?.reject(error);
  }

  rejectAll(error: unknown): void {
    while (!this.isEmpty) this.rejectOldest(error);
  }
}
