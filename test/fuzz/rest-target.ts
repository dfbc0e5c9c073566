import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { problemSchema } from '../../src/ops/problem.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { armourOf } from '../support/signing.js';
import type { FuzzTarget, Outcome } from './fuzz.js';
import { check } from './outcome.js';

const ID = 'ab'.repeat(32);
const SEEDS = [
  'POST /blocks\n{"data":"x","timestamp":1767225600000,"salt":"00ff"}',
  `GET /transactions/${ID}/proof\n`,
  `GET /transactions/${ID}/proof?format=ots&stamped=file\n`,
  `GET /transactions/${ID}/proof?format=merkleblock&block=${ID}\n`,
  'GET /transactions?author=SHA256:ri3tVS9jlbwGbvTFgVKKzOHoRVxDkAz8SzRFQ0fbLy8&limit=2\n',
  'GET /headers?from=0&limit=3\n',
  'GET /network\n',
  'POST /blocks\n{"data":"Hello \\u00e9 €"}',
  'POST /mine\n{"blocks":1}',
  'POST /sync\n',
  'GET /chain?from=0&limit=10\n',
  'GET /blocks/0\n',
  `GET /blocks/${ID}\n`,
  `GET /transactions/${ID}\n`,
  'GET /mempool?offset=1&limit=2\n',
  'GET /peers\n',
  'GET /status\n',
  'GET /sync\n',
  'GET /health/ready\n',
];
const TOKENS = [
  '%',
  '%00',
  '%2f',
  '/',
  '..',
  '?',
  '&',
  'from=',
  'limit=',
  'format=',
  'author=SHA256:',
  '+',
  '{',
  '[',
  '"data":',
  '\\ud800',
  '1e9',
  '-1',
];
/** Of a path: what an HTTP client may send. */
const UNSENDABLE = /[^\x21-\x7e]/g;
/** Routes whose every block costs work are not asked for many. */
const MANY = /[1-9]\d+|\de/;

/** Requests to a real node: method and path in the first line, the body behind it. */
export async function restTarget(): Promise<FuzzTarget> {
  const rest = await startRestApp();
  const seeds = [...SEEDS, ...(await signedSeeds(rest))].map((seed) => Buffer.from(seed));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const paths = fc.webPath().chain((path) => fc.webQueryParameters().map((query) => `${path}?${query}`));
  const known = fc.constantFrom('/blocks', '/mine', '/chain?from=', '/blocks/', '/transactions/', '/mempool?limit=');
  const target = fc.oneof(
    paths,
    fc.tuple(known, fc.webSegment()).map((parts) => parts.join('')),
  );
  const body = fc.oneof(
    fc.json(),
    fc.json().map((json) => `{"data":${json}}`),
    fc.json().map((json) => `{"data":"x","signature":${json}}`),
    fc.string({ unit: 'binary' }),
  );
  return {
    seeds,
    tokens: TOKENS.map((token) => Buffer.from(token)),
    structured: fc
      .tuple(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'), target, body)
      .map(([method, path, content]) => Buffer.from(`${method} ${path}\n${content}`)),
    run: async (input) => {
      const end = input.indexOf('\n');
      const [, method = '', rawPath = ''] = /^(\S*) ?(.*)$/s.exec(
        input.toString('latin1', 0, end < 0 ? undefined : end),
      )!;
      const path = `/${rawPath.replace(/^\//, '').replace(UNSENDABLE, (c) => encodeURIComponent(c))}`;
      const content = end < 0 ? Buffer.alloc(0) : input.subarray(end + 1);
      if (path.startsWith('/mine') && MANY.test(content.toString())) return 'rejected';
      const outcome = await ask(rest.port, agent, method.startsWith('P') ? 'POST' : 'GET', path, content);
      const fault = rest.logged.find(({ level }) => Number(level) >= 50);
      check(fault === undefined, `logged as an error: ${JSON.stringify(fault)}`);
      return outcome;
    },
    close: async () => {
      agent.destroy();
      await rest.close();
    },
  };
}

/** Posts of signed entries, and requests for what there is of one in a block. */
async function signedSeeds(rest: RestApp): Promise<string[]> {
  const { hash } = rest.node.chain.genesis;
  const posts = ['signed', 'Grüße\n'].map((data) => JSON.stringify({ data, signature: armourOf(data, hash) }));
  const { id } = (await rest.post('/blocks', JSON.parse(posts[0]!))).json as { id: string };
  await rest.post('/mine', { blocks: 1 });
  const forms = ['?format=sig', '?format=raw', '/proof', '/proof?format=ots', '/proof?format=merkleblock'];
  return [...posts.map((body) => `POST /blocks\n${body}`), ...forms.map((form) => `GET /transactions/${id}${form}\n`)];
}

async function ask(port: number, agent: Agent, method: string, path: string, body: Buffer): Promise<Outcome> {
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request({ port, agent, method, path, host: '127.0.0.1' }, resolve).on('error', reject).end(body);
  });
  const content = await text(response);
  const status = response.statusCode!;
  if (status < 400) return 'accepted';
  check(status < 500 || status === 503, `${method} ${path} is answered ${status}: ${content}`);
  const problem = problemSchema.parse(JSON.parse(content));
  check(problem.status === status, `${path}: status ${status}, but the problem says ${problem.status}`);
  return 'rejected';
}
