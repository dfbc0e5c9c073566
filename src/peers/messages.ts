import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { PeerMessage } from './generated/minichain/v1/peer.js';

/** The body of a message: one of the oneof's cases with its value. */
export type Body = NonNullable<PeerMessage['body']>;
export type BodyCase = Body['$case'];
export type BodyOf<C extends BodyCase> = Extract<Body, { $case: C }>['value'];

/** The most that an honest message has are the ids of a Mempool (LIMITS.mempoolIds); some to spare. */
const MAX_FIELDS = 60_000;
/** A tag and a length. */
const MIN_FIELD_BYTES = 2;
/** Of PeerMessage: `id` and `in_reply_to` come before, every field from here on is a message. */
const FIRST_BODY_FIELD = 3;

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
    readonly code:
      | 'malformed-message'
      | 'unexpected-message'
      | 'oversized-message'
      | 'unrequested-data'
      | 'too-many-messages'
      | 'unproven-work'
      | 'low-work-headers',
    message: string,
  ) {
    super(message);
  }
}

/** @throws WireError `malformed-message`, `oversized-message` (more fields than any message needs). */
export function decodeMessage(bytes: Uint8Array): PeerMessage & { body: Body } {
  let message: PeerMessage;
  try {
    if (bytes.length > MAX_FIELDS * MIN_FIELD_BYTES) checkFieldCount(bytes);
    message = PeerMessage.decode(bytes);
  } catch (error) {
    if (error instanceof WireError) throw error;
    throw new WireError('malformed-message', `not a PeerMessage: ${(error as Error).message}`);
  }
  const { body } = message;
  if (body === undefined) throw new WireError('malformed-message', 'a message without a body');
  return { ...message, body };
}

/**
 * Counts fields of the message and of its body before any object is made of them: an element of no bytes takes two on
 * the wire and some hundred in memory, so that 8 MiB of them would come to a gigabyte.
 */
function checkFieldCount(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  let fields = 0;
  const count = (): void => {
    if (++fields > MAX_FIELDS) throw new WireError('oversized-message', `more than ${MAX_FIELDS} fields in a message`);
  };
  while (reader.pos < reader.len) {
    count();
    const [field, type] = reader.tag();
    if (field < FIRST_BODY_FIELD || type !== WireType.LengthDelimited) reader.skip(type, field);
    else {
      const length = reader.uint32();
      for (const end = reader.pos + length; reader.pos < end;) {
        count();
        const [inner, innerType] = reader.tag();
        reader.skip(innerType, inner);
      }
    }
  }
}
