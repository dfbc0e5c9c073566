import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { writeCerts } from '../../src/cli/certs/write-certs.js';
import { parseAddress } from '../../src/config/address.js';
import { parseConfig } from '../../src/config/load-config.js';
import type { NodeConfig } from '../../src/config/node-config.js';
import {
  admits,
  selects,
  type Container,
  type NetworkPolicySpec,
  type OtherEnd,
  type Resource,
  type Selector,
  type ServiceMonitorSpec,
  type ServiceSpec,
  type StatefulSetSpec,
} from '../support/kubernetes-types.js';
import { readRendered } from '../support/rendered-manifests.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { temporaryDirectory } from '../support/temp-dir.js';

const VARIANTS = ['base', 'tls', 'full'] as const;
const WRITE_TOKEN = 'a-token-of-the-test';

interface Specs {
  readonly StatefulSet: StatefulSetSpec;
  readonly Service: ServiceSpec;
  readonly PodDisruptionBudget: { readonly selector: Selector };
  readonly NetworkPolicy: NetworkPolicySpec;
  readonly ServiceMonitor: ServiceMonitorSpec;
  readonly PrometheusRule: unknown;
}

/** One of our kustomizations as it is rendered, with what the tests ask of it. */
class Variant {
  readonly resources: readonly Resource[];
  readonly set: StatefulSetSpec;
  readonly container: Container;

  constructor(name: string) {
    this.resources = readRendered(name);
    this.set = this.only('StatefulSet');
    [this.container] = this.set.template.spec.containers;
  }

  specs<K extends keyof Specs>(kind: K): Specs[K][] {
    return this.resources.filter((resource) => resource.kind === kind).map(({ spec }) => spec as Specs[K]);
  }

  only<K extends keyof Specs>(kind: K): Specs[K] {
    const found = this.specs(kind);
    if (found.length !== 1) throw new Error(`${found.length} of ${kind}, 1 expected`);
    return found[0]!;
  }

  get podLabels(): Readonly<Record<string, string>> {
    return this.set.template.metadata.labels;
  }

  get podNames(): string[] {
    return Array.from({ length: this.set.replicas }, (_, ordinal) => `minichain-${ordinal}`);
  }

  service(name: string): ServiceSpec {
    const found = this.resources.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name);
    if (found === undefined) throw new Error(`no service ${name}`);
    return found.spec as ServiceSpec;
  }

  portNamed(name: string): number | undefined {
    return this.container.ports.find((port) => port.name === name)?.containerPort;
  }

  /** The MINICHAIN_* variables that the container of a pod has, those of the image among them. */
  environment(podName: string): Record<string, string> {
    const { env, envFrom } = this.container;
    const fromMaps = envFrom.map(({ configMapRef }) => {
      const map = this.resources.find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name,
      );
      if (map?.data === undefined) throw new Error(`no config map ${configMapRef.name}`);
      return map.data;
    });
    const own = env.map(({ name, value, valueFrom }) => {
      if (value !== undefined) return [name, value];
      if (valueFrom?.fieldRef?.fieldPath === 'metadata.name') return [name, podName];
      if (valueFrom?.secretKeyRef?.name === 'minichain-write-token') return [name, WRITE_TOKEN];
      throw new Error(`${name}: this test does not know ${JSON.stringify(valueFrom)}`);
    });
    return Object.assign(imageEnvironment(), ...fromMaps, Object.fromEntries(own)) as Record<string, string>;
  }
}

