import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Service {
  readonly image?: string;
  readonly build?: unknown;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly deploy?: { readonly resources: { readonly limits: { readonly cpus?: string; readonly memory?: string } } };
}

function servicesOf(path: string): Record<string, Service> {
  return (parse(readFileSync(path, 'utf8'), { merge: true }) as { services: Record<string, Service> }).services;
}

const base = servicesOf('docker-compose.yml');
const overlay = servicesOf('deploy/compose.tls.yml');
const all = [...Object.entries(base), ...Object.entries(overlay)];
const NODES = ['node1', 'node2', 'node3'] as const;
/** The only one that writes to its own root file system. */
const WRITES = 'grafana';

/** With nothing set in the shell. */
function withDefaults(text: string): string {
  return text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
}

describe('docker-compose.yml and deploy/compose.tls.yml', () => {
  it('build each tag once: BuildKit fails when two builds that run at a time make the same one', () => {
    const built = all.filter(([, { build }]) => build !== undefined).map(([, { image }]) => withDefaults(image!));
    expect(built.length).toBeGreaterThan(1);
    expect(built).toEqual([...new Set(built)]);
    const ours = all.flatMap(([, { image = '' }]) => withDefaults(image)).filter((tag) => tag.startsWith('minichain:'));
    expect(ours.length).toBeGreaterThan(4);
    expect(ours.filter((tag) => !built.includes(tag))).toEqual([]);
  });

  it('give no container a right that it does not need', () => {
    const whole = all.filter(([, { image }]) => image !== undefined);
    expect(whole.length).toBe(Object.keys(base).length + 1);
    for (const [name, service] of whole) {
      expect([name, service]).toMatchObject([
        name,
        { cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], ...(name !== WRITES && { read_only: true }) },
      ]);
    }
    // Root, for as long as it hands certificates to the nodes' user, but without any network.
    expect(all.filter(([, { cap_add }]) => cap_add !== undefined).map(([name]) => name)).toEqual(['certificates']);
    expect(overlay['certificates']!.network_mode).toBe('none');
  });

  it('bound what each may take', () => {
    for (const [name, { deploy }] of Object.entries(base)) {
      const limits = { cpus: expect.any(String), memory: expect.any(String) };
      expect([name, deploy?.resources.limits]).toEqual([name, limits]);
    }
  });

  it('publish ports on loopback only, each once', () => {
    const ports = all.flatMap(([, service]) => service.ports ?? []);
    expect(ports.length).toBe(8);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    expect(new Set(ports.map((port) => port.split(':')[1])).size).toBe(ports.length);
  });

  it("show each node its own key, and none the authority's", () => {
    const mounts = NODES.map((name) => overlay[name]!.volumes);
    expect(mounts).toEqual([['tls1:/tls:ro'], ['tls2:/tls:ro'], ['tls3:/tls:ro']]);
    const holders = all.filter(([, { volumes = [] }]) => volumes.some((volume) => volume.startsWith('authority:')));
    expect(holders.map(([name]) => name)).toEqual(['certificates']);
  });
});
