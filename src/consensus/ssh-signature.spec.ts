import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSignedBy } from './ed25519.js';
import {
  allowedSignersLine,
  bytesToSign,
  decodeArmour,
  encodeArmour,
  fingerprintOf,
  publicKeyLine,
  type DecodedArmour,
} from './ssh-signature.js';

// Made by OpenSSH 9.2: ssh-keygen -Y sign -n minichain/aa over the bytes of DATA; its key as in the .pub file, and as -l prints it.
const DATA = 'a signed entry';
const NAMESPACE = 'minichain/aa';
const ARMOUR = `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgatSI05qCbH+f5RyPcVmw3boXRR
aK/o3fSZjQW41l0IsAAAAMbWluaWNoYWluL2FhAAAAAAAAAAZzaGE1MTIAAABTAAAAC3Nz
aC1lZDI1NTE5AAAAQB+ZdSx291Iw9wtvYrDBKni7LxoI0lkZkCmW3LAZXbvl0Q0p21Jbud
OxSI+VuVJt8wALgZfOB/MVTQzzA55klAg=
-----END SSH SIGNATURE-----
`;
const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrUiNOagmx/n+Ucj3FZsN26F0UWiv6N30mY0FuNZdCL';
const FINGERPRINT = 'SHA256:C2rnZhZ0yty1/cUMHUX8t8NDFmrIt4JPtmNxyQxU4Cg';
const ECDSA = `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE
EEGMCzu2aaccRlk/KRsV7qr1BcW9PrfVuZK4XdCsEJFlQBX7LjaOa6eIgkm36ukIo2AeWD
qRh9w9JthViDQup30AAAAAxtaW5pY2hhaW4vYWEAAAAAAAAABnNoYTUxMgAAAGQAAAATZW
Nkc2Etc2hhMi1uaXN0cDI1NgAAAEkAAAAgJ+He/59cn2NtB4u8M7cXqjWjQGSf3m4dRpzq
wPKE7oAAAAAhAMD6zZkyl9wF+PPeJIO3E0GmuORVCJ6EEkvM7mNEI9M3
-----END SSH SIGNATURE-----
`;
const SHA256 = `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgatSI05qCbH+f5RyPcVmw3boXRR
aK/o3fSZjQW41l0IsAAAAMbWluaWNoYWluL2FhAAAAAAAAAAZzaGEyNTYAAABTAAAAC3Nz
aC1lZDI1NTE5AAAAQOvRO704gWGwxYqTkrvVdDfCLNv9tm84PHEY3ZbLxKmLZ3TSRJi3fk
PPTA4n0bok0ycAkyOHE7PsZstNSshTdg4=
-----END SSH SIGNATURE-----
`;

function decoded(armour = ARMOUR): Extract<DecodedArmour, { kind: 'decoded' }> {
  const outcome = decodeArmour(armour);
  if (outcome.kind !== 'decoded') throw new Error(outcome.reason);
  return outcome;
}

const string = (value: string | Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return Buffer.concat([length, Buffer.from(value)]);
};

/** An armour field by field: what ssh-keygen would not make. */
function armourOf(fields: {
  readonly keyType?: string;
  readonly hash?: string;
  readonly reserved?: string;
  readonly version?: number;
  readonly keyBytes?: number;
  readonly end?: string;
}): string {
  const { keyType = 'ssh-ed25519', hash = 'sha512', reserved = '', version = 1, keyBytes = 32, end = '' } = fields;
  const blob = Buffer.concat([
    Buffer.from('SSHSIG'),
    Buffer.from([0, 0, 0, version]),
    string(Buffer.concat([string(keyType), string(Buffer.alloc(keyBytes))])),
    string(NAMESPACE),
    string(reserved),
    string(hash),
    string(Buffer.concat([string(keyType), string(Buffer.alloc(64))])),
    Buffer.from(end),
  ]);
  return `-----BEGIN SSH SIGNATURE-----\n${blob.toString('base64')}\n-----END SSH SIGNATURE-----\n`;
}

