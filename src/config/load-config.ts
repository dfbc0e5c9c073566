import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { TomlError, parse as parseToml } from 'smol-toml';
import { processUser } from '../common/process-user.js';
import { MIN_RETARGET_SECONDS } from '../consensus/params.js';
import type { Field, ValueOf } from './field.js';
import { ConfigError, type NodeConfig } from './node-config.js';
import { SECTIONS, SETTINGS, isName, type Setting } from './schema.js';
import { closest } from './suggest.js';
import { readTls } from './tls-files.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that are not the node's: where the client commands send requests, and how; which image Compose runs. */
export const OTHER_VARIABLES = ['MINICHAIN_URL', 'MINICHAIN_TOKEN', 'MINICHAIN_IMAGE'] as const;

const TOP_SECTIONS: readonly string[] = Object.keys(SECTIONS).filter((section) => !section.includes('.'));

/**
 * What Kubernetes puts into every pod of a namespace that has a service named minichain or minichain-something (its
 * "service links"); not meant for us.
 */
const SERVICE_LINK = /_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
const SERVICE_LINK_VALUE = /^(tcp|udp|sctp):\/\//;

const MAX_SHOWN_CHARS = 80;

export interface ConfigInput {
  readonly toml?: string | undefined;
  readonly source?: string | undefined;
  readonly env?: Environment | undefined;
  /** Of this machine, container or pod; by default what the system says. */
  readonly hostName?: string | undefined;
}

/** A value as it was given, and where: what an error message begins with. */
interface Given {
  readonly value: unknown;
  readonly place: string;
}

type Typed = {
  [S in keyof typeof SECTIONS]: { -readonly [P in keyof (typeof SECTIONS)[S]]: ValueOf<(typeof SECTIONS)[S][P]> };
};

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
 * As loadConfig, from text. `source` stands for the file's name in messages; without `toml` there is only the environment.
 * @throws ConfigError that names every mistake.
 */
