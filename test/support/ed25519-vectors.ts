import { checkPublicKey, checkSignatureEncoding } from '../../src/consensus/ed25519.js';
import { readVectorText } from './bitcoin.js';
import { brokenRule } from './rule-code.js';

export interface SignatureCase {
  readonly key: Buffer;
  readonly signature: Buffer;
  readonly message: Buffer;
}

export type Verify = (message: Buffer, key: Buffer, signature: Buffer) => boolean;

/** The 914 of C2SP. */
export function readCctv(): SignatureCase[] {
  const cases = JSON.parse(readVectorText('ed25519/cctv.json')) as { key: string; sig: string; msg: string }[];
  return cases.map(({ key, sig, msg }) => ({ key: hex(key), signature: hex(sig), message: Buffer.from(msg) }));
}

/** The 15 of ed25519-speccheck. */
export function readSpeccheck(): SignatureCase[] {
  const cases = JSON.parse(readVectorText('ed25519/speccheck.json')) as {
    pub_key: string;
    signature: string;
    message: string;
  }[];
  return cases.map((item) => ({
    key: hex(item.pub_key),
    signature: hex(item.signature),
    message: hex(item.message),
  }));
}

/** Places of the cases that break no rule, with `verify` for the equation. */
export function validOf(cases: readonly SignatureCase[], verify: Verify): number[] {
  return cases.flatMap(({ key, signature, message }, index) => {
    const broken = brokenRule(() => {
      checkPublicKey(key);
      checkSignatureEncoding(signature);
    });
    return broken === undefined && verify(message, key, signature) ? [index] : [];
  });
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}
