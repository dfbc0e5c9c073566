import type { Socket } from 'node:net';
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { OpenConnections } from './open-connections.js';

class FakeSocket extends EventEmitter {
  isDestroyed = false;
  isStalled = false;

  constructor(readonly remoteAddress: string) {
    super();
  }

  destroy(): void {
    this.isDestroyed = true;
    this.emit('close');
  }
}

function rig(limits: { total: number; perAddress: number }) {
  const open = new OpenConnections({
    limits,
    clientOf: (address) => (address === '127.0.0.1' ? undefined : address),
    isStalled: (socket) => (socket as unknown as FakeSocket).isStalled,
  });
  const asSocket = (socket: FakeSocket): Socket => socket as unknown as Socket;
  const add = (address: string): FakeSocket => {
    const socket = new FakeSocket(address);
    open.add(asSocket(socket));
    return socket;
  };
  return {
    open,
    add,
    busy: (address: string): FakeSocket => {
      const socket = add(address);
      open.begin(asSocket(socket));
      return socket;
    },
    end: (socket: FakeSocket) => open.end(asSocket(socket)),
  };
}

describe('OpenConnections', () => {
  it('closes the oldest idle connection of an address that has its share', () => {
    const { open, add } = rig({ total: 10, perAddress: 2 });
    const [first, other, second, third] = [add('a'), add('b'), add('a'), add('a')];
    expect([first, other, second, third].map(({ isDestroyed }) => isDestroyed)).toEqual([true, false, false, false]);
    expect([open.size, open.evicted, open.refused]).toEqual([3, 1, 0]);
  });

  it('takes room from the address with the most connections', () => {
    const each = rig({ total: 5, perAddress: 4 });
    const [one, , flooder] = [each.add('a'), each.busy('b'), each.add('b'), each.add('b'), each.add('b')];
    each.add('c');
    expect([one.isDestroyed, flooder.isDestroyed]).toEqual([false, true]);
  });

  it('prefers idle connections to stalled ones, and touches none at work', () => {
    const each = rig({ total: 10, perAddress: 3 });
    const [working, stalled, idle] = [each.busy('a'), each.busy('a'), each.add('a')];
    stalled.isStalled = true;
    each.busy('a');
    expect([working, stalled, idle].map(({ isDestroyed }) => isDestroyed)).toEqual([false, false, true]);
    each.busy('a');
    expect([working, stalled].map(({ isDestroyed }) => isDestroyed)).toEqual([false, true]);
    expect([each.add('a').isDestroyed, each.open.refused, working.isDestroyed]).toEqual([true, 1, false]);
  });

  it('leaves a tenth of all to other machines than this one', () => {
    const each = rig({ total: 10, perAddress: 5 });
    for (let n = 0; n < 9; n++) each.busy('127.0.0.1');
    expect(each.busy('127.0.0.1').isDestroyed).toBe(true);
    expect(each.add('a').isDestroyed).toBe(false);
  });

  it('leaves a tenth of all to this machine', () => {
    const each = rig({ total: 10, perAddress: 5 });
    for (const host of ['a', 'b', 'c']) for (let n = 0; n < 3; n++) each.busy(host);
    expect(each.busy('d').isDestroyed).toBe(true);
    expect(each.add('127.0.0.1').isDestroyed).toBe(false);
  });

  it('takes the place of no local connection for a stranger that has a share to itself', () => {
    const each = rig({ total: 10, perAddress: 9 });
    const local = each.add('127.0.0.1');
    for (let n = 0; n < 9; n++) each.busy('a');
    expect([each.add('b').isDestroyed, local.isDestroyed]).toEqual([true, false]);
  });

  it('counts a connection no more once it is closed', () => {
    const { open, add } = rig({ total: 10, perAddress: 1 });
    add('a').destroy();
    expect([add('a').isDestroyed, open.size, open.evicted]).toEqual([false, 1, 0]);
  });

  it('closes what is idle, or all, and then takes nothing more', () => {
    const each = rig({ total: 10, perAddress: 5 });
    const [busy, idle] = [each.busy('a'), each.add('a')];
    each.open.closeIdle();
    expect([busy.isDestroyed, idle.isDestroyed, each.open.isBusy]).toEqual([false, true, true]);
    each.end(busy);
    expect(each.open.isBusy).toBe(false);
    each.open.closeAll();
    expect([busy.isDestroyed, each.add('a').isDestroyed]).toEqual([true, true]);
  });
});
