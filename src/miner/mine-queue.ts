import type { BlockNode } from '../consensus/block-tree.js';

/** Callers that may wait at a time. */
export const MAX_MINE_REQUESTS = 16;
/** Blocks that one of them may wait for. */
export const MAX_MINE_BLOCKS = 1_000;

interface MineRequest {
  readonly blocks: number;
  readonly mined: BlockNode[];
  readonly resolve: (mined: BlockNode[]) => void;
  readonly reject: (error: unknown) => void;
}

/** All places for callers are taken. */
export class MineQueueFullError extends Error {
  override readonly name = 'MineQueueFullError';

  constructor() {
    super(`${MAX_MINE_REQUESTS} callers wait for blocks already, and no more may`);
  }
}

/**
 * The requests for blocks. Each block that is mined counts for one of them, and they take turns: a caller who wants a
 * thousand blocks delays one who wants a single block by one block only.
 */
export class MineQueue {
  /** The one whose turn it is comes first. */
  readonly #requests: MineRequest[] = [];

  get isEmpty(): boolean {
    return this.#requests.length === 0;
  }

  /**
   * Resolves with `blocks` blocks, once they are mined. In between lie those of other requests.
   * @param signal aborted when the caller has gone: the request then resolves with what was mined for it so far.
   * @param onGone called after such a request has left the queue.
   * @throws (by rejecting) MineQueueFullError
   */
  push(blocks: number, signal?: AbortSignal, onGone: () => void = () => {}): Promise<BlockNode[]> {
    if (signal?.aborted) return Promise.resolve([]);
    if (this.#requests.length >= MAX_MINE_REQUESTS) return Promise.reject(new MineQueueFullError());
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
    const request = this.#requests.shift();
    if (request === undefined) return;
    request.mined.push(node);
    if (request.mined.length < request.blocks) this.#requests.push(request);
    else request.resolve(request.mined);
  }

  /** The request whose turn it is. */
  rejectNext(error: unknown): void {
    this.#requests.shift()?.reject(error);
  }

  rejectAll(error: unknown): void {
    while (!this.isEmpty) this.rejectNext(error);
  }
}
