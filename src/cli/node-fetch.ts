import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Fetch, FetchAnswer } from '../client/http.js';
import { isLoopback } from '../config/address.js';

/** For this machine without a proxy, whatever NODE_USE_ENV_PROXY says. Elsewhere Node's own agents are used. */
const direct = new Agent({ keepAlive: true });

/** By node:http: `fetch` refuses ports that the web reserves (10080, 6000, 5060...), and nodes may use any. */
export const nodeFetch: Fetch = async (address, { method, headers, body, signal }) => {
  const url = new URL(address);
  const isDirect = url.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
  const bytes = body === undefined ? undefined : Buffer.from(body, 'utf8');
  const length = bytes === undefined ? {} : { 'content-length': String(bytes.length) };
  const options: RequestOptions = { method, headers: { accept: 'application/json', ...headers, ...length }, signal };
  if (isDirect) options.agent = direct;
  const { request } = url.protocol === 'https:' ? await import('node:https') : { request: httpRequest };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (incoming) => resolve(answerOf(incoming)));
    outgoing.once('error', reject).end(bytes);
  });
};

function answerOf(incoming: IncomingMessage): FetchAnswer {
  const { statusCode = 0, statusMessage = '', headers } = incoming;
  return {
    status: statusCode,
    statusText: statusMessage,
    headers: { get: (name) => [headers[name]].flat()[0] ?? null },
    get body() {
      return Readable.toWeb(incoming) as ReadableStream<Uint8Array>;
    },
    arrayBuffer: () => buffer(incoming),
  };
}
