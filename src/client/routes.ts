import type { ChainPage, HeaderPage, NetworkView, StoredBlock } from '../chain/chain-schemas.js';
import type { Forks } from '../chain/fork-schemas.js';
import type { LabView, LinkInput, MiningRequest, PartitionInput, ProcessInput } from '../lab/lab-schemas.js';
import type { AuthorPage, MempoolPage, Receipt, Receipts, TransactionStatus } from '../mempool/mempool-schemas.js';
import type { MinedBlocks } from '../miner/miner-schemas.js';
import type { Health, Status } from '../ops/status-schemas.js';
import type { Bans, LiftedBans, PeerLink, Peers, SyncView } from '../peers/peers-schemas.js';
import type { JsonProof } from '../proofs/offline/json-proof.js';
import type { ProofQuery } from '../proofs/proof-schemas.js';

/** What POST /blocks takes. */
export interface PostedEntry {
  /** The text; a list posts an entry for each text, all of them or none. */
  readonly data: string | readonly string[];
  /** Milliseconds since the epoch. */
  readonly timestamp?: number | undefined;
  /** As hex digits. */
  readonly salt?: string | undefined;
  /** An SSH signature of the text. */
  readonly signature?: string | undefined;
}

interface PageQuery {
  readonly from?: number | undefined;
  readonly limit?: number | undefined;
}

/**
 * The routes of a node that answer JSON: what each takes in its query and its body, and what it answers, by the types of the
 * node's own schemas. Other forms (`format=`) and the event stream are methods of the client.
 */
export interface Routes {
  'GET /status': { answer: Status };
  'GET /health/live': { answer: Health };
  'GET /health/ready': { answer: Health };
  'GET /network': { answer: NetworkView };
  'GET /chain': { query: PageQuery; answer: ChainPage };
  'GET /headers': { query: PageQuery; answer: HeaderPage };
  'GET /forks': { query: { readonly from?: number | undefined; readonly to?: number | undefined }; answer: Forks };
  'GET /blocks/:id': { answer: StoredBlock };
  'POST /blocks': { body: PostedEntry; answer: Receipt | Receipts };
  'GET /transactions': { query: PageQuery & { readonly author: string }; answer: AuthorPage };
  'GET /transactions/:id': { answer: TransactionStatus };
  'GET /transactions/:id/proof': { query: Pick<ProofQuery, 'headers' | 'block'>; answer: JsonProof };
  'GET /mempool': {
    query: {
      readonly offset?: number | undefined;
      readonly limit?: number | undefined;
      readonly author?: string | undefined;
    };
    answer: MempoolPage;
  };
  'POST /mine': { body: { readonly blocks: number }; answer: MinedBlocks };
  'GET /peers': { answer: Peers };
  'POST /peers/:id/disconnect': { answer: PeerLink };
  'POST /peers/:id/connect': { answer: PeerLink };
  'GET /peers/bans': { answer: Bans };
  'DELETE /peers/bans/:subject': { answer: LiftedBans };
  'GET /sync': { answer: SyncView };
  'POST /sync': { answer: SyncView };
  'GET /lab': { answer: LabView };
  'POST /lab/partition': { body: PartitionInput; answer: LabView };
  'POST /lab/links/:id': { body: LinkInput; answer: LabView };
  'DELETE /lab/links/:id': { answer: LabView };
  'POST /lab/mining': { body: MiningRequest; answer: LabView };
  'POST /lab/nodes/:id/:verb': { body?: ProcessInput; answer: LabView };
  'POST /lab/heal': { answer: LabView };
  'POST /lab/reset': { answer: LabView };
}

/** Such as "GET /chain". */
export type Route = keyof Routes;

export type AnswerOf<R extends Route> = Routes[R]['answer'];
export type QueryOf<R extends Route> = Routes[R] extends { readonly query: infer Query } ? Query : unknown;
export type BodyOf<R extends Route> = Routes[R] extends { readonly body?: infer Body } ? Body : undefined;

type NamesIn<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | NamesIn<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;
type ParamsOf<Names extends string> = [Names] extends [never]
  ? unknown
  : { readonly params: Readonly<Record<Names, string | number>> };

/** What a request of the route has to be given. */
export type InputOf<R extends Route> = ParamsOf<NamesIn<R>> &
  (Routes[R] extends { readonly query: infer Query }
    ? Partial<Query> extends Query
      ? { readonly query?: Query | undefined }
      : { readonly query: Query }
    : unknown) &
  Pick<Routes[R], keyof Routes[R] & 'body'>;

interface AnyInput {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined;
  readonly body?: unknown;
}

/** The request that asks for a route. */
export function requestOf<R extends Route>(
  route: R,
  input: InputOf<R>,
): { method: string; path: string; body: unknown } {
  const { params = {}, query = {}, body } = input as AnyInput;
  const [method, template] = route.split(' ') as [string, string];
  const path = template.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name]!));
  return { method, path: path + queryText(query), body };
}

/** "?from=1&limit=2"; nothing for what is undefined. */
export function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${given.map(([name, value]) => `${name}=${encodeURIComponent(value!)}`).join('&')}`;
}
