import type { PeerCertificate } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { TestAuthority, validFor } from '../../test/support/certs.js';
import { certifiedNodeId, expiryWarning } from './certificate.js';

describe('certifiedNodeId', () => {
  const of = (subject: unknown): string | undefined => certifiedNodeId({ subject } as PeerCertificate);

  it('is the common name', () => {
    expect(of({ CN: 'node_1.example-2' })).toBe('node_1.example-2');
  });

  it('is nothing where there is none, several, or one that is no node id', () => {
    for (const subject of [{}, undefined, { CN: ['node-1', 'node-2'] }, { CN: '' }, { CN: 'a b' }, { CN: 'a\0b' }]) {
      expect(of(subject)).toBeUndefined();
    }
    expect(of({ CN: 'x'.repeat(65) })).toBeUndefined();
    expect(certifiedNodeId(undefined)).toBeUndefined();
  });
});

describe('expiryWarning', () => {
  let authority: TestAuthority;
  beforeAll(async () => {
    authority = await TestAuthority.create();
  });
  const warning = async (fromDays: number, toDays: number): Promise<string | undefined> =>
    expiryWarning((await authority.issue('a', validFor(fromDays, toDays))).cert, Date.now());

  it('comes a month before the end, and after it', async () => {
    expect(await warning(-1, 31)).toBeUndefined();
    expect(await warning(-1, 29.5)).toMatch(/^our certificate runs out on \d{4}-\d\d-\d\d, in 29 days$/);
    expect(await warning(-3, -1)).toMatch(/^our certificate ran out on .* other nodes refuse us$/);
    expect(await warning(1, 400)).toContain('not valid yet');
  });
});
