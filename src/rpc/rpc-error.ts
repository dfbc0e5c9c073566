/** Error codes of Bitcoin Core's protocol.h that are in use here, and those of JSON-RPC 2.0. */
export const RPC_CODES = {
  misc: -1,
  type: -3,
  invalidAddressOrKey: -5,
  invalidParameter: -8,
  shuttingDown: -28,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  internal: -32_603,
  parse: -32_700,
} as const;

/** A call cannot be answered. `code` is Bitcoin Core's; clients go by it. */
export class RpcError extends Error {
  override readonly name = 'RpcError';

  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
