import { createServer } from 'node:net';
import { processUser } from '../../common/process-user.js';
import type { NodeConfig } from '../../config/node-config.js';
import { CliError, EXIT } from '../exit.js';
import { nodeName } from '../format.js';
import { NodeClient } from '../node-client.js';
import { urlOf } from './plan-cluster.js';

/** Long enough for a node of ours, short enough for somebody who waits for an error message. */
const PROBE_TIMEOUT_MS = 1_000;

/** @throws CliError when any port of these nodes cannot be listened on; names all of them. */
export async function checkPorts(configs: readonly NodeConfig[]): Promise<void> {
  const claims = configs.flatMap(({ node, rpc }) => {
    const { nodeId, httpHost, httpPort, p2pHost, p2pPort } = node;
    return [
      { host: httpHost, port: httpPort, use: `REST of ${nodeId}`, setting: 'node.http_' },
      { host: p2pHost, port: p2pPort, use: `gRPC of ${nodeId}`, setting: 'node.p2p_' },
      ...(rpc.port === undefined
        ? []
        : [{ host: rpc.host, port: rpc.port, use: `JSON-RPC of ${nodeId}`, setting: 'rpc.' }]),
    ];
  });
  const codes = await Promise.all(claims.map(({ host, port }) => tryListening(host, port)));
  const taken = claims.filter((_, i) => codes[i] === 'EADDRINUSE');
  if (taken.length > 0) {
    const ports = taken.map(({ port, use }) => `${port} (${use})`).join(', ');
    const noun = taken.length === 1 ? 'port is' : 'ports are';
    const settings = [...new Set(taken.map(({ setting }) => named(`${setting}port`)))].join(' and ');
    throw new CliError(`${noun} taken: ${ports}; ${await whatToDo(configs, taken[0]!.port, settings)}`, EXIT.failed);
  }
  const other = codes.findIndex((code) => code !== undefined);
  if (other >= 0) {
    const { host, port, use, setting } = claims[other]!;
    const reason = whyNot(codes[other]!, setting);
    throw new CliError(`cannot listen on ${host}, port ${port} (${use}): ${reason}`, EXIT.failed);
  }
}

/** A setting, and its variable. */
function named(setting: string): string {
  return `${setting} (MINICHAIN_${setting.replace('.', '_').toUpperCase()})`;
}

function whyNot(code: string, setting: string): string {
  if (code === 'EACCES') return `${processUser()} may not; choose a port from 1024 up as ${named(`${setting}port`)}`;
  if (code === 'EADDRNOTAVAIL') return `this machine has no such address; correct ${named(`${setting}host`)}`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `this host name leads nowhere; correct ${named(`${setting}host`)}`;
  }
  return `${code}; correct ${named(`${setting}host`)} or ${named(`${setting}port`)}`;
}

async function whatToDo(configs: readonly NodeConfig[], port: number, settings: string): Promise<string> {
  for (const config of configs) {
    const client = new NodeClient(urlOf(config), undefined);
    const status = await client.ask('GET /status', {}, { timeoutMs: PROBE_TIMEOUT_MS }).catch(() => undefined);
    const nodeId = status?.body.nodeId;
    if (typeof nodeId === 'string') return `a minichain is running already (${nodeName(nodeId)}), stop it first`;
  }
  return `stop what holds them (\`lsof -i :${port}\` or \`ss -ltnp\` tell), or set another port as ${settings}`;
}

/** The error's code when nobody can listen there now. */
function tryListening(host: string, port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  return promise;
}
