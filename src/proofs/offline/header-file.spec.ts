import { describe, expect, it } from 'vitest';
import { ProofChain, failedCheck } from '../../../test/support/proof-rig.js';
import { parseHeaderFile } from './header-file.js';

const chain = ProofChain.mine(6, () => []);
const binary = Buffer.concat(chain.headers(0));
const digits = chain.headers(0).map((header) => header.toString('hex'));
const page = (more: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ from: 0, length: 7, headers: digits, ...more }));

describe('a file with headers', () => {
  it.each<[string, Buffer, number]>([
    ['a page of GET /headers', page(), 0],
    ['a later page', page({ from: 4, headers: digits.slice(4) }), 4],
    ['a proof as JSON', Buffer.from(JSON.stringify(chain.json(3, 0))), 1],
    ['a proof that begins later', Buffer.from(JSON.stringify(chain.json(3, 0, 2))), 3],
    ['bytes', binary, 0],
    ['hex digits, one header a line', Buffer.from(`${digits.join('\r\n')}\n`), 0],
    [
      'hex digits in upper case, lines of any length',
      Buffer.from(digits.join('').toUpperCase().replaceAll(/.{60}/g, '$&\n')),
      0,
    ],
  ])('may be %s', (_, file, from) => {
    const source = parseHeaderFile(file);
    expect([source.from, source.headers]).toEqual([from, chain.headers(from)]);
  });

  it.each<[string, string | Buffer]>([
    ['is empty', ''],
    ['is cut off in the middle of a header', binary.subarray(0, -1)],
    ['is cut off in the middle of a byte', `${digits.join('\n')}\n0`],
    ['is cut off in the middle of the JSON', page().subarray(0, -9)],
    ['has something else behind its digits', `${digits.join('\n')}\n-- end of file`],
    ['has another character in its digits', `${'\n'.repeat(2_000)}${digits.join('\n').replace(/.$/, 'g')}`],
    ['has half a byte in a header', page({ headers: digits.with(2, `${digits[2]}0`) })],
    ['has something else behind a header', page({ headers: digits.with(2, `${digits[2]}zz`) })],
    ['has a header that is too short', page({ headers: digits.with(2, digits[2]!.slice(2)) })],
    ['has a header that is a number', page({ headers: [7] })],
    ['begins below the genesis', page({ from: -1 })],
    ['begins at no height', page({ from: '0' })],
    ['has no list', page({ headers: digits.join('') })],
    ['is another object', '{}'],
    ['is a proof with a field too many', JSON.stringify({ ...chain.json(3, 0), more: 1 })],
  ])('that %s is refused', (_, file) => {
    expect(failedCheck(() => parseHeaderFile(Buffer.from(file as string)))).toBe('format');
  });
});
