import { createHash, randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKernel, loadKernel, type Kernel, type KernelKind } from './kernel.js';

/** Bitcoin's genesis header, whose nonce is 2083236893. */
const GENESIS_HEADER = Buffer.from(
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f61' +
    '7fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c',
  'hex',
);
const GENESIS_NONCE = 2_083_236_893;

/** mulberry32: bytes from a seed, so that a failure can be run again. */
function seededBytes(seed: number): (length: number) => Buffer {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % 256;
  };
  return (length) => Buffer.from(Array.from({ length }, next));
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** SHA-256d of the header with this nonce, as a number. */
function hashOf(header: Buffer, nonce: number): bigint {
  const bytes = Buffer.from(header);
  bytes.writeUInt32LE(nonce >>> 0, 76);
  return toNumber(sha256(sha256(bytes)));
}

function toNumber(littleEndian: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(littleEndian).reverse().toString('hex')}`);
}

function toBytes(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse();
}

function referenceScan(header: Buffer, target: bigint, start: number, count: number): number {
  for (let offset = 0; offset < count; offset++) if (hashOf(header, start + offset) <= target) return offset;
  return -1;
}

function scan(kernel: Kernel, header: Buffer, target: bigint, start: number, count: number): number {
  kernel.setJob(header, toBytes(target));
  return kernel.scan(start, count);
}

describe.each<KernelKind>(['simd', 'scalar', 'crypto'])('kernel %s', (kind) => {
  const kernel = createKernel(loadKernel(kind));

  it('agrees with node:crypto on random jobs', () => {
    const seed = randomInt(2 ** 32);
    const bytes = seededBytes(seed);
    for (let round = 0; round < 120; round++) {
      const header = bytes(80);
      // About 1 in 1, 256 and 65,536 hashes meet it.
      const target = toNumber(bytes(32)) >> BigInt(8 * (round % 3));
      const start = round % 5 === 0 ? 0xffff_fff0 : bytes(4).readUInt32LE();
      const count = [1, 2, 3, 4, 5, 7, 64, 301][round % 8]!;
      expect(scan(kernel, header, target, start, count), `seed ${seed} round ${round}`).toBe(
        referenceScan(header, target, start, count),
      );
    }
  });

  it('takes a target equal to the hash, and not one below it', () => {
    const seed = randomInt(2 ** 32);
    const bytes = seededBytes(seed);
    for (let round = 0; round < 30; round++) {
      const header = bytes(80);
      const nonce = bytes(4).readUInt32LE();
      const hash = hashOf(header, nonce);
      // A single nonce goes another way through the kernel than one in a row of four.
      for (const count of [1, 4]) {
        expect(scan(kernel, header, hash, nonce, count), `seed ${seed} round ${round}`).toBe(0);
        expect(scan(kernel, header, hash - 1n, nonce, count), `seed ${seed} round ${round}`).toBe(
          referenceScan(header, hash - 1n, nonce, count),
        );
      }
    }
  });

  it('finds the best of 64 nonces wherever a scan begins and ends', () => {
    const header = seededBytes(1)(80);
    const hashes = Array.from({ length: 64 }, (_, nonce) => hashOf(header, nonce));
    const best = hashes.indexOf(hashes.reduce((least, hash) => (hash < least ? hash : least)));
    for (let start = Math.max(0, best - 9); start <= best; start++) {
      expect(scan(kernel, header, hashes[best]!, start, best - start + 1)).toBe(best - start);
      expect(scan(kernel, header, hashes[best]!, start, best - start)).toBe(-1);
    }
  });

  it('finds the first of several, also within one row of lanes', () => {
    const header = seededBytes(2)(80);
    const everything = 2n ** 256n - 1n;
    for (const count of [1, 3, 4, 9]) expect(scan(kernel, header, everything, 5, count)).toBe(0);
  });

  it('goes on from nonce 2^32 - 1 to 0', () => {
    const header = seededBytes(3)(80);
    for (const nonce of [0xffff_ffff, 0, 1, 2]) {
      const offset = (nonce - 0xffff_fffd) >>> 0;
      const hash = hashOf(header, nonce);
      expect(scan(kernel, header, hash, 0xffff_fffd, offset + 1)).toBe(
        referenceScan(header, hash, 0xffff_fffd, offset + 1),
      );
    }
  });

  it("finds the nonce of Bitcoin's genesis", () => {
    const target = 0xffffn << 208n;
    for (const before of [0, 1, 2, 3, 1000, 7777]) {
      expect(scan(kernel, GENESIS_HEADER, target, GENESIS_NONCE - before, before + 10)).toBe(before);
    }
  });
});

describe('loadKernel', () => {
  it('chooses SIMD where there is SIMD', () => {
    expect(loadKernel().kind).toBe('simd');
  });
});
