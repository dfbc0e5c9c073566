import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { mirrorGauge } from '../common/mirror.js';
import { REGISTRY } from '../common/tokens.js';
import type { BodyCase, MessageKind } from './messages.js';
import { RATE_LIMITS } from './rate-limits.js';
import { PENALTIES } from './scoring.js';
import type { TrafficMeter, UnknownRole } from './session.js';
import type { SyncStatus } from './sync.js';

/** Hello and Proof have no rate limit because they come once; limits of items are limits of what a message holds. */
const MESSAGE_TYPES = ['hello', 'proof', ...Object.keys(RATE_LIMITS).filter((kind) => !kind.endsWith('Items'))];

const UNKNOWN_ROLES: readonly UnknownRole[] = ['notification', 'request', 'answer'];

/** The shortest is a neighbour on the same machine, the longest a large block over a slow line around the world. */
const PROPAGATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What the gauges read of one peer. */
interface PeerGauges {
  readonly nodeId: string;
  readonly direction: string;
  readonly latencyMs: number | undefined;
  readonly session: { readonly pendingRequests: number; readonly queuedBytes: number };
  readonly known: { readonly size: number };
}

/** What the gauges read at each scrape. */
export interface PeersMetricsSource {
  peers(): Iterable<PeerGauges>;
  knownAddresses(): number;
  bannedSubjects(): number;
  syncStatus(): SyncStatus;
}

@Injectable()
export class PeersMetrics implements TrafficMeter {
  readonly #messages: Counter<'type' | 'direction'>;
  readonly #bytes: Counter<'type' | 'direction'>;
  readonly #misbehaviour: Counter<'code'>;
  readonly #bans: Counter;
  readonly #unknown: Counter<'role'>;
  readonly #dropped: Counter<'type'>;
  readonly #evictions: Counter;
  readonly #propagation: Histogram;

  constructor(@Inject(REGISTRY) private readonly registry: Registry) {
    const registers = [registry];
    this.#messages = new Counter({
      name: 'minichain_peer_messages_total',
      help: 'Messages between nodes by type and direction (sent, received); type unknown is a body from a newer version.',
      labelNames: ['type', 'direction'],
      registers,
    });
    this.#bytes = new Counter({
      name: 'minichain_peer_message_bytes_total',
      help: 'Encoded bytes of messages between nodes by type and direction.',
      labelNames: ['type', 'direction'],
      registers,
    });
    this.#misbehaviour = new Counter({
      name: 'minichain_peer_misbehaviour_total',
      help: 'Rules broken by peers, by rule code.',
      labelNames: ['code'],
      registers,
    });
    this.#bans = new Counter({ name: 'minichain_peer_bans_total', help: 'Bans imposed on peers.', registers });
    this.#unknown = new Counter({
      name: 'minichain_peer_unknown_messages_total',
      help: 'Messages ignored because this version does not know their body, by role (notification, request, answer).',
      labelNames: ['role'],
      registers,
    });
    this.#dropped = new Counter({
      name: 'minichain_peer_messages_dropped_total',
      help: 'Messages of peers ignored because they exceeded the rate limits, by type.',
      labelNames: ['type'],
      registers,
    });
    this.#evictions = new Counter({
      name: 'minichain_peer_evictions_total',
      help: 'Inbound peers evicted to free a slot.',
      registers,
    });
    this.#propagation = new Histogram({
      name: 'minichain_block_propagation_seconds',
      help: 'Time from sending a new block to a peer until the peer confirmed it, by our own clock alone.',
      buckets: PROPAGATION_BUCKETS_SECONDS,
      registers,
    });
    // rate() and increase() do not see the first event of a series that begins with it.
    for (const type of MESSAGE_TYPES) {
      for (const direction of ['sent', 'received'] as const) this.#count(type, direction, 0, 0);
      this.#dropped.inc({ type }, 0);
    }
    for (const role of UNKNOWN_ROLES) this.#unknown.inc({ role }, 0);
    for (const code of Object.keys(PENALTIES)) this.#misbehaviour.inc({ code }, 0);
  }

  sent(kind: BodyCase, bytes: number): void {
    this.#count(kind, 'sent', bytes);
  }

  received(kind: MessageKind, bytes: number): void {
    this.#count(kind, 'received', bytes);
  }

  receivedUnknown(role: UnknownRole): void {
    this.#unknown.inc({ role });
  }

  penalised(code: string, banned: boolean): void {
    this.#misbehaviour.inc({ code });
    if (banned) this.#bans.inc();
  }

  dropped(kind: MessageKind): void {
    this.#dropped.inc({ type: kind });
  }

  evicted(): void {
    this.#evictions.inc();
  }

  /** A peer has accepted a block that we announced, or had it already. */
  delivered(tookMs: number): void {
    this.#propagation.observe(tookMs / 1000);
  }

  /** Registers the gauges that mirror state. */
  observe(source: PeersMetricsSource): void {
    const registers = [this.registry];
    new Gauge({
      name: 'minichain_peers_connected',
      help: 'Open sessions by direction.',
      labelNames: ['direction'],
      registers,
      collect() {
        const peers = [...source.peers()];
        for (const direction of ['inbound', 'outbound']) {
          this.set({ direction }, peers.filter((peer) => peer.direction === direction).length);
        }
      },
    });
    new Gauge({
      name: 'minichain_peer_latency_seconds',
      help: 'Round trip of the last heartbeat, by peer.',
      labelNames: ['peer'],
      registers,
      collect() {
        this.reset();
        for (const { nodeId, latencyMs } of source.peers()) {
          if (latencyMs !== undefined) this.set({ peer: nodeId }, latencyMs / 1000);
        }
      },
    });
    const mirror = (name: string, help: string, read: () => number): void =>
      mirrorGauge(this.registry, name, help, read);
    const total = (read: (peer: PeerGauges) => number): number =>
      [...source.peers()].reduce((sum, peer) => sum + read(peer), 0);
    mirror('minichain_peer_requests_pending', 'Requests to peers that wait for an answer.', () =>
      total(({ session }) => session.pendingRequests),
    );
    mirror('minichain_peer_outgoing_bytes', 'Bytes queued until peers read them.', () =>
      total(({ session }) => session.queuedBytes),
    );
    mirror('minichain_peer_seen_items', 'Blocks and entries remembered as known to peers.', () =>
      total(({ known }) => known.size),
    );
    mirror('minichain_peers_known', 'Addresses in the peer book.', () => source.knownAddresses());
    mirror('minichain_peers_banned', 'Nodes and hosts that are banned now.', () => source.bannedSubjects());
    mirror('minichain_sync_active', '1 while headers or blocks are being fetched.', () =>
      source.syncStatus().state === 'idle' ? 0 : 1,
    );
    mirror(
      'minichain_sync_progress_ratio',
      'Completed share of the present sync, 0 to 1.',
      () => source.syncStatus().progress,
    );
    mirror(
      'minichain_sync_target_height',
      'Target height of the present sync.',
      () => source.syncStatus().targetHeight,
    );
    mirror(
      'minichain_sync_blocks_per_second',
      'Blocks connected per second in the present or last sync.',
      () => source.syncStatus().blocksPerSecond,
    );
  }

  #count(type: string, direction: 'sent' | 'received', bytes: number, messages = 1): void {
    this.#messages.inc({ type, direction }, messages);
    this.#bytes.inc({ type, direction }, bytes);
  }
}
