/** The forms in which a proof is filed, in words. */
export const FORM_NAMES = {
  ots: 'an OpenTimestamps proof',
  merkleblock: 'a merkleblock',
  json: 'a proof as JSON',
} as const;

export type ProofForm = keyof typeof FORM_NAMES;

const OTS_BEGINS = Buffer.from([0x00, 0x4f]);

/** What a file that should be a proof looks like by its first bytes. Whether it is one, the check of that form says. */
export function formOf(bytes: Uint8Array): ProofForm {
  const begin = Buffer.from(bytes.subarray(0, 100));
  if (begin.subarray(0, OTS_BEGINS.length).equals(OTS_BEGINS)) return 'ots';
  return /^\s*[{[]/.test(begin.toString('latin1')) ? 'json' : 'merkleblock';
}

/** The bytes of a file with a merkleblock, which has them as hex digits, as gettxoutproof gives them, or as they are. */
export function merkleBlockBytes(file: Uint8Array): Buffer {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const text = bytes.toString('latin1').trim();
  return text.length % 2 === 0 && /^[0-9a-f]+$/.test(text) ? Buffer.from(text, 'hex') : bytes;
}
