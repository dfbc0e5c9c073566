import { createHash, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { encodeSignedTransaction, type SignedTransaction } from '../../src/consensus/signed-entry.js';
import { bytesToSign, encodeArmour, signatureNamespace } from '../../src/consensus/ssh-signature.js';

/** An Ed25519 key for tests. */
export interface TestKey {
  readonly privateKey: KeyObject;
  /** 32 bytes. */
  readonly publicKey: Buffer;
}

/** The same key for the same name, in every run. */
export function testKey(name: string): TestKey {
  const seed = createHash('sha256').update(name).digest();
  // PrivateKeyInfo of RFC 8410.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x } = privateKey.export({ format: 'jwk' });
  return { privateKey, publicKey: Buffer.from(x!, 'base64url') };
}

const alice = testKey('alice');

/** An entry that is signed for the network with this genesis. */
export function signedEntry(data: string, genesis: string, key: TestKey = alice): SignedTransaction {
  const message = bytesToSign(Buffer.from(data), signatureNamespace(genesis));
  return encodeSignedTransaction(data, { publicKey: key.publicKey, signature: sign(null, message, key.privateKey) });
}

/** The SSH signature that goes with such an entry. */
export function armourOf(data: string, genesis: string, key?: TestKey): string {
  return encodeArmour(signedEntry(data, genesis, key), signatureNamespace(genesis));
}

/** The same signature with S + L in the place of S, which the equation of Ed25519 does not tell apart. */
export function malleated(signature: Uint8Array): Buffer {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order;
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
  return Buffer.concat([signature.subarray(0, 32), bytes]);
}

/** The key as OpenSSH writes it, without a passphrase. */
export function keyFileOf({ privateKey, publicKey }: TestKey): string {
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url');
  const publicBlob = Buffer.concat([sshString('ssh-ed25519'), sshString(publicKey)]);
  const check = Buffer.from('0123456701234567', 'hex');
  const secret = [check, publicBlob, sshString(Buffer.concat([seed, publicKey])), sshString('a test')];
  const blob = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['none', 'none', ''].map(sshString),
    Buffer.from([0, 0, 0, 1]),
    sshString(publicBlob),
    sshString(Buffer.concat([...secret, Buffer.from([1, 2, 3])])),
  ]);
  const lines = blob.toString('base64').replaceAll(/.{70}/g, '$&\n');
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function sshString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
