import { describe, expect, it } from 'vitest';
import { entry } from '../../../test/support/chain-builders.js';
import { ProofChain } from '../../../test/support/proof-rig.js';
import type { JsonProof } from '../../proofs/offline/json-proof.js';
import type { Steps } from '../../proofs/offline/steps.js';
import { nextForgery } from './forgery.js';
import { headerRows } from './header-rows.js';
import { inTurns } from './in-turns.js';
import { pathOf } from './merkle-path.js';
import { hexOf, turned, withDigit, withHex, type Part } from './proof-bytes.js';
import { isHeaderGood, judge, judgeJson, whyOf, type Verdict } from './verdict.js';

const LENGTH = 9;
const HEIGHT = 4;
const chain = ProofChain.mine(LENGTH, (height) =>
  height === HEIGHT ? ['one', 'two', 'three', 'four'].map((text) => entry(text)) : [],
);
const proof = chain.json(HEIGHT, 3);

function* endless(): Steps<never> {
  for (;;) yield;
}

const verdictOf = (changed: JsonProof): Promise<Verdict> => judgeJson(changed, new AbortController().signal);

function tampered(part: Part, digit: number, by = 1): JsonProof {
  const hex = hexOf(proof, part);
  return withHex(proof, part, withDigit(hex, digit, turned(hex[digit]!, by)));
}

/** At this difficulty one changed header in 16 has the work by chance; this one has not. */
async function withoutWork(at: number, digit: number): Promise<JsonProof> {
  for (let by = 1; by < 16; by++) {
    const changed = tampered({ name: 'headers', at }, digit, by);
    const verdict = await verdictOf(changed);
    if (!verdict.holds && verdict.check === 'work') return changed;
  }
  throw new Error('every digit has the work');
}

describe('the way from an entry to its block', () => {
  it('ends with the Merkle root of the header, for every place in the block', () => {
    for (const pos of chain.idsAt(HEIGHT).keys()) {
      const path = pathOf(chain.json(HEIGHT, pos));
      expect(path.entryHash).toBe(path.id);
      expect(path.pairs.map(({ isOwnRight }) => isOwnRight)).toEqual([0, 1, 2].map((bit) => ((pos >> bit) & 1) === 1));
      expect(path.root).toBe(path.headerRoot);
      expect(path.headerRoot).toBe(chain.blocks[HEIGHT]!.header.merkleRoot);
    }
  });

  it('has no end in a proof without the header of the block', () => {
    expect(pathOf({ ...proof, headers: proof.headers.slice(0, HEIGHT - 1) }).headerRoot).toBeUndefined();
  });

  it('changes from a changed sibling up, and not below it', () => {
    const { pairs, root } = pathOf(tampered({ name: 'merkle', at: 1 }, 7));
    const before = pathOf(proof);
    expect(pairs.map(({ own }, level) => own === before.pairs[level]!.own)).toEqual([true, true, false]);
    expect(root).not.toBe(before.root);
  });
});

describe('a changed byte', () => {
  it.each<[string, Part, number, string]>([
    ['of the text', { name: 'transaction', at: 0 }, proof.transaction.length - 1, 'transaction'],
    ['of the id', { name: 'id', at: 0 }, 3, 'transaction'],
    ['of a sibling', { name: 'merkle', at: 0 }, 3, 'merkle'],
    ['of the last sibling', { name: 'merkle', at: 2 }, 63, 'merkle'],
  ])('%s fails its check, and no header is to blame', async (_, part, digit, check) => {
    const verdict = await verdictOf(tampered(part, digit));
    expect(verdict).toMatchObject({ holds: false, check, height: undefined });
    expect(isHeaderGood(verdict, HEIGHT)).toBe(check === 'merkle' ? true : undefined);
  });

  it.each([1, HEIGHT, LENGTH])('of the nonce in header %i fails the work there', async (height) => {
    const verdict = await verdictOf(await withoutWork(height - 1, 155));
    expect(verdict).toMatchObject({ holds: false, check: 'work', height });
    expect([height - 1, height, height + 1].map((at) => isHeaderGood(verdict, at))).toEqual([true, false, undefined]);
  });

  it('of the previous hash in a header fails the link there', async () => {
    const verdict = await verdictOf(tampered({ name: 'headers', at: 5 }, 20));
    expect(verdict).toMatchObject({ holds: false, check: 'link', height: 6 });
  });

  it('has a reason in plain words, whichever check finds it', async () => {
    expect(await verdictOf(proof)).toMatchObject({ holds: true, words: { notProven: { length: 4 } } });
    for (const check of ['format', 'transaction', 'merkle', 'link', 'work', 'tip'] as const) {
      expect(whyOf(check)).toMatch(/^[A-Z].+\.$/);
    }
  });

  it('is no verdict when the check itself is at fault', async () => {
    await expect(judge(() => Promise.reject(new TypeError('a mistake')))).rejects.toThrow('a mistake');
  });

  it('is looked for in turns, between which the page does what else there is to do', async () => {
    const clicks: string[] = [];
    setTimeout(() => clicks.push('clicked'));
    function* untilClicked(): Steps<string> {
      while (clicks.length === 0) yield;
      return clicks[0]!;
    }
    expect(await inTurns(untilClicked(), new AbortController().signal)).toBe('clicked');
  });

  it('is not judged once nobody waits for it', async () => {
    const running = new AbortController();
    const long = judge(() => inTurns(endless(), running.signal));
    running.abort(new Error('another byte was changed'));
    await expect(long).rejects.toThrow('another byte was changed');
  });
});

describe('a forger', () => {
  it('can hide another text up to the header, and then lacks the work', async () => {
    let forged = tampered({ name: 'transaction', at: 0 }, proof.transaction.length - 1);
    const labels: string[] = [];
    const checks: string[] = [];
    for (;;) {
      const verdict = await verdictOf(forged);
      checks.push(verdict.holds ? 'holds' : verdict.check);
      const next = nextForgery(forged, pathOf(forged));
      if (next === undefined) break;
      labels.push(next.label);
      forged = next.proof;
    }
    expect(labels).toEqual([
      'Hide it: write the new id into the proof',
      'Hide it: write the new Merkle root into the header',
    ]);
    expect(checks.slice(0, 2)).toEqual(['transaction', 'merkle']);
    // The hash of the forged header has the work by chance once in 16 times; then the next header does not follow it.
    expect(['work', 'link']).toContain(checks[2]);
  });

  it('has nothing to write where the proof is whole, or has no header of the block', () => {
    expect(nextForgery(proof, pathOf(proof))).toBeUndefined();
    const cut = { ...proof, headers: [] };
    expect(nextForgery(cut, pathOf(cut))).toBeUndefined();
  });
});

describe('the list of headers', () => {
  it('shows those that are asked for, and folds the others', () => {
    expect(headerRows(1, 100, new Set([100, 1, 50, 51, 400, 0]))).toEqual([
      { kind: 'header', height: 1 },
      { kind: 'run', from: 2, to: 49 },
      { kind: 'header', height: 50 },
      { kind: 'header', height: 51 },
      { kind: 'run', from: 52, to: 99 },
      { kind: 'header', height: 100 },
    ]);
  });

  it('does not fold one or two', () => {
    expect(headerRows(1, 6, new Set([1, 4])).map((row) => row.kind)).toEqual(Array(6).fill('header'));
    expect(headerRows(5, 4, new Set([4, 5]))).toEqual([]);
  });
});
