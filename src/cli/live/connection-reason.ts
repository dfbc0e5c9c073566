import { printable } from '../format.js';

const MAX_REASON = 200;

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  EPIPE: 'connection lost',
  'socket hang up': 'connection lost',
  aborted: 'connection lost',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'no such host name',
  EHOSTUNREACH: 'no way to this host',
  ENETUNREACH: 'no way to this network',
};

/** Why a node does not answer, in a few words, fit to be printed. */
export function connectionReason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return connectionReason(error.errors[0]);
  if (!(error instanceof Error)) return printable(String(error), MAX_REASON);
  const { code, message } = error as NodeJS.ErrnoException;
  // What NodeClient says names the address, which stands beside it here, and has the reason in brackets.
  const inner =
    /\(([^()]*)\)(?:: start one .*)?$/.exec(message)?.[1] ??
    message.replace(/^the node at \S+ did not answer within/, 'no answer within');
  return WORDS[code ?? ''] ?? WORDS[inner] ?? printable(inner, MAX_REASON);
}
