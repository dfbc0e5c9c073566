import { beforeAll, describe, expect, it } from 'vitest';
import { alertQueries, annotationQueries, dashboardQueries } from '../support/dashboard-queries.js';
import { exportedSeries, type ExportedSeries } from '../support/exported-series.js';
import { PromQuery, type LabelMatcher, type Selector } from '../support/promql.js';

/** What Prometheus knows by itself. */
const BUILT_IN = new Map([
  ['up', []],
  ['ALERTS', ['alertname', 'alertstate', 'severity']],
]);
const TARGET_LABELS = ['job', 'instance'];

interface Query {
  readonly where: string;
  readonly expr: string;
}

const queries: Query[] = [
  ...[...dashboardQueries(), ...annotationQueries()].map(({ source, panel, expr }) => ({
    where: `${source}: ${panel}`,
    expr,
  })),
  ...alertQueries().map(({ source, alert, expr }) => ({ where: `${source}: ${alert}`, expr })),
];

let exported: ExportedSeries;

beforeAll(async () => {
  exported = await exportedSeries();
});

describe('queries of dashboards and alerts', () => {
  it('are there', () => {
    expect(dashboardQueries().length).toBeGreaterThan(60);
    expect(alertQueries().length).toBeGreaterThan(10);
  });

  it('are PromQL', () => {
    for (const { where, expr } of queries) expect(() => new PromQuery(expr), where).not.toThrow();
  });

  it('name series that a running node exports', () => {
    const unknown = selectorsOf(queries).filter(
      ({ metric }) => !exported.series.has(metric) && !BUILT_IN.has(metric) && !isOfAnotherSystem(metric),
    );
    expect(unknown).toEqual([]);
  });

  it('select by labels and values that these have', () => {
    const wrong = selectorsOf(queries).flatMap(({ where, metric, matchers }) =>
      matchers
        .filter((matcher) => !isFound(metric, matcher))
        .map(({ label, op, value }) => `${where}: no ${metric} has ${label}${op}"${value}"`),
    );
    expect(wrong).toEqual([]);
  });

  it('group and join by labels that these have', () => {
    const wrong = queries.flatMap(({ where, expr }) =>
      new PromQuery(expr).groupings.flatMap(({ labels, selectors }) =>
        labels
          .filter((label) => !selectors.some(({ metric }) => labelsOf(metric).includes(label)))
          .map((label) => `${where}: nothing in ${expr} has ${label}`),
      ),
    );
    expect(wrong).toEqual([]);
  });
});

it('every metric that a node exports is on a dashboard or in an alert', () => {
  const used = new Set(selectorsOf(queries).map(({ metric }) => metric));
  const unused = [...exported.metrics].filter(
    (name) => !['', '_bucket', '_sum', '_count'].some((suffix) => used.has(name + suffix)),
  );
  expect(unused).toEqual([]);
});

it('every series says whose it is', () => {
  const anonymous = [...exported.series].filter(([, labels]) => labels.get('node')?.size !== 1).map(([name]) => name);
  expect(anonymous).toEqual([]);
});

it.each([
  ['a + * b', 'not PromQL at character 4'],
  ['rate(a[1m]', 'not PromQL'],
  ['{job="x"}', "without a metric's name"],
])('%s is found out', (expr, message) => {
  expect(() => new PromQuery(expr).selectors).toThrow(message);
});

it.each([
  ['a == 0', 'a'],
  ['increase((a - b)[10m:10s]) > 0.5', 'increase((a - b)[10m:10s])'],
  ['a / b >= 0.75 or c > 1', 'a / b or c'],
  ['a == 0 and on (job) max by (job) (b) > 0', 'a and on (job) max by (job) (b)'],
  ['(a > 3) unless b == 1', '(a)'],
  ['a > b', 'a > b'],
])('%s without its thresholds', (expr, measured) => {
  expect(new PromQuery(expr).measured).toBe(measured);
});

function selectorsOf(queries: readonly Query[]): (Selector & { readonly where: string })[] {
  return queries.flatMap(({ where, expr }) =>
    new PromQuery(expr).selectors.map((selector) => ({ where, ...selector })),
  );
}

function labelsOf(metric: string): string[] {
  return [...(BUILT_IN.get(metric) ?? exported.series.get(metric)?.keys() ?? []), ...TARGET_LABELS];
}

function isFound(metric: string, { label, op, value }: LabelMatcher): boolean {
  // Their values are up to the scrape, or come and go with the alerts.
  if (TARGET_LABELS.includes(label) || BUILT_IN.has(metric)) return labelsOf(metric).includes(label);
  const values = [...(exported.series.get(metric)?.get(label) ?? [])];
  if (op === '=') return values.includes(value);
  return op === '=~' && values.some((each) => new RegExp(`^(?:${value})$`).test(each));
}

/** Of the process's metrics, those of open files are there on Linux alone. */
function isOfAnotherSystem(metric: string): boolean {
  return process.platform !== 'linux' && metric.endsWith('_fds');
}
