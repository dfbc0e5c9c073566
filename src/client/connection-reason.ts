const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  EPIPE: 'connection lost',
  ERR_STREAM_PREMATURE_CLOSE: 'connection lost',
  UND_ERR_SOCKET: 'connection lost',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'no such host name',
  EHOSTUNREACH: 'no way to this host',
  ENETUNREACH: 'no way to this network',
};

/** Why a connection failed, in a few words: `fetch` hides it in a cause, and a name with several addresses in a list. */
export function connectionReason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return connectionReason(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const { code, cause, message } = error as Error & { readonly code?: unknown };
  if (typeof code === 'string') return WORDS[code] ?? code;
  return cause instanceof Error ? connectionReason(cause) : message;
}
