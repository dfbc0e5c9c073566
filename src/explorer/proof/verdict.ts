import type { JsonProof } from '../../proofs/offline/json-proof.js';
import { ProofError, type ProofCheck } from '../../proofs/offline/proof-error.js';
import { stepsOfJsonProof, type Proven } from '../../proofs/offline/verify-proof.js';
import { describeProof, type ProofWords } from '../../proofs/offline/words.js';
import { inTurns } from './in-turns.js';

export interface Holds {
  readonly holds: true;
  readonly proven: Proven;
  readonly words: ProofWords;
}

export interface Fails {
  readonly holds: false;
  readonly check: ProofCheck;
  /** As the check says it. */
  readonly reason: string;
  /** Of the header that is at fault, where it is one. */
  readonly height: number | undefined;
}

export type Verdict = Holds | Fails;

/** What a check of a proof comes to. @throws what is no ProofError: a fault of the check itself. */
export async function judge(verify: () => Promise<Proven>): Promise<Verdict> {
  try {
    const proven = await verify();
    return { holds: true, proven, words: describeProof(proven) };
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    return { holds: false, check: error.check, reason: error.message, height: error.height };
  }
}

/** Checks a proof as JSON by nothing but what is in it. @throws the reason of `signal`. */
export function judgeJson(proof: JsonProof, signal: AbortSignal): Promise<Verdict> {
  return judge(() => inTurns(stepsOfJsonProof(proof), signal));
}

/** Checks that come after those of the headers: when one of them fails, all headers are good. */
const AFTER_HEADERS: ReadonlySet<ProofCheck> = new Set(['merkle', 'block', 'tip', 'network', 'undone']);

/** What the check of a proof as JSON has found of the header at this height; undefined where it did not come so far. */
export function isHeaderGood(verdict: Verdict, height: number): boolean | undefined {
  if (verdict.holds) return true;
  if (verdict.height === undefined) return AFTER_HEADERS.has(verdict.check) || undefined;
  if (height === verdict.height) return false;
  return height < verdict.height || AFTER_HEADERS.has(verdict.check) || undefined;
}

const WHY: Readonly<Record<ProofCheck, string>> = {
  format: 'These bytes are not a complete proof: something is cut off, missing or in the wrong form.',
  rules: 'The proof is of a network whose rules this page does not know.',
  genesis: 'The rules in the proof give a different genesis block from the one that it names.',
  data: 'The proof is about another file.',
  transaction:
    'The bytes must be a valid entry, and their hash must be the id that the proof is about. One changed byte gives a completely different hash.',
  signature:
    'The signature must be made with the key in the entry, of its text and for its network. After one changed byte it no longer fits.',
  merkle:
    'Hashed with its siblings, pair by pair, the id must lead to the Merkle root in the header of the block. It does not, so this entry is not shown to be in that block.',
  attestation: 'The proof does not name exactly one block.',
  link: 'Each header names the hash of the header before it, and this one names another. One changed byte in a header changes its hash, and cuts off all headers after it.',
  work: 'The hash of a header must be at most its target. After a change the hash is as good as random, and too large: nobody has done the work for these bytes.',
  difficulty: 'A header has a different target from the one that the rules of the network ask for.',
  time: 'A header has too early a time: it must be later than the median of those before it.',
  block: 'The block is not the one that the proof names.',
  tip: 'The headers do not end with the block that the proof names.',
  network: 'The proof and the headers of this node are of different networks.',
  undone: 'The block is not on the chain of this node: a reorganisation has undone it, or it is of another network.',
};

/** Why a proof that fails this check cannot be right, for people who see their first one. */
export function whyOf(check: ProofCheck): string {
  return WHY[check];
}
