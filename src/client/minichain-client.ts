import type { ChainPage, HeaderPage, NetworkView, StoredBlock } from '../chain/chain-schemas.js';
import type { Forks } from '../chain/fork-schemas.js';
import type { AuthorPage, MempoolPage, Receipt, Receipts, TransactionStatus } from '../mempool/mempool-schemas.js';
import type { MinedBlocks } from '../miner/miner-schemas.js';
import type { Status } from '../ops/status-schemas.js';
import type { Bans, LiftedBans, PeerLink, Peers, SyncView } from '../peers/peers-schemas.js';
import type { JsonProof } from '../proofs/offline/json-proof.js';
import { readHeaders } from '../proofs/offline/read-headers.js';
import type { HeaderSource } from '../proofs/offline/trusted-headers.js';
import { readEvents, type EventsOptions, type ReceivedEvent } from './events.js';
import { Http, type Answer, type HttpOptions, type RequestOptions } from './http.js';
import { MinichainError } from './minichain-error.js';
import {
  prepareEntries,
  prepareEntry,
  prepareSigned,
  type EntryChoices,
  type PreparedEntries,
  type PreparedEntry,
} from './prepare-entry.js';
import { retry, type RetryOptions } from './retry.js';
import { queryText, requestOf, type AnswerOf, type InputOf, type QueryOf, type Route } from './routes.js';
import { waitForEntry, type Confirmed, type WaitOptions } from './wait-for.js';

const SUBMIT_TIMEOUT_MS = 30_000;

/** How a post is repeated, and what is chosen of its entry. */
export interface SubmitOptions extends EntryChoices, Partial<RetryOptions> {
  /** An SSH signature of the text, as `ssh-keygen -Y sign` writes it. The entry then has no timestamp and no salt. */
  readonly signature?: string | undefined;
}

/** Where the headers of a proof begin, and of which block it has to be. */
export type ProofOptions = QueryOf<'GET /transactions/:id/proof'> & RequestOptions;

export interface OtsOptions extends RequestOptions {
  /** `file`: of the file whose SHA-256 is the salt of the entry. By default of the entry itself. */
  readonly stamped?: 'entry' | 'file' | undefined;
  /** The block of an older proof: refused with `block-undone` unless the entry is in it still. */
  readonly block?: string | undefined;
}

/** The REST API of one node. Every method throws a MinichainError when the node refuses or cannot be reached. */
export class MinichainClient {
  readonly #http: Http;

  /**
   * @param url such as http://127.0.0.1:8091.
   * @throws MinichainError `bad-url`, `bad-token`
   */
  constructor(url: string, options: HttpOptions = {}) {
    this.#http = new Http(url, options);
  }

  get url(): string {
    return this.#http.url;
  }

  /** Any route that answers JSON, with the body as it came and the id of the event that the answer is not older than. */
  ask<R extends Route>(route: R, input: InputOf<R>, options?: RequestOptions): Promise<Answer<AnswerOf<R>>> {
    const { method, path, body } = requestOf(route, input);
    return this.#http.json(method, path, body, options);
  }

  status(options?: RequestOptions): Promise<Status> {
    return this.#ask('GET /status', {}, options);
  }

  /** The rules of the network, as parameters. */
  network(options?: RequestOptions): Promise<NetworkView> {
    return this.#ask('GET /network', {}, options);
  }

  /** The newest blocks of the active chain, or those from a height up. */
  chain(query: QueryOf<'GET /chain'> = {}, options?: RequestOptions): Promise<ChainPage> {
    return this.#ask('GET /chain', { query }, options);
  }

  headers(query: QueryOf<'GET /headers'> = {}, options?: RequestOptions): Promise<HeaderPage> {
    return this.#ask('GET /headers', { query }, options);
  }

  /** All headers of the active chain, for verifyOtsProof and verifyMerkleBlock. */
  allHeaders(options?: RequestOptions): Promise<HeaderSource> {
    return readHeaders({ network: () => this.network(options), headers: (query) => this.headers(query, options) });
  }

  /** The tree of blocks: the active chain, side blocks and orphans. */
  forks(query: QueryOf<'GET /forks'> = {}, options?: RequestOptions): Promise<Forks> {
    return this.#ask('GET /forks', { query }, options);
  }

  /** @param id a height on the active chain, or the hash of any stored block. */
  block(id: number | string, options?: RequestOptions): Promise<StoredBlock> {
    return this.#ask('GET /blocks/:id', { params: { id } }, options);
  }

  blockBytes(id: number | string, options?: RequestOptions): Promise<Uint8Array> {
    return this.#http.bytes(`/blocks/${encodeURIComponent(id)}?format=raw`, options);
  }

  transaction(id: string, options?: RequestOptions): Promise<TransactionStatus> {
    return this.#ask('GET /transactions/:id', { params: { id } }, options);
  }

  /** The bytes that the id is the hash of. */
  transactionBytes(id: string, options?: RequestOptions): Promise<Uint8Array> {
    return this.#http.bytes(`/transactions/${encodeURIComponent(id)}?format=raw`, options);
  }

  /** The SSH signature of a signed entry, as `ssh-keygen -Y sign` wrote it. */
  signature(id: string, options?: RequestOptions): Promise<string> {
    return this.#http.text(`/transactions/${encodeURIComponent(id)}?format=sig`, options);
  }

  /** Entries of the active chain that a key signed, the newest first. */
  entriesBy(query: QueryOf<'GET /transactions'>, options?: RequestOptions): Promise<AuthorPage> {
    return this.#ask('GET /transactions', { query }, options);
  }

