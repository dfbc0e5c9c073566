import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from '../common/http-problem.js';
import { operationOf } from '../common/operation.js';
import { parseAddress } from '../config/address.js';
import type { NodeConfig } from '../config/node-config.js';

/** Below these nobody can register a name: RFC 6761, RFC 6762, ICANN's private-use name, and that of Kubernetes services. */
const PRIVATE_ENDS = ['.localhost', '.local', '.internal', '.svc'];

/**
 * Refuses (421) writes that call the node by a name that may be somebody else's. Anyone can let a name of his own point to
 * this machine (DNS rebinding); to a browser here, his page and this node then have one origin. Not foreign are IP addresses,
 * names that nobody on the internet owns (without a dot, as Compose and Kubernetes use them, or private), the names in this
 * node's own addresses, and those of `http.allowed_hosts`.
 */
export function refuseForeignHosts(instance: FastifyInstance, config: NodeConfig): void {
  const { allowedHosts } = config.http;
  if (allowedHosts.includes('*')) return;
  const known = new Set([...ownNames(config), ...allowedHosts].map(normalise));
  instance.addHook('onRequest', (request, _reply, done) => {
    if (operationOf(request)?.effect !== 'write') return done();
    const host = nameOf(request.headers.host ?? '');
    if (isHarmless(host) || known.has(host)) return done();
    const detail =
      `a write must call this node by an IP address, localhost, or one of its names, not by ${JSON.stringify(host)}; ` +
      'if that is a name of this node, add it to http.allowed_hosts in the configuration';
    done(new HttpProblem(421, 'foreign-host', detail));
  });
}

function ownNames({ node }: NodeConfig): string[] {
  const advertised = node.advertisedAddress === undefined ? undefined : parseAddress(node.advertisedAddress);
  return [node.nodeId, node.httpHost, node.p2pHost, ...(advertised === undefined ? [] : [advertised.host])];
}

/** The host of a Host header, without its port. */
function nameOf(header: string): string {
  return normalise(/^(\[[^\]]*\]|[^:]*)(:\d*)?$/.exec(header)?.[1] ?? header);
}

/** The dot at the end of an absolute name does not make it another one. */
function normalise(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** Empty: a client of HTTP/1.0, which is no browser. */
function isHarmless(host: string): boolean {
  return (
    !host.includes('.') || isIP(host.replace(/^\[|\]$/g, '')) !== 0 || PRIVATE_ENDS.some((end) => host.endsWith(end))
  );
}
