import type { Database } from 'better-sqlite3';
import { PassingFault } from '../common/faults.js';
import { createTransact } from '../storage/database.js';
import type { KeyId } from './node-key.js';

export interface AddressRow {
  readonly address: string;
  readonly source: string;
  readonly nodeId: string | null;
  readonly key: KeyId | null;
  readonly lastSeenMs: number | null;
}

export interface BanRow {
  /** "node:<key>" or "host:<address>". */
  readonly subject: string;
  /** Wall time. */
  readonly untilMs: number;
  readonly code: string;
}

/** Row of `meta`: addresses separated by spaces, which they cannot contain. */
const ANCHORS_KEY = 'peer_anchors';

/** Rows that wait to be written; more than the address book and the list of bans hold. */
const MAX_UNWRITTEN = 20_000;

/**
 * Addresses and bans on disk. They only help the next start, so a failed write is reported to `onFault` and made again
 * later: a full disk must not end sessions with peers.
 */
export class PeerStore {
  readonly #transact: (work: () => void) => void;
  /** By the row that each is about; the oldest first. */
  readonly #unwritten = new Map<string, () => void>();
  #isPassing = false;

  constructor(
    private readonly database: Database,
    private readonly onFault: (error: Error) => void,
  ) {
    this.#transact = createTransact(database);
  }

  /**
   * Makes the writes again that a passing fault prevented, such as another program's lock. After any other fault they are
   * made with the next write.
   */
  retry(): void {
    if (this.#isPassing) this.#writeAll();
  }

  loadAddresses(): AddressRow[] {
    return this.database
      .prepare<[], AddressRow>(
        `SELECT address, source, node_id AS nodeId, key, last_seen_ms AS lastSeenMs FROM peers
         ORDER BY last_seen_ms DESC, address`,
      )
      .all();
  }

  saveAddress(row: AddressRow): void {
    this.#write(
      `address ${row.address}`,
      `INSERT INTO peers (address, source, node_id, key, last_seen_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (address) DO UPDATE SET source = excluded.source, node_id = excluded.node_id, key = excluded.key,
         last_seen_ms = excluded.last_seen_ms`,
      row.address,
      row.source,
      row.nodeId,
      row.key,
      row.lastSeenMs,
    );
  }

  deleteAddress(address: string): void {
    this.#write(`address ${address}`, 'DELETE FROM peers WHERE address = ?', address);
  }

  /** Bans that last beyond `nowMs`, which is wall time. */
  loadBans(nowMs: number): BanRow[] {
    return this.database
      .prepare<[number], BanRow>('SELECT subject, until_ms AS untilMs, code FROM bans WHERE until_ms > ?')
      .all(nowMs);
  }

  saveBan(ban: BanRow): void {
    this.#write(
      `ban ${ban.subject}`,
      `INSERT INTO bans (subject, until_ms, code) VALUES (?, ?, ?)
       ON CONFLICT (subject) DO UPDATE SET until_ms = excluded.until_ms, code = excluded.code`,
      ban.subject,
      ban.untilMs,
      ban.code,
    );
  }

  deleteBan(subject: string): void {
    this.#write(`ban ${subject}`, 'DELETE FROM bans WHERE subject = ?', subject);
  }

  deleteExpiredBans(nowMs: number): void {
    this.#write('expired bans', 'DELETE FROM bans WHERE until_ms <= ?', nowMs);
  }

  /** Addresses to be dialled first after a start, as saved last. */
  loadAnchors(): string[] {
    const value = this.database.prepare('SELECT value FROM meta WHERE key = ?').pluck().get(ANCHORS_KEY);
    return typeof value === 'string' && value !== '' ? value.split(' ') : [];
  }

  saveAnchors(addresses: readonly string[]): void {
    this.#write(
      'anchors',
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      ANCHORS_KEY,
      addresses.join(' '),
    );
  }

  /** @param row what the statement is about: a later write takes the place of an earlier one that is still to be made. */
  #write(row: string, sql: string, ...values: readonly (string | number | null)[]): void {
    this.#unwritten.delete(row);
    this.#unwritten.set(row, () => this.database.prepare(sql).run(...values));
    if (this.#unwritten.size > MAX_UNWRITTEN) this.#unwritten.delete(this.#unwritten.keys().next().value!);
    this.#writeAll();
  }

  #writeAll(): void {
    try {
      this.#transact(() => {
        for (const write of this.#unwritten.values()) write();
      });
      this.#unwritten.clear();
      this.#isPassing = false;
    } catch (error) {
      this.#isPassing = error instanceof PassingFault;
      this.onFault(error as Error);
    }
  }
}
