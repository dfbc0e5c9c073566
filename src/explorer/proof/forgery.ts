import { hashToBytes } from '../../consensus/codec.js';
import type { JsonProof } from '../../proofs/offline/json-proof.js';
import type { MerklePath } from './merkle-path.js';
import { hexOf, withHex, type Part } from './proof-bytes.js';

const ROOT = { from: 36 * 2, to: 68 * 2 } as const;

/** What a forger would write next, to hide what was changed below. */
export interface Forgery {
  /** On the button. */
  readonly label: string;
  readonly proof: JsonProof;
}

/** The next lie up the way from the entry to the header; undefined where there is none to tell: then the work is missing. */
export function nextForgery(proof: JsonProof, { entryHash, id, root, headerRoot }: MerklePath): Forgery | undefined {
  if (entryHash !== id)
    return { label: 'Hide it: write the new id into the proof', proof: { ...proof, id: entryHash } };
  if (headerRoot === undefined || root === headerRoot) return undefined;
  const part: Part = { name: 'headers', at: proof.block_height - proof.anchor.height - 1 };
  const header = hexOf(proof, part);
  const forged = header.slice(0, ROOT.from) + hashToBytes(root).toString('hex') + header.slice(ROOT.to);
  return { label: 'Hide it: write the new Merkle root into the header', proof: withHex(proof, part, forged) };
}
