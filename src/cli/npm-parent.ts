import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Terminal } from './terminal.js';

const CHECK_EVERY_MS = 500;
/** npm starts a shell, which may start a script. */
const MAX_GENERATIONS = 4;
/** How npm names its processes ("npm exec minichain"), or the script that they run. */
const NPM = /^(npm|npx)\b|\bnp[mx](-cli\.js)?(\s|$)/;

/**
 * Ends this process cleanly when npm or npx started it and is gone: neither hands on a SIGKILL or a closed terminal.
 * Started in any other way, as by systemd, nohup or setsid, it does not look at its parents.
 */
export function endWithNpm({ env, stderr }: Pick<Terminal, 'env' | 'stderr'>): void {
  if (env['npm_execpath'] === undefined && env['npm_lifecycle_event'] === undefined) return;
  const npm = findNpm(process.ppid);
  // A shell that npm once started gives its variables to all that run in it.
  if (npm === undefined) return;
  const timer = setInterval(() => {
    if (isAlive(npm)) return;
    clearInterval(timer);
    stderr.write('minichain: npm, which started this, has ended: stopping\n');
    process.kill(process.pid, 'SIGTERM');
  }, CHECK_EVERY_MS);
  timer.unref();
}

function findNpm(parent: number): number | undefined {
  for (let pid = parent, generation = 0; pid > 1 && generation < MAX_GENERATIONS; generation++) {
    const found = readProcess(pid);
    if (found === undefined) return undefined;
    if (NPM.test(found.command)) return pid;
    pid = found.parent;
  }
  return undefined;
}

function readProcess(pid: number): { readonly parent: number; readonly command: string } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { parent: Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? 0), command };
  } catch {
    // No Linux.
    const { stdout } = spawnSync('ps', ['-o', 'ppid=', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
    const parts = /^\s*(\d+)\s+(.*)$/m.exec(stdout ?? '');
    return parts === null ? undefined : { parent: Number(parts[1]), command: parts[2]! };
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(pid);
}

/** It has ended, and its parent has not asked for its exit code yet. */
function isZombie(pid: number): boolean {
  try {
    return /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
