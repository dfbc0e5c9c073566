import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeConfig } from '../config/node-config.js';

const COOKIE_USER = '__cookie__';
export const COOKIE_FILE = '.cookie';

/** Who may call: the configured user, or whoever can read the cookie file, which is new at each start. */
export class RpcCredentials {
  readonly #digest: Buffer;
  readonly #cookiePath: string | undefined;

  /** Writes the cookie file into the data directory, readable by its owner alone, if no user is configured. */
  constructor({ rpc, node }: Pick<NodeConfig, 'rpc' | 'node'>) {
    const isConfigured = rpc.user !== undefined && rpc.password !== undefined;
    const pair = isConfigured ? `${rpc.user}:${rpc.password}` : `${COOKIE_USER}:${randomBytes(32).toString('hex')}`;
    this.#digest = digestOf(pair);
    if (isConfigured || node.dataDir === ':memory:') return;
    this.#cookiePath = join(node.dataDir, COOKIE_FILE);
    // Never half a cookie under its name, whoever reads meanwhile.
    writeFileSync(`${this.#cookiePath}.tmp`, pair, { mode: 0o600 });
    renameSync(`${this.#cookiePath}.tmp`, this.#cookiePath);
  }

  /** @param authorization the header of a request. */
  areIn(authorization: string | undefined): boolean {
    const [, encoded] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '') ?? [];
    if (encoded === undefined) return false;
    return timingSafeEqual(digestOf(Buffer.from(encoded, 'base64')), this.#digest);
  }

  /** Removes the cookie file. */
  close(): void {
    if (this.#cookiePath !== undefined) rmSync(this.#cookiePath, { force: true });
  }
}

/** Of equal length, whatever was sent. */
function digestOf(pair: string | Buffer): Buffer {
  return createHash('sha256').update(pair).digest();
}
