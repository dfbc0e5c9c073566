import { z } from 'zod';
import { expected } from '../common/http-input.js';
import { HttpProblem } from '../common/http-problem.js';
import type { Hash } from '../consensus/codec.js';
import { decodeArmour, signatureNamespace, type KeyAndSignature } from '../consensus/ssh-signature.js';

/** Those of Ed25519 keys have about 400 characters, those of large RSA keys 3,000. */
const MAX_ARMOUR_CHARS = 8_192;
const MAX_SHOWN_CHARS = 100;

const armourError = expected(`an SSH signature of at most ${MAX_ARMOUR_CHARS} characters, as ssh-keygen writes it`);

/** `signature` in the body of POST /blocks. */
export const armourSchema = z
  .string({ error: armourError })
  .max(MAX_ARMOUR_CHARS, { error: armourError })
  .meta({
    openapi: {
      type: 'string',
      maxLength: MAX_ARMOUR_CHARS,
      description:
        'What `ssh-keygen -Y sign -n minichain/<hash of the genesis> -f KEY FILE` writes for a file that holds exactly `data`. The key must be an Ed25519 key. Key and signature fix the id.',
      example: '-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAA...\n-----END SSH SIGNATURE-----\n',
    },
  });

const FINGERPRINT = 'the SHA256 fingerprint of a key as `ssh-keygen -l` prints it';
const fingerprintError = expected(`${FINGERPRINT}, such as SHA256: and 43 characters`);

/** `author` in a query. In a query string "+" means a space, which no fingerprint has. */
export const authorText = z
  .string({ error: fingerprintError })
  .transform((text) => text.replaceAll(' ', '+'))
  .pipe(z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, { error: fingerprintError }))
  .meta({
    openapi: {
      type: 'string',
      pattern: '^SHA256:[A-Za-z0-9+/]{43}$',
      description: `Only entries that this key signed: ${FINGERPRINT}.`,
    },
  });

/**
 * Key and signature of an armour that was made for the network with this genesis.
 * @throws HttpProblem `bad-signature-armour` (400), `unsupported-signature`, `wrong-namespace` (422).
 */
export function readArmour(armour: string, genesis: Hash): KeyAndSignature {
  const decoded = decodeArmour(armour);
  if (decoded.kind === 'malformed') {
    throw new HttpProblem(400, 'bad-signature-armour', `signature: this is not an SSH signature: ${decoded.reason}`);
  }
  if (decoded.kind === 'unsupported') {
    throw new HttpProblem(422, 'unsupported-signature', `signature: ${decoded.reason}`);
  }
  const namespace = signatureNamespace(genesis);
  if (decoded.namespace !== namespace) {
    const found = decoded.namespace.slice(0, MAX_SHOWN_CHARS);
    const what = found.startsWith('minichain/') ? 'another network' : 'another purpose';
    throw new HttpProblem(
      422,
      'wrong-namespace',
      `signature: it was made for ${what}, in the namespace ${JSON.stringify(found)}; sign with -n ${namespace}`,
      {},
      { found, expected: namespace },
    );
  }
  return decoded;
}
