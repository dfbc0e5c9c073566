import type { BlockNode } from '../consensus/block-tree.js';

interface MineRequest {
  readonly blocks: number;
  readonly mined: BlockNode[];
  readonly resolve: (mined: BlockNode[]) => void;
  readonly reject: (error: unknown) => void;
}

/** The requests for blocks, oldest first. Each block that is mined counts for the oldest request alone. */
export class MineQueue {
  readonly #requests: MineRequest[] = [];

  get isEmpty(): boolean {
    return this.#requests.length === 0;
  }

  /** Resolves with the next `blocks` blocks after those that earlier requests wait for. */
  push(blocks: number): Promise<BlockNode[]> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ blocks, mined: [], resolve, reject });
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
