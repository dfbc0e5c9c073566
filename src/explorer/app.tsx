import type { JSX } from 'preact';
import { announcement } from './model/announce.js';
import { isPresenting, route } from './model/route.js';
import { LabBar } from './lab/lab-bar.jsx';
import { BlockPage } from './panels/block-page.jsx';
import { EntryPage } from './panels/entry-page.jsx';
import { MempoolPanel } from './panels/mempool-panel.jsx';
import { MiningPanel } from './panels/mining-panel.jsx';
import { NetworkPanel } from './panels/network-panel.jsx';
import { ReorgPanel, ReplayBar } from './panels/reorg-panel.jsx';
import { SearchPage } from './panels/search-page.jsx';
import { PastPage } from './past/past-page.jsx';
import { ProofPage } from './proof/lazy-proof.jsx';
import { TreeWindow } from './tree/tree-view.jsx';
import { Composer } from './ui/composer.jsx';
import { Hero } from './ui/hero.jsx';
import { Journey } from './ui/journey.jsx';
import { TokenDialog } from './ui/token-dialog.jsx';
import { TopBar } from './ui/top-bar.jsx';

export function App(): JSX.Element {
  return (
    <div class={isPresenting ? 'app present' : 'app'}>
      <TopBar />
      <main>
        <div class="opening">
          <Hero />
          <Composer />
        </div>
        <Journey />
        <LabBar />
        <TreeWindow />
        <ReplayBar />
        <Stage />
      </main>
      <TokenDialog />
      <p class="announcer" role="status" aria-live="polite">
        {announcement.value}
      </p>
    </div>
  );
}

/** What stands below the tree. */
function Stage(): JSX.Element {
  const to = route.value;
  switch (to.name) {
    case 'block':
      return <BlockPage id={to.id} />;
    case 'entry':
      return <EntryPage id={to.id} />;
    case 'proof':
      return <ProofPage place={to.id} />;
    case 'search':
      return <SearchPage query={to.id} />;
    case 'past':
      return <PastPage id={to.id} />;
    default:
      return (
        <div class="panels">
          <NetworkPanel />
          <MempoolPanel />
          <MiningPanel />
          <ReorgPanel />
        </div>
      );
  }
}
