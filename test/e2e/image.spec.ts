import { readFileSync } from 'node:fs';
import { beforeAll, expect, inject, it } from 'vitest';
import { getContainerRuntimeClient } from 'testcontainers';
import { HardenedContainer, runToEnd } from '../support/docker-container.js';
import { waitFor } from '../support/wait.js';
import { BY_HAND, describeWithEngine, imageUnderTest, newCluster } from './cluster.js';

interface Lock {
  readonly packages: Readonly<Record<string, { version: string; dev?: boolean }>>;
}

/** Runs a shell command inside the image. */
async function inside(command: string): Promise<string> {
  const container = new HardenedContainer(imageUnderTest(), inject('run'), `${inject('run')}-inside`)
    .withWritableRoot()
    .withEntrypoint(['bash', '-c'])
    .withCommand([command]);
  const { stdout, stderr, exitCode } = await runToEnd(container);
  expect(`${exitCode} ${stderr}`).toBe('0 ');
  return stdout.trim();
}

describeWithEngine('the image', () => {
  let config: Awaited<ReturnType<typeof inspectImage>>;

  beforeAll(async () => {
    config = await inspectImage();
  });

  it('says what it is, and how to ask it whether it is well', () => {
    const { Labels, Healthcheck, ExposedPorts, Volumes, User } = config;
    const { version, license } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, string>;
    expect(Labels).toMatchObject({
      'org.opencontainers.image.title': 'minichain',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': license,
    });
    expect(Healthcheck?.Test?.join(' ')).toContain('/health/ready');
    expect(Object.keys(ExposedPorts ?? {}).toSorted()).toEqual(['8091/tcp', '9091/tcp']);
    expect(Object.keys(Volumes ?? {})).toEqual(['/data']);
    expect(User).toBe('node');
  });

  it('runs as nobody special, who can change nothing of it', async () => {
    expect(await inside('id -u')).toBe('1000');
    // A read-only root file system, as compose has it, is then no more than a second lock.
    const ours = '/data|/home/node(/.*)?|/tmp|/var/tmp|/run/lock';
    const writable = await inside(
      `find / -xdev -writable ! -type l ! -path '/proc/*' -regextype egrep ! -regex '${ours}' 2>/dev/null; true`,
    );
    expect(writable).toBe('');
  });

  it('holds no compiler and no package that is there for development only', async () => {
    const tools = ['cc', 'gcc', 'g++', 'make', 'python3', 'git', 'curl', 'tsc', 'nest', 'vitest', 'buf'];
    expect(await inside(`for tool in ${tools.join(' ')}; do type -P $tool; done; true`)).toBe('');
    const installed = await installedPackages();
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
    const forDevelopment = [...installed.keys()].filter((path) => packages[path]?.dev === true);
    expect(forDevelopment).toEqual([]);
  });

  it('has each package in the version of the lock file', async () => {
    const installed = await installedPackages();
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
    expect(Object.fromEntries(installed)).toEqual(
      Object.fromEntries([...installed.keys()].map((path) => [path, packages[path]?.version])),
    );
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
    expect([...installed.keys()]).toEqual(
      expect.arrayContaining(Object.keys(dependencies).map((name) => `node_modules/${name}`)),
    );
  });

  it('is found healthy by the engine, and unhealthy while the node does not answer', async () => {
    const cluster = await newCluster({ settings: BY_HAND });
    const node = await cluster.add('node-1', { isHealthChecked: true });
    const health = async (): Promise<string | undefined> => (await node.container.inspect()).State.Health?.Status;
    await waitFor('it is healthy', async () => (await health()) === 'healthy', 30_000);
    const signal = async (name: string): Promise<void> => {
      const script = `for (const id of require('fs').readdirSync('/proc')) if (/^\\d+$/.test(id) && +id !== process.pid) {
        if (require('fs').readFileSync('/proc/' + id + '/cmdline', 'utf8').includes('minichain\\0start')) process.kill(+id, '${name}') }`;
      const { container } = await getContainerRuntimeClient();
      const { exitCode, output } = await container.exec(node.container, ['node', '-e', script]);
      expect(`${exitCode} ${output}`).toBe('0 ');
    };
    await signal('SIGSTOP');
    await waitFor('it is unhealthy', async () => (await health()) === 'unhealthy', 60_000);
    await signal('SIGCONT');
    await waitFor('it is healthy again', async () => (await health()) === 'healthy', 30_000);
  });

  it('ends on SIGTERM by itself, with what was acknowledged on disk', async () => {
    const cluster = await newCluster({ settings: { BLOCKCHAIN_DIFFICULTY: '16' } });
    const node = await cluster.add('node-1');
    const id = await cluster.post(node, 'mined for ever');
    // 137 would say that the engine had to kill it.
    expect(await node.stop()).toBe(0);
    await (await node.start()).ready();
    expect(await node.get(`/transactions/${id}`)).toMatchObject({ status: 'pending', data: 'mined for ever' });
  });
});

async function inspectImage() {
  const { container } = await getContainerRuntimeClient();
  return (await container.dockerode.getImage(imageUnderTest()).inspect()).Config;
}

/** Path, as the lock file has it, to version. */
async function installedPackages(): Promise<Map<string, string>> {
  const find = `cd /app && find node_modules -name package.json -regextype posix-extended \\
    -regex '.*node_modules/(@[^/]+/)?[^/]+/package\\.json' \\
    -exec node -e 'for (const f of process.argv.slice(1)) console.log(f, require("/app/" + f).version)' {} +`;
  const lines = (await inside(find)).split('\n');
  return new Map(lines.map((line) => line.split('/package.json ') as [string, string]));
}
