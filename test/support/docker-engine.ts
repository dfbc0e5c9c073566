import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  LABEL_TESTCONTAINERS_SESSION_ID,
  getContainerRuntimeClient,
  getReaper,
  type ContainerRuntimeClient,
} from 'testcontainers';

export type Container = ReturnType<ContainerRuntimeClient['container']['getById']>;

/** Everything that a run makes carries this label, with the name of the run. */
const RUN_LABEL = 'minichain.run';
const COMPOSE_LABEL = 'com.docker.compose.project';
const RYUK_DISABLED = 'TESTCONTAINERS_RYUK_DISABLED';

/** A name of its own for a run: its containers, networks and volumes begin with it. */
export function newRunName(): string {
  return `minichain-e2e-${randomBytes(3).toString('hex')}`;
}

/** @returns why no Docker engine can be used, in one line; undefined where one answers. */
export async function engineProblem(): Promise<string | undefined> {
  try {
    await getContainerRuntimeClient();
    return undefined;
  } catch (error) {
    return `no Docker engine answers (${(error as Error).message})`;
  }
}

/**
 * Sees to it that testcontainers can work: where its reaper (which removes what a killed run has left) neither is there
 * nor can be pulled, it goes without. Processes started later are told by the environment.
 */
export async function settleReaper(): Promise<void> {
  if (process.env[RYUK_DISABLED] !== undefined) return;
  try {
    await getReaper(await getContainerRuntimeClient());
  } catch {
    process.env[RYUK_DISABLED] = 'true';
  }
}

/**
 * Builds an image by the docker command, which says what went wrong; the builder of testcontainers does not, and would
 * then leave an older image under the tag.
 * @param dockerfile its text, without a context; by default that of the project, with the project as its context.
 */
export function buildImage(tag: string, dockerfile?: string): void {
  const args = ['build', '--tag', tag, dockerfile === undefined ? '.' : '-'];
  try {
    execFileSync('docker', args, {
      stdio: 'pipe',
      encoding: 'utf8',
      ...(dockerfile !== undefined && { input: dockerfile }),
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`docker ${args.join(' ')} failed:\n${(stdout + stderr).split('\n').slice(-40).join('\n')}`, {
      cause: error,
    });
  }
}

export async function removeImage(tag: string): Promise<void> {
  const { container } = await getContainerRuntimeClient();
  await container.dockerode.getImage(tag).remove({ force: true });
}

/** The labels of everything that a run makes; the second is the reaper's. */
export async function labelsOf(run: string): Promise<Record<string, string>> {
  const { sessionId } = await getReaper(await getContainerRuntimeClient());
  return { [RUN_LABEL]: run, [LABEL_TESTCONTAINERS_SESSION_ID]: sessionId };
}

/** Removes what is left of a run, containers first. @returns the names of all that was still there. */
export async function removeAllOf(run: string): Promise<string[]> {
  const { container: client } = await getContainerRuntimeClient();
  const { dockerode } = client;
  // What compose makes has no label of ours, but the run is its project. No filter of the engine knows beginnings.
  const isOurs = ({ Labels }: { readonly Labels?: Record<string, string> | undefined }): boolean =>
    [RUN_LABEL, COMPOSE_LABEL].some((label) => Labels?.[label]?.startsWith(run) === true);
  const removed: string[] = [];
  for (const { Id, Names } of (await dockerode.listContainers({ all: true })).filter(isOurs)) {
    await dockerode.getContainer(Id).remove({ force: true, v: true });
    removed.push(`container ${Names.join()}`);
  }
  for (const { Id, Name } of (await dockerode.listNetworks()).filter(isOurs)) {
    await dockerode.getNetwork(Id).remove();
    removed.push(`network ${Name}`);
  }
  for (const { Name } of (await dockerode.listVolumes()).Volumes.filter(isOurs)) {
    await dockerode.getVolume(Name).remove();
    removed.push(`volume ${Name}`);
  }
  return removed;
}

/** How docker lists things, and how it removes them. */
const CLEANING = [
  ['ps --all', 'rm --force --volumes'],
  ['network ls', 'network rm'],
  ['volume ls', 'volume rm'],
] as const;

/**
 * On Ctrl-C and the like nothing is left either. By the docker command, because vitest ends the process as soon as the
 * signal's handlers return; and by name, which finds what compose made, too.
 */
export function removeOnSignal(run: string): void {
  const docker = (...args: readonly string[]): string[] =>
    execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .filter(Boolean);
  const remove = ([list, removal]: (typeof CLEANING)[number]): number => {
    const found = docker(...list.split(' '), '--quiet', '--filter', `name=${run}`);
    if (found.length > 0) docker(...removal.split(' '), ...found);
    return found.length;
  };
  const removeAll = (): void => {
    for (let tries = 5, left = 1; left > 0 && tries > 0; tries--) {
      try {
        left = CLEANING.map(remove).reduce((sum, count) => sum + count);
      } catch {
        // Somebody else is just removing it, or still using it.
      }
    }
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, removeAll);
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** What a container has written since it was created, all its runs together. */
export async function outputOf(container: Container): Promise<Output> {
  // Of a container without a terminal this is a sequence of frames: stream, three zeros, length, bytes.
  const frames = await container.logs({ stdout: true, stderr: true });
  const parts: { readonly 1: Buffer[]; readonly 2: Buffer[] } = { 1: [], 2: [] };
  for (let at = 0; at + 8 <= frames.length;) {
    const end = at + 8 + frames.readUInt32BE(at + 4);
    parts[frames[at] === 2 ? 2 : 1].push(frames.subarray(at + 8, end));
    at = end;
  }
  return { stdout: Buffer.concat(parts[1]).toString(), stderr: Buffer.concat(parts[2]).toString() };
}
