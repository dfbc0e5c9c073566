import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** The fields of a Hello that a test chooses and that its sender signs. */
export interface OwnHello extends Record<string, unknown> {
  readonly genesis_hash: Buffer;
  readonly node_id: string;
  /** Decimal. */
  readonly instance_nonce: string;
}

/** Of the other side's Hello, what is signed. */
export interface TheirHello {
  readonly nonce: Buffer;
  readonly public_key: Buffer;
}

export interface Handshake {
  readonly hello: Record<string, unknown>;
  readonly prove: (theirs: TheirHello) => { readonly signature: Buffer };
}

/** A Hello under a new key, and the Proof that goes with it, made without this project's code as peer.proto says. */
export function newHandshake(own: OwnHello): Handshake {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const public_key = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
  const nonce = randomBytes(32);
  const instance = Buffer.alloc(8);
  instance.writeBigUInt64LE(BigInt(own.instance_nonce));
  return {
    hello: { ...own, public_key, nonce },
    prove: (theirs) => {
      const statement = Buffer.concat([
        ...[Buffer.from('minichain handshake'), Buffer.of(0), own.genesis_hash, nonce, theirs.nonce, public_key],
        ...[theirs.public_key, instance, Buffer.from(own.node_id)],
      ]);
      return { signature: sign(null, statement, privateKey) };
    },
  };
}
