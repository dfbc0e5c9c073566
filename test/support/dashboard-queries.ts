import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PromQuery } from './promql.js';

/** Tests run from the project's root. */
const DASHBOARDS = 'deploy/grafana/dashboards';
const ALERTS = 'deploy/prometheus/alerts.yml';

/** What the tests look at of a dashboard as Grafana keeps it. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly links: readonly { readonly url: string }[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly (Target & { readonly name: string })[] };
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: Datasource;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: FieldDefaults; readonly overrides: readonly FieldOverride[] };
  readonly options?: { readonly textMode?: string };
  /** The shortest step between two points. */
  readonly interval?: string;
  readonly targets?: readonly Target[];
}

interface FieldDefaults {
  readonly unit?: string;
  readonly mappings?: readonly { readonly type: string; readonly options: unknown }[];
  readonly custom?: { readonly cellOptions?: { readonly type: string } };
}

interface FieldOverride {
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

interface Target {
  readonly datasource?: Datasource;
  readonly refId?: string;
  readonly expr: string;
}

interface Datasource {
  readonly type: string;
  readonly uid: string;
}

interface Variable {
  readonly name: string;
  readonly datasource: Datasource;
  readonly query: { readonly query: string };
}

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One query of a panel or a template variable, as Grafana would send it. */
export interface DashboardQuery {
  /** The file. */
  readonly source: string;
  /** Its title; `$node` and so on for a template variable. */
  readonly panel: string;
  readonly expr: string;
}

export interface AlertQuery {
  readonly source: string;
  readonly alert: string;
  readonly expr: string;
  /** `expr` without its thresholds: gives data also when all is well. */
  readonly measured: string;
}

/** All dashboards by file. */
export function loadDashboards(): Map<string, Dashboard> {
  const names = readdirSync(DASHBOARDS).filter((name) => name.endsWith('.json'));
  return new Map(
    names.map((name) => {
      const file = join(DASHBOARDS, name);
      return [file, JSON.parse(readFileSync(file, 'utf8')) as Dashboard];
    }),
  );
}

export function loadAlerts(): AlertRule[] {
  const { groups } = parse(readFileSync(ALERTS, 'utf8')) as { groups: { rules: AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** @param nodeIds what `$node` stands for; by default all nodes. */
export function dashboardQueries(nodeIds: readonly string[] = ['.+']): DashboardQuery[] {
  return [...loadDashboards()].flatMap(([source, { panels, templating }]) => [
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ source, panel: title, expr: substituted(expr, nodeIds) })),
    ),
    ...templating.list.map(({ name, query }) => ({ source, panel: `$${name}`, expr: seriesOf(query.query) })),
  ]);
}

/** Queries that mark events on the panels. When nothing happened they give nothing. */
export function annotationQueries(): DashboardQuery[] {
  return [...loadDashboards()].flatMap(([source, { annotations }]) =>
    annotations.list.map(({ name, expr }) => ({ source, panel: name, expr: substituted(expr, ['.+']) })),
  );
}

export function alertQueries(): AlertQuery[] {
  return loadAlerts().map(({ alert, expr }) => ({
    source: ALERTS,
    alert,
    expr,
    measured: new PromQuery(expr).measured,
  }));
}

function substituted(expr: string, nodeIds: readonly string[]): string {
  const known: Readonly<Record<string, string>> = {
    node: nodeIds.length === 1 ? nodeIds[0]! : `(${nodeIds.join('|')})`,
    __rate_interval: '1m',
    __interval: '15s',
    __range: '15m',
  };
  return expr.replaceAll(/\$(\w+|\{\w+\})/g, (_, name: string) => {
    const value = known[name.replaceAll(/[{}]/g, '')];
    if (value === undefined) throw new Error(`$${name} is no variable of ours: ${expr}`);
    return value;
  });
}

/** What a variable's `label_values(series, label)` chooses from. */
function seriesOf(query: string): string {
  const match = /^label_values\((.+), *\w+\)$/.exec(query);
  if (match === null) throw new Error(`a variable's query is to be label_values(series, label), not ${query}`);
  return match[1]!;
}
