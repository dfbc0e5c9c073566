import { describe, inject, onTestFinished } from 'vitest';
import { DockerCluster, type DockerClusterOptions } from '../support/docker-cluster.js';

/** As describe, but skipped where no engine answers; global-setup.ts says so, and lets nothing be skipped in CI. */
export const describeWithEngine = inject('image') === undefined ? describe.skip : describe;

/** The image under test. */
export function imageUnderTest(): string {
  const image = inject('image');
  if (image === undefined) throw new Error('no engine answers');
  return image;
}

/** A cluster for the running test, gone when it has finished. */
export async function newCluster(options: Partial<DockerClusterOptions> = {}): Promise<DockerCluster> {
  const cluster = await DockerCluster.create(inject('run'), { image: imageUnderTest(), ...options });
  onTestFinished(() => cluster.end());
  return cluster;
}

/** Settings of a network in which only POST /mine mines. */
export const BY_HAND = { BLOCKCHAIN_AUTO_MINE: 'false', BLOCKCHAIN_DIFFICULTY: '2' };
