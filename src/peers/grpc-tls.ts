import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ServerCredentials, credentials, type ChannelCredentials, type Server } from '@grpc/grpc-js';
import type { TlsSection } from '../config/node-config.js';
import { tlsReason, type TlsRefusals } from './tls-refusals.js';

/** A name that no node has: grpc-js wants one to check, and Node one for SNI, which must not be an IP address. */
export const TLS_TARGET_NAME = 'minichain.invalid';

/** Takes only clients whose certificate is from the network's authority. */
export function serverCredentials({ ca, cert, key }: TlsSection): ServerCredentials {
  const pair = { private_key: pemOf(key), cert_chain: Buffer.from(cert) };
  return ServerCredentials.createSsl(Buffer.from(ca), [pair], true);
}

/**
 * Shows our certificate and takes only servers whose own is from the network's authority. The name that was dialled is
 * not compared: nodes are reached by addresses that change. What the certificate names is the node, and the handshake
 * of the session compares that with the Hello (see certificateMismatch).
 */
export function clientCredentials({ ca, cert, key }: TlsSection): ChannelCredentials {
  return credentials.createSsl(Buffer.from(ca), pemOf(key), Buffer.from(cert), {
    checkServerIdentity: () => undefined,
    // Said aloud, for NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would else win.
    rejectUnauthorized: true,
  });
}

/** Has the log tell of connections that do not get through the TLS handshake; `server` listens already. */
export function watchHandshakes(server: Server, refusals: TlsRefusals): void {
  // grpc-js keeps its HTTP/2 servers to itself, and says nothing of a failed handshake.
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2SecureServer, unknown> };
  for (const http2Server of http2Servers?.keys() ?? []) {
    // Asked for while there is a connection, the address is remembered when it is gone.
    http2Server.prependListener('connection', (socket: Socket) => void socket.remoteAddress);
    http2Server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      const raw = (socket as unknown as { _parent?: Socket })._parent;
      const host = (socket.remoteAddress ?? raw?.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
      const verdict = socket.authorizationError as unknown as string | null;
      const reason = tlsReason(verdict ?? error.code ?? '');
      if (reason !== undefined) refusals.tell(host, reason, verdict ?? error.code!);
      // Without a byte it is a port scan or a probe of a load balancer.
      else if (raw !== undefined && raw.bytesRead > 0) {
        refusals.tell(host, 'it broke off the TLS handshake; its log says why', error.code ?? error.message);
      }
    });
  }
}

function pemOf(key: TlsSection['key']): Buffer {
  return Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));
}
