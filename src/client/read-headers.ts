import type { HeaderPage, NetworkView } from '../chain/chain-schemas.js';
import type { ProofNetwork } from '../proofs/offline/json-proof.js';
import type { HeaderSource } from '../proofs/offline/trusted-headers.js';
import { bytesOfHex } from './hex.js';
import type { RequestOptions } from './http.js';

const PAGE_HEADERS = 2_000;

interface HeaderNode {
  network(options?: RequestOptions): Promise<NetworkView>;
  headers(query: { readonly from: number; readonly limit: number }, options?: RequestOptions): Promise<HeaderPage>;
}

/** All headers of the active chain, page by page. Blocks that come meanwhile are left out, so that this ends. */
export async function readHeaders(node: HeaderNode, options?: RequestOptions): Promise<HeaderSource> {
  const network = networkOf(await node.network(options));
  const headers: Uint8Array[] = [];
  for (let length = 1; headers.length < length;) {
    const page = await node.headers({ from: headers.length, limit: PAGE_HEADERS }, options);
    if (headers.length === 0) length = page.length;
    if (page.headers.length === 0) break;
    headers.push(...page.headers.map(bytesOfHex));
  }
  return { from: 0, headers, network };
}

function networkOf(view: NetworkView): ProofNetwork {
  const { ruleSet, network, limitBits, retargetInterval, targetSpacingSeconds, genesis } = view;
  const { medianTimeSpan, maxFutureSeconds, maxBlockBytes } = view;
  const times = { targetSpacingSeconds, medianTimeSpan, maxFutureSeconds };
  return { ruleSet, network, limitBits, retargetInterval, ...times, maxBlockBytes, genesis };
}
