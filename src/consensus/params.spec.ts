import { describe, expect, it } from 'vitest';
import { brokenRule } from '../../test/support/rule-code.js';
import { decodeBlock } from './block.js';
import { checkBlock, checkBlockContext } from './check-block.js';
import { ZERO_HASH } from './codec.js';
import { sha256 } from './hash.js';
import { createParams, type ParamsOptions } from './params.js';

const OPTIONS: ParamsOptions = { network: 'test', difficulty: 2 };
const genesisHash = (change: Partial<ParamsOptions> = {}): string =>
  createParams({ ...OPTIONS, ...change }).genesis.hash;

describe('createParams', () => {
  it('fills in the defaults', () => {
    expect(createParams(OPTIONS)).toMatchObject({
      network: 'test',
      limitBits: 0x2000ffff,
      retargetInterval: 0,
      targetSpacingSeconds: 10,
      medianTimeSpan: 11,
      maxFutureSeconds: 7200,
      maxBlockBytes: 1_048_576,
      checkpoints: new Map(),
      maxReorgDepth: undefined,
    });
  });

  it('takes what is given, and is frozen', () => {
    const checkpoints = new Map([[5, ZERO_HASH]]);
    const params = createParams({
      network: 'n',
      difficulty: 3,
      retargetInterval: 20,
      targetSpacingSeconds: 7,
      maxBlockBytes: 5000,
      checkpoints,
      maxReorgDepth: 6,
    });
    expect(params).toMatchObject({
      network: 'n',
      limitBits: 0x1f0fffff,
      retargetInterval: 20,
      targetSpacingSeconds: 7,
      maxBlockBytes: 5000,
      maxReorgDepth: 6,
    });
    expect(params.checkpoints).toBe(checkpoints);
    expect(Object.isFrozen(params)).toBe(true);
  });

  it.each<[string, Partial<ParamsOptions>]>([
    ['a network of 65 bytes', { network: 'x'.repeat(65) }],
    ['a difficulty of 64', { difficulty: 64 }],
    ['a difficulty of 1.5', { difficulty: 1.5 }],
    ['a retarget at every block', { retargetInterval: 1 }],
    ['a negative interval', { retargetInterval: -2 }],
    ['half an interval', { retargetInterval: 2.5 }],
    ['half a second', { retargetInterval: 20, targetSpacingSeconds: 0.5 }],
    ['a timespan of 3 s', { retargetInterval: 3, targetSpacingSeconds: 1 }],
    ['no spacing', { retargetInterval: 20, targetSpacingSeconds: 0 }],
  ])('refuses %s', (_, change) => {
    expect(() => createParams({ ...OPTIONS, ...change })).toThrow(RangeError);
  });

  it.each<[string, Partial<ParamsOptions>]>([
    ['a network of 64 bytes', { network: 'x'.repeat(64) }],
    ['difficulties 0 and 63', { difficulty: 63 }],
    ['two blocks of 2 s', { retargetInterval: 2, targetSpacingSeconds: 2 }],
    ['four blocks of 1 s', { retargetInterval: 4, targetSpacingSeconds: 1 }],
    ['no retarget, whatever the spacing', { retargetInterval: 0, targetSpacingSeconds: 0.5 }],
  ])('takes %s', (_, change) => {
    expect(createParams({ ...OPTIONS, ...change })).toMatchObject(change.network ? { network: change.network } : {});
  });
});

describe('genesis', () => {
  it('follows from the parameters as README.md says; this one must never change', () => {
    const { genesis } = createParams(OPTIONS);
    const rules = '[3,"test",536936447,0,10,11,7200,1048576]';
    const coinbase = Buffer.alloc(77);
    sha256(Buffer.from(rules)).copy(coinbase, 5, 0, 8);
    coinbase.write('test', 13);
    expect(genesis.transactions[0]!.bytes).toEqual(coinbase);
    expect(genesis.header).toEqual({
      version: 1,
      previousHash: ZERO_HASH,
      merkleRoot: genesis.transactions[0]!.id,
      time: 1767225600,
      bits: 0x2000ffff,
      nonce: 0,
    });
    expect(genesis.hash).toBe('a9105713231e4424911bbf3a106dea2cc13ab95225976d751481d65ce0c80835');
  });

  it('is a whole block but for its proof of work', () => {
    const params = createParams(OPTIONS);
    expect(decodeBlock(params.genesis.bytes)).toEqual(params.genesis);
    expect(brokenRule(() => checkBlock(params.genesis, params))).toBeUndefined();
    expect(brokenRule(() => checkBlockContext(params.genesis, 0))).toBeUndefined();
  });

  it('is another for every rule that differs', () => {
    const hashes = [
      genesisHash(),
      genesisHash({ network: 'test2' }),
      genesisHash({ difficulty: 3 }),
      genesisHash({ retargetInterval: 100 }),
      genesisHash({ retargetInterval: 100, targetSpacingSeconds: 20 }),
      genesisHash({ targetSpacingSeconds: 20 }),
      genesisHash({ maxBlockBytes: 2_000_000 }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('is the same for the same rules, and whatever the local policy', () => {
    expect(genesisHash()).toBe(genesisHash());
    expect(genesisHash({ checkpoints: new Map([[1, ZERO_HASH]]), maxReorgDepth: 3 })).toBe(genesisHash());
    expect(genesisHash({ retargetInterval: 0, targetSpacingSeconds: 10, maxBlockBytes: 1_048_576 })).toBe(
      genesisHash(),
    );
  });
});
