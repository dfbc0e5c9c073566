import * as fc from 'fast-check';
import { startRestApp } from '../support/rest-app.js';
import type { FuzzTarget } from './fuzz.js';
import { check } from './outcome.js';

const BODY = '{"data":"raw"}';
const SEEDS = [
  'GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  'GET /chain?limit=1 HTTP/1.0\r\n\r\n',
  `POST /blocks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`,
  `POST /blocks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
];
const TOKENS = ['\r\n', '\r\n\r\n', ':', 'Host: ', 'Content-Length: ', 'Transfer-Encoding: chunked', 'HTTP/1.1', '\0'];
const STATUS = /^HTTP\/1\.1 (\d{3}) /;

/** What comes in on a socket, before there is a request to speak of. */
export async function httpTarget(): Promise<FuzzTarget> {
  const rest = await startRestApp();
  return {
    seeds: SEEDS.map((seed) => Buffer.from(seed)),
    tokens: TOKENS.map((token) => Buffer.from(token)),
    structured: fc
      .string({ unit: 'binary-ascii' })
      .map((line) => Buffer.from(`GET /${line} HTTP/1.1\r\n\r\n`, 'latin1')),
    run: async (input) => {
      const answer = await rest.rawThenEnd(input);
      const [, status] = STATUS.exec(answer) ?? [];
      check(status === undefined || Number(status) < 500, `answered ${answer}`);
      const fault = rest.logged.find(({ level }) => Number(level) >= 50);
      check(fault === undefined, `logged as an error: ${JSON.stringify(fault)}`);
      return status?.startsWith('2') === true ? 'accepted' : 'rejected';
    },
    close: () => rest.close(),
  };
}
