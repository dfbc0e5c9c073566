/**
 * What is checked of a proof, in this order. The word names the check in messages, in `--json` and in tests:
 * - `format`: the bytes are a whole proof of a known form, and nothing else.
 * - `rules`: this program knows the rules of the network.
 * - `genesis`: the parameters give the genesis that the proof names.
 * - `data`: the file at hand is the one that the proof speaks of.
 * - `transaction`: the bytes are one entry that keeps the rules, and have the id that the proof names.
 * - `signature`: a signed entry is signed by its key, for this network.
 * - `merkle`: the branch leads from the id to the Merkle root of the block.
 * - `attestation`: an OpenTimestamps proof names a block.
 * - `link`: each header names the one before it.
 * - `work`: each header has the proof of work that its own target asks for.
 * - `difficulty`: each target is the one that the rules ask for.
 * - `time`: each time is above the median of the 11 headers before it.
 * - `block`: the block is the one that the proof names, at the height that it names.
 * - `tip`: the headers end with the block that the proof names, or contain the one that the verifier trusts.
 * - `network`: the headers that the verifier trusts are of the network of the proof.
 * - `undone`: the block is part of the chain that the verifier trusts.
 */
export type ProofCheck =
  | 'format'
  | 'rules'
  | 'genesis'
  | 'data'
  | 'transaction'
  | 'signature'
  | 'merkle'
  | 'attestation'
  | 'link'
  | 'work'
  | 'difficulty'
  | 'time'
  | 'block'
  | 'tip'
  | 'network'
  | 'undone';

/** A proof does not hold. `check` names the check that it failed, the message says why in one sentence. */
export class ProofError extends Error {
  override readonly name = 'ProofError';

  constructor(
    readonly check: ProofCheck,
    message: string,
  ) {
    super(message);
  }
}
