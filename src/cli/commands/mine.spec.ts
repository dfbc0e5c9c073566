import { describe, expect, it } from 'vitest';
import { HASH, run, serve } from '../../../test/support/cli-rig.js';

describe('mine', () => {
  it('one request a block, so that each is seen; one in all with --json', async () => {
    const bodies: string[] = [];
    const url = await serve({
      'POST /mine': (body) => {
        bodies.push(body);
        return { body: { blocks: [{ index: bodies.length, hash: HASH }] } };
      },
    });
    expect((await run(['mine', '2', '--url', url])).out).toBe(`mined block 1 ${HASH}\nmined block 2 ${HASH}\n`);
    expect((await run(['mine', '3', '--json', '--url', url])).code).toBe(0);
    expect(bodies).toEqual(['{"blocks":1}', '{"blocks":1}', '{"blocks":3}']);
  });
});
