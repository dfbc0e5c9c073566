import * as fc from 'fast-check';
import { RPC_CODES } from '../../src/rpc/rpc-error.js';
import { startRestApp } from '../support/rest-app.js';
import { RpcClient } from '../support/rpc-client.js';
import type { FuzzTarget, Outcome } from './fuzz.js';
import { check } from './outcome.js';

const AUTH = 'fuzz:secret';
const TOKENS = ['null', '[', '{', '"params":', '"jsonrpc":"2.0"', '-1', '1e99', '"', '\\ud800', '"__proto__"', ',{}'];
const STATUSES = new Set([200, 204, 400, 404, 413, 500]);
/** An error of the node itself is what no request may cause. */
const CODES = new Set<unknown>(Object.values(RPC_CODES).filter((code) => code !== RPC_CODES.internal));

/** Bodies of JSON-RPC to a real node. */
export async function rpcTarget(): Promise<FuzzTarget> {
  const [user, password] = AUTH.split(':') as [string, string];
  const rest = await startRestApp({
    MINICHAIN_RPC_PORT: '0',
    MINICHAIN_RPC_USER: user,
    MINICHAIN_RPC_PASSWORD: password,
  });
  await rest.post('/mine', { blocks: 2 });
  const line = rest.logged.map(({ msg }) => String(msg)).find((text) => text.startsWith('JSON-RPC listens on'))!;
  const rpc = new RpcClient(Number(line.split(':').at(-1)), AUTH);
  const { hash } = rest.node.chain.tip;
  const seeds = [
    { method: 'getblockcount' },
    { jsonrpc: '2.0', id: 1, method: 'getblockhash', params: [1] },
    { jsonrpc: '1.0', id: 'x', method: 'getblockheader', params: { blockhash: hash, verbose: false } },
    [{ method: 'getblockcount', params: null }, { jsonrpc: '2.0', method: 'nosuch' }, 5],
  ].map((body) => Buffer.from(JSON.stringify(body)));
  const method = fc.oneof(fc.constantFrom('getblockcount', 'getblockhash', 'getblockheader'), fc.jsonValue());
  const values = fc.oneof(fc.jsonValue(), fc.constant(hash), fc.integer());
  const params = fc.oneof(fc.array(values, { maxLength: 3 }), fc.dictionary(fc.string(), values), values);
  const request = fc.record(
    { jsonrpc: fc.constantFrom('1.0', '2.0', 2), id: fc.jsonValue(), method, params },
    { requiredKeys: [] },
  );
  return {
    seeds,
    tokens: TOKENS.map((token) => Buffer.from(token)),
    structured: fc.oneof(request, fc.array(request, { maxLength: 5 })).map((body) => Buffer.from(JSON.stringify(body))),
    run: async (input) => {
      const { status, text, json } = await rpc.send(input);
      check(STATUSES.has(status), `answered ${status}: ${text}`);
      const outcomes = [json ?? []].flat().map((answer) => checkAnswer(answer, text));
      const fault = rest.logged.find(({ level }) => Number(level) >= 50);
      check(fault === undefined, `logged as an error: ${JSON.stringify(fault)}`);
      return outcomes.every((each) => each === 'accepted') ? 'accepted' : 'rejected';
    },
    close: () => rest.close(),
  };
}

function checkAnswer(answer: { error?: { code: unknown; message: unknown } | null }, text: string): Outcome {
  if (answer.error === undefined || answer.error === null) return 'accepted';
  const { code, message } = answer.error;
  check(CODES.has(code) && typeof message === 'string' && message !== '', `an error that is none: ${text}`);
  return 'rejected';
}
