import type { Hash } from './codec.js';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from './ed25519.js';
import { sha256, sha512 } from './hash.js';

/**
 * SSH signatures as `ssh-keygen -Y sign` makes them (OpenSSH's PROTOCOL.sshsig, version 1), of Ed25519 keys and with SHA-512.
 * `string(x)` there is a length in 4 bytes, big endian, and the bytes.
 */

const MAGIC = Buffer.from('SSHSIG', 'latin1');
const VERSION = 1;
const KEY_TYPE = 'ssh-ed25519';
const HASH_NAME = 'sha512';
const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';
const LINE_WIDTH = 70;
/** Keys that OpenSSH knows and minichain does not take, by the start of their types. */
const OTHER_KEYS = {
  'ssh-rsa': 'an RSA key',
  'rsa-sha2-': 'an RSA key',
  'ecdsa-sha2-': 'an ECDSA key',
  'ssh-dss': 'a DSA key',
  'sk-': 'a key of a security token',
};

/** An Ed25519 key, 32 bytes, and its signature, 64 bytes. */
export interface KeyAndSignature {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** What an armour holds, or why it is not one that minichain can take. */
export type DecodedArmour =
  | { readonly kind: 'decoded'; readonly publicKey: Buffer; readonly signature: Buffer; readonly namespace: string }
  | { readonly kind: 'malformed'; readonly reason: string }
  | { readonly kind: 'unsupported'; readonly reason: string };

/** The namespace of a network binds each signature to it. */
export function signatureNamespace(genesis: Hash): string {
  return `minichain/${genesis}`;
}

/** The bytes that the key signs for `data`. */
export function bytesToSign(data: Uint8Array, namespace: string): Buffer {
  return Buffer.concat([MAGIC, string(namespace), string(''), string(HASH_NAME), string(sha512(data))]);
}

/** The file that `ssh-keygen -Y sign` writes, byte for byte. */
export function encodeArmour({ publicKey, signature }: KeyAndSignature, namespace: string): string {
  const version = Buffer.alloc(4);
  version.writeUInt32BE(VERSION);
  const blob = Buffer.concat([
    MAGIC,
    version,
    string(keyBlob(publicKey)),
    string(namespace),
    string(''),
    string(HASH_NAME),
    string(Buffer.concat([string(KEY_TYPE), string(signature)])),
  ]);
  const lines = blob.toString('base64').match(new RegExp(`.{1,${LINE_WIDTH}}`, 'g'))!;
  return `${BEGIN}\n${lines.join('\n')}\n${END}\n`;
}

/** Reads an armour. Lines may be of any length and end in CR LF; nothing may stand before or after it but white space. */
export function decodeArmour(text: string): DecodedArmour {
  const lines = text.trim().split(/\r?\n/);
  if (lines.at(0) !== BEGIN || lines.at(-1) !== END) {
    return malformed(`it must begin with "${BEGIN}" and end with "${END}", and nothing may stand around it`);
  }
  const base64 = lines.slice(1, -1).join('');
  const blob = Buffer.from(base64, 'base64');
  // Buffer skips what is not base64, and says nothing.
  if (blob.length === 0 || blob.toString('base64') !== base64) return malformed('what stands in it is not base64');
  try {
    return readBlob(new SshReader(blob));
  } catch (error) {
    if (error instanceof ShortError) return malformed(error.message);
    throw error;
  }
}

/** The line of an OpenSSH public key file, without a comment. */
export function publicKeyLine(publicKey: Uint8Array): string {
  return `${KEY_TYPE} ${keyBlob(publicKey).toString('base64')}`;
}

/** As `ssh-keygen -l` prints it. */
export function fingerprintOf(publicKey: Uint8Array): string {
  return `SHA256:${sha256(keyBlob(publicKey)).toString('base64').replace(/=+$/, '')}`;
}

/**
 * A line of the file that `ssh-keygen -Y verify` takes as allowed signers.
 * @param principal what the caller gives as `-I`; without white space.
 */
export function allowedSignersLine(principal: string, publicKey: Uint8Array, namespace: string): string {
  return `${principal} namespaces="${namespace}" ${publicKeyLine(publicKey)}\n`;
}

function readBlob(reader: SshReader): DecodedArmour {
  if (!reader.take(MAGIC.length).equals(MAGIC)) return malformed('its bytes do not begin with "SSHSIG"');
  const version = reader.uint32();
  if (version !== VERSION) return unsupported(`it has version ${version}, and only version ${VERSION} is known`);
  const key = new SshReader(reader.string());
  const keyType = key.text();
  if (keyType !== KEY_TYPE) return unsupported(`${nameOfKey(keyType)}, and only Ed25519 keys can sign entries`);
  const publicKey = key.string();
  const namespace = reader.text();
  if (reader.string().length > 0) return unsupported('its reserved field is not empty');
  const hash = reader.text();
  if (hash !== HASH_NAME) return unsupported(`its hash is "${shown(hash)}", and only ${HASH_NAME} is taken`);
  const signed = new SshReader(reader.string());
  const signatureType = signed.text();
  if (signatureType !== KEY_TYPE) return unsupported(nameOfKey(signatureType));
  const signature = signed.string();
  const extra = key.remaining + signed.remaining + reader.remaining;
  if (extra > 0) return malformed(`it has ${extra} bytes too many`);
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) {
    const found = `${publicKey.length} and ${signature.length}`;
    return malformed(`a key of ${PUBLIC_KEY_BYTES} bytes and a signature of ${SIGNATURE_BYTES} expected, got ${found}`);
  }
  return { kind: 'decoded', publicKey, signature, namespace };
}

function nameOfKey(type: string): string {
  const name = Object.entries(OTHER_KEYS).find(([start]) => type.startsWith(start))?.[1] ?? 'a key';
  return `it is of ${name} ("${shown(type)}")`;
}

function keyBlob(publicKey: Uint8Array): Buffer {
  return Buffer.concat([string(KEY_TYPE), string(publicKey)]);
}

function string(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function malformed(reason: string): DecodedArmour {
  return { kind: 'malformed', reason };
}

function unsupported(reason: string): DecodedArmour {
  return { kind: 'unsupported', reason };
}

/** A name off a stranger's file, for a message. */
function shown(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 80);
}

class ShortError extends Error {}

class SshReader {
  #offset = 0;

  constructor(private readonly bytes: Buffer) {}

  get remaining(): number {
    return this.bytes.length - this.#offset;
  }

  take(length: number): Buffer {
    if (length > this.remaining) throw new ShortError(`it ends ${length - this.remaining} bytes too early`);
    this.#offset += length;
    return this.bytes.subarray(this.#offset - length, this.#offset);
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString('utf8');
  }
}
