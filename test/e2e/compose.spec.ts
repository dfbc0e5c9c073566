import { execFileSync } from 'node:child_process';
import { DockerComposeEnvironment, getContainerRuntimeClient } from 'testcontainers';
import { expect, inject, it, onTestFinished } from 'vitest';
import { containerById } from '../support/docker-container.js';
import { outputOf, type Container } from '../support/docker-engine.js';
import { EventClient } from '../support/event-client.js';
import { waitFor } from '../support/wait.js';
import { describeWithEngine, imageUnderTest } from './cluster.js';

const NODE_URLS = [8091, 8092, 8093].map((port) => `http://127.0.0.1:${port}`);
const [FIRST, SECOND, THIRD] = NODE_URLS as [string, string, string];
const PROMETHEUS_URL = 'http://127.0.0.1:9090';
const SERVICES = ['node1', 'node2', 'node3', 'prometheus', 'node'];
const LIMIT_MS = 90_000;

/** The compose file as it is shipped, on the ports that it says; Grafana alone stays away, to be had from its registry only. */
describeWithEngine('docker-compose.yml', () => {
  it('brings up nodes that find each other, more of them by DNS alone, each with its page, and a Prometheus that sees them all', async () => {
    await up(['docker-compose.yml'], { scale: 2 });
    await waitFor('each node has all others', async () => (await connected()).every((count) => count === 4), LIMIT_MS);
    for (const url of NODE_URLS) await checkPage(url);
    const streams = await Promise.all(NODE_URLS.map((url) => EventClient.open(url)));
    onTestFinished(() => streams.forEach((stream) => stream.close()));
    const id = await post('through compose');
    await confirmed(id);
    for (const stream of streams) {
      const isConfirmed = (): boolean =>
        stream.of('entry').some(({ state, ids }) => state === 'confirmed' && ids.includes(id));
      await waitFor('the stream says that the entry is confirmed', isConfirmed, LIMIT_MS);
    }
    const query = encodeURIComponent('count(up{job="minichain"} == 1)');
    await waitFor(
      'all five are scraped',
      async () => {
        const answer = await get<{ data: { result: { value: [number, string] }[] } }>(
          `${PROMETHEUS_URL}/api/v1/query?query=${query}`,
        );
        return answer.data.result[0]?.value[1] === '5';
      },
      LIMIT_MS,
    );
  });

  it('with deploy/compose.tls.yml: the certified keep to themselves, and who writes needs the token', async () => {
    await up(['docker-compose.yml', 'deploy/compose.tls.yml'], {
      scale: 1,
      variables: { MINICHAIN_HTTP_WRITE_TOKEN: 'correct-horse' },
    });
    await waitFor('the three are connected', async () => (await connected()).every((count) => count === 2), LIMIT_MS);
    await expect(post('without a token')).rejects.toThrow('401');
    await expect(post('with a wrong one', 'Bearer battery-staple')).rejects.toThrow('401');
    await confirmed(await post('with the token', 'Bearer correct-horse'));

    // The node of the template service has no certificate.
    const stranger = await containerOf('node');
    const { container } = await getContainerRuntimeClient();
    const inside = async (path: string): Promise<unknown> => {
      const script = `fetch('http://127.0.0.1:8091${path}').then(async (r) => console.log(await r.text()))`;
      return JSON.parse((await container.exec(stranger, ['node', '-e', script])).output);
    };
    await waitFor('its refusal is logged', async () => {
      const { stdout, stderr } = await outputOf(await containerOf('node1'));
      return /Peer at .* not accepted: it does not speak TLS/.test(stdout + stderr);
    });
    expect(await inside('/peers')).toMatchObject({ connected: 0 });
    expect(await inside('/status')).toMatchObject({ height: 0, mempool: { transactions: 0 } });
    expect(await connected()).toEqual([2, 2, 2]);
  });
});

async function up(
  files: string[],
  options: { readonly scale: number; readonly variables?: Record<string, string> },
): Promise<void> {
  const environment = await new DockerComposeEnvironment('.', files)
    .withProjectName(inject('run'))
    .withProfiles('more')
    .withEnvironment({
      MINICHAIN_IMAGE: imageUnderTest(),
      MINICHAIN_BLOCKCHAIN_DIFFICULTY: '3',
      ...options.variables,
    })
    .withClientOptions({
      commandOptions: ['--scale', `node=${options.scale}`],
      ...(isPluginThere() ? {} : { executable: { standalone: true } }),
    })
    .withStartupTimeout(LIMIT_MS)
    .up(SERVICES);
  onTestFinished(async () => {
    await environment.down({ removeVolumes: true });
  });
}

/** `docker compose`; before it there was a program `docker-compose`. */
function isPluginThere(): boolean {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function containerOf(service: string): Promise<Container> {
  const { container } = await getContainerRuntimeClient();
  const label = [`com.docker.compose.project=${inject('run')}`, `com.docker.compose.service=${service}`];
  const [found] = await container.dockerode.listContainers({ filters: { label } });
  if (found === undefined) throw new Error(`no container of service ${service} is running`);
  return containerById(found.Id);
}

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`GET ${url}: ${response.status}`);
  return (await response.json()) as T;
}

/** The page and all that it loads, also later, are there in the types that a browser takes; the lab is not. */
async function checkPage(url: string): Promise<void> {
  const types = new Map<string, string | null>();
  const load = async (path: string): Promise<void> => {
    const response = await fetch(new URL(path, url));
    expect(response.status, path).toBe(200);
    types.set(path, response.headers.get('content-type'));
    const names = (await response.text()).match(/[\w-]+-[\w-]{8}\.(?:js|css|svg)\b/g) ?? [];
    for (const name of names) if (!types.has(`/assets/${name}`)) await load(`/assets/${name}`);
  };
  await load('/');
  expect(new Set(types.values())).toEqual(
    new Set([
      'application/javascript; charset=utf-8',
      'image/svg+xml',
      'text/css; charset=utf-8',
      'text/html; charset=utf-8',
    ]),
  );
  expect([...types.keys()].filter((path) => path.endsWith('.js')).length).toBeGreaterThan(1);
  expect((await fetch(`${url}/lab`)).status).toBe(404);
}

/** Sessions of each of the three. */
async function connected(): Promise<number[]> {
  const answers = await Promise.all(NODE_URLS.map((url) => get<{ connected: number }>(`${url}/peers`)));
  return answers.map((answer) => answer.connected);
}

async function post(data: string, authorization?: string): Promise<string> {
  const headers = authorization === undefined ? {} : { authorization };
  const response = await fetch(`${FIRST}/blocks`, { method: 'POST', body: JSON.stringify({ data }), headers });
  if (response.status !== 202) throw new Error(`POST /blocks: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}

async function confirmed(id: string): Promise<void> {
  for (const url of [SECOND, THIRD]) {
    await waitFor(
      `the entry is in the chain of ${url}`,
      async () => (await get<{ status: string }>(`${url}/transactions/${id}`)).status === 'confirmed',
      LIMIT_MS,
    );
  }
}
