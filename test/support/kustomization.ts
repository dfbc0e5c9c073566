import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';

/** A Kubernetes object as its file has it. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
}

/** What our kustomizations use of kustomize; anything else in one of them is refused, since it would be left out. */
interface Kustomization {
  readonly apiVersion: string;
  readonly kind: 'Kustomization' | 'Component';
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly { readonly path: string }[];
  readonly configMapGenerator?: readonly { readonly name: string; readonly envs: readonly string[] }[];
  readonly images?: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[];
}

const KNOWN_KEYS = [
  ...['apiVersion', 'kind', 'resources', 'components', 'patches', 'configMapGenerator', 'images'],
] as const satisfies readonly (keyof Kustomization)[];

/** How Kubernetes finds the element of a list that an element of a patch means; other lists are replaced. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
};

type Tree = Readonly<Record<string, unknown>>;

/**
 * Does for our own files what `kustomize build` does, so that they can be tested where there is none. Names of generated
 * config maps get no hash.
 * @throws Error where a kustomization does something that this knows nothing of, or contradicts another.
 */
export class Kustomized {
  /** Absolute paths of all files that were read. */
  readonly files = new Set<string>();
  resources: readonly Resource[] = [];

  constructor(directory: string) {
    this.#add(resolve(directory));
  }

  #add(directory: string): void {
    const file = join(directory, 'kustomization.yaml');
    const kustomization = this.#read(file) as Kustomization;
    const unknown = Object.keys(kustomization).filter((key) => !(KNOWN_KEYS as readonly string[]).includes(key));
    if (unknown.length > 0) throw new Error(`${file}: this test knows nothing of ${unknown.join(', ')}`);
    for (const path of kustomization.resources ?? []) {
      if (path.endsWith('.yaml')) this.#addResource(this.#read(join(directory, path)) as Resource);
      else this.#add(join(directory, path));
    }
    for (const { name, envs } of kustomization.configMapGenerator ?? []) {
      const data = Object.assign({}, ...envs.map((path) => this.#readEnv(join(directory, path))));
      this.#addResource({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
    }
    for (const path of kustomization.components ?? []) this.#add(join(directory, path));
    for (const { path } of kustomization.patches ?? []) this.#patch(join(directory, path));
    for (const image of kustomization.images ?? []) {
      const rename = (value: unknown): unknown =>
        value === image.name ? `${image.newName}:${image.newTag}` : undefined;
      this.resources = this.resources.map((resource) => mapKey(resource, 'image', rename) as Resource);
    }
  }

  #addResource(resource: Resource): void {
    if (this.resources.some((other) => isSame(other, resource))) {
      throw new Error(`${resource.kind} ${resource.metadata.name} is there twice`);
    }
    this.resources = [...this.resources, resource];
  }

  #patch(file: string): void {
    const patch = this.#read(file) as Resource;
    if (!this.resources.some((resource) => isSame(resource, patch))) {
      throw new Error(`${file}: patches ${patch.kind} ${patch.metadata.name}, which is not there`);
    }
    this.resources = this.resources.map((resource) =>
      isSame(resource, patch) ? (merge(resource, patch) as Resource) : resource,
    );
  }

  #read(file: string): unknown {
    this.files.add(file);
    return parse(readFileSync(file, 'utf8'));
  }

  #readEnv(file: string): Record<string, string> {
    this.files.add(file);
    const lines = readFileSync(file, 'utf8').split('\n');
    const pairs = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(/=(.*)/, 2));
    if (pairs.some((pair) => pair.length !== 2)) throw new Error(`${file}: a line is neither NAME=value nor a comment`);
    return Object.fromEntries(pairs) as Record<string, string>;
  }
}

/** The order of lists that are sets is kustomize's own affair, and so is the hash in a generated name. */
export function normalised(resources: readonly Resource[]): unknown[] {
  const names = resources.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name);
  const inOrder = [...resources].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  return inOrder.map((resource) => normalise(resource, '', names));
}

function normalise(value: unknown, key: string, names: readonly string[]): unknown {
  if (typeof value === 'string') return names.includes(value) ? value.replace(/-[a-z0-9]{10}$/, '') : value;
  if (Array.isArray(value)) {
    const items = value.map((item) => normalise(item, '', names));
    const mergeKey = MERGE_KEYS[key];
    if (mergeKey === undefined) return items;
    return (items as Tree[]).sort((a, b) => (String(a[mergeKey]) < String(b[mergeKey]) ? -1 : 1));
  }
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, normalise(inner, name, names)]));
}

/** A strategic merge patch: tables are merged, null takes away, lists go by their merge key. */
function merge(base: unknown, patch: unknown, key = ''): unknown {
  const mergeKey = MERGE_KEYS[key];
  if (Array.isArray(base) && Array.isArray(patch) && mergeKey !== undefined) {
    const idOf = (item: unknown): unknown => (item as Tree)[mergeKey];
    const kept = base.map((item) => {
      const change = patch.find((candidate) => idOf(candidate) === idOf(item));
      return change === undefined ? (item as unknown) : merge(item, change);
    });
    return [...patch.filter((item) => !base.some((other) => idOf(other) === idOf(item))), ...kept] as unknown[];
  }
  if (!isTree(base) || !isTree(patch)) return patch;
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = merge(base[name], value, name);
  }
  return merged;
}

/** A copy in which `change` has its say on every value of the key `wanted`. */
function mapKey(value: unknown, wanted: string, change: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => mapKey(item, wanted, change));
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === wanted ? (change(inner) ?? inner) : mapKey(inner, wanted, change),
    ]),
  );
}

function isSame(a: Resource, b: Resource): boolean {
  return isDeepStrictEqual([a.apiVersion, idOf(a)], [b.apiVersion, idOf(b)]);
}

function idOf({ kind, metadata }: Resource): string {
  return `${kind} ${metadata.name}`;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