export function parseConfig(input: ConfigInput): NodeConfig {
  const { toml = '', source = 'config', env = {}, hostName = hostname() } = input;
  const problems: string[] = [];
  const given = new Map<Setting, Given>();
  const isReadable = readToml(toml, source, given, problems);
  readEnvironment(env, given, problems);
  const nodeId = settingOf('nodeId');
  // A file that cannot be read may well have it.
  const isNodeIdMissing = isReadable && !given.has(nodeId);
  if (isNodeIdMissing && isOwnName(hostName)) given.set(nodeId, { value: hostName, place: 'host name' });

  const config: Record<string, Record<string, unknown>> = {};
  for (const setting of SETTINGS) {
    const { field, section, key, property, variable } = setting;
    const found = given.get(setting);
    if (found !== undefined) (config[section] ??= {})[property] = check(field, found, problems);
    else if (field.fallback.kind === 'default') (config[section] ??= {})[property] = field.fallback.value;
    else if (isNodeIdMissing) {
      const missing =
        input.toml === undefined
          ? `${variable}: is missing, give it so or as ${section}.${key} in a file`
          : `${source}: ${section}.${key}: is missing, give it here or as ${variable}`;
      problems.push(`${missing} (the host name, ${shown(hostName)}, is no name for a node)`);
    }
  }
  const typed = config as Typed;
  const { httpPort, p2pPort } = typed.node;
  if (httpPort > 0 && httpPort === p2pPort) {
    const place = given.get(settingOf('p2pPort'))?.place ?? given.get(settingOf('httpPort'))?.place;
    problems.push(`${place}: http_port and p2p_port must differ, both are ${p2pPort}`);
  }
  const { retargetInterval, targetSpacingSeconds } = typed.blockchain;
  if (retargetInterval > 0 && retargetInterval * targetSpacingSeconds < MIN_RETARGET_SECONDS) {
    const place =
      given.get(settingOf('targetSpacingSeconds'))?.place ?? given.get(settingOf('retargetInterval'))?.place;
    problems.push(
      `${place}: retarget_interval times target_spacing_seconds must be at least ${MIN_RETARGET_SECONDS} seconds, ` +
        `is ${retargetInterval * targetSpacingSeconds}`,
    );
  }
  const tlsPlace = (key: string): string | undefined =>
    given.get(SETTINGS.find((setting) => setting.section === 'network.tls' && setting.key === key)!)?.place;
  const tls = readTls(typed['network.tls'], typed.node.nodeId, tlsPlace, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  if (typed.node.dataDir === '') typed.node.dataDir = `data/${typed.node.nodeId}`;
  const { 'network.tls': _files, ...sections } = typed;
  return freeze({ ...sections, network: { ...typed.network, tls } });
}

/** Fills `given` from the file; false when the file is not TOML at all. */
function readToml(toml: string, source: string, given: Map<Setting, Given>, problems: string[]): boolean {
  let document: Record<string, unknown>;
  try {
    document = parseToml(toml);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    problems.push(`${source}:${error.line}:${error.column}: not valid TOML: ${reason}`);
    return false;
  }
  for (const [section, table] of Object.entries(document)) {
    if (TOP_SECTIONS.includes(section)) readSection(section, table, source, given, problems);
    else problems.push(`${source}: ${unknownSection(section)}`);
  }
  return true;
}

function readSection(
  section: string,
  table: unknown,
  source: string,
  given: Map<Setting, Given>,
  problems: string[],
): void {
  if (!isTable(table)) {
    problems.push(`${source}: ${section}: must be a section, written as [${section}]`);
    return;
  }
  const settings = SETTINGS.filter((setting) => setting.section === section);
  for (const [key, value] of Object.entries(table)) {
    const setting = settings.find((candidate) => candidate.key === key);
    if (setting) given.set(setting, { value, place: `${source}: ${section}.${key}` });
    else if (Object.hasOwn(SECTIONS, `${section}.${key}`)) {
      readSection(`${section}.${key}`, value, source, given, problems);
    } else problems.push(`${source}: ${section}.${shownKey(key)}: ${unknownKey(key, settings)}`);
  }
}

function readEnvironment(env: Environment, given: Map<Setting, Given>, problems: string[]): void {
  const byVariable = new Map(SETTINGS.map((setting) => [setting.variable, setting]));
  for (const [variable, value] of Object.entries(env)) {
    if (value === undefined || !variable.startsWith('MINICHAIN_')) continue;
    const setting = byVariable.get(variable);
    if (setting) given.set(setting, { value: setting.field.fromText(value), place: variable });
    else if (!isForOthers(variable, value)) {
      problems.push(
        `${shownKey(variable)}: no setting has this name${didYouMean(closest(variable, byVariable.keys()))}`,
      );
    }
  }
}

function isForOthers(variable: string, value: string): boolean {
  if ((OTHER_VARIABLES as readonly string[]).includes(variable)) return true;
  return SERVICE_LINK.test(variable) || (variable.endsWith('_PORT') && SERVICE_LINK_VALUE.test(value));
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

/** Can a machine's name be its node's? Not where every second machine is called so. */
function isOwnName(hostName: string): boolean {
  return isName(hostName) && !/^localhost(\.|$)/i.test(hostName);
}

function settingOf(property: string): Setting {
  return SETTINGS.find((setting) => setting.property === property)!;
}

function unknownSection(section: string): string {
  const owner = SETTINGS.find((setting) => setting.key === section)?.section;
  if (owner !== undefined) return `${section}: belongs under [${owner}]`;
  const inner = Object.keys(SECTIONS).find((name) => name.endsWith(`.${section}`));
  if (inner !== undefined) return `[${section}]: is written as [${inner}]`;
  const names = TOP_SECTIONS;
  return `[${shownKey(section)}]: no such section${didYouMean(closest(section, names)) || `; there are ${names.join(', ')}`}`;
}

function unknownKey(key: string, settings: readonly Setting[]): string {
  const owner = SETTINGS.find((setting) => setting.key === key)?.section;
  if (owner !== undefined) return `belongs under [${owner}]`;
  const names = settings.map((setting) => setting.key);
  return `no such key${didYouMean(closest(key, names)) || `; there are ${names.join(', ')}`}`;
}

function didYouMean(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : `, did you mean ${suggestion}?`;
}

function whyUnreadable(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text';
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return `may not be read by ${processUser()}: chown it to that user, or chmod it`;
  return `cannot be read (${code === 'EISDIR' ? 'it is a directory' : code})`;
}

function shownKey(key: string): string {
  return cut(/^[\w-]+$/.test(key) ? key : quote(key));
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isTable(value)) return 'a table';
  return cut(typeof value === 'string' ? quote(value) : String(value));
}

/** As JSON, and what JSON leaves as it is although a terminal obeys it escaped too (DEL, C1). */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

function cut(text: string): string {
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS - 3)}...` : text;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function freeze(config: NodeConfig): NodeConfig {
  for (const section of Object.values(config)) {
    for (const value of Object.values(section)) Object.freeze(value);
    Object.freeze(section);
  }
  return Object.freeze(config);
}
