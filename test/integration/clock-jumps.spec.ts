import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeProcess, converged, temporaryDirectory } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';

/** Debian's package libfaketime, by machine. */
const LIBRARY = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file));

interface Status {
  readonly uptimeSeconds: number;
  readonly peers: { readonly connected: number };
}

const WHY = LIBRARY === undefined ? ' (skipped: libfaketime is not installed)' : '';

describe.skipIf(LIBRARY === undefined)(`a process whose wall clock jumps${WHY}`, () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let steady: NodeProcess;
  let jumpy: NodeProcess;

  beforeEach(async () => {
    directory = temporaryDirectory();
    setClock(0);
    const prefix = [
      'env',
      `LD_PRELOAD=${LIBRARY}`,
      `FAKETIME_TIMESTAMP_FILE=${join(directory.path, 'clock')}`,
      'FAKETIME_NO_CACHE=1',
      'FAKETIME_DONT_FAKE_MONOTONIC=1',
    ];
    const settings = { NETWORK_HEARTBEAT_SECONDS: '1' };
    steady = await NodeProcess.create('node-1', join(directory.path, 'node-1'), settings);
    // It mines nothing: a block of a day ahead would keep the two apart, as it should.
    const idle = { ...settings, BLOCKCHAIN_AUTO_MINE: 'false' };
    jumpy = await NodeProcess.create('node-2', join(directory.path, 'node-2'), idle, prefix);
    await Promise.all([steady.spawn().ready(), jumpy.spawn([steady]).ready()]);
    await jumpy.connectedTo(steady);
  });
  afterEach(async () => {
    for (const node of [steady, jumpy]) if (node.exit === null) await node.kill('SIGKILL');
    directory.remove();
  });

  const setClock = (aheadSeconds: number): void =>
    writeFileSync(join(directory.path, 'clock'), `${aheadSeconds < 0 ? '' : '+'}${aheadSeconds}\n`);
  const wallMs = async (): Promise<number> => Date.parse((await fetch(`${jumpy.url}/status`)).headers.get('date')!);

  it.each([-300, 86_400, -86_400])('by %i s dials a lost peer again at once, and syncs', async (seconds) => {
    await steady.kill('SIGKILL');
    await waitFor('the loss is seen', async () => (await jumpy.get<Status>('/status')).peers.connected === 0);
    setClock(seconds);
    await waitFor('its clock has jumped', async () => Math.abs((await wallMs()) - Date.now() - seconds * 1000) < 5_000);
    await steady.spawn().ready();
    await jumpy.connectedTo(steady);
    await steady.submit('after the jump');
    const { uptimeSeconds } = await jumpy.get<Status>('/status');
    expect(uptimeSeconds).toBeGreaterThanOrEqual(1);
    expect(uptimeSeconds).toBeLessThan(120);
    await waitFor('its latency is true', async () => {
      const { peers } = await jumpy.get<{ peers: { id: string; latencyMs: number | null }[] }>('/peers');
      const latencyMs = peers.find(({ id }) => id === 'node-1')?.latencyMs ?? -1;
      return latencyMs >= 0 && latencyMs < 5_000;
    });
    setClock(0);
    await converged([steady, jumpy]);
  });
});
