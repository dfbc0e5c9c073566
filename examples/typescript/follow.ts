// Shows the blocks of a node as they come, also across restarts of the node. Ctrl-C ends it.
//
//   node examples/typescript/follow.ts
//
// Environment: MINICHAIN_URL (default http://localhost:8091).
import { MinichainClient } from 'minichain/client';

const client = new MinichainClient(process.env['MINICHAIN_URL'] ?? 'http://localhost:8091');
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

// First the state, then all that came after it: nothing is missed in between.
const { body: status, eventId } = await client.ask('GET /status', {});
console.log(`${status.nodeId} is at block ${status.height} (${status.tip})`);

const onBreak = (): void => console.error('the node is away; waiting for it');
for await (const { event } of client.events({ lastEventId: eventId, signal: stop.signal, onBreak })) {
  if (event.type === 'tip') {
    const { tip, reorg } = event;
    const after = reorg === null ? '' : `, a reorganisation after block ${reorg.fork.height}`;
    console.log(`block ${tip.height} (${tip.hash})${after}`);
  } else if (event.type === 'reset') {
    // The node was restarted, or more was missed than it keeps: what is shown has to be fetched anew.
    const { height, tip } = await client.status();
    console.log(`block ${height} (${tip}), after a gap`);
  }
}
