import { decodeBlock } from '../../src/consensus/block.js';
import { fill, get, lab, largest, post, posting, request, rest, status, type Scenario } from './stalls-lab.js';

/** Requests to REST, with the largest content that is legal. */
export const requests: readonly Scenario[] = [
  rest('/chain?from=0&limit=1000'),
  rest('/blocks/1'),
  rest('/blocks/1?format=hex'),
  rest('/headers?from=0&limit=2000'),
  rest('/forks?from=0&to=9999'),
  {
    name: 'GET /transactions/:id in a full block',
    prepare: async (round) => {
      const { id } = decodeBlock(lab.blocks[0]!.bytes).transactions[5_000 + round]!;
      return () => get(`/transactions/${id}`);
    },
  },
  ...['json', 'ots', 'merkleblock'].map((format): Scenario => ({
    name: `GET /transactions/:id/proof?format=${format} in a full block`,
    prepare: async (round) => {
      const { id } = decodeBlock(lab.blocks[0]!.bytes).transactions[6_000 + round]!;
      return () => get(`/transactions/${id}/proof?format=${format}`);
    },
  })),
  {
    name: 'GET /mempool?limit=1000 of 16 KiB entries',
    prepare: async (round) => {
      if (round === 0) for (let count = 0; count < 16; count++) await fill(largest());
      const { transactions } = (await status()).mempool;
      return () => get(`/mempool?offset=${transactions - 1_000}&limit=1000`);
    },
  },
  rest('/status'),
  rest('/metrics'),
  rest('/peers'),
  rest('/sync'),
  rest('/network'),
  rest('/health/ready'),
  rest('/docs-json'),
  rest('/docs'),
  posting('1,000 entries, 1 MiB', () =>
    JSON.stringify({ data: Array.from({ length: 1_000 }, (_, index) => `${index} ${'x'.repeat(1_000)}`) }),
  ),
  posting('1,000 entries, the smallest', () => JSON.stringify({ data: Array.from({ length: 1_000 }, () => 'x') })),
  posting('a list of 500,000 numbers', () => `{"data":[${'1,'.repeat(500_000)}1]}`),
  posting('brackets, 1 MiB of them', () => '['.repeat(1_000_000)),
  posting('100,000 unknown keys', () => `{${Array.from({ length: 90_000 }, (_, index) => `"k${index}":0`).join(',')}}`),
  request('POST /mine, 10,000 transactions', () => post('/mine', '{"blocks":1}')),
];
