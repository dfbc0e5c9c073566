import '../../consensus/browser/buffer.js';
import { sha256d } from '../../consensus/hash.js';
import { searchNonce } from './search.js';

export interface MineRequest {
  /** 80 bytes. */
  readonly header: Uint8Array;
  readonly bits: number;
}

export type MineReport =
  | { readonly kind: 'tried'; readonly hashes: number }
  | { readonly kind: 'found'; readonly nonce: number };

const CHUNK = 20_000;
const NONCES = 2 ** 32;

const report = (message: MineReport): void => (self as unknown as Worker).postMessage(message, []);

self.addEventListener('message', ({ data: { header, bits } }: MessageEvent<MineRequest>) => {
  for (let from = 0; from < NONCES; from += CHUNK) {
    const nonce = searchNonce(header, bits, sha256d, from, from + CHUNK);
    if (nonce !== undefined) {
      report({ kind: 'tried', hashes: nonce + 1 });
      report({ kind: 'found', nonce });
      return;
    }
    report({ kind: 'tried', hashes: from + CHUNK });
  }
});
