import { sha256 } from '../consensus/hash.js';
import type { JsonProof } from '../proofs/offline/json-proof.js';
import type { TrustedHeaders } from '../proofs/offline/trusted-headers.js';
import {
  verifyJsonProof,
  verifyMerkleBlock as checkMerkleBlock,
  verifyOtsProof as checkOtsProof,
  type Proven,
  type VerifyOptions,
} from '../proofs/offline/verify-proof.js';
import { bytesOfHex } from './hex.js';

export interface ProofChecks {
  /** The hash of a block that you know to be in the chain; the proof has to be of the chain up to it. */
  readonly tip?: string | undefined;
  /** Headers that you trust, by trustHeaders. */
  readonly headers?: TrustedHeaders | undefined;
  /** The bytes of the stamped file or of the entry. */
  readonly file?: Uint8Array | undefined;
}

/**
 * Checks a proof as JSON here, by the rules alone. A proof shows that its text is under so much work, and not which text that
 * is: compare `entry.data` and `id` with yours, and `network.genesis` with that of your network.
 * @param proof what `proof` of the client gave, or the text of a file.
 * @throws ProofError, whose `check` names what does not hold.
 */
export function verifyProof(proof: JsonProof | string, checks: ProofChecks = {}): Proven {
  return verifyJsonProof(typeof proof === 'string' ? proof : JSON.stringify(proof), optionsOf(checks));
}

/** Checks an OpenTimestamps proof against headers. @throws ProofError */
export function verifyOtsProof(proof: Uint8Array, headers: TrustedHeaders, checks: ProofChecks = {}): Proven {
  return checkOtsProof(proof, headers, optionsOf(checks));
}

/** Checks a merkleblock against headers. @param proof as hex digits. @throws ProofError */
export function verifyMerkleBlock(proof: string, headers: TrustedHeaders, checks: ProofChecks = {}): Proven {
  return checkMerkleBlock(bytesOfHex(proof), headers, optionsOf(checks));
}

function optionsOf({ tip, headers, file }: ProofChecks): VerifyOptions {
  return { tip, headers, data: file && { sha256: sha256(file), bytes: file } };
}
