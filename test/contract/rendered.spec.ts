import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { MANIFESTS, parseManifests, readRendered } from '../support/rendered-manifests.js';

interface Kustomization {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly { readonly path: string }[];
  readonly configMapGenerator?: readonly { readonly envs: readonly string[] }[];
}

const overlays = readdirSync(join(MANIFESTS, 'overlays')).map((name) => `overlays/${name}`);
const rendered = ['base', ...overlays];

/** Paths from deploy/kubernetes. */
const sources = ['base', 'components', 'overlays']
  .flatMap((folder) => readdirSync(join(MANIFESTS, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => relative(MANIFESTS, join(entry.parentPath, entry.name)))
  .sort();

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

/** As render.sh computes it. */
function digestOfSources(): string {
  return sha256(sources.map((path) => `${sha256(readFileSync(join(MANIFESTS, path)))}  ${path}\n`).join(''));
}

/** The files that a kustomization reads, those of its resources and components included. */
function filesOf(directory: string): string[] {
  const file = join(directory, 'kustomization.yaml');
  const { resources, components, patches, configMapGenerator } = parse(
    readFileSync(join(MANIFESTS, file), 'utf8'),
  ) as Kustomization;
  const names = [
    ...(resources ?? []),
    ...(components ?? []),
    ...(patches ?? []).map(({ path }) => path),
    ...(configMapGenerator ?? []).flatMap(({ envs }) => envs),
  ].map((name) => normalize(join(directory, name)));
  return [file, ...names.flatMap((name) => (sources.includes(name) ? [name] : filesOf(name)))];
}

describe('deploy/kubernetes/rendered', () => {
  it('has base and every overlay, and nothing else', () => {
    const files = readdirSync(join(MANIFESTS, 'rendered')).sort();
    expect(files).toEqual(rendered.map((path) => `${basename(path)}.yaml`).sort());
  });

  it.each(rendered)('%s was made from the sources as they are; otherwise run deploy/kubernetes/render.sh', (path) => {
    const text = readFileSync(join(MANIFESTS, 'rendered', `${basename(path)}.yaml`), 'utf8');
    expect(/^# Digest of the sources: (.*)$/m.exec(text)?.[1]).toBe(digestOfSources());
  });

  it('is what kubectl renders, where there is one', () => {
    for (const path of rendered) {
      const { error, status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(MANIFESTS, path)], {
        encoding: 'utf8',
      });
      if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
        console.log('no kubectl on this machine: only the digest of the sources was compared');
        return;
      }
      expect([path, status, stderr]).toEqual([path, 0, '']);
      expect(readRendered(basename(path))).toEqual(parseManifests(stdout));
    }
  });
});

it('the kustomizations use every file that is there', () => {
  const used = new Set(rendered.flatMap(filesOf));
  expect(sources.filter((path) => !used.has(path))).toEqual(['components/monitoring/make-prometheus-rule.sh']);
});
