import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { HardenedContainer, containerById } from './docker-container.js';
import type { DockerCluster } from './docker-cluster.js';
import { waitFor } from './wait.js';

const PORT = 9090;
const CONFIGURATION = 'deploy/prometheus';
const FILES = ['prometheus.yml', 'alerts.yml'];
/** Tests and dashboards run from the project's root. */
export const PROMETHEUS_IMAGE = process.env['PROMETHEUS_IMAGE'] ?? 'prom/prometheus:v2.42.0';

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

/** A Prometheus that scrapes a cluster by the project's own configuration, only faster. */
export class DockerPrometheus {
  private constructor(
    private readonly url: string,
    private readonly directory: string,
  ) {}

  /** The cluster removes the container; the directory of its configuration is this one's to remove(). */
  static async start(cluster: DockerCluster): Promise<DockerPrometheus> {
    const directory = quickConfiguration();
    const container = new HardenedContainer(PROMETHEUS_IMAGE, cluster.run, `${cluster.run}-prometheus`)
      .withPlaces({ network: cluster.opsNetwork, aliases: ['prometheus'] })
      .withLoopbackPort(PORT)
      .withBindMounts([{ source: directory, target: '/etc/prometheus', mode: 'ro' }]);
    const { NetworkSettings } = await (await containerById((await container.start()).getId())).inspect();
    const prometheus = new DockerPrometheus(
      `http://127.0.0.1:${NetworkSettings.Ports[`${PORT}/tcp`]![0]!.HostPort}`,
      directory,
    );
    await waitFor('Prometheus is ready', async () => (await fetch(`${prometheus.url}/-/ready`)).ok, 30_000);
    return prometheus;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  /** @throws Error with what Prometheus says of a wrong expression. */
  async query(expr: string): Promise<readonly Series[]> {
    const { result } = await this.#get<{ result: Series[] }>(`/api/v1/query?query=${encodeURIComponent(expr)}`);
    return result;
  }

  /** Instances that were scraped without an error the last time. */
  async up(): Promise<string[]> {
    return (await this.query('up == 1')).map(({ metric }) => metric['instance']!).toSorted();
  }

  async alerts(): Promise<readonly Alert[]> {
    return (await this.#get<{ alerts: Alert[] }>('/api/v1/alerts')).alerts;
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    const body = (await response.json()) as { status: string; error?: string; data: T };
    if (body.status !== 'success') throw new Error(`${decodeURIComponent(path)}: ${body.error ?? response.status}`);
    return body.data;
  }
}

/** A copy that scrapes every second and alerts after three, so that a test need not wait for minutes. */
function quickConfiguration(): string {
  const directory = mkdtempSync(join(tmpdir(), 'minichain-prometheus-'));
  // Prometheus is another user in its container.
  chmodSync(directory, 0o755);
  for (const name of FILES) {
    cpSync(resolve(CONFIGURATION, name), join(directory, name));
    const text = readFileSync(join(directory, name), 'utf8')
      .replaceAll(/^( *)(scrape_interval|scrape_timeout|evaluation_interval): \S+$/gm, '$1$2: 1s')
      .replaceAll(/^( *)for: \S+$/gm, '$1for: 3s');
    writeFileSync(join(directory, name), text);
  }
  return directory;
}
