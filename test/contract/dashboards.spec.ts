import { readFileSync, readdirSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { loadDashboards, type Panel } from '../support/dashboard-queries.js';

const PROVISIONING = 'deploy/grafana/provisioning';
/** Of Grafana 10.4 and 11. */
const MIN_SCHEMA = 39;
/** Of Grafana's units those that we need. It takes any other word as well, and only writes it behind the number. */
const UNITS = new Set(['none', 'short', 'string', 'hex', 'percentunit', 's', 'bytes', 'Bps', 'reqps', 'Hs']);

const dashboards = loadDashboards();

function provisioned<T>(kind: string): T[] {
  return readdirSync(`${PROVISIONING}/${kind}`).map(
    (name) => parse(readFileSync(`${PROVISIONING}/${kind}/${name}`, 'utf8')) as T,
  );
}

const datasources = provisioned<{ datasources: { uid: string; url: string }[] }>('datasources').flatMap(
  (file) => file.datasources,
);
const { services } = parse(readFileSync('docker-compose.yml', 'utf8')) as {
  services: Record<string, { volumes: string[] }>;
};

describe('provisioning', () => {
  it('asks the Prometheus of docker-compose.yml', () => {
    const hosts = datasources.map(({ url }) => new URL(url));
    expect(hosts.map(({ hostname, port }) => [hostname, port])).toEqual([['prometheus', '9090']]);
    expect(services).toHaveProperty('prometheus');
  });

  it('reads the dashboards from where docker-compose.yml mounts them', () => {
    const paths = provisioned<{ providers: { options: { path: string } }[] }>('dashboards').flatMap(({ providers }) =>
      providers.map(({ options }) => options.path),
    );
    expect(paths).toHaveLength(1);
    expect(services['grafana']?.volumes).toContain(`./deploy/grafana/dashboards:${paths[0]}:ro`);
    expect(services['grafana']?.volumes).toContain('./deploy/grafana/provisioning:/etc/grafana/provisioning:ro');
  });
});

it('the dashboards are Network and Node', () => {
  expect([...dashboards.values()].map(({ title }) => title).sort()).toEqual(['Network', 'Node']);
  expect(new Set([...dashboards.values()].map(({ uid }) => uid)).size).toBe(dashboards.size);
});

describe.each([...dashboards])('%s', (_, dashboard) => {
  const { panels, templating, annotations, links } = dashboard;
  const contents = panels.filter(({ type }) => type !== 'row');

  it('is of a version that Grafana takes', () => {
    expect(dashboard).toMatchObject({ schemaVersion: expect.any(Number), time: { from: 'now-15m', to: 'now' } });
    expect((dashboard as unknown as { schemaVersion: number }).schemaVersion).toBeGreaterThanOrEqual(MIN_SCHEMA);
  });

  it('has a variable for the node, and leads to the other dashboards with it', () => {
    expect(templating.list).toMatchObject([{ name: 'node', multi: true, includeAll: true, refresh: 2 }]);
    const others = [...dashboards.values()].filter(({ uid }) => uid !== dashboard.uid);
    expect(links).toMatchObject(others.map(({ uid }) => ({ url: `/d/${uid}`, includeVars: true, keepTime: true })));
  });

  it('has panels with ids and titles of their own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    for (const { title } of panels) expect(title).toMatch(/\S/);
  });

  it.each(contents.map((panel) => [panel.title, panel] as const))(
    '%s: says what it shows, in which unit',
    (_, panel) => {
      expect(panel.description).toMatch(/^[A-Z\d].{10,}[.]$/s);
      expect(panel.fieldConfig?.defaults.unit).toMatch(/\S/);
      expect(panel.targets).not.toEqual([]);
      const refIds = (panel.targets ?? []).map(({ refId }) => refId);
      expect(new Set(refIds).size).toBe(refIds.length);
    },
  );

  it('counts in units that Grafana knows', () => {
    const units = contents.flatMap(({ title, fieldConfig }) =>
      [
        fieldConfig?.defaults.unit,
        ...(fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
          properties.filter(({ id }) => id === 'unit').map(({ value }) => value),
        ),
      ].map((unit) => ({ title, unit })),
    );
    expect(units.filter(({ unit }) => !UNITS.has(unit as string))).toEqual([]);
  });

  it('shows the labels of what is always 1, also when there is one node alone', () => {
    const modes = contents
      .filter(({ type, targets }) => type === 'stat' && targets?.some(({ expr }) => expr.includes('_info{')))
      .map(({ title, options }) => [title, options?.textMode]);
    expect(modes.filter(([, mode]) => mode !== 'name')).toEqual([]);
  });

  it('does not colour a field without a value as if all were well', () => {
    const coloured = contents.filter(({ fieldConfig }) =>
      fieldConfig?.defaults.custom?.cellOptions?.type.startsWith('color'),
    );
    for (const { title, fieldConfig } of coloured) {
      const ofNothing = { match: 'null', result: expect.objectContaining({ color: 'transparent' }) };
      expect(fieldConfig?.defaults.mappings, title).toContainEqual({ type: 'special', options: ofNothing });
    }
  });

  it('does not show one event many times', () => {
    // A step as long as the range, which is four scrapes at the least.
    const isCounted = ({ targets = [] }: Panel): boolean => targets.some(({ expr }) => expr.includes('increase('));
    const steps = contents.filter(isCounted).map(({ title, interval }) => [title, interval]);
    expect(steps.filter(([, interval]) => interval !== '20s')).toEqual([]);
  });

  it('asks only data sources that are provisioned', () => {
    const uids = [
      ...contents.flatMap(({ datasource, targets = [] }) => [
        datasource,
        ...targets.map((target) => target.datasource),
      ]),
      ...templating.list.map(({ datasource }) => datasource),
      ...annotations.list.map(({ datasource }) => datasource),
    ].map((datasource) => datasource?.uid);
    expect(new Set(uids)).toEqual(new Set(datasources.map(({ uid }) => uid)));
  });

  it('has its panels side by side, not on top of each other, 24 columns wide', () => {
    for (const { title, gridPos } of panels) expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    expect(overlaps(panels)).toEqual([]);
  });

  it('asks with a range that fits the scrape interval', () => {
    const exprs = contents.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    // A subquery has its own.
    const fixed = exprs.filter((expr) => /\[\w+\]/.test(expr));
    expect(fixed).toEqual([]);
  });
});

function overlaps(panels: readonly Panel[]): string[] {
  return panels.flatMap((panel, index) =>
    panels
      .slice(index + 1)
      .filter(({ gridPos: b }) => {
        const a = panel.gridPos;
        return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
      })
      .map((other) => `${panel.title} and ${other.title}`),
  );
}
