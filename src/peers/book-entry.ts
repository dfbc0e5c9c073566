import { isKeyId, type KeyId } from './node-key.js';

const BOOTSTRAP_RETRY_LIMIT_MS = 10_000;
/** Learnt addresses where a node has answered before, and where none ever has. */
const REACHED_RETRY_LIMIT_MS = 60_000;
const UNREACHED_RETRY_LIMIT_MS = 300_000;

/** An address in the peer book. */
export interface Entry {
  readonly address: string;
  readonly host: string;
  source: 'bootstrap' | 'learnt';
  /** Found behind a bootstrap name. */
  isSeed: boolean;
  /** The node that answered there last, and its label. */
  key: KeyId | undefined;
  nodeId: string | undefined;
  /** A connected node that says it can be dialled there; unproven. */
  claimedBy: KeyId | undefined;
  /** The range of the node that told of the address; undefined where that does not count. */
  teller: string | undefined;
  /** Wall time, for people and for the next start. */
  lastSeenMs: number | undefined;
  /** The same moment in monotonic time; negative if that was long before this process began. */
  answeredAtMs: number | undefined;
  failures: number;
  /** Monotonic. */
  nextDialMs: number;
  /** When the node last said that it has no slot for us. Monotonic. */
  fullAtMs?: number;
  /** A name that leads to several nodes, or to ourselves: at present the address of no single other node. */
  leadsElsewhere: boolean;
}

/** What is known of an address, for GET /peers and for other nodes. */
export type KnownAddress = Readonly<
  Pick<Entry, 'address' | 'source' | 'key' | 'nodeId' | 'lastSeenMs' | 'answeredAtMs'>
>;

/** @param name a node id or a key. */
export function isNamed({ key, nodeId }: Entry, name: string): boolean {
  return isKeyId(name) ? key === name : nodeId === name;
}

export function retryLimitMs({ source, lastSeenMs }: Entry): number {
  if (source === 'bootstrap') return BOOTSTRAP_RETRY_LIMIT_MS;
  return lastSeenMs === undefined ? UNREACHED_RETRY_LIMIT_MS : REACHED_RETRY_LIMIT_MS;
}
