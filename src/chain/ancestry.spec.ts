import { expect, it } from 'vitest';
import { genesisNode, mineChain } from '../../test/support/chain-builders.js';
import { Ancestry } from './ancestry.js';

it('includes exactly the block and its ancestors, on the active chain and on a branch', () => {
  const genesis = genesisNode();
  const main = mineChain(genesis, 6).nodes;
  const branch = mineChain(main[2]!, 4).nodes;
  const twig = mineChain(branch[1]!, 2).nodes;
  const all = [genesis, ...main, ...branch, ...twig];
  const active = new Set([genesis, ...main]);
  const chain = { isActive: (node: (typeof all)[number]) => active.has(node) };
  for (const end of all) {
    const expected = new Set<unknown>();
    for (let at: typeof end | undefined = end; at !== undefined; at = at.parent) expected.add(at);
    const ancestry = new Ancestry(chain, end);
    expect(all.filter((node) => ancestry.includes(node))).toEqual(all.filter((node) => expected.has(node)));
  }
});
