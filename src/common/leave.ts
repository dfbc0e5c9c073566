import { accessSync, constants } from 'node:fs';

/**
 * Ends this process with `code`, at once and whatever still runs in it.
 *
 * `process.exit()` waits for libuv's threads, and one of them may hang: a write to a pipe that nobody reads, or a lookup
 * of a name that no DNS server answers. Nothing can break these off. A signal would, but then the code is 143 and not the
 * one that a service manager takes for a clean end. So the process is replaced by one that does nothing but end.
 */
export function leave(code: number): never {
  // Windows has no execve.
  if (process.execve !== undefined && isExecutable(process.execPath)) {
    const { NODE_OPTIONS: _, ...env } = process.env;
    process.execve(process.execPath, [process.execPath, '--eval', `process.exitCode=${code}`], env);
  }
  process.exit(code);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
