import { describe, expect, it } from 'vitest';
import { useHonestPair } from './support/honest-pair.js';
import { useSockets } from './support/sockets.js';

interface Write {
  readonly method?: string;
  readonly path?: string;
  readonly host: string;
  readonly body?: string;
}

describe('a web page or a stranger that writes', () => {
  const pair = useHonestPair();
  const sockets = useSockets();

  const request = ({ method = 'POST', path = '/blocks', host, body = '' }: Write): string =>
    `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

  it('cannot do it under a name of his own (DNS rebinding), by any route', async () => {
    const honest = await pair.start();
    const { httpPort: port } = honest.victim;
    const send = async (write: Write): Promise<string> => {
      const client = await sockets.open({ port, text: request(write), reads: true });
      await client.closed();
      return client.received;
    };
    const writes = [
      { method: 'POST', path: '/blocks', body: '{"data":"rebound"}' },
      { method: 'POST', path: '/mine', body: '{"blocks":1}' },
      { method: 'DELETE', path: '/peers/bans/10.0.0.1' },
    ];
    for (const host of ['evil.example', `evil.example:${port}`, 'EVIL.example.', '127.0.0.1.evil.example', '1.2.3']) {
      for (const write of writes) {
        const answer = await send({ ...write, host });
        expect([host, write.path, answer.slice(9, 12)]).toEqual([host, write.path, '421']);
        expect(answer).toContain('http.allowed_hosts');
      }
    }
    expect(await send({ method: 'GET', path: '/status', host: 'evil.example' })).toMatch(/^HTTP\/1\.1 200 /);
    expect((await honest.victim.get<{ length: number }>('/chain?limit=1')).length).toBe(1);
    for (const host of [`127.0.0.1:${port}`, 'localhost', `[::1]:${port}`, '[::ffff:127.0.0.1]', 'peer1:8091', '']) {
      expect([host, (await send({ host, body: '{"data":"own"}' })).slice(9, 12)]).toEqual([host, '202']);
    }
    await honest.worksOn();
  });

  it('cannot hide keys, or leave the files of /docs', async () => {
    const honest = await pair.start();
    const { httpPort: port } = honest.victim;
    for (const key of ['__proto__', 'constructor', 'toString']) {
      const body = `{"data":"a","${key}":{"prototype":{"polluted":1}}}`;
      const client = await sockets.open({ port, text: request({ host: 'localhost', body }), reads: true });
      await client.closed();
      expect(client.received).toMatch(new RegExp(`^HTTP/1.1 400 .*unknown key .*${key}`, 's'));
    }
    for (const path of ['/docs/../../package.json', '/docs/%2e%2e/%2e%2e/package.json']) {
      const text = request({ method: 'GET', path, host: 'localhost' });
      const client = await sockets.open({ port, text, reads: true });
      await client.closed();
      expect(client.received).toMatch(/^HTTP\/1.1 404 .*"code":"not-found"/s);
    }
    await honest.worksOn();
  });
});
