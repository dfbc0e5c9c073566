import type { HeaderPage, NetworkView } from '../../chain/chain-schemas.js';
import { hash256 } from '../../consensus/hash.js';
import { parseJsonProof, type JsonProof } from '../../proofs/offline/json-proof.js';
import { formOf, merkleBlockBytes, type ProofForm } from '../../proofs/offline/proof-form.js';
import { readHeaders } from '../../proofs/offline/read-headers.js';
import { stepsToTrust, type TrustedHeaders } from '../../proofs/offline/trusted-headers.js';
import { stepsOfJsonProof, verifyMerkleBlock, verifyOtsProof, type Proven } from '../../proofs/offline/verify-proof.js';
import { HOME_URL } from '../model/network.js';
import { getJson } from '../model/rest.js';
import { inTurns } from './in-turns.js';
import { judge, type Verdict } from './verdict.js';

/** A browser has a proof in memory several times. That many bytes are a chain of about 600,000 blocks. */
export const MAX_PROOF_BYTES = 100 * 1024 * 1024;

/** A proof that was checked. */
export interface Subject {
  readonly form: ProofForm;
  readonly verdict: Verdict;
  /** A proof as JSON that could be read: it needs nothing else, and can be taken apart. */
  readonly proof: JsonProof | undefined;
}

/**
 * Checks a proof of any form; the forms without headers against those of this node.
 * @throws as getJson; the reason of `signal`.
 */
export async function checkProof(bytes: Uint8Array, signal: AbortSignal): Promise<Subject> {
  const form = formOf(bytes);
  if (form === 'json') {
    let proof: JsonProof | undefined;
    const verdict = await judge(() => {
      // A proof has no letters outside of ASCII. The browser's own decoder: that of Buffer takes seconds for a long chain.
      proof = parseJsonProof(new TextDecoder('latin1').decode(bytes));
      return inTurns(stepsOfJsonProof(proof), signal);
    });
    return { form, verdict, proof };
  }
  const headers = await homeHeaders(signal);
  const verdict = await judge(() =>
    Promise.resolve(
      form === 'ots' ? verifyOtsProof(bytes, headers) : verifyMerkleBlock(merkleBlockBytes(bytes), headers),
    ),
  );
  return { form, verdict, proof: undefined };
}

/** All headers of the active chain of this node, which the reader trusts by looking at its page. */
async function homeHeaders(signal: AbortSignal): Promise<TrustedHeaders> {
  const headers = await readHeaders({
    network: () => getJson<NetworkView>(`${HOME_URL}/network`),
    headers: async ({ from, limit }) => {
      signal.throwIfAborted();
      return getJson<HeaderPage>(`${HOME_URL}/headers?from=${from}&limit=${limit}`);
    },
  });
  return inTurns(stepsToTrust([headers]), signal);
}

/** Where the chain of a proof stands by what this node knows. */
export type Standing =
  | { readonly kind: 'on-chain' | 'off-chain' }
  | { readonly kind: 'other-network'; readonly network: string; readonly genesis: string };

/** Asks this node whether the last block of a proof is on its active chain. @throws as getJson */
export async function standingOf({ tip, network: of }: Proven): Promise<Standing> {
  const { network, genesis } = await getJson<NetworkView>(`${HOME_URL}/network`);
  if (of !== undefined && of.genesis !== genesis) return { kind: 'other-network', network, genesis };
  const { headers } = await getJson<HeaderPage>(`${HOME_URL}/headers?from=${tip.height}&limit=1`);
  const isThere = headers[0] !== undefined && hash256(Buffer.from(headers[0], 'hex')) === tip.hash;
  return { kind: isThere ? 'on-chain' : 'off-chain' };
}
