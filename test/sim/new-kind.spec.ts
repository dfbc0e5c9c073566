import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeVarint } from '../../src/consensus/codec.js';
import { hash256 } from '../../src/consensus/hash.js';
import { RuleError } from '../../src/consensus/rule-error.js';
import { TRANSACTION_KINDS, decodeTransaction, type Entry } from '../../src/consensus/transaction.js';
import type { Node } from '../../src/node.js';
import { reindex } from '../../src/reindex.js';
import { silentLog } from '../support/chain-builders.js';
import { SimNetwork } from '../support/sim-network.js';
import { temporaryDirectory } from '../support/temp-dir.js';

const KIND_BYTE = 9;

/** A kind of transaction that exists in this test alone: a note of at most 100 bytes. */
const noteKind = {
  byte: KIND_BYTE,
  read(reader: { bytes(length: number): Buffer; varint(): number }) {
    return { kind: 'note', note: reader.bytes(reader.varint()).toString('utf8') };
  },
  check({ note }: { readonly note: string }): void {
    if (note.length > 100) throw new RuleError('bad-txn-data-length', 'a note has at most 100 bytes');
  },
};

function noteOf(text: string): Entry {
  const payload = Buffer.from(text);
  const bytes = Buffer.concat([Buffer.from([KIND_BYTE]), encodeVarint(payload.length), payload]);
  return { kind: 'note', note: text, id: hash256(bytes), bytes } as unknown as Entry;
}

/** Where an entry is: "chain", "mempool", both or neither. */
function placeOf({ chain, mempool }: Node, { id }: Entry): string {
  return [chain.hasTransaction(id) ? 'chain' : '', mempool.has(id) ? 'mempool' : ''].filter(Boolean).join('+');
}

describe('a new kind of transaction', () => {
  let net: SimNetwork;
  const table = TRANSACTION_KINDS as unknown as Record<string, unknown>;
  beforeAll(() => {
    // The one entry that a new kind needs at run time; in the sources the compiler asks for the rest.
    table['note'] = noteKind;
  });
  afterAll(() => {
    delete table['note'];
  });
  beforeEach(() => {
    net = new SimNetwork();
    console.log(`seed ${net.seed}: MINICHAIN_SIM_SEED=${net.seed} npx vitest run test/sim`);
  });
  afterEach(() => net.close());

  const give = async (name: string, note: Entry): Promise<string> => {
    const [taken] = await net.clock.during('the note is taken', net.node(name).mempool.acceptFromPeer([note], 'test'));
    return taken!.result;
  };

  it('is read, and its own rules hold', async () => {
    await net.add('n1');
    expect(decodeTransaction(noteOf('hello').bytes)).toEqual(noteOf('hello'));
    expect(await give('n1', noteOf('x'.repeat(101)))).toBe('bad-txn-data-length');
    expect(await give('n1', noteOf('x'.repeat(100)))).toBe('accepted');
  });

  it('is gossiped, mined, given back by a reorganisation, kept over a restart, and reindexed', async () => {
    const dataDir = temporaryDirectory();
    await net.add('n1', { dataDir });
    await net.add('n2', { bootstrap: ['n1'] });
    await net.meshed();
    const [first, second] = [noteOf('first'), noteOf('second')];
    expect(await give('n1', first)).toBe('accepted');
    await net.until('the note is at n2', () => placeOf(net.node('n2'), first) === 'mempool');

    await net.mine('n2', 1);
    await net.converged();
    expect(net.nodes.map((node) => placeOf(node, first))).toEqual(['chain', 'chain']);

    // n1 mines the second note alone, n2 a longer branch without it: it comes back to n1, and from there to n2.
    net.partition(['n1'], ['n2']);
    expect(await give('n1', second)).toBe('accepted');
    await net.mine('n1', 1);
    expect(placeOf(net.node('n1'), second)).toBe('chain');
    await net.mine('n2', 2);
    net.heal();
    await net.converged();
    expect(net.nodes.map((node) => placeOf(node, second))).toEqual(['mempool', 'mempool']);

    await net.stop('n1');
    const restarted = await net.restart('n1');
    expect(placeOf(restarted, first)).toBe('chain');
    expect(placeOf(restarted, second)).toBe('mempool');
    expect([...restarted.peers.bans(), ...net.node('n2').peers.bans()]).toEqual([]);
    const { params } = restarted.chain;
    await net.stop('n1');
    expect(reindex({ dataDir, params, log: silentLog })).toMatchObject({ entries: 1, lostEntries: 0, height: 3 });
    const rebuilt = await net.restart('n1');
    expect(placeOf(rebuilt, first)).toBe('chain');
    expect(placeOf(rebuilt, second)).toBe('mempool');
    await net.mine('n1', 1);
    await net.converged();
    expect(net.nodes.map((node) => placeOf(node, second))).toEqual(['chain', 'chain']);
  });
});
