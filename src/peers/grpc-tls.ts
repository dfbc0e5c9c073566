import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ServerCredentials, credentials, type ChannelCredentials, type Server } from '@grpc/grpc-js';
import { unmapAddress } from '../config/address.js';
import type { TlsSection } from '../config/node-config.js';
import { http2ServersOf } from './grpc-connections.js';
import { tlsReason, type TlsRefusals } from './tls-refusals.js';

/** A name that no node has: grpc-js needs one to check, and Node needs one for SNI that is not an IP address. */
export const TLS_TARGET_NAME = 'minichain.invalid';

/** Accepts only clients whose certificate is from the network's authority. */
export function serverCredentials({ ca, cert, key }: TlsSection): ServerCredentials {
  const pair = { private_key: pemOf(key), cert_chain: Buffer.from(cert) };
  return ServerCredentials.createSsl(Buffer.from(ca), [pair], true);
}

/**
 * Shows our certificate and accepts only servers whose certificate is from the network's authority. The dialled name is
 * not compared, because nodes are reached by addresses that change. The certificate names the node, and the session
 * compares that name with the Hello (see certificateMismatch).
 */
export function clientCredentials({ ca, cert, key }: TlsSection): ChannelCredentials {
  return credentials.createSsl(Buffer.from(ca), pemOf(key), Buffer.from(cert), {
    checkServerIdentity: () => undefined,
    // Set explicitly: otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would win.
    rejectUnauthorized: true,
  });
}

/** Logs connections that fail in the TLS handshake. `server` must be listening already. */
export function watchHandshakes(server: Server, refusals: TlsRefusals): void {
  // grpc-js does not report failed handshakes.
  for (const http2Server of http2ServersOf(server)) {
    // Node remembers the address of a closed socket only if it was read while the socket was open.
    http2Server.prependListener('connection', (socket: Socket) => void socket.remoteAddress);
    http2Server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      const raw = (socket as unknown as { _parent?: Socket })._parent;
      const host = unmapAddress(socket.remoteAddress ?? raw?.remoteAddress ?? 'unknown');
      const verdict = socket.authorizationError as unknown as string | null;
      const reason = tlsReason(verdict ?? error.code ?? '');
      if (reason !== undefined) refusals.tell(host, reason, verdict ?? error.code!);
      // A connection that sent no byte is a port scan or a load balancer's probe.
      else if (raw !== undefined && raw.bytesRead > 0) {
        refusals.tell(host, 'it broke off the TLS handshake; its log says why', error.code ?? error.message);
      }
    });
  }
}

function pemOf(key: TlsSection['key']): Buffer {
  return Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));
}