function imageEnvironment(): Record<string, string> {
  const dockerfile = readFileSync('Dockerfile', 'utf8').replaceAll('\\\n', ' ');
  const lines = dockerfile.split('\n').filter((line) => line.startsWith('ENV '));
  const pairs = lines.flatMap((line) =>
    [...line.matchAll(/(MINICHAIN_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** The configuration with which the node of a pod starts: files of the secret `minichain-tls` are in `secretDir`. */
function configOf(variant: Variant, podName: string, secretDir: string): NodeConfig {
  const env = variant.environment(podName);
  const { volumes } = variant.set.template.spec;
  for (const { name, mountPath, subPath, subPathExpr } of variant.container.volumeMounts) {
    if (volumes.find((volume) => volume.name === name)?.secret?.secretName !== 'minichain-tls') continue;
    const path = subPath ?? subPathExpr?.replaceAll(/\$\((\w+)\)/g, (_, variable: string) => env[variable]!) ?? '';
    for (const [variable, value] of Object.entries(env)) if (value === mountPath) env[variable] = join(secretDir, path);
  }
  return parseConfig({ env });
}

async function secretFor(variant: Variant): Promise<string> {
  const directory = join(temporaryDirectory(), 'certs');
  await writeCerts({ directory, nodeIds: variant.podNames, hosts: [], days: 1, nowMs: Date.now() });
  return directory;
}

let rest: RestApp;
beforeAll(async () => {
  rest = await startRestApp();
});
afterAll(() => rest.close());

describe.each(VARIANTS)('deploy/kubernetes/rendered/%s.yaml', (name) => {
  const variant = new Variant(name);
  const { set, container, podLabels } = variant;

  it('has selectors that match the pods of the set', () => {
    const selectors: Selector[] = [
      set.selector,
      ...set.template.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector),
      ...variant.specs('Service').map(({ selector }) => ({ matchLabels: selector })),
      variant.only('PodDisruptionBudget').selector,
      ...variant.specs('NetworkPolicy').map(({ podSelector }) => podSelector),
    ];
    expect(selectors.length).toBeGreaterThanOrEqual(7);
    for (const selector of selectors) {
      expect(Object.keys(selector.matchLabels ?? {})).not.toEqual([]);
      expect([selector, selects(selector, podLabels)]).toEqual([selector, true]);
    }
  });

  it('gives every pod a configuration with which a node starts', async () => {
    const secretDir = await secretFor(variant);
    for (const podName of variant.podNames) {
      const config = configOf(variant, podName, secretDir);
      expect(config.node).toMatchObject({
        nodeId: podName,
        httpHost: '0.0.0.0',
        httpPort: variant.portNamed('http'),
        p2pHost: '0.0.0.0',
        p2pPort: variant.portNamed('p2p'),
      });
      expect(config.network.tls !== undefined).toBe(name !== 'base');
      expect(config.http.writeToken).toBe(name === 'base' ? undefined : WRITE_TOKEN);
    }
  });

  it('lets each node find the others by the headless service, ready or not', () => {
    const { network } = configOf(new Variant('base'), 'minichain-0', '');
    const bootstrap = network.bootstrapNodes.map((address) => parseAddress(address)!);
    expect(bootstrap).toEqual([{ host: set.serviceName, port: variant.portNamed('p2p') }]);
    const { clusterIP, publishNotReadyAddresses } = variant.service(set.serviceName);
    expect([clusterIP, publishNotReadyAddresses, set.podManagementPolicy]).toEqual(['None', true, 'Parallel']);
  });

  it('has services whose ports are those of the container', () => {
    const ports = variant.specs('Service').flatMap((service) => service.ports);
    expect(ports.length).toBeGreaterThanOrEqual(3);
    for (const { port, targetPort } of ports) expect(variant.portNamed(targetPort)).toBe(port);
    expect(variant.service('minichain').clusterIP).toBeUndefined();
  });

  it('gives each node a volume of its own, and lets it write nowhere else', () => {
    const config = configOf(new Variant('base'), 'minichain-0', '');
    const mountAt = (mountPath: string): string | undefined =>
      container.volumeMounts.find((mount) => mount.mountPath === mountPath)?.name;
    expect(set.volumeClaimTemplates.map(({ metadata }) => metadata.name)).toEqual([mountAt(config.node.dataDir)]);
    const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true);
    expect(writable.map(({ mountPath }) => mountPath).sort()).toEqual(['/data', '/tmp']);
    expect(set.template.spec.volumes.find(({ name }) => name === mountAt('/tmp'))).toHaveProperty('emptyDir');
  });

  it('runs nodes without any right that they do not need', () => {
    expect(set.template.spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('has probes that ask existing routes', async () => {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      expect([probe!.httpGet.port, (await rest.get(probe!.httpGet.path)).status]).toEqual(['http', 200]);
    }
    expect([livenessProbe!.httpGet.path, readinessProbe!.httpGet.path]).toEqual(['/health/live', '/health/ready']);
    expect(startupProbe!.periodSeconds * startupProbe!.failureThreshold).toBeGreaterThanOrEqual(60);
    // main.ts forces the end after 8 s.
    expect(set.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(8);
  });

  it('lets through what nodes need, and nothing else', () => {
    const policies = variant.specs('NetworkPolicy');
    const [node, client, prometheus]: OtherEnd[] = [
      { labels: podLabels },
      { labels: { app: 'client' } },
      { labels: {}, namespace: 'monitoring' },
    ];
    const [http, p2p] = ['http', 'p2p'].map((name) => ({ port: variant.portNamed(name)! }));
    const isIn = (end: OtherEnd, port: { port: number }): boolean => admits(policies, podLabels, 'Ingress', end, port);
    const isOut = (end: OtherEnd, port: { port: number; protocol?: string }): boolean =>
      admits(policies, podLabels, 'Egress', end, port);
    const dns = { labels: {}, namespace: 'kube-system' };
    expect({
      in: [isIn(node!, p2p!), isIn(client!, p2p!), isIn(prometheus!, p2p!), isIn(client!, http!)],
      scrape: [isIn(prometheus!, http!), isIn({ labels: {}, namespace: 'other' }, http!)],
      out: [isOut(node!, p2p!), isOut(client!, { port: 443 }), isOut(node!, http!), isOut(dns, p2p!)],
      dns: [isOut(dns, { port: 53, protocol: 'UDP' }), isOut(dns, { port: 53 })],
    }).toEqual({
      in: [true, false, false, true],
      scrape: [name === 'full', false],
      out: [true, false, false, false],
      dns: [true, true],
    });
  });

  it('runs the image that the Dockerfile makes for compose', () => {
    expect(readFileSync('docker-compose.yml', 'utf8')).toContain(`\${MINICHAIN_IMAGE:-${container.image}}`);
  });
});

describe('the monitoring component', () => {
  const variant = new Variant('full');

  it('scrapes each node once, under the job that alerts and dashboards know', async () => {
    const { jobLabel, selector, endpoints } = variant.only('ServiceMonitor');
    const scraped = variant.resources.filter(
      ({ kind, metadata }) => kind === 'Service' && selects(selector, metadata.labels),
    );
    expect(scraped.map(({ metadata }) => metadata.name)).toEqual(['minichain-peers']);
    expect(scraped[0]!.metadata.labels![jobLabel]).toBe('minichain');
    const { ports } = scraped[0]!.spec as ServiceSpec;
    for (const { port, path } of endpoints) {
      expect(ports.map(({ name }) => name)).toContain(port);
      expect((await rest.get(path)).text).toContain('minichain_chain_height');
    }
  });

  it('has the alerts of deploy/prometheus; otherwise run deploy/kubernetes/render.sh', () => {
    const alerts = parse(readFileSync('deploy/prometheus/alerts.yml', 'utf8')) as { groups: unknown[] };
    expect(alerts.groups.length).toBeGreaterThan(0);
    expect(variant.only('PrometheusRule')).toEqual(alerts);
  });
});

describe('the maintenance component', () => {
  it('runs no node and no probe, on the same volumes with the same settings', () => {
    const variant = new Variant('maintenance');
    expect(variant.container.command).toEqual(['sleep', 'infinity']);
    expect(Object.keys(variant.container).filter((key) => key.endsWith('Probe'))).toEqual([]);
    const usual = new Variant('full');
    expect(variant.container.volumeMounts).toEqual(usual.container.volumeMounts);
    expect(variant.environment('minichain-0')).toEqual(usual.environment('minichain-0'));
  });
});
