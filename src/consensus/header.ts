import { ByteReader, hashFromBytes, hashToBytes, type Hash } from './codec.js';
import { hash256 } from './hash.js';

export const HEADER_BYTES = 80;

/** Bitcoin's block header. `time` in seconds since the epoch, `bits` the compact target. */
export interface BlockHeader {
  readonly version: number;
  readonly previousHash: Hash;
  readonly merkleRoot: Hash;
  readonly time: number;
  readonly bits: number;
  readonly nonce: number;
}

/** Bitcoin's 80 bytes: version i32, previous hash, Merkle root, time u32, bits u32, nonce u32; little endian. */
export function encodeHeader(header: BlockHeader): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  bytes.writeInt32LE(header.version, 0);
  hashToBytes(header.previousHash).copy(bytes, 4);
  hashToBytes(header.merkleRoot).copy(bytes, 36);
  bytes.writeUInt32LE(header.time, 68);
  bytes.writeUInt32LE(header.bits, 72);
  bytes.writeUInt32LE(header.nonce, 76);
  return bytes;
}

/** @throws RuleError `bad-header-encoding` unless `bytes` are exactly 80. */
export function decodeHeader(bytes: Uint8Array): BlockHeader {
  const reader = new ByteReader(bytes, 'bad-header-encoding');
  const header: BlockHeader = {
    version: reader.int32(),
    previousHash: hashFromBytes(reader.bytes(32)),
    merkleRoot: hashFromBytes(reader.bytes(32)),
    time: reader.uint32(),
    bits: reader.uint32(),
    nonce: reader.uint32(),
  };
  reader.end();
  return header;
}

export function hashHeader(header: BlockHeader): Hash {
  return hash256(encodeHeader(header));
}
