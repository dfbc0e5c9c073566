import { beforeEach, describe, expect, it, vi } from 'vitest';

const [ONE, TWO] = ['http://127.0.0.1:8091', 'http://127.0.0.1:8092'];

type Module = typeof import('./write-token.js');

describe('the write token', () => {
  let module: Module;
  beforeEach(async () => {
    vi.resetModules();
    module = await import('./write-token.js');
  });

  /** What the reader is asked, once it is asked. */
  const question = (): Promise<NonNullable<Module['tokenQuestion']['value']>> =>
    vi.waitUntil(() => module.tokenQuestion.value);

  it('is asked for once, although two requests were refused', async () => {
    const both = Promise.all([module.tokenAfterRefusal(ONE, undefined), module.tokenAfterRefusal(ONE, undefined)]);
    const { origin, isWrong, answer } = await question();
    expect([origin, isWrong]).toEqual([ONE, false]);
    answer('a');
    expect(await both).toEqual(['a', 'a']);
    expect(module.tokenQuestion.value).toBeUndefined();
  });

  it('of one node is tried at another one only after that has asked for a token', async () => {
    const first = module.tokenAfterRefusal(ONE, undefined);
    (await question()).answer('a');
    await first;
    expect([module.tokenOf(ONE), module.tokenOf(TWO)]).toEqual(['a', undefined]);
    expect(await module.tokenAfterRefusal(TWO, undefined)).toBe('a');
    const again = module.tokenAfterRefusal(TWO, 'a');
    const { origin, isWrong, answer } = await question();
    expect([origin, isWrong]).toEqual([TWO, true]);
    answer('b');
    expect(await again).toBe('b');
    expect([module.tokenOf(ONE), module.tokenOf(TWO)]).toEqual(['a', 'b']);
  });

  it('is forgotten where the node refused it and the reader gave no other one', async () => {
    const first = module.tokenAfterRefusal(ONE, undefined);
    (await question()).answer('wrong');
    await first;
    const second = module.tokenAfterRefusal(ONE, 'wrong');
    (await question()).answer(undefined);
    expect(await second).toBeUndefined();
    expect(module.tokenOf(ONE)).toBeUndefined();
  });
});
