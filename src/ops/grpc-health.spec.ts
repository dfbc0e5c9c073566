import { Server, ServerCredentials, credentials, makeGenericClientConstructor, type Client } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcHealthHook } from './grpc-health.js';
import type { HealthService } from './health.service.js';

interface HealthClient extends Client {
  check(
    request: { service: string },
    done: (error: { code: number } | null, answer?: { status: string }) => void,
  ): void;
  watch(request: { service: string }): AsyncIterable<{ status: string }> & { cancel(): void };
}

let server: Server;
let client: HealthClient;
let announce: (ready: boolean) => void;

beforeEach(async () => {
  server = new Server();
  const health = {
    onChange: (listener: (ready: boolean) => void) => {
      announce = listener;
      listener(false);
    },
  } as HealthService;
  grpcHealthHook(health, ['minichain.v1.PeerService'])({}, server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const HealthClient = makeGenericClientConstructor(service, 'grpc.health.v1.Health');
  client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure()) as unknown as HealthClient;
});

afterEach(() => {
  client.close();
  server.forceShutdown();
});

function check(name: string): Promise<string | number> {
  return new Promise((resolve) => {
    client.check({ service: name }, (error, answer) => resolve(error === null ? answer!.status : error.code));
  });
}

describe('grpcHealthHook', () => {
  it('follows readiness, for the server and for each service', async () => {
    expect(await check('')).toBe('NOT_SERVING');
    announce(true);
    expect(await check('')).toBe('SERVING');
    expect(await check('minichain.v1.PeerService')).toBe('SERVING');
    announce(false);
    expect(await check('minichain.v1.PeerService')).toBe('NOT_SERVING');
  });

  it('knows no other service', async () => {
    expect(await check('another.Service')).toBe(5);
  });

  it('tells watchers of changes', async () => {
    const seen: string[] = [];
    const call = client.watch({ service: '' });
    for await (const { status } of call) {
      seen.push(status);
      if (seen.length === 3) break;
      announce(seen.length === 1);
    }
    expect(seen).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  });
});
