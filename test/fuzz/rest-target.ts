import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { problemSchema } from '../../src/ops/problem.js';
import { startRestApp } from '../support/rest-app.js';
import type { FuzzTarget, Outcome } from './fuzz.js';
import { check } from './outcome.js';

const ID = 'ab'.repeat(32);
const SEEDS = [
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
const TOKENS = ['%', '%00', '%2f', '/', '..', '?', '&', 'from=', 'limit=', '{', '[', '"data":', '\\ud800', '1e9', '-1'];
/** Of a path: what an HTTP client may send. */
const UNSENDABLE = /[^\x21-\x7e]/g;
/** Routes whose every block costs work are not asked for many. */
const MANY = /[1-9]\d+|\de/;

/** Requests to a real node: method and path in the first line, the body behind it. */
export async function restTarget(): Promise<FuzzTarget> {
  const rest = await startRestApp();
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
    fc.string({ unit: 'binary' }),
  );
  return {
    seeds: SEEDS.map((seed) => Buffer.from(seed)),
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
