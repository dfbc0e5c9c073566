import { afterAll, beforeAll, expect, it } from 'vitest';
import { accept, acceptBatch, mineChain, mineOn } from '../../test/support/chain-builders.js';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';
import { forksSchema } from './fork-schemas.js';

let rest: RestApp;

beforeAll(async () => {
  rest = await startRestApp();
  const { chain } = rest.node;
  const { params } = chain;
  const first = mineOn(chain.genesis, ['x'], { params });
  accept(chain, first);
  accept(chain, mineOn(chain.genesis, [], { params }));
  acceptBatch(chain, mineChain(chain.tip, 150).blocks);
});

afterAll(() => rest.close());

it('GET /forks shows the newest heights, with runs', async () => {
  const { status, json } = await rest.get('/forks');
  expect(status).toBe(200);
  expect(forksSchema.parse(json)).toEqual(json);
  expect(json).toMatchObject({ from: 52, to: 151, runs: [{ from: 52, to: 131, count: 80 }] });
  expect(json.blocks).toHaveLength(20);
  expect(json.tip).toEqual({ height: 151, hash: rest.node.chain.tip.hash });
});

it('GET /forks shows a range, with its side blocks', async () => {
  const { json } = await rest.get('/forks?from=1&to=2');
  const shown = json.blocks.map(({ height, status }: { height: number; status: string }) => `${height} ${status}`);
  expect(shown).toEqual(['1 active', '1 side', '2 active']);
});

it.each([
  ['from=5&to=4', 'from: expected at most "to" (4), got 5'],
  ['from=0&to=10000', 'from: expected at most 10000 heights, got 10001 (0 to 10000)'],
  ['from=-1', 'from: expected a whole number from 0 up, got "-1"'],
  ['to=x', 'to: expected a whole number from 0 up, got "x"'],
  ['limit=5', 'unknown query parameter "limit"; known here: "from", "to"'],
])('GET /forks?%s is refused with what would be right', async (query, detail) => {
  const { status, json } = await rest.get(`/forks?${query}`);
  expect([status, json.code, json.detail]).toEqual([400, 'invalid-request', detail]);
  expect(json.errors).toEqual([expect.objectContaining({ message: expect.any(String) })]);
});

it('GET /forks takes as many heights as it says', async () => {
  expect((await rest.get('/forks?from=0&to=9999')).json.runs).toEqual([{ from: 3, to: 131, count: 129 }]);
});
