import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRestApp, type Answer, type RestApp } from '../../test/support/rest-app.js';
import { ClusterRefusedError, type ClusterListener, type ClusterNode, type ClusterRequest } from './cluster-port.js';

const SISTER = 'http://127.0.0.1:18999';
const NODES: ClusterNode[] = ['rest', 'node-2', 'node-3'].map((nodeId, n) => ({
  nodeId,
  url: `http://127.0.0.1:${18_998 + n}`,
  state: 'running',
}));

/** Obeys at once, and remembers what was asked. */
class FakeCluster {
  nodes: readonly ClusterNode[] | undefined = NODES;
  readonly asked: ClusterRequest[] = [];
  refusal: string | undefined;
  #listener: ClusterListener | undefined;

  open(listener: ClusterListener): Promise<void> {
    this.#listener = listener;
    return Promise.resolve();
  }

  ask(request: ClusterRequest): Promise<void> {
    this.asked.push(request);
    if (this.refusal !== undefined) return Promise.reject(new ClusterRefusedError(this.refusal, 'it is so'));
    if (request.kind !== 'process') this.#listener!.obey(request);
    return Promise.resolve();
  }
}

let rest: RestApp;
let cluster: FakeCluster;

beforeAll(async () => {
  cluster = new FakeCluster();
  rest = await startRestApp({ MINICHAIN_LAB_ENABLED: 'true', MINICHAIN_LAB_NODES: SISTER }, { cluster });
});

beforeEach(async () => {
  Object.assign(cluster, { nodes: NODES, refusal: undefined });
  await rest.post('/lab/reset');
  cluster.asked.length = 0;
});

afterAll(() => rest.close());

it('the lab is off unless it is configured: 404, and nothing in the API documentation', async () => {
  const plain = await startRestApp();
  expect((await plain.get('/lab')).status).toBe(404);
  expect((await plain.post('/lab/heal')).status).toBe(404);
  expect(plain.routes.filter((route) => route.includes('/lab'))).toEqual([]);
  await plain.close();
});

describe('the lab of a node', () => {
  it('shows what holds', async () => {
    expect((await rest.get('/lab')).json).toEqual({
      nodeId: 'rest',
      mining: { mode: 'off', hashRate: 0 },
      links: [],
      groups: null,
      groupsEndInSeconds: null,
      nodes: [SISTER],
      cluster: { nodes: NODES },
    });
  });

  it('cuts the network, says so in the log and in /metrics, and heals it', async () => {
    const { json } = await rest.post('/lab/partition', { groups: [['rest']], seconds: 9 });
    expect(json).toMatchObject({ groups: [['rest'], ['node-2', 'node-3']], groupsEndInSeconds: 9 });
    expect(rest.logged.at(-1)).toMatchObject({
      msg: expect.stringMatching(/Network cut for 9 s: rest \/ node-2, node-3/),
    });
    expect((await rest.get('/metrics')).text).toMatch(/minichain_lab_links\{fault="cut",.*\} 2/);
    expect((await rest.post('/lab/heal')).json).toMatchObject({ groups: null });
    expect((await rest.get('/metrics')).text).toMatch(/minichain_lab_links\{fault="cut",.*\} 0/);
  });

  it('slows and cuts single links', async () => {
    const { json } = await rest.post('/lab/links/node-2', { delayMs: 800 });
    expect(json.links).toEqual([{ nodeId: 'node-2', cut: false, delayMs: 800, jitterMs: 0, endsInSeconds: 600 }]);
    expect((await rest.post('/lab/links/node-2', { cut: true })).json.links).toMatchObject([{ cut: true }]);
    expect((await rest.fetch('/lab/links/node-2', { method: 'DELETE' })).json.links).toEqual([]);
  });

  it('changes how it mines, and POST /mine works in every mode; heal leaves it so, reset does not', async () => {
    const body = { mode: 'entries', hashRate: 1_000_000 };
    expect((await rest.post('/lab/mining', body)).json.mining).toEqual(body);
    expect((await rest.post('/lab/mining', { mode: 'off' })).json.mining).toEqual({ ...body, mode: 'off' });
    expect((await rest.post('/mine', { blocks: 1 })).json.blocks).toHaveLength(1);
    expect((await rest.post('/lab/heal')).json.mining).toEqual({ ...body, mode: 'off' });
    await rest.post('/lab/mining', { mode: 'entries' });
    expect((await rest.post('/lab/reset')).json.mining).toEqual({ mode: 'off', hashRate: 0 });
  });

  it('has the cluster end another node at once, and this one after the answer', async () => {
    await rest.post('/lab/nodes/node-2/kill');
    expect(cluster.asked).toEqual([{ kind: 'process', nodeId: 'node-2', verb: 'kill', seconds: 600 }]);
    cluster.asked.length = 0;
    const { json } = await rest.post('/lab/nodes/rest/stop');
    expect(json.cluster.nodes[0]).toMatchObject({ nodeId: 'rest', state: 'ended' });
    expect(cluster.asked[0]).toMatchObject({ check: true });
  });

  it.each<[string, string, string, unknown, number, string]>([
    ['empty groups', 'POST', '/lab/partition', { groups: [] }, 400, 'empty-groups'],
    ['an empty group', 'POST', '/lab/partition', { groups: [[], ['rest']] }, 400, 'empty-group'],
    ['a node in two groups', 'POST', '/lab/partition', { groups: [['rest'], ['rest']] }, 400, 'node-in-two-groups'],
    ['an unknown node in a group', 'POST', '/lab/partition', { groups: [['node-9']] }, 404, 'unknown-node'],
    ['no groups at all', 'POST', '/lab/partition', {}, 400, 'invalid-request'],
    ['groups that are no lists', 'POST', '/lab/partition', { groups: ['rest'] }, 400, 'invalid-request'],
    ['no time', 'POST', '/lab/partition', { groups: [['rest']], seconds: 0 }, 400, 'invalid-request'],
    ['a link with an unknown node', 'POST', '/lab/links/node-9', { cut: true }, 404, 'unknown-node'],
    ['a link with itself', 'POST', '/lab/links/rest', { cut: true }, 400, 'own-node'],
    ['a link both cut and slow', 'POST', '/lab/links/node-2', { cut: true, delayMs: 5 }, 400, 'invalid-request'],
    ['a link neither cut nor slow', 'POST', '/lab/links/node-2', {}, 400, 'invalid-request'],
    ['a delay beyond the heartbeat', 'POST', '/lab/links/node-2', { delayMs: 60_000 }, 400, 'invalid-request'],
    ['an unknown link to mend', 'DELETE', '/lab/links/node-9', undefined, 404, 'unknown-node'],
    ['an unknown mode', 'POST', '/lab/mining', { mode: 'on' }, 400, 'invalid-request'],
    ['nothing about mining', 'POST', '/lab/mining', {}, 400, 'invalid-request'],
    ['a negative hash rate', 'POST', '/lab/mining', { hashRate: -1 }, 400, 'invalid-request'],
    ['an unknown node to kill', 'POST', '/lab/nodes/node-9/kill', undefined, 404, 'unknown-node'],
    ['an unknown verb', 'POST', '/lab/nodes/node-2/explode', undefined, 400, 'invalid-request'],
  ])('refuses %s', async (_name, method, path, body, status, code) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    expectProblem(await rest.fetch(path, init), status, code);
    expect(cluster.asked).toEqual([]);
  });

  it('hands on what the cluster refuses, and refuses itself without one', async () => {
    cluster.refusal = 'last-node';
    expectProblem(await rest.post('/lab/nodes/rest/kill'), 409, 'last-node');
    cluster.nodes = undefined;
    expectProblem(await rest.post('/lab/nodes/rest/kill'), 409, 'no-cluster');
  });

  it('says that it does only its own part where no cluster runs it', async () => {
    cluster.nodes = undefined;
    await rest.post('/lab/heal');
    expect(rest.logged.at(-1)).toMatchObject({ msg: 'Lab: Links of this node healed' });
    expect(cluster.asked).toEqual([]);
  });
});

