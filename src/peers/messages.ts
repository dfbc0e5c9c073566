import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { PeerMessage } from './generated/minichain/v1/peer.js';

/** The body of a message: one of the oneof's cases with its value. */
export type Body = NonNullable<PeerMessage['body']>;
export type BodyCase = Body['$case'];
export type BodyOf<C extends BodyCase> = Extract<Body, { $case: C }>['value'];

/** What metrics and rate limits call a message: its body's case, or 'unknown' if this version does not know the body. */
export type MessageKind = BodyCase | 'unknown';

/** The largest honest message is a Mempool with LIMITS.mempoolIds ids. */
const MAX_FIELDS = 60_000;
/** A tag and a length. */
const MIN_FIELD_BYTES = 2;
/** Field numbers of PeerMessage whose bodies this version decodes. */
export const FIRST_BODY_FIELD = 3;
export const LAST_BODY_FIELD = 23;

/** Large bodies that can wait; everything else is sent ahead of them. */
const BULK: ReadonlySet<BodyCase> = new Set<BodyCase>(['headers', 'blocks', 'transactions', 'mempool', 'peers']);

export function isBulk(kind: BodyCase): boolean {
  return BULK.has(kind);
}

export function encodeMessage(message: PeerMessage): Uint8Array {
  return PeerMessage.encode(message).finish();
}

/** A peer's message cannot be read, or no honest node would have sent it. Always the peer's fault. */
export class WireError extends Error {
  override readonly name = 'WireError';

  constructor(
    readonly code:
      | 'malformed-message'
      | 'unexpected-message'
      | 'wrong-proof'
      | 'oversized-message'
      | 'unrequested-data'
      | 'too-many-messages'
      | 'unproven-work'
      | 'stalling'
      | 'low-work-headers',
    message: string,
  ) {
    super(message);
  }
}

/**
 * A message whose `body` is undefined is well formed, but of a kind that this version does not know.
 * @throws WireError `malformed-message`, `oversized-message` (more fields than any message needs).
 */
export function decodeMessage(bytes: Uint8Array): PeerMessage {
  try {
    if (bytes.length > MAX_FIELDS * MIN_FIELD_BYTES) checkFieldCount(bytes);
    return PeerMessage.decode(bytes);
  } catch (error) {
    if (error instanceof WireError) throw error;
    throw new WireError('malformed-message', `not a PeerMessage: ${(error as Error).message}`);
  }
}

/**
 * Counts the fields of the message and of its body before any object is made of them: an empty element takes two bytes
 * on the wire and about a hundred in memory, so 8 MiB of them would take a gigabyte. Unknown bodies are not decoded, so
 * their size alone bounds them.
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
    const isKnownBody = field >= FIRST_BODY_FIELD && field <= LAST_BODY_FIELD && type === WireType.LengthDelimited;
    if (!isKnownBody) reader.skip(type, field);
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
