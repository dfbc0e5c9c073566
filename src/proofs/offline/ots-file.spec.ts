import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasVectors, readVector, vectorsNote } from '../../../test/support/bitcoin.js';
import { failedCheck } from '../../../test/support/proof-rig.js';
import { sha256 } from '../../consensus/hash.js';
import { decodeOts, encodeOts, type OtsStep } from './ots-file.js';

const steps: fc.Arbitrary<OtsStep[]> = fc.array(
  fc.oneof(
    fc.constantFrom<OtsStep>({ op: 'sha256' }, { op: 'sha1' }, { op: 'reverse' }),
    fc.record({
      op: fc.constantFrom('append' as const, 'prepend' as const),
      argument: fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    }),
  ),
  { maxLength: 60 },
);

describe('an OpenTimestamps file', () => {
  it('reads what it has written', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (path, height) => {
        const digest = sha256(Buffer.from('file'));
        const decoded = decodeOts(encodeOts(digest, path, height));
        expect(decoded).toEqual({
          hash: 'sha256',
          digest,
          paths: [{ steps: path, attestation: { kind: 'bitcoin', height } }],
        });
      }),
    );
  });

  it('is refused at every length but its own, and with anything after it', () => {
    const whole = encodeOts(sha256(Buffer.from('file')), [{ op: 'append', argument: Buffer.from('x') }], 812);
    for (let length = 0; length < whole.length; length++) {
      expect(failedCheck(() => decodeOts(whole.subarray(0, length)))).toBe('format');
    }
    expect(failedCheck(() => decodeOts(Buffer.concat([whole, Buffer.from([0])])))).toBe('format');
  });

  it('never takes other bytes for more than a broken proof', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const whole = encodeOts(sha256(Buffer.from('file')), [], 1);
        const cut = Buffer.concat([whole.subarray(0, 65), bytes]);
        expect(['format', 'holds']).toContain(failedCheck(() => decodeOts(cut)));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe.skipIf(!hasVectors)(`real OpenTimestamps proofs${vectorsNote}`, () => {
  // As Debian's python3-opentimestamps reads them.
  it.each([
    ['hello-world.txt', ['bitcoin 358391']],
    ['bad-stamp.txt', ['bitcoin 358391']],
    ['empty', ['bitcoin 129405']],
    ['bitcoin.pdf', ['bitcoin 465751']],
    ['incomplete.txt', ['pending https://alice.btc.calendar.opentimestamps.org']],
    ['known-and-unknown-notary.txt', ['pending https://bob.btc.calendar.opentimestamps.org', 'tag 0102030405060708']],
    [
      'merkle1.txt',
      ['pending https://alice.btc.calendar.opentimestamps.org', 'pending https://bob.btc.calendar.opentimestamps.org'],
    ],
    [
      'two-calendars.txt',
      ['pending https://alice.btc.calendar.opentimestamps.org', 'pending https://bob.btc.calendar.opentimestamps.org'],
    ],
    ['unknown-notary.txt', ['tag 0102030405060708']],
    [
      'different-blockchains.txt',
      ['pending https://eth.ots.eternitywall.com', 'Ethereum', 'pending https://ots.eternitywall.it', 'bitcoin 455605'],
    ],
  ])('%s names %j', (name, attested) => {
    const { paths } = decodeOts(readVector(`ots/${name}.ots`));
    const shown = paths.map(({ attestation: it }) =>
      it.kind === 'bitcoin' ? `bitcoin ${it.height}` : it.kind === 'pending' ? `pending ${it.uri}` : it.name,
    );
    expect(shown).toEqual(attested);
  });

  it('name the files that they stamp', () => {
    for (const name of [
      'hello-world.txt',
      'empty',
      'incomplete.txt',
      'merkle2.txt',
      'merkle3.txt',
      'two-calendars.txt',
    ]) {
      const { hash, digest } = decodeOts(readVector(`ots/${name}.ots`));
      expect([name, hash, digest]).toEqual([name, 'sha256', sha256(readVector(`ots/${name}`))]);
    }
  });

  it.each(['bad-major-version', 'exceeds-max-msg-length', 'invalid-file-digest-type'])('%s is refused', (name) => {
    expect(failedCheck(() => decodeOts(readVector(`ots/invalid/${name}.ots`)))).toBe('format');
  });
});
