import type { JSX } from 'preact';
import type { Block } from '../../consensus/block.js';
import { count, list, plural } from '../model/format.js';
import { home, standings } from '../model/network.js';
import type { Past } from './load-past.js';
import { workBehind } from './rewrite.js';

/** The rewritten branch is valid, and still no node would take it: work decides, and they have at least as much. */
export function WhyRefused({ past, blocks }: { readonly past: Past; readonly blocks: readonly Block[] }): JSX.Element {
  const { rules, firstHeight } = past;
  const mine = workBehind(rules, blocks);
  const tip = home.value?.tip?.height ?? firstHeight;
  const theirBlocks = tip - firstHeight + 1;
  // The work of the blocks that were mined meanwhile is that of the last one that was loaded.
  const each = rules.workOf(blocks.at(-1)!.header.bits);
  const theirs = mine + BigInt(Math.max(0, theirBlocks - blocks.length)) * each;
  const who = list(standings.value.map(({ nodeId }) => nodeId));
  const most = Number(theirs > mine ? theirs : mine);
  return (
    <div class="why">
      <p>
        <b>All your blocks are valid. Still, {who} would stay on their chain.</b>
      </p>
      <WorkBar name="your branch" work={mine} most={most} blocks={blocks.length} />
      <WorkBar name="their chain" work={theirs} most={most} blocks={theirBlocks} />
      <p>
        {theirs > mine
          ? 'The chain with the most work wins, and theirs has more.'
          : 'The chain with the most work wins. Yours has only as much, and on a tie the chain that a node saw first stays.'}{' '}
        To change their minds you must mine faster than all of them together, from block {count(firstHeight)} on, until
        you are ahead.
      </p>
    </div>
  );
}

function WorkBar({
  name,
  work,
  most,
  blocks,
}: {
  name: string;
  work: bigint;
  most: number;
  blocks: number;
}): JSX.Element {
  return (
    <p class="work">
      <span>{name}</span>
      <span class="track" aria-hidden="true">
        <span class="bar" style={{ display: 'block', width: `${(100 * Number(work)) / most}%` }} />
      </span>
      <span>
        {plural(blocks, 'block')}, about {count(Number(work))} hashes
      </span>
    </p>
  );
}
