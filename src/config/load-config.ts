import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { findConflicts } from './cross-checks.js';
import type { Field } from './field.js';
import { ConfigError, type NodeConfig } from './node-config.js';
import { readEnvironment, readToml, type Environment, type Given, type GivenSettings } from './read-settings.js';
import { SETTINGS, isName, type Setting, type SettingValues } from './schema.js';
import { readTls } from './tls-files.js';
import { shown, whyUnreadable } from './wording.js';

export interface ConfigInput {
  readonly toml?: string | undefined;
  readonly source?: string | undefined;
  readonly env?: Environment | undefined;
  /** Of this machine, container or pod; by default what the system says. */
  readonly hostName?: string | undefined;
}

/**
 * Reads a node's configuration from a TOML file (none = defaults) and the environment, which wins.
 * @throws ConfigError that names every mistake.
 */
export function loadConfig(
  options: { readonly path?: string | undefined; readonly env?: Environment } = {},
): NodeConfig {
  const { path, env = process.env } = options;
  if (path === undefined) return parseConfig({ env });
  let toml: string;
  try {
    toml = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    throw new ConfigError([`${path}: ${whyUnreadable(error)}`]);
  }
  return parseConfig({ toml, source: path, env });
}

/**
 * Like loadConfig, from text. `source` is the file's name in messages. Without `toml` there is only the environment.
 * @throws ConfigError that names every mistake.
 */
export function parseConfig(input: ConfigInput): NodeConfig {
  const { toml = '', source = 'config', env = {}, hostName = hostname() } = input;
  const problems: string[] = [];
  const given: GivenSettings = new Map();
  const isReadable = readToml(toml, source, given, problems);
  readEnvironment(env, given, problems);
  const nodeId = settingOf('node', 'nodeId');
  // A file that is not TOML may well hold the node id.
  const isNodeIdMissing = isReadable && !given.has(nodeId);
  if (isNodeIdMissing && isOwnName(hostName)) given.set(nodeId, { value: hostName, place: 'host name' });
  const config: Record<string, Record<string, unknown>> = {};
  for (const setting of SETTINGS) {
    const { field, section, property } = setting;
    const found = given.get(setting);
    if (found !== undefined) (config[section] ??= {})[property] = check(field, found, problems);
    else if (field.fallback.kind === 'default') (config[section] ??= {})[property] = field.fallback.value;
    else if (isNodeIdMissing)
      problems.push(missingNodeId(setting, input.toml === undefined ? undefined : source, hostName));
  }
  const values = config as SettingValues;
  const placeOf = (section: string, property: string): string | undefined =>
    given.get(settingOf(section, property))?.place;
  problems.push(...findConflicts(values, placeOf));
  const tls = readTls(values['network.tls'], values.node.nodeId, (key) => placeOf('network.tls', key), problems);
  if (problems.length > 0) throw new ConfigError(problems);
  if (values.node.dataDir === '') values.node.dataDir = `data/${values.node.nodeId}`;
  const { 'network.tls': _files, ...sections } = values;
  return freeze({ ...sections, network: { ...values.network, tls } });
}

/** The checked value; what is wrong with it goes to `problems`. */
function check(field: Field<unknown>, given: Given, problems: string[]): unknown {
  const result = field.schema.safeParse(given.value);
  if (result.success) return result.data;
  const seen = new Set<string>();
  for (const issue of result.error.issues) {
    const index = issue.path[0];
    const wrong = typeof index === 'number' ? (given.value as unknown[])[index] : given.value;
    const place = typeof index === 'number' ? `${given.place}[${index}]` : given.place;
    // One value may break several parts of its schema; they share one sentence.
    if (!seen.has(place)) problems.push(`${place}: ${issue.message}${field.secret ? '' : `, got ${shown(wrong)}`}`);
    seen.add(place);
  }
  return undefined;
}

/** The node id is the one setting without a default. @param source the file's name; undefined when there is no file. */
function missingNodeId({ section, key, variable }: Setting, source: string | undefined, hostName: string): string {
  const [place, otherPlace] =
    source === undefined ? [variable, `${section}.${key} in a file`] : [`${source}: ${section}.${key}`, variable];
  return `${place}: is missing; set it here or as ${otherPlace} (the host name ${shown(hostName)} cannot be a node id)`;
}

/** Can the name of a machine be that of its node? Not if every second machine has it. */
function isOwnName(hostName: string): boolean {
  return isName(hostName) && !/^localhost(\.|$)/i.test(hostName);
}

function settingOf(section: string, property: string): Setting {
  return SETTINGS.find((setting) => setting.section === section && setting.property === property)!;
}

function freeze(config: NodeConfig): NodeConfig {
  for (const section of Object.values(config)) {
    for (const value of Object.values(section)) Object.freeze(value);
    Object.freeze(section);
  }
  return Object.freeze(config);
}
