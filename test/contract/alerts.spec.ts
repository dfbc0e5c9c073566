import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { loadAlerts } from '../support/dashboard-queries.js';
import { PromQuery } from '../support/promql.js';

const RUNBOOK = 'docs/operations.md';

interface RuleTests {
  readonly rule_files: readonly string[];
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}

interface ScrapeConfig {
  readonly job_name: string;
  readonly static_configs: readonly { readonly targets: readonly string[] }[];
  readonly dns_sd_configs: readonly {
    readonly names: readonly string[];
    readonly type: string;
    readonly port: number;
  }[];
}

const read = (file: string): unknown => parse(readFileSync(file, 'utf8'));

const alerts = loadAlerts();
const ruleTests = read('deploy/prometheus/alerts.test.yml') as RuleTests;
const prometheus = read('deploy/prometheus/prometheus.yml') as {
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly ScrapeConfig[];
};

describe.each(alerts.map((rule) => [rule.alert, rule] as const))('%s', (alert, { expr, labels, annotations }) => {
  it('says how bad it is, what is the matter, and where to read on', () => {
    expect(alert).toMatch(/^Minichain[A-Z][A-Za-z]+$/);
    expect(['critical', 'warning']).toContain(labels['severity']);
    expect(annotations['summary']).toMatch(/\S{3}/);
    expect(annotations['description']).toMatch(/^[A-Z\d].{20,}[.]$/);
    expect(annotations['runbook']).toBe(`${RUNBOOK}#${alert.toLowerCase()}`);
  });

  it('has its place in the runbook', () => {
    expect(
      readFileSync(RUNBOOK, 'utf8')
        .split('\n')
        .filter((line) => /^#+ /.test(line) && line.endsWith(` ${alert}`)),
    ).toHaveLength(1);
  });

  it('has a case in which it fires, and one in which it does not', () => {
    const cases = ruleTests.tests
      .flatMap((test) => test.alert_rule_test)
      .filter(({ alertname }) => alertname === alert);
    expect(cases.some((each) => each.exp_alerts.length > 0)).toBe(true);
    expect(cases.some((each) => each.exp_alerts.length === 0)).toBe(true);
  });

  it('looks at the job that is scraped', () => {
    const jobs = new PromQuery(expr).selectors.flatMap(({ matchers }) =>
      matchers.filter(({ label }) => label === 'job').map(({ value }) => value),
    );
    for (const job of jobs) expect(prometheus.scrape_configs.map(({ job_name }) => job_name)).toContain(job);
  });
});

it('no two alerts share a name, and every test is of one of them', () => {
  const names = new Set(alerts.map(({ alert }) => alert));
  expect(names.size).toBe(alerts.length);
  for (const { alert_rule_test } of ruleTests.tests) {
    for (const { alertname } of alert_rule_test) expect(names).toContain(alertname);
  }
});

it('the rules that are tested are those that Prometheus loads', () => {
  expect(ruleTests.rule_files).toEqual(['alerts.yml']);
  expect(prometheus.rule_files).toEqual(['alerts.yml']);
  expect(existsSync('deploy/prometheus/alerts.yml')).toBe(true);
});

it('the nodes of docker-compose.yml are scraped', () => {
  const { services } = read('docker-compose.yml') as { services: Record<string, unknown> };
  const [job] = prometheus.scrape_configs;
  const nodes = Object.keys(services).filter((name) => /^node\d+$/.test(name));
  expect(nodes).toHaveLength(3);
  expect(job?.static_configs.flatMap(({ targets }) => targets)).toEqual(nodes.map((name) => `${name}:8091`));
  expect(job?.dns_sd_configs).toMatchObject([{ names: ['node'], type: 'A', port: 8091 }]);
  expect(services).toHaveProperty('node');
});
