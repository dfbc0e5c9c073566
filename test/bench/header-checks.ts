import { hash } from 'node:crypto';
import { linkHeader, type BlockNode } from '../../src/consensus/block-tree.js';
import { checkHeaderContext, checkProofOfWork } from '../../src/consensus/check-header.js';
import { hash256 } from '../../src/consensus/hash.js';
import { decodeHeader, encodeHeader, type BlockHeader } from '../../src/consensus/header.js';
import { createParams } from '../../src/consensus/params.js';
import { isHashBelowTarget } from '../../src/consensus/target.js';
import { median, type Report } from './report.js';

const HEADERS = 10_000;
const ROUNDS = 7;
const SPACING_SECONDS = 10;

const params = createParams({
  network: 'bench',
  difficulty: 0,
  retargetInterval: 2016,
  targetSpacingSeconds: SPACING_SECONDS,
});

interface Link {
  readonly bytes: Buffer;
  readonly header: BlockHeader;
  readonly node: BlockNode;
  readonly parent: BlockNode;
}

/** A chain of difficulty 0 on the genesis, in real time: every header is checked as a late joiner would. */
function buildChain(): Link[] {
  const chain: Link[] = [];
  let parent = linkHeader(params.genesis.hash, params.genesis.header, undefined);
  while (chain.length < HEADERS) {
    const template = { ...params.genesis.header, previousHash: parent.hash, time: parent.time + SPACING_SECONDS + 1 };
    for (let nonce = 0; ; nonce++) {
      const header = { ...template, nonce };
      const bytes = encodeHeader(header);
      const id = hash256(bytes);
      if (!isHashBelowTarget(id, header.bits)) continue;
      const node = linkHeader(id, header, parent);
      chain.push({ bytes, header, node, parent });
      parent = node;
      break;
    }
  }
  return chain;
}

function perSecond(task: () => void): number {
  const start = process.hrtime.bigint();
  task();
  return (HEADERS * 1e9) / Number(process.hrtime.bigint() - start);
}

/**
 * How many headers a second pass proof of work and context (and, on top, decoding, hashing and linking, which is what
 * headers-first sync does to each), beside bare SHA-256d of 80 bytes by node:crypto in the same rounds.
 */
export async function run(): Promise<Report> {
  const chain = buildChain();
  const nowSeconds = chain.at(-1)!.header.time;
  const tasks = {
    baseline: () => {
      for (const { bytes } of chain) hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer');
    },
    checks: () => {
      for (const { header, node, parent } of chain) {
        checkProofOfWork(header, node.hash, params);
        checkHeaderContext(header, node.hash, parent, params, nowSeconds);
      }
    },
    sync: () => {
      let parent = chain[0]!.parent;
      for (const { bytes } of chain) {
        const header = decodeHeader(bytes);
        const id = hash256(bytes);
        checkProofOfWork(header, id, params);
        checkHeaderContext(header, id, parent, params, nowSeconds);
        parent = linkHeader(id, header, parent);
      }
    },
  };
  const rates = { baseline: [] as number[], checks: [] as number[], sync: [] as number[] };
  for (const task of Object.values(tasks)) task();
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of ['baseline', 'checks', 'sync'] as const) rates[name].push(perSecond(tasks[name]));
  }
  const baseline = median(rates.baseline);
  const row = (label: string, value: number): { label: string; value: number; unit: string; ratio: number } => ({
    label,
    value: Math.round(value),
    unit: 'headers/s',
    ratio: Math.round((value / baseline) * 100) / 100,
  });
  return {
    name: 'header checks',
    rows: [
      row('SHA-256d of 80 bytes, node:crypto (baseline)', baseline),
      row('proof of work + context', median(rates.checks)),
      row('decode + hash + proof of work + context + link', median(rates.sync)),
    ],
  };
}
