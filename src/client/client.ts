// What `minichain/client` exports.
export type { ChainPage, HeaderPage, NetworkView, StoredBlock, TransactionView } from '../chain/chain-schemas.js';
export type { Forks, TreeBlock } from '../chain/fork-schemas.js';
export type { FeedEvent } from '../events/event-schemas.js';
export type { LabView } from '../lab/lab-schemas.js';
export type { AuthorPage, MempoolPage, Receipt, Receipts, TransactionStatus } from '../mempool/mempool-schemas.js';
export type { MinedBlocks } from '../miner/miner-schemas.js';
export type { Status } from '../ops/status-schemas.js';
export type { Bans, LiftedBans, PeerLink, Peers, SyncView } from '../peers/peers-schemas.js';
export type { JsonProof } from '../proofs/offline/json-proof.js';
export { ProofError, type ProofCheck } from '../proofs/offline/proof-error.js';
export { trustHeaders, type HeaderSource, type TrustedHeaders } from '../proofs/offline/trusted-headers.js';
export type { Proven } from '../proofs/offline/verify-proof.js';
export { describeProof } from '../proofs/offline/words.js';
export type { EventsOptions, ReceivedEvent } from './events.js';
export type { Answer, Fetch, HttpOptions, RequestOptions } from './http.js';
export { MinichainClient, type OtsOptions, type ProofOptions, type SubmitOptions } from './minichain-client.js';
export { MinichainError, type ClientCode } from './minichain-error.js';
export {
  prepareEntries,
  prepareEntry,
  prepareSigned,
  type EntryChoices,
  type PreparedEntries,
  type PreparedEntry,
} from './prepare-entry.js';
export type { AnswerOf, InputOf, Route, Routes } from './routes.js';
export { verifyMerkleBlock, verifyOtsProof, verifyProof, type ProofChecks } from './verify.js';
export type { Confirmed, WaitOptions } from './wait-for.js';
