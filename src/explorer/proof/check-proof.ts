import type { HeaderPage, NetworkView } from '../../chain/chain-schemas.js';
import { hash256 } from '../../consensus/hash.js';
import { FORM_NAMES, formOf, merkleBlockBytes } from '../../proofs/offline/proof-form.js';
import { readHeaders } from '../../proofs/offline/read-headers.js';
import { trustHeaders, type TrustedHeaders } from '../../proofs/offline/trusted-headers.js';
import { verifyJsonProof, verifyMerkleBlock, verifyOtsProof, type Proven } from '../../proofs/offline/verify-proof.js';
import { HOME_URL } from '../model/network.js';
import { getJson } from '../model/rest.js';
import { judge, type Verdict } from './verdict.js';

/** A browser has a proof in memory several times. That many bytes are a chain of about 600,000 blocks. */
export const MAX_PROOF_BYTES = 100 * 1024 * 1024;

/** Checks a proof as JSON by nothing but what is in it. */
export function judgeJson(text: string): Verdict {
  return judge(() => verifyJsonProof(text));
}

/** A proof that is to be checked: JSON, which needs nothing else, or another form, which needs the headers of a node. */
export type Subject =
  | { readonly form: 'json'; readonly text: string; readonly formName: string }
  | { readonly form: 'other'; readonly verdict: Verdict; readonly formName: string };

/** Reads a proof of any form; the forms without headers are checked against those of this node. @throws as getJson */
export async function readProof(bytes: Uint8Array): Promise<Subject> {
  const form = formOf(bytes);
  const formName = FORM_NAMES[form];
  // As the command line reads it: a proof has no letters outside of ASCII.
  if (form === 'json') return { form, text: Buffer.from(bytes).toString('latin1'), formName };
  const headers = await homeHeaders();
  const check = (): Proven =>
    form === 'ots' ? verifyOtsProof(bytes, headers) : verifyMerkleBlock(merkleBlockBytes(bytes), headers);
  return { form: 'other', verdict: judge(check), formName };
}

/** All headers of the active chain of this node, which the reader trusts by looking at its page. */
async function homeHeaders(): Promise<TrustedHeaders> {
  const headers = await readHeaders({
    network: () => getJson<NetworkView>(`${HOME_URL}/network`),
    headers: ({ from, limit }) => getJson<HeaderPage>(`${HOME_URL}/headers?from=${from}&limit=${limit}`),
  });
  return trustHeaders([headers]);
}

/** Has this node the block of this height and hash on its active chain? @throws as getJson */
export async function isOnChain({ height, hash }: Proven['tip']): Promise<boolean> {
  const { headers } = await getJson<HeaderPage>(`${HOME_URL}/headers?from=${height}&limit=1`);
  return headers[0] !== undefined && hash256(Buffer.from(headers[0], 'hex')) === hash;
}
