import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Resource } from './kubernetes-types.js';

export const MANIFESTS = 'deploy/kubernetes';

/** The objects of `kubectl kustomize` for base or one of the overlays, as deploy/kubernetes/render.sh wrote them. */
export function readRendered(name: string): Resource[] {
  return parseManifests(readFileSync(join(MANIFESTS, 'rendered', `${name}.yaml`), 'utf8'));
}

export function parseManifests(text: string): Resource[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Resource);
}
