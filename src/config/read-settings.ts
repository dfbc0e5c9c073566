import { TomlError, parse as parseToml } from 'smol-toml';
import { SECTIONS, SETTINGS, TOP_SECTIONS, type Setting } from './schema.js';
import { isTable, shownKey, unknownKey, unknownSection, unknownVariable } from './wording.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A value as it was given, and where: the place begins each error message about it. */
export interface Given {
  readonly value: unknown;
  readonly place: string;
}

/** Not yet checked. A setting that was not given has no entry. */
export type GivenSettings = Map<Setting, Given>;

/** Variables that are no settings of a node: for the client commands (which node, which token), and Compose's image. */
export const OTHER_VARIABLES = ['MINICHAIN_URL', 'MINICHAIN_TOKEN', 'MINICHAIN_IMAGE'] as const;

/**
 * Kubernetes gives every pod such variables ("service links") for each service of its namespace, so also for services
 * named minichain or minichain-something. They are not meant for the node.
 */
const SERVICE_LINK = /_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
const SERVICE_LINK_VALUE = /^(tcp|udp|sctp):\/\//;

/**
 * Puts what a TOML file gives into `given`, and what is wrong with its names and structure into `problems`.
 * @param source the file's name in messages.
 * @returns false when the text is not TOML at all.
 */
export function readToml(toml: string, source: string, given: GivenSettings, problems: string[]): boolean {
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

function readSection(section: string, table: unknown, source: string, given: GivenSettings, problems: string[]): void {
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

/** Puts what the environment gives into `given`, in place of what is there, and unknown names into `problems`. */
export function readEnvironment(env: Environment, given: GivenSettings, problems: string[]): void {
  const byVariable = new Map(SETTINGS.map((setting) => [setting.variable, setting]));
  for (const [variable, value] of Object.entries(env)) {
    if (value === undefined || !variable.startsWith('MINICHAIN_')) continue;
    const setting = byVariable.get(variable);
    if (setting) given.set(setting, { value: setting.field.fromText(value), place: variable });
    else if (!isForOthers(variable, value)) problems.push(unknownVariable(variable));
  }
}

function isForOthers(variable: string, value: string): boolean {
  if ((OTHER_VARIABLES as readonly string[]).includes(variable)) return true;
  return SERVICE_LINK.test(variable) || (variable.endsWith('_PORT') && SERVICE_LINK_VALUE.test(value));
}
