import type { Channel } from '../../src/peers/channel.js';
import { MemoryNetwork } from '../support/memory-network.js';
import { accept, mineOn } from '../support/chain-builders.js';
import { openHost, waitUntil } from '../support/peers-host.js';
import { SeededRandom } from '../support/seeded-random.js';
import { VirtualClock } from '../support/virtual-clock.js';

const BLOCKS = 6;
let recorded: Promise<Buffer[]> | undefined;

/**
 * What a node with a few blocks and entries sends to one that has none, in order: Hello, answers, announcements,
 * heartbeats. The answers name requests by their number, and a new node numbers its requests the same way each time.
 */
export function recordConversation(): Promise<Buffer[]> {
  recorded ??= record();
  return recorded;
}

async function record(): Promise<Buffer[]> {
  const net = new MemoryNetwork(new VirtualClock(), new SeededRandom(7));
  const listener = openHost(net, 'listener');
  const messages: Buffer[] = [];
  net.listen(listener.address, (channel) => listener.peers.acceptInbound(tapped(channel, messages)));
  const teller = openHost(net, 'teller', { bootstrap: [listener.address] });
  for (let n = 0; n < BLOCKS; n++) accept(teller.chain, mineOn(teller.chain.tip, [`entry ${n}`]));
  for (let n = 0; n < 3; n++) void teller.mempool.submit(`pending ${n}`);
  const isLevel = (): boolean => listener.chain.tip === listener.chain.node(teller.chain.tip.hash);
  await waitUntil(net, () => isLevel() && listener.mempool.size === 3, 'the listener knows all');
  accept(teller.chain, mineOn(teller.chain.tip, ['announced']));
  void teller.mempool.submit('announced too');
  await net.clock.advance(10_000);
  teller.close();
  listener.close();
  return messages;
}

function tapped(channel: Channel, messages: Buffer[]): Channel {
  return {
    remoteHost: channel.remoteHost,
    open: (events) =>
      channel.open({
        message: (bytes) => {
          messages.push(Buffer.from(bytes));
          events.message(bytes);
        },
        drained: () => events.drained(),
        closed: (reason) => events.closed(reason),
      }),
    pause: () => {},
    resume: () => {},
    send: (bytes) => channel.send(bytes),
    close: () => channel.close(),
  };
}
