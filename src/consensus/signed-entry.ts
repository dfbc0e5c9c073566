import { encodeVarint, type Hash } from './codec.js';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES, checkPublicKey, checkSignatureEncoding, isSignedBy } from './ed25519.js';
import { checkData, encodeData, readData } from './entry-data.js';
import { hash256 } from './hash.js';
import { RuleError } from './rule-error.js';
import { bytesToSign, signatureNamespace, type KeyAndSignature } from './ssh-signature.js';
import type { Encoded, TransactionKind } from './transaction-kind.js';

const KIND_BYTE = 2;

/**
 * An entry that its author signed by an SSH key. It has no timestamp and no salt: in a field that is not signed, anyone could
 * post the text again under another id.
 */
export interface SignedTransaction extends Encoded {
  readonly kind: 'signed';
  readonly publicKey: Buffer;
  readonly signature: Buffer;
  readonly data: string;
}

export const signedKind: TransactionKind<SignedTransaction> = {
  byte: KIND_BYTE,
  read(reader) {
    const publicKey = Buffer.from(reader.bytes(PUBLIC_KEY_BYTES));
    const signature = Buffer.from(reader.bytes(SIGNATURE_BYTES));
    return { kind: 'signed', publicKey, signature, data: readData(reader) };
  },
  check({ data }) {
    checkData(data);
  },
  checkSignature({ publicKey, signature, data }, genesis: Hash) {
    checkPublicKey(publicKey);
    checkSignatureEncoding(signature);
    const namespace = signatureNamespace(genesis);
    if (isSignedBy(bytesToSign(Buffer.from(data, 'utf8'), namespace), publicKey, signature)) return;
    throw new RuleError(
      'bad-sig',
      `the signature is not that of this key for this data in the namespace "${namespace}"; one changed byte, such as a line break at the end, makes another text`,
    );
  },
};

/**
 * Encodes a signed entry. It still has to pass checkTransaction and checkSignature.
 * @throws RuleError `bad-txn-data-encoding`, as encodeData.
 * @throws RangeError when key or signature has not 32 and 64 bytes.
 */
export function encodeSignedTransaction(data: string, { publicKey, signature }: KeyAndSignature): SignedTransaction {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) {
    throw new RangeError(`a key of ${PUBLIC_KEY_BYTES} and a signature of ${SIGNATURE_BYTES} bytes needed`);
  }
  const payload = encodeData(data);
  const own = { publicKey: Buffer.from(publicKey), signature: Buffer.from(signature) };
  const head = Buffer.from([KIND_BYTE]);
  const bytes = Buffer.concat([head, own.publicKey, own.signature, encodeVarint(payload.length), payload]);
  return { kind: 'signed', id: hash256(bytes), bytes, ...own, data };
}
