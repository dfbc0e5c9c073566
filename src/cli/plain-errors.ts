import { CliError, EXIT } from './exit.js';

/** Errors that tell the user about their machine or settings, not about a mistake of ours: one line is enough. */
const PLAIN_ERRORS: ReadonlySet<string> = new Set([
  'BackupError',
  'CheckpointConflictError',
  'DataDirInUseError',
  'DatabaseBusyError',
  'DataDirUnusableError',
  'DatabaseDamagedError',
  'DatabaseTooNewError',
  'DatabaseUnusableError',
  'NodeKeyError',
  'NothingToReindexError',
  'SqliteError',
  'WrongNetworkError',
]);

/** What to throw from a command in place of `error`, so that it ends with one line wherever one says it all. */
export function toCliError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if ('syscall' in error && error.syscall === 'uv_cwd') {
    return new CliError('the working directory was deleted: change to another one and try again', EXIT.failed);
  }
  const isPlain = PLAIN_ERRORS.has(error.name) || 'syscall' in error;
  return isPlain ? new CliError(error.message, EXIT.failed) : error;
}
