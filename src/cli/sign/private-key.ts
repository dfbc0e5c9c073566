import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';

/** What a key file holds, as far as it can be read without a passphrase. */
export type KeyFile =
  | { readonly kind: 'private'; readonly key: Ed25519Key }
  /** Encrypted, or only the public half: ssh-keygen asks for the passphrase, or the agent. */
  | { readonly kind: 'encrypted' | 'public' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface Ed25519Key {
  /** 32 bytes. */
  readonly publicKey: Buffer;
  readonly privateKey: KeyObject;
}

const KEY_TYPE = 'ssh-ed25519';
const MAGIC = Buffer.from('openssh-key-v1\0', 'latin1');
const ARMOUR = /^-----BEGIN OPENSSH PRIVATE KEY-----\s([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----\s*$/;
/** PrivateKeyInfo of RFC 8410, up to the seed. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const MAX_SHOWN_CHARS = 80;
const ONLY_ED25519 = 'only Ed25519 keys can sign entries; make one with `ssh-keygen -t ed25519`';

/** Reads a key file of OpenSSH (PROTOCOL.key), or its .pub file. */
export function readKeyFile(text: string): KeyFile {
  const armoured = ARMOUR.exec(text);
  if (armoured !== null) return readPrivateKey(Buffer.from(armoured[1]!, 'base64'));
  const [type = ''] = text.split(/\s/);
  if (type === KEY_TYPE) return { kind: 'public' };
  if (/^(ssh|ecdsa|sk)-[\x21-\x7e]+$/.test(type)) return { kind: 'refused', reason: wrongType(type) };
  const pem = /^-----BEGIN (RSA|EC|DSA) PRIVATE KEY-----/.exec(text)?.[1];
  if (pem !== undefined) return { kind: 'refused', reason: wrongType(pem === 'EC' ? 'ECDSA' : pem) };
  return { kind: 'refused', reason: 'it is not a key file of OpenSSH' };
}

export function signBytes({ privateKey }: Ed25519Key, bytes: Uint8Array): Buffer {
  return sign(null, bytes, privateKey);
}

function readPrivateKey(blob: Buffer): KeyFile {
  try {
    if (!blob.subarray(0, MAGIC.length).equals(MAGIC)) throw new RangeError('no magic');
    const file = new Strings(blob.subarray(MAGIC.length));
    const cipher = file.text();
    file.next();
    file.next();
    file.skip(4);
    const type = new Strings(file.next()).text();
    if (type !== KEY_TYPE) return { kind: 'refused', reason: wrongType(type) };
    const secret = file.next();
    if (cipher !== 'none') return { kind: 'encrypted' };
    const fields = new Strings(secret.subarray(8));
    fields.next();
    const publicKey = fields.next();
    // The seed, and the public key once more.
    const seed = fields.next().subarray(0, 32);
    const der = Buffer.concat([PKCS8_HEAD, seed]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    if (createPublicKey(privateKey).export({ format: 'jwk' }).x !== publicKey.toString('base64url')) {
      throw new RangeError('two keys');
    }
    return { kind: 'private', key: { publicKey: Buffer.from(publicKey), privateKey } };
  } catch {
    return { kind: 'refused', reason: 'it is damaged' };
  }
}

/** @param type as the file has it, which may be of any length and hold anything. */
function wrongType(type: string): string {
  const shown = type.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, MAX_SHOWN_CHARS);
  return `it holds a key of type ${shown}, and ${ONLY_ED25519}`;
}

/** Strings with their lengths in 4 bytes. @throws RangeError where they end too early. */
class Strings {
  #offset = 0;

  constructor(private readonly bytes: Buffer) {}

  next(): Buffer {
    const length = this.bytes.readUInt32BE(this.#offset);
    this.skip(4 + length);
    return this.bytes.subarray(this.#offset - length, this.#offset);
  }

  text(): string {
    return this.next().toString('latin1');
  }

  skip(length: number): void {
    this.#offset += length;
    if (this.#offset > this.bytes.length) throw new RangeError('too short');
  }
}
