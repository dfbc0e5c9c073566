import { afterEach, beforeEach } from 'vitest';
import { MemoryNetwork } from './memory-network.js';
import { openHost, type HostOptions, type PeersHost } from './peers-host.js';
import { SeededRandom } from './seeded-random.js';
import { VirtualClock } from './virtual-clock.js';

/** A memory network under a virtual clock, and the hosts that a test opens on it. */
export interface HostNetwork {
  readonly clock: VirtualClock;
  readonly net: MemoryNetwork;
  /** Those to be closed after the test. */
  readonly hosts: PeersHost[];
  readonly open: (name: string, options?: HostOptions) => PeersHost;
}

/** Hands each test of a describe block a network of its own; closes its hosts, and prints the seed where it failed. */
export function onHostNetwork(begin: (network: HostNetwork) => void): void {
  const seed = Math.floor(Math.random() * 2 ** 32);
  let hosts: PeersHost[];
  beforeEach(() => {
    const clock = new VirtualClock();
    const net = new MemoryNetwork(clock, new SeededRandom(seed));
    const opened: PeersHost[] = (hosts = []);
    const open: HostNetwork['open'] = (name, options) => {
      const host = openHost(net, name, options);
      opened.push(host);
      return host;
    };
    begin({ clock, net, hosts, open });
  });
  afterEach((context) => {
    for (const host of hosts) host.close();
    if (context.task.result?.state === 'fail') console.log(`seed ${seed}`);
  });
}
