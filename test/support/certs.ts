import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issueNodeCertificate, type Issued, type Validity } from '../../src/cli/certs/issue.js';
import type { TlsSection } from '../../src/config/node-config.js';

const DAY_MS = 86_400_000;

/** From `fromDays` to `toDays`, counted from now. */
export function validFor(fromDays: number, toDays: number): Validity {
  const at = (days: number): Date => new Date(Date.now() + days * DAY_MS);
  return { notBefore: at(fromDays), notAfter: at(toDays) };
}

/** An authority for tests that issues whatever it is asked for. */
export class TestAuthority {
  private constructor(readonly authority: Issued) {}

  static async create(): Promise<TestAuthority> {
    return new TestAuthority(await createAuthority('test CA', validFor(-10, 10)));
  }

  issue(nodeId: string, validity: Validity = validFor(-1, 1)): Promise<Issued> {
    return issueNodeCertificate(this.authority, nodeId, [], validity);
  }

  async section(nodeId: string, validity?: Validity): Promise<TlsSection> {
    const { cert, key } = await this.issue(nodeId, validity);
    return { ca: this.authority.cert, cert, key: createPrivateKey(key) };
  }

  /** Writes the files of one node; gives the settings for them, as NodeProcess takes them. */
  async settings(directory: string, nodeId: string, validity?: Validity): Promise<Record<string, string>> {
    const { cert, key } = await this.issue(nodeId, validity);
    mkdirSync(directory, { recursive: true });
    const write = (name: string, text: string): string => {
      const path = join(directory, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    return {
      NETWORK_TLS_CA: write('ca.crt', this.authority.cert),
      NETWORK_TLS_CERT: write('node.crt', cert),
      NETWORK_TLS_KEY: write('node.key', key),
    };
  }
}
