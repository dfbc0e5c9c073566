import { connectionReason } from '../../client/connection-reason.js';
import { MinichainError } from '../../client/minichain-error.js';
import { CliError } from '../exit.js';
import { printable } from '../format.js';

const MAX_REASON = 200;

/** Why a node does not answer, in a few words beside its name, fit to be printed. */
export function downReason(error: unknown): string {
  return printable(reasonOf(error instanceof CliError ? (error.cause ?? error) : error), MAX_REASON);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof MinichainError)) return error instanceof Error ? error.message : String(error);
  const { code, cause, detail, status } = error;
  if (status !== undefined) return `it refuses (HTTP ${status}): ${detail}`;
  if (code === 'unreachable' && cause !== undefined) return connectionReason(cause);
  return detail.replace(/^the node at \S+ /, 'it ');
}
