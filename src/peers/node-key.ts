import {
  createPrivateKey,
  createPublicKey,
  sign as signEd25519,
  verify as verifyEd25519,
  type KeyObject,
} from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import { syncFile } from '../storage/database-file.js';
import { NODE_KEY_FILE } from '../storage/database.js';

export const PUBLIC_KEY_BYTES = 32;
const SEED_BYTES = 32;
/** What DER puts before the 32 bytes of an Ed25519 key: PKCS #8 for the private one, SPKI for the public one (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** A node's Ed25519 public key as 64 hex digits. */
export type KeyId = string;

/** The key file of a data directory cannot be read or made. One line says what to do. */
export class NodeKeyError extends Error {
  override readonly name = 'NodeKeyError';
}

/** The Ed25519 key that is a node's identity. */
export class NodeKey {
  /** 32 bytes. */
  readonly publicKey: Buffer;
  readonly id: KeyId;
  readonly #privateKey: KeyObject;

  /** @throws NodeKeyError when it is of another kind. */
  constructor(privateKey: KeyObject) {
    if (privateKey.asymmetricKeyType !== 'ed25519') throw new NodeKeyError('the key is not an Ed25519 key');
    this.#privateKey = privateKey;
    this.publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD.length);
    this.id = keyIdOf(this.publicKey);
  }

  /** @param seed 32 bytes. */
  static fromSeed(seed: Uint8Array): NodeKey {
    const der = Buffer.concat([PKCS8_HEAD, seed]);
    return new NodeKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  }

  /** 64 bytes. */
  sign(message: Uint8Array): Buffer {
    return signEd25519(null, message, this.#privateKey);
  }

  /** The private key as PKCS #8 in PEM. */
  toPem(): string {
    return this.#privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  }
}

export function keyIdOf(publicKey: Uint8Array): KeyId {
  return Buffer.from(publicKey).toString('hex');
}

/** Does the text look like a key id? Then it is never taken for a node id. */
export function isKeyId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** @param publicKey any 32 bytes; those that are no point of the curve have no valid signature. */
export function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([SPKI_HEAD, publicKey]), format: 'der', type: 'spki' });
  return verifyEd25519(null, message, key, signature);
}

/**
 * The key of the node with this data directory, which this process has locked. Makes one at the first start; a crash
 * meanwhile leaves a whole key or none. ':memory:' has a new key each time.
 * @throws NodeKeyError
 */
export function openNodeKey(dataDir: string, random: Random, log: Logger): NodeKey {
  const made = (): NodeKey => NodeKey.fromSeed(random.bytes(SEED_BYTES));
  if (dataDir === ':memory:') return made();
  const file = join(dataDir, NODE_KEY_FILE);
  if (existsSync(file)) return loadKey(file);
  const key = made();
  saveKey(file, key);
  log.info({ key: key.id, file }, `Made the key of this node: ${file}`);
  return key;
}

function loadKey(file: string): NodeKey {
  try {
    return new NodeKey(createPrivateKey(readFileSync(file)));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = error instanceof NodeKeyError ? message : `it cannot be read (${code ?? message})`;
    throw new NodeKeyError(
      `${file} is not the key of a node: ${reason}. Put the right file there, or delete it; then the node makes a ` +
        'new key, and other nodes see a new node',
      { cause: error },
    );
  }
}

function saveKey(file: string, key: NodeKey): void {
  const spare = `${file}.new`;
  try {
    rmSync(spare, { force: true });
    const handle = openSync(spare, 'wx', 0o600);
    try {
      writeSync(handle, key.toPem());
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(spare, file);
    syncFile(file);
  } catch (error) {
    throw new NodeKeyError(`the key of the node cannot be written to ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
