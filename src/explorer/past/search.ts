import { targetOf } from '../../consensus/target.js';

const NONCE_OFFSET = 76;

/** The target of `bits` as 32 bytes in the order of a digest: the least first. */
export function targetBytes(bits: number): Uint8Array {
  let rest = targetOf(bits) ?? 0n;
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(rest & 255n);
    rest >>= 8n;
    return byte;
  });
}

/** Is the digest, read as a number whose least byte comes first, at most the target? */
export function isWithin(digest: Uint8Array, target: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) if (digest[i] !== target[i]) return digest[i]! < target[i]!;
  return true;
}

/** The first nonce from `from` on, below `to`, with which the 80 bytes of a header have their proof of work. */
export function searchNonce(
  header: Uint8Array,
  bits: number,
  hash: (bytes: Uint8Array) => Uint8Array,
  from: number,
  to: number,
): number | undefined {
  const bytes = Uint8Array.from(header);
  const view = new DataView(bytes.buffer);
  const target = targetBytes(bits);
  for (let nonce = from; nonce < to; nonce++) {
    view.setUint32(NONCE_OFFSET, nonce, true);
    if (isWithin(hash(bytes), target)) return nonce;
  }
  return undefined;
}
