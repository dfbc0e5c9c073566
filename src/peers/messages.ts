import { PeerMessage } from './generated/minichain/v1/peer.js';

/** The body of a message: one of the oneof's cases with its value. */
export type Body = NonNullable<PeerMessage['body']>;
export type BodyCase = Body['$case'];
export type BodyOf<C extends BodyCase> = Extract<Body, { $case: C }>['value'];

/** Bodies that carry much and can wait; everything else goes ahead of them. */
const BULK: ReadonlySet<BodyCase> = new Set<BodyCase>(['headers', 'blocks', 'transactions', 'mempool', 'peers']);

export function isBulk(kind: BodyCase): boolean {
  return BULK.has(kind);
}

export function encodeMessage(message: PeerMessage): Uint8Array {
  return PeerMessage.encode(message).finish();
}

/** A message from a peer cannot be read, or says what no honest node says. Never our fault, always a peer's. */
export class WireError extends Error {
  override readonly name = 'WireError';

  constructor(
    readonly code: 'malformed-message' | 'unexpected-message' | 'oversized-message' | 'unrequested-data',
    message: string,
  ) {
    super(message);
  }
}

/** @throws WireError `malformed-message`. */
export function decodeMessage(bytes: Uint8Array): PeerMessage & { body: Body } {
  let message: PeerMessage;
  try {
    message = PeerMessage.decode(bytes);
  } catch (error) {
    throw new WireError('malformed-message', `not a PeerMessage: ${(error as Error).message}`);
  }
  const { body } = message;
  if (body === undefined) throw new WireError('malformed-message', 'a message without a body');
  return { ...message, body };
}
