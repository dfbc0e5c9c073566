import type { TestProject } from 'vitest/node';
import {
  buildImage,
  engineProblem,
  newRunName,
  removeAllOf,
  removeOnSignal,
  settleReaper,
} from '../support/docker-engine.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Image under test; undefined where no engine answers, which skips all tests. */
    image: string | undefined;
    /** Begins the names of all that this run makes. */
    run: string;
  }
}

/** Is there an engine? Then builds the image of this source, once for all tests; at the end nothing is left but that. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const run = newRunName();
  project.provide('run', run);
  const problem = await engineProblem();
  if (problem !== undefined) {
    if (process.env['CI']) throw new Error(`${problem}; in CI nothing is skipped`);
    console.log(`end-to-end tests skipped: ${problem}`);
    project.provide('image', undefined);
    return async () => {};
  }
  await settleReaper();
  removeOnSignal(run);
  project.provide('image', process.env['MINICHAIN_IMAGE'] ?? build());
  return async () => {
    const left = await removeAllOf(run);
    if (left.length > 0) throw new Error(`tests left behind: ${left.join(', ')}; removed now`);
  };
}

function build(): string {
  const tag = 'minichain:e2e';
  const begin = performance.now();
  buildImage(tag);
  console.log(`built ${tag} in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  return tag;
}
