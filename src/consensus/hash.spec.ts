import { describe, expect, it } from 'vitest';
import { hash256, sha256, sha256d } from './hash.js';

describe('hash', () => {
  it('sha256 is FIPS 180-4: its test vector "abc"', () => {
    expect(sha256(Buffer.from('abc')).toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('sha256d hashes the digest again', () => {
    expect(sha256d(Buffer.from('hello')).toString('hex')).toBe(
      '9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50',
    );
  });

  it('hash256 shows it reversed', () => {
    expect(hash256(Buffer.from('hello'))).toBe('503d8319a48348cdc610a582f7bf754b5833df65038606eb48510790dfc99595');
  });

  it('takes a part of a bigger buffer as that part only', () => {
    expect(sha256(new TextEncoder().encode('xabcx').subarray(1, 4))).toEqual(sha256(Buffer.from('abc')));
  });
});
