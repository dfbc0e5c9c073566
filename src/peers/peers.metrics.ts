import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, type Registry } from 'prom-client';
import { REGISTRY } from '../common/tokens.js';
import type { BodyCase } from './messages.js';
import type { TrafficMeter } from './session.js';
import type { SyncStatus } from './sync.js';

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
  readonly #dropped: Counter<'type'>;
  readonly #evictions: Counter;

  constructor(@Inject(REGISTRY) private readonly registry: Registry) {
    const registers = [registry];
    this.#messages = new Counter({
      name: 'minichain_peer_messages_total',
      help: 'Messages between nodes by type and direction (sent, received).',
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
      help: 'Broken rules by peers, by rule code.',
      labelNames: ['code'],
      registers,
    });
    this.#bans = new Counter({ name: 'minichain_peer_bans_total', help: 'Bans given.', registers });
    this.#dropped = new Counter({
      name: 'minichain_peer_messages_dropped_total',
      help: 'Messages of peers that were not handled because they were above the rate limits, by type.',
      labelNames: ['type'],
      registers,
    });
    this.#evictions = new Counter({
      name: 'minichain_peer_evictions_total',
      help: 'Useless inbound peers that had to make room for others.',
      registers,
    });
  }

  sent(kind: BodyCase, bytes: number): void {
    this.#count(kind, 'sent', bytes);
  }

  received(kind: BodyCase, bytes: number): void {
    this.#count(kind, 'received', bytes);
  }

  penalised(code: string, banned: boolean): void {
    this.#misbehaviour.inc({ code });
    if (banned) this.#bans.inc();
  }

  dropped(kind: BodyCase): void {
    this.#dropped.inc({ type: kind });
  }

  evicted(): void {
    this.#evictions.inc();
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
    const mirror = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    };
    const total = (read: (peer: PeerGauges) => number): number =>
      [...source.peers()].reduce((sum, peer) => sum + read(peer), 0);
    mirror('minichain_peer_requests_pending', 'Requests to peers that wait for an answer.', () =>
      total(({ session }) => session.pendingRequests),
    );
    mirror('minichain_peer_outgoing_bytes', 'Bytes that wait until peers read.', () =>
      total(({ session }) => session.queuedBytes),
    );
    mirror('minichain_peer_seen_items', 'Blocks and entries remembered as known to peers.', () =>
      total(({ known }) => known.size),
    );
    mirror('minichain_peers_known', 'Addresses in the peer book.', () => source.knownAddresses());
    mirror('minichain_peers_banned', 'Nodes and hosts banned at present.', () => source.bannedSubjects());
    mirror('minichain_sync_active', '1 while headers or blocks are being fetched.', () =>
      source.syncStatus().state === 'idle' ? 0 : 1,
    );
    mirror(
      'minichain_sync_progress',
      'Share of the present sync that is done, 0 to 1.',
      () => source.syncStatus().progress,
    );
    mirror(
      'minichain_sync_target_height',
      'Height that the present sync leads to.',
      () => source.syncStatus().targetHeight,
    );
    mirror(
      'minichain_sync_blocks_per_second',
      'Rate of the present or last sync.',
      () => source.syncStatus().blocksPerSecond,
    );
  }

  #count(type: BodyCase, direction: 'sent' | 'received', bytes: number): void {
    this.#messages.inc({ type, direction });
    this.#bytes.inc({ type, direction }, bytes);
  }
}