describe('an SSH signature', () => {
  it('that ssh-keygen made is read, verified and made again byte for byte', () => {
    const { publicKey, signature, namespace } = decoded();
    expect(namespace).toBe(NAMESPACE);
    expect(isSignedBy(bytesToSign(Buffer.from(DATA), NAMESPACE), publicKey, signature)).toBe(true);
    expect(encodeArmour({ publicKey, signature }, NAMESPACE)).toBe(ARMOUR);
    expect(publicKeyLine(publicKey)).toBe(PUBLIC_KEY);
    expect(fingerprintOf(publicKey)).toBe(FINGERPRINT);
    expect(allowedSignersLine('alice', publicKey, NAMESPACE)).toBe(`alice namespaces="${NAMESPACE}" ${PUBLIC_KEY}\n`);
  });

  it('is not that of other data or another namespace', () => {
    const { publicKey, signature } = decoded();
    const isValid = (data: string, namespace: string): boolean =>
      isSignedBy(bytesToSign(Buffer.from(data), namespace), publicKey, signature);
    expect(isValid(`${DATA}\n`, NAMESPACE)).toBe(false);
    expect(isValid(DATA, 'minichain/ab')).toBe(false);
  });

  it.each([
    ['CR LF', ARMOUR.replaceAll('\n', '\r\n')],
    ['no line break at the end', ARMOUR.trimEnd()],
    ['white space around it', `\n  ${ARMOUR}\n\n`],
    ['one long line', ARMOUR.replaceAll(/(?<=[A-Za-z0-9+/])\n(?=[A-Za-z0-9+/])/g, '')],
  ])('may have %s', (_name, armour) => {
    expect(decoded(armour)).toEqual(decoded());
  });

  it.each([
    ['of an ECDSA key', ECDSA, 'unsupported', /an ECDSA key \("ecdsa-sha2-nistp256"\)/],
    ['of an RSA key', armourOf({ keyType: 'ssh-rsa' }), 'unsupported', /an RSA key \("ssh-rsa"\), and only Ed25519/],
    ['of a DSA key', armourOf({ keyType: 'ssh-dss' }), 'unsupported', /a DSA key/],
    [
      'of a security token',
      armourOf({ keyType: 'sk-ssh-ed25519@openssh.com' }),
      'unsupported',
      /a key of a security token \("sk-ssh-ed25519@openssh.com"\)/,
    ],
    ['of an unknown key', armourOf({ keyType: 'ssh-\u0007x' }), 'unsupported', /a key \("ssh-\?x"\)/],
    ['with SHA-256', SHA256, 'unsupported', /its hash is "sha256", and only sha512 is taken/],
    ['of version 2', armourOf({ version: 2 }), 'unsupported', /version 2/],
    ['with a reserved field', armourOf({ reserved: 'x' }), 'unsupported', /reserved field is not empty/],
    ['with a short key', armourOf({ keyBytes: 31 }), 'malformed', /got 31 and 64/],
    ['with bytes behind it', armourOf({ end: 'xyz' }), 'malformed', /3 bytes too many/],
    ['with text behind it', `${ARMOUR}more`, 'malformed', /nothing may stand around it/],
    ['with text before it', `see: ${ARMOUR}`, 'malformed', /nothing may stand around it/],
    ['without an end', ARMOUR.replace('-----END SSH SIGNATURE-----', ''), 'malformed', /must begin with/],
    ['that is something else', 'hello', 'malformed', /must begin with/],
    ['that is empty', '', 'malformed', /must begin with/],
    ['without content', ARMOUR.replaceAll(/^[A-Za-z0-9+/=]+\n/gm, ''), 'malformed', /not base64/],
    ['that is not base64', ARMOUR.replace('U1NI', 'U1N!'), 'malformed', /not base64/],
    ['with padding left out', ARMOUR.replace('=\n', '\n'), 'malformed', /not base64/],
    ['of other bytes', ARMOUR.replace('U1NIU0lH', 'U1NIU0lI'), 'malformed', /do not begin with "SSHSIG"/],
    [
      'that is cut off',
      armourOf({}).replace(/^[A-Za-z0-9+/=]+$/m, (line) => line.slice(0, 200)),
      'malformed',
      /ends \d+ bytes too early/,
    ],
  ])('is refused %s', (_name, armour, kind, reason) => {
    expect(decodeArmour(armour)).toEqual({ kind, reason: expect.stringMatching(reason) });
  });

  it('goes there and back, and any changed byte gives an outcome', () => {
    const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(bytes(32), bytes(64), fc.string({ maxLength: 80 }), fc.nat(), (publicKey, signature, name, place) => {
        const armour = encodeArmour({ publicKey, signature }, name);
        const back = decoded(armour);
        expect([back.namespace, Buffer.from(publicKey), Buffer.from(signature)]).toEqual([
          name.toWellFormed(),
          back.publicKey,
          back.signature,
        ]);
        const at = place % armour.length;
        const changed = `${armour.slice(0, at)}${armour[at] === 'A' ? 'B' : 'A'}${armour.slice(at + 1)}`;
        expect(['decoded', 'malformed', 'unsupported']).toContain(decodeArmour(changed).kind);
      }),
    );
  });
});
