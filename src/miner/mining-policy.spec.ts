import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type { MineEmptyBlocks } from '../config/node-config.js';
import { MiningPolicy, type MiningReason } from './mining-policy.js';

describe('MiningPolicy', () => {
  let clock: VirtualClock;
  let requests: { isEmpty: boolean };
  let mempool: { size: number; acknowledgedCount: number; isSettling: boolean };
  let isTied: boolean;
  /** The reason each time that a delay was over. */
  let due: (MiningReason | undefined)[];
  beforeEach(() => {
    clock = new VirtualClock();
    requests = { isEmpty: true };
    mempool = { size: 0, acknowledgedCount: 0, isSettling: false };
    isTied = false;
    due = [];
  });

  /** With a random number of 0.5: 600 ms before others' entries are mined, 4 s before a tie is ended. */
  function policyWith(autoMine = true, mineEmptyBlocks: MineEmptyBlocks = 'on_tie'): MiningPolicy {
    const policy: MiningPolicy = new MiningPolicy({
      settings: { autoMine, mineEmptyBlocks },
      clock,
      random: { next: () => 0.5, bytes: (length) => new Uint8Array(length) },
      requests,
      mempool,
      chain: { competingTips: () => (isTied ? ['a tip'] : []) },
      onDue: () => due.push(policy.reason),
    });
    return policy;
  }

  async function afterMs(policy: MiningPolicy, ms: number): Promise<MiningReason | undefined> {
    policy.update();
    await clock.advance(ms);
    return policy.reason;
  }

  it('has no reason without requests, entries or a tie', async () => {
    expect(await afterMs(policyWith(), 60_000)).toBeUndefined();
    expect(due).toEqual([]);
  });

  it('has one at once for a request, and for entries posted here', () => {
    const policy = policyWith();
    mempool.size = 2;
    mempool.acknowledgedCount = 1;
    expect(policy.reason).toBe('own-entries');
    requests.isEmpty = false;
    expect(policy.reason).toBe('request');
  });

  it("lets others' entries and ties wait, and says when that is over", async () => {
    mempool.size = 1;
    const policy = policyWith();
    expect(await afterMs(policy, 599)).toBeUndefined();
    expect(await afterMs(policy, 1)).toBe('others-entries');
    mempool.size = 0;
    isTied = true;
    expect(await afterMs(policy, 3999)).toBeUndefined();
    expect(await afterMs(policy, 1)).toBe('tie');
    expect(due).toEqual(['others-entries', 'tie']);
  });

  it('begins the waits anew with each tip', async () => {
    mempool.size = 1;
    const policy = policyWith();
    await afterMs(policy, 599);
    policy.onTip();
    expect(await afterMs(policy, 599)).toBeUndefined();
    expect(await afterMs(policy, 1)).toBe('others-entries');
    policy.onTip();
    expect(policy.reason).toBeUndefined();
  });

  it('mines unasked only with auto_mine', async () => {
    mempool.size = 1;
    mempool.acknowledgedCount = 1;
    const policy = policyWith(false, 'always');
    expect(await afterMs(policy, 60_000)).toBeUndefined();
    requests.isEmpty = false;
    expect(policy.reason).toBe('request');
  });

  it('waits unasked until the mempool has followed a reorganisation', () => {
    mempool = { size: 1, acknowledgedCount: 1, isSettling: true };
    const policy = policyWith();
    expect(policy.reason).toBeUndefined();
    requests.isEmpty = false;
    expect(policy.reason).toBe('request');
    requests.isEmpty = true;
    mempool.isSettling = false;
    expect(policy.reason).toBe('own-entries');
  });

  it.each([
    ['never', undefined],
    ['on_tie', 'tie'],
    ['always', 'always'],
  ] as const)('with mine_empty_blocks = "%s" has the reason %s in a tie', async (emptyBlocks, expected) => {
    isTied = true;
    expect(await afterMs(policyWith(true, emptyBlocks), 4000)).toBe(expected);
  });

  it('has none while any cause to pause holds, and waits anew after it', async () => {
    mempool.size = 1;
    const policy = policyWith();
    expect(await afterMs(policy, 600)).toBe('others-entries');
    policy.setPaused('sync', true);
    policy.setPaused('other', true);
    requests.isEmpty = false;
    expect(await afterMs(policy, 60_000)).toBeUndefined();
    policy.setPaused('other', false);
    expect(policy.reason).toBeUndefined();
    policy.setPaused('sync', false);
    expect(policy.reason).toBe('request');
    requests.isEmpty = true;
    expect(await afterMs(policy, 599)).toBeUndefined();
    expect(await afterMs(policy, 1)).toBe('others-entries');
  });
});
