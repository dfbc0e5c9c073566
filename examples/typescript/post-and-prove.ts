// Posts an entry, waits until it is in the chain, and checks the proof.
//
//   node examples/typescript/post-and-prove.ts "measured 4.2 bar" [confirmations]
//
// Environment: MINICHAIN_URL (default http://localhost:8091), MINICHAIN_TOKEN (if the node has a write token).
import { MinichainClient, MinichainError, describeProof, prepareEntry, verifyProof } from 'minichain/client';

const [text = 'Hello from TypeScript', confirmations = '1'] = process.argv.slice(2);
const { MINICHAIN_URL: url = 'http://localhost:8091', MINICHAIN_TOKEN: token } = process.env;

try {
  const client = new MinichainClient(url, { token });

  // The id is known before anything is sent. Store it now, and you can send the entry again after a crash.
  const entry = prepareEntry(text);
  console.log(`entry ${entry.id}`);

  // Repeated while the node is busy or away: it stays one entry.
  await client.submit(entry, { timeoutMs: 120_000, onRetry: ({ detail }) => console.error(`${detail}; trying again`) });

  const { block } = await client.waitFor(entry.id, { confirmations: Number(confirmations), timeoutMs: 120_000 });
  console.log(`block ${block.index} ${block.hash}`);

  // The node's word is not enough: the proof is checked here, by the rules of the network.
  const proven = verifyProof(await client.proof(entry.id));
  if (proven.id !== entry.id) throw new Error('this is the proof of another entry');
  for (const line of describeProof(proven).proven) console.log(line);
} catch (error) {
  if (!(error instanceof MinichainError)) throw error;
  console.error(`${error.detail} (${error.code})`);
  process.exitCode = 1;
}
