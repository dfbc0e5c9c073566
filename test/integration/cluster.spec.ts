import { describe, expect, it } from 'vitest';
import { converged, entriesOf } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { waitFor } from '../support/wait.js';

/** Real processes, real gRPC and HTTP on loopback, real files. */
describe('nodes in processes of their own', () => {
  const { create } = useNodeProcesses();
  const MINING = { BLOCKCHAIN_AUTO_MINE: 'true', BLOCKCHAIN_DIFFICULTY: '4' };
  const WAITING = { BLOCKCHAIN_AUTO_MINE: 'false', BLOCKCHAIN_DIFFICULTY: '2' };

  it('find each other from one bootstrap node, and carry an entry to all', async () => {
    const [one, two, three] = [
      await create('node-1', MINING),
      await create('node-2', MINING),
      await create('node-3', MINING),
    ];
    await one.spawn().ready();
    await Promise.all([two.spawn([one]).ready(), three.spawn([one]).ready()]);
    await Promise.all([one.connectedTo(two, three), two.connectedTo(one, three), three.connectedTo(one, two)]);
    expect(two.output).toContain('Connected to peer node-3');

    const id = await one.submit('Test from Node 1');
    const chain = await converged([one, two, three], ({ length }) => length > 1);
    expect(entriesOf(chain)).toEqual(['Test from Node 1']);
    const confirmed = await waitFor('the entry is confirmed at node 3', async () => {
      const transaction = await three.get<{ status: string; data: string; block: { index: number } }>(
        `/transactions/${id}`,
      );
      return transaction.status === 'confirmed' && transaction;
    });
    expect(confirmed).toMatchObject({ data: 'Test from Node 1', block: { index: 1 } });
  });

  it('bring a late joiner up to the chain and the pending entries', async () => {
    const [one, two] = [await create('node-1', WAITING), await create('node-2', WAITING)];
    await one.spawn().ready();
    for (let i = 1; i <= 5; i++) {
      await one.submit(`Block ${i}`);
      await one.post('/mine', { blocks: 1 });
    }
    await one.post('/mine', { blocks: 300 });
    await one.submit('still pending');
    await two.spawn([one]).ready();
    const chain = await converged([one, two], ({ length }) => length === 306);
    expect(entriesOf(chain)).toEqual(['Block 1', 'Block 2', 'Block 3', 'Block 4', 'Block 5']);
    await waitFor('the pending entry is at node 2', async () => {
      const { entries } = await two.get<{ entries: { data: string }[] }>('/mempool');
      return entries.some(({ data }) => data === 'still pending');
    });
  });

  it('compete, and end with one chain that holds each entry once', async () => {
    const nodes = [await create('node-1', MINING), await create('node-2', MINING), await create('node-3', MINING)];
    for (const node of nodes) node.spawn(nodes.filter((other) => other !== node));
    await Promise.all(nodes.map((node) => node.ready()));
    await Promise.all(nodes.map((node) => node.connectedTo(...nodes.filter((other) => other !== node))));
    await Promise.all(nodes.map((node, index) => node.submit(`Tx${index + 1}`)));
    const chain = await converged(nodes, (one) => entriesOf(one).length >= 3, 30_000);
    expect(entriesOf(chain).toSorted()).toEqual(['Tx1', 'Tx2', 'Tx3']);
  });

  it('keep entries pending until POST /mine where auto mining is off', async () => {
    const [one, two] = [await create('node-1', WAITING), await create('node-2', WAITING)];
    await Promise.all([one.spawn([two]).ready(), two.spawn([one]).ready()]);
    await one.connectedTo(two);
    const id = await one.submit('patience');
    await waitFor('node 2 has heard of it', async () => {
      const { transactions } = await two.get<{ transactions: number }>('/mempool');
      return transactions === 1;
    });
    expect(await one.get(`/transactions/${id}`)).toMatchObject({ status: 'pending' });
    expect((await one.chain()).length).toBe(1);
    await two.post('/mine', {});
    const chain = await converged([one, two], ({ length }) => length === 2);
    expect(entriesOf(chain)).toEqual(['patience']);
    expect(await one.get('/mempool')).toMatchObject({ transactions: 0 });
  });

  it('have the same chain after a clean stop, which ends with code 0', async () => {
    const one = await (await create('node-1', WAITING)).spawn().ready();
    await one.submit('kept');
    await one.post('/mine', { blocks: 3 });
    const before = await one.chain();
    expect(await one.kill('SIGTERM')).toBe(0);
    await one.spawn().ready();
    expect(await one.chain()).toEqual(before);
  });

  it('lose no acknowledged entry to kill -9 during a stream of posts', async () => {
    const one = await (await create('node-1', MINING)).spawn().ready();
    const acknowledged: string[] = [];
    const posting = new AbortController();
    const posters = Array.from({ length: 8 }, async (_, poster) => {
      for (let i = 0; !posting.signal.aborted; i++) {
        const data = `entry ${poster}/${i}`;
        // The post under way when the process dies fails; whether it was stored is open, and not claimed.
        await one.submit(data).then(
          () => acknowledged.push(data),
          () => posting.abort(),
        );
      }
    });
    await waitFor('300 entries are acknowledged', () => acknowledged.length >= 300);
    await one.kill('SIGKILL');
    await Promise.all(posters);

    await one.spawn().ready();
    const stored = await waitFor('all that was pending is mined', async () => {
      const { transactions } = await one.get<{ transactions: number }>('/mempool');
      return transactions === 0 && entriesOf(await one.chain());
    });
    expect(new Set(stored).size).toBe(stored.length);
    expect(acknowledged.filter((data) => !stored.includes(data))).toEqual([]);
  });

  it('come back together after one of them was killed', async () => {
    const [one, two] = [await create('node-1', MINING), await create('node-2', MINING)];
    await Promise.all([one.spawn([two]).ready(), two.spawn([one]).ready()]);
    await one.connectedTo(two);
    await two.kill('SIGKILL');
    await one.submit('while node 2 was away');
    await two.spawn([one]).ready();
    const chain = await converged([one, two], ({ length }) => length > 1);
    expect(entriesOf(chain)).toEqual(['while node 2 was away']);
  });

  it('refuse a taken port and a data directory in use, each in one clear line', async () => {
    const one = await (await create('node-1', WAITING)).spawn().ready();

    const samePort = await create('node-2', { ...WAITING, NODE_HTTP_PORT: String(one.httpPort) });
    samePort.spawn();
    expect(await waitFor('the second node ends', () => samePort.exit ?? undefined)).toBe(1);
    const portLine = samePort.output.split('\n').filter((line) => line.includes(String(one.httpPort)));
    expect(portLine.join()).toMatch(/port is taken/);
    expect(samePort.output).not.toMatch(/^\s+at /m);

    const sameDirectory = await create('node-3', { ...WAITING, NODE_DATA_DIR: one.dataDir });
    sameDirectory.spawn();
    expect(await waitFor('the third node ends', () => sameDirectory.exit ?? undefined)).toBe(1);
    expect(sameDirectory.output).toContain(one.dataDir);
    expect(sameDirectory.output).not.toMatch(/^\s+at /m);
  });
});