describe('pages', () => {
  const json = { 'content-type': 'application/json' };

  function kill(headers: Record<string, string>): Promise<Answer> {
    return rest.fetch('/lab/nodes/node-2/kill', { method: 'POST', headers, body: '{"seconds":5}' });
  }

  it.each([
    ['of a foreign origin', { origin: 'https://evil.example', ...json }, 403, 'cross-origin'],
    ['of a name that begins like ours', { origin: 'http://127.0.0.1.evil.com', ...json }, 403, 'cross-origin'],
    ['of another port of this machine', { origin: 'http://127.0.0.1:18777', ...json }, 403, 'cross-origin'],
    ['of no origin', { origin: 'null', ...json }, 403, 'cross-origin'],
    ['that send text/plain', { origin: SISTER, 'content-type': 'text/plain' }, 415, 'not-json'],
    ['that send a form', { origin: SISTER, 'content-type': 'application/x-www-form-urlencoded' }, 415, 'not-json'],
    ['that send nearly JSON', { origin: SISTER, 'content-type': 'application/json-not' }, 415, 'not-json'],
  ])('%s are refused before anything happens', async (_name, headers, status, code) => {
    expectProblem(await kill(headers), status, code);
    expect(cluster.asked).toEqual([]);
  });

  it.each(['127.0.0.1.evil.com', 'evil.com', 'localhost.evil.com:8091'])(
    'that call the node by %s are refused (421)',
    async (host) => {
      const head = `POST /lab/heal HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nConnection: close\r\n\r\n`;
      const answer = await rest.raw(head);
      expect(answer).toMatch(/^HTTP\/1.1 421 /);
      expect(answer).toContain('"code":"foreign-host"');
      expect(cluster.asked).toEqual([]);
    },
  );

  it('of the nodes of the lab may write, by either name of this machine, and read and listen', async () => {
    for (const origin of [SISTER, SISTER.replace('127.0.0.1', 'localhost'), `http://127.0.0.1:${rest.port}`]) {
      expect((await kill({ origin, ...json })).status).toBe(200);
    }
    const page = { origin: SISTER };
    for (const path of ['/lab', '/status', '/events']) {
      expect((await rest.get(path, page)).headers.get('access-control-allow-origin')).toBe(SISTER);
    }
    const preflight = {
      ...page,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    };
    const { status, headers } = await rest.fetch('/lab/heal', { method: 'OPTIONS', headers: preflight });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, SISTER]);
  });

  it('that http.cors_origins lets in may post entries, but not break the network', async () => {
    const origin = 'https://app.example';
    const open = await startRestApp({ MINICHAIN_LAB_ENABLED: 'true', MINICHAIN_HTTP_CORS_ORIGINS: '*' });
    const headers = { origin, ...json };
    expect((await open.fetch('/blocks', { method: 'POST', headers, body: '{"data":"x"}' })).status).toBe(202);
    expectProblem(await open.fetch('/lab/heal', { method: 'POST', headers, body: '{}' }), 403, 'cross-origin');
    await open.close();
  });
});

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.json).toMatchObject({ status, code, detail: expect.stringMatching(/\w+ \w+/) });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
}
