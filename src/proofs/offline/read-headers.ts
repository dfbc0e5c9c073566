import type { ProofNetwork } from './json-proof.js';
import type { HeaderSource } from './trusted-headers.js';

const PAGE_HEADERS = 2_000;

/** GET /network and GET /headers of a node, however they are asked. */
export interface HeaderNode {
  network(): Promise<ProofNetwork>;
  headers(query: { readonly from: number; readonly limit: number }): Promise<{
    /** Of the chain. */
    readonly length: number;
    /** As hex digits. */
    readonly headers: readonly string[];
  }>;
}

/** All headers of the active chain, page by page. Blocks that come meanwhile are left out, so that this ends. */
export async function readHeaders(node: HeaderNode): Promise<HeaderSource> {
  const network = networkOf(await node.network());
  const headers: Uint8Array[] = [];
  for (let length = 1; headers.length < length;) {
    const page = await node.headers({ from: headers.length, limit: PAGE_HEADERS });
    if (headers.length === 0) length = page.length;
    if (page.headers.length === 0) break;
    headers.push(...page.headers.map((header) => Buffer.from(header, 'hex')));
  }
  return { from: 0, headers, network };
}

/** Only what a proof says of its network. */
function networkOf(view: ProofNetwork): ProofNetwork {
  const { ruleSet, network, limitBits, retargetInterval, targetSpacingSeconds, genesis } = view;
  const { medianTimeSpan, maxFutureSeconds, maxBlockBytes } = view;
  const times = { targetSpacingSeconds, medianTimeSpan, maxFutureSeconds };
  return { ruleSet, network, limitBits, retargetInterval, ...times, maxBlockBytes, genesis };
}
