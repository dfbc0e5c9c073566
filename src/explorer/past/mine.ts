import type { Block } from '../../consensus/block.js';
import type { Consensus } from '../browser/load-consensus.js';
import type { MineReport, MineRequest } from './mine-worker.js';
import { withHeader } from './rewrite.js';

/** Finds a new nonce for the block, in a thread of its own. @param onTried told the number of hashes tried so far. */
export function mineAgain(
  rules: Consensus,
  block: Block,
  onTried: (hashes: number) => void,
  signal: AbortSignal,
): Promise<Block> {
  const worker = new Worker(new URL('./mine-worker.ts', import.meta.url), { type: 'module' });
  const { promise, resolve, reject } = Promise.withResolvers<Block>();
  signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
  worker.addEventListener('error', () => reject(new Error('the worker could not start')));
  worker.addEventListener('message', ({ data }: MessageEvent<MineReport>) => {
    if (data.kind === 'tried') onTried(data.hashes);
    else resolve(withHeader(rules, block, { nonce: data.nonce }));
  });
  const request: MineRequest = { header: new Uint8Array(rules.encodeHeader(block.header)), bits: block.header.bits };
  worker.postMessage(request, []);
  return promise.finally(() => worker.terminate());
}
