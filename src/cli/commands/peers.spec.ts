import { describe, expect, it } from 'vitest';
import { run, serve, type Route } from '../../../test/support/cli-rig.js';

describe('commands about peers', () => {
  it('peers: an address nobody has been met at yet has no node id', async () => {
    const unmet = { id: null, lastSeen: null, direction: null, latencyMs: null, height: null, score: 0 };
    const body = { connected: 0, peers: [{ ...unmet, address: '10.0.0.1:9091', connected: false }] };
    const url = await serve({ 'GET /peers': () => ({ body }) });
    const { code, out } = await run(['peers', '--url', url]);
    expect(code).toBe(0);
    expect(out).toMatch(/^\? +10\.0\.0\.1:9091 +no +never$/m);
  });

  it('peers disconnect and connect: the node id in the path, the token; a refused link in the table', async () => {
    const seen: string[] = [];
    const link = { id: 'node-2', connected: false };
    const route = (name: string, refused: boolean): Record<string, Route> => ({
      [`POST /peers/node-2/${name}`]: (_body, { headers }) => {
        seen.push(`${name} ${headers.authorization}`);
        return { body: { ...link, refused } };
      },
    });
    const gone = { lastSeen: null, direction: null, latencyMs: null, height: null, score: 0 };
    const peers = [{ ...gone, ...link, address: '10.0.0.2:9091', refused: true }];
    const url = await serve({
      ...route('disconnect', true),
      ...route('connect', false),
      'GET /peers': () => ({ body: { connected: 0, peers } }),
    });
    const cut = await run(['peers', 'disconnect', 'node-2', '--url', url, '--token', 't']);
    expect(cut).toMatchObject({ code: 0, out: 'Disconnected from node-2; links with it are refused\n' });
    expect((await run(['peers', '--url', url])).out).toMatch(/^node-2 +10\.0\.0\.2:9091 +refused +never$/m);
    const back = await run(['peers', '--url', url, '--token', 't', 'connect', 'node-2']);
    expect(back).toMatchObject({ code: 0, out: 'Links with node-2 are allowed; dialling it\n' });
    expect(seen).toEqual(['disconnect Bearer t', 'connect Bearer t']);
    expect(await run(['peers', 'connect', 'nobody', '--url', url])).toMatchObject({ code: 1, out: '' });
    const wrong = await run(['peers', 'disconnect']);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toContain('minichain peers disconnect --help');
  });

  it('bans: a table; bans remove: the subject in the path, the token, options before or after', async () => {
    const ban = { subject: 'host:2001:db8::7', until: '2026-11-23T13:14:15.000Z', code: 'high-hash' };
    const tokens: unknown[] = [];
    const url = await serve({
      'GET /peers/bans': () => ({ body: { bans: [ban] } }),
      'DELETE /peers/bans/2001%3Adb8%3A%3A7': (_body, { headers }) => {
        tokens.push(headers.authorization);
        return { body: { lifted: [ban] } };
      },
    });
    const listed = await run(['bans', '--url', url]);
    expect(listed.out).toMatch(/host:2001:db8::7 {2}2026-11-23.* {2}high-hash\n1 ban\n$/);
    const lifted = 'Ban of host:2001:db8::7 lifted\n';
    expect(await run(['bans', 'remove', '2001:db8::7', '--url', url, '--token', 't'])).toMatchObject({ out: lifted });
    expect(await run(['bans', '--url', url, '--token', 't', 'remove', '2001:db8::7'])).toMatchObject({ out: lifted });
    expect(tokens).toEqual(['Bearer t', 'Bearer t']);
    expect(await run(['bans', 'remove', 'nobody', '--url', url])).toMatchObject({ code: 1 });
    const wrong = await run(['bans', 'remove']);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toContain('minichain bans remove --help');
  });
});
