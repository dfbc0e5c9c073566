import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { TlsRefusals, tlsReason } from './tls-refusals.js';

describe('tlsReason', () => {
  it.each([
    ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'it shows no certificate'],
    ['CERT_HAS_EXPIRED', 'its certificate has expired'],
    ['certificate has expired', 'its certificate has expired'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', "its certificate is not from this network's authority"],
    ['self-signed certificate in certificate chain', "its certificate is not from this network's authority"],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS'],
    ['connect ECONNREFUSED 127.0.0.1:1', undefined],
    ['ECONNRESET', undefined],
  ])('%s', (text, expected) => {
    expect(tlsReason(text)).toBe(expected);
  });
});

describe('TlsRefusals', () => {
  it('tells of each peer once a minute, and how many more there were', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
    const clock = new VirtualClock();
    const refusals = new TlsRefusals(log, clock);
    for (let i = 0; i < 100; i++) refusals.tell('10.0.0.1', 'it shows no certificate', 'CODE');
    refusals.tell('10.0.0.2', 'it shows no certificate', 'CODE');
    expect(lines).toHaveLength(2);
    await clock.advance(60_000);
    refusals.tell('10.0.0.1', 'it shows no certificate', 'CODE');
    expect(lines).toHaveLength(4);
    expect(lines[2]).toContain('Left out 99 more lines about failed TLS handshakes from 10.0.0.1');
    expect(JSON.parse(lines[3]!)).toMatchObject({
      address: '10.0.0.1',
      reason: 'it shows no certificate',
      msg: expect.stringMatching(/^Peer at .* not accepted: /),
    });
  });
});
