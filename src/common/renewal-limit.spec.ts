import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../test/support/wait.js';
import { RenewalLimit } from './renewal-limit.js';

const open = new Set<Socket | Server>();
afterEach(() => {
  for (const each of open) {
    if ('destroy' in each) each.destroy();
    else each.close();
  }
  open.clear();
});

/** Does the server take a connection from this address? */
async function isAccepted(server: Server, from: string): Promise<boolean> {
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection').then(() => true);
  const socket = connect({ host: '127.0.0.1', port, localAddress: from }).on('error', () => {});
  open.add(socket);
  return Promise.race([accepted, new Promise<false>((resolve) => socket.once('close', () => resolve(false)))]);
}

describe.each([
  ['a TCP server', () => createServer()],
  ['an HTTP server', () => createHttpServer() as Server],
])('RenewalLimit of %s', (_name, create) => {
  it('turns away a host that renews too often, and no other one; takes it again after a while', async () => {
    const server = create().listen(0, '127.0.0.1');
    open.add(server);
    await once(server, 'listening');
    const limit = new RenewalLimit();
    limit.watch(server);
    for (let count = 0; count < 50; count++) limit.renewed('a', '127.0.0.9');
    expect(await isAccepted(server, '127.0.0.9')).toBe(true);
    limit.renewed('a', '127.0.0.9');
    expect(await isAccepted(server, '127.0.0.9')).toBe(false);
    expect(await isAccepted(server, '127.0.0.8')).toBe(true);
    await waitFor('it is taken again', () => isAccepted(server, '127.0.0.9'), 60_000);
  });
});