  mempool(query: QueryOf<'GET /mempool'> = {}, options?: RequestOptions): Promise<MempoolPage> {
    return this.#ask('GET /mempool', { query }, options);
  }

  peers(options?: RequestOptions): Promise<Peers> {
    return this.#ask('GET /peers', {}, options);
  }

  /** Ends the session with a node, and refuses links with it until connectPeer. */
  disconnectPeer(id: string, options?: RequestOptions): Promise<PeerLink> {
    return this.#ask('POST /peers/:id/disconnect', { params: { id } }, options);
  }

  connectPeer(id: string, options?: RequestOptions): Promise<PeerLink> {
    return this.#ask('POST /peers/:id/connect', { params: { id } }, options);
  }

  bans(options?: RequestOptions): Promise<Bans> {
    return this.#ask('GET /peers/bans', {}, options);
  }

  /** @param subject a node id, a key, a host, or a subject as `bans` shows it. */
  liftBan(subject: string, options?: RequestOptions): Promise<LiftedBans> {
    return this.#ask('DELETE /peers/bans/:subject', { params: { subject } }, options);
  }

  /** Makes the node ask its peers for a better chain, and shows how far it is. */
  sync(options?: RequestOptions): Promise<SyncView> {
    return this.#ask('GET /sync', {}, options);
  }

  /** Mines blocks, however long it takes. */
  mine(blocks = 1, options?: RequestOptions): Promise<MinedBlocks> {
    return this.#ask('POST /mine', { body: { blocks } }, { timeoutMs: Infinity, ...options });
  }

  /**
   * Posts an entry, and resolves once it is on the node's disk. Timestamp and salt are chosen here, so a request that is
   * repeated, because the node is busy or the answer was lost, never makes a second entry.
   * @param entry a text, or what prepareEntry or prepareSigned made.
   * @param options with `timeoutMs` for all attempts, by default 30 s.
   * @throws MinichainError: the node's refusal, the last failure when the time is up, or as prepareEntry.
   */
  async submit(entry: string | PreparedEntry, options: SubmitOptions = {}): Promise<Receipt> {
    const { signature } = options;
    const text = (data: string): PreparedEntry =>
      signature === undefined ? prepareEntry(data, options) : prepareSigned(data, signature);
    return this.#post<Receipt>(typeof entry === 'string' ? text(entry) : entry, options, (prepared, { id }) => {
      return id === prepared.id ? undefined : `the node made entry ${id} of it, not ${prepared.id}`;
    });
  }

  /** As submit, of up to 1,000 texts: all of them or none. The same text twice is one entry. */
  async submitAll(
    texts: readonly string[] | PreparedEntries,
    options: Omit<SubmitOptions, 'signature'> = {},
  ): Promise<Receipts> {
    const entries = 'ids' in texts ? texts : prepareEntries(texts, options);
    return this.#post<Receipts, PreparedEntries>(entries, options, (prepared, { ids }) => {
      const at = prepared.ids.findIndex((id, index) => ids[index] !== id);
      return at < 0 ? undefined : `the node made entry ${ids[at]} of text ${at}, not ${prepared.ids[at]}`;
    });
  }

  /** Resolves once the entry has its confirmations. @throws as waitForEntry. */
  waitFor(id: string, options?: WaitOptions): Promise<Confirmed> {
    return waitForEntry((request) => this.transaction(id, request), id, options);
  }

  /** What happens on the node, for `for await`. @throws as readEvents. */
  events(options: EventsOptions = {}): AsyncGenerator<ReceivedEvent, void, void> {
    return readEvents(this.#http, options);
  }

  /** A proof that the entry is in the chain, for verifyProof. 409 `entry-pending` while it is in no block. */
  proof(id: string, { headers, block, ...options }: ProofOptions = {}): Promise<JsonProof> {
    return this.#ask('GET /transactions/:id/proof', { params: { id }, query: { headers, block } }, options);
  }

  /** An OpenTimestamps proof, as it stands in an `.ots` file. */
  otsProof(id: string, { stamped, block, ...options }: OtsOptions = {}): Promise<Uint8Array> {
    const query = queryText({ format: 'ots', stamped, block });
    return this.#http.bytes(`/transactions/${encodeURIComponent(id)}/proof${query}`, options);
  }

  /** A merkleblock as hex digits, as gettxoutproof of Bitcoin Core gives it. */
  merkleBlock(id: string, { block, ...options }: Omit<OtsOptions, 'stamped'> = {}): Promise<string> {
    const query = queryText({ format: 'merkleblock', block });
    return this.#http.text(`/transactions/${encodeURIComponent(id)}/proof${query}`, options);
  }

  async #ask<R extends Route>(route: R, input: InputOf<R>, options?: RequestOptions): Promise<AnswerOf<R>> {
    return (await this.ask(route, input, options)).body;
  }

  async #post<T extends Receipt | Receipts, P extends PreparedEntry | PreparedEntries = PreparedEntry>(
    prepared: P,
    { timeoutMs = SUBMIT_TIMEOUT_MS, signal, onRetry }: Partial<RetryOptions>,
    differenceOf: (prepared: P, receipt: T) => string | undefined,
  ): Promise<T> {
    const attempt = (attemptMs: number): Promise<Receipt | Receipts> =>
      this.#ask('POST /blocks', { body: prepared.body }, { signal, timeoutMs: attemptMs });
    const receipt = (await retry(attempt, { timeoutMs, signal, onRetry })) as T;
    const detail = differenceOf(prepared, receipt);
    if (detail !== undefined) throw new MinichainError({ code: 'other-id', detail });
    return receipt;
  }
}
