import type { AcceptOutcome, TipChange } from '../chain/chain.events.js';
import type { ChainService } from '../chain/chain.service.js';
import { turnAllowance } from '../chain/stepped-check.js';
import { nowSeconds, type Clock } from '../common/clock.js';
import { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { HEADER_BYTES, decodeHeader, hashHeader, type BlockHeader } from '../consensus/header.js';
import { RuleError } from '../consensus/rule-error.js';
import type { VerifiedBlock } from '../consensus/verify-block.js';
import { Verdict_Result } from './generated/minichain/v1/peer.js';
import type { Turns } from '../common/turns.js';
import { BlockArrivals } from './block-arrivals.js';
import { WireError, type BodyOf } from './messages.js';
import type { Peer } from './peer.js';
import { intactBlock } from './serve-blocks.js';
import { verifyInTurns } from './stepped-verification.js';
import { decodeTip, decodeWireBlock, encodeTip } from './wire.js';

/** A longer reorganisation is announced by its tip alone; whoever lacks the rest asks for headers. */
const MAX_ANNOUNCED_BLOCKS = 8;
/** As Bitcoin Core's: a day's worth of blocks there. Forks of honest nodes that are connected are far shorter. */
const FAR_BEHIND_BLOCKS = 144n;
const [ACCEPTED, DUPLICATE, ORPHAN] = [
  Verdict_Result.RESULT_ACCEPTED,
  Verdict_Result.RESULT_DUPLICATE,
  Verdict_Result.RESULT_ORPHAN,
].map((result) => ({ result, code: '', detail: '' })) as [Verdict, Verdict, Verdict];
const FAR_BEHIND = { code: 'too-little-chainwork', detail: 'it stands on a branch that is much weaker than our chain' };
/** Blocks are mined and told within that time, for what they tell of clocks. */
const FRESH_SECONDS = 600;
const VERDICT_MS = 30_000;
/** A minute, of one host. */
const BLOCK_LINES = 600;
/** Texts of a peer are cut to this in the log. */
const MAX_LOGGED_CHARS = 200;

type Verdict = BodyOf<'verdict'>;

/** An announced block whose header was read. */
interface Announced {
  readonly hash: Hash;
  readonly header: BlockHeader;
  readonly raw: Uint8Array;
}

/** What gossip needs of the rest of the module. */
export interface GossipPorts {
  peers(): Iterable<Peer>;
  /** The peer broke a rule. */
  blame(peer: Peer, error: RuleError | WireError): void;
  /** The peer announces a block again. False: it does so all the time, and nothing more is done for it. */
  acceptRepeat(peer: Peer, bytes: number): boolean;
  /** The peer took a block of ours, or we took one of its. */
  clockAgreed(peer: Peer): void;
  /** The peer refused a block of ours because it lies in its future. */
  refusedAsTooNew(peer: Peer): void;
  /** A peer has a block now that we announced, so long after that. */
  delivered(tookMs: number): void;
  /** The peer has blocks that we lack. */
  considerSync(peer: Peer): void;
  /** While many blocks are being fetched nothing is announced: they are old to everybody else. */
  isCatchingUp(): boolean;
}

/**
 * Tells peers of new blocks, and takes theirs. What we announce is committed before; each block goes once to each peer that
 * is not known to have it.
 */
export class Gossip {
  #unsubscribe: (() => void) | undefined;
  readonly #lines: LogLimiter;
  readonly #arrivals: BlockArrivals;

  constructor(
    private readonly chain: ChainService,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly turns: Turns,
    private readonly ports: GossipPorts,
  ) {
    this.#lines = new LogLimiter(log, clock);
    this.#arrivals = new BlockArrivals();
  }

  start(): void {
    this.#unsubscribe = this.chain.events.on('tip', this.#onTip);
  }

  stop(): void {
    this.#unsubscribe?.();
  }

  /** Announces the present tip, to peers that are not ahead of it. */
  announceTip(): void {
    this.#announceBlocks([this.chain.tip]);
  }

  /**
   * Takes an announced block, and says what became of it: a small one at once, a big one in several turns of the event
   * loop. @throws WireError; faults of our own.
   */
  async receiveBlock(peer: Peer, message: BodyOf<'newBlock'>): Promise<BodyOf<'verdict'>> {
    const tip = decodeTip(message.tip);
    if (message.block === undefined) throw new WireError('malformed-message', 'a NewBlock without a block');
    try {
      const { raw } = message.block;
      const header = decodeHeader(raw.subarray(0, HEADER_BYTES));
      const hash = hashHeader(header);
      peer.known.add(hash);
      peer.sawTip(tip);
      if (this.#isFarBehind(hash, header)) return { result: Verdict_Result.RESULT_REJECTED, ...FAR_BEHIND };
      if (!peer.announced.add(hash) && !this.ports.acceptRepeat(peer, raw.length)) return DUPLICATE;
      const judge = (): AcceptOutcome | undefined => this.chain.judgeHeader(hash, header);
      const outcome = judge() ?? (await this.#takeBody(peer, { hash, header, raw }, judge));
      // 'busy': whatever it is, it is fetched in a sync if the peer has more work.
      if (outcome === 'busy' || outcome.kind === 'orphan') {
        this.ports.considerSync(peer);
        return ORPHAN;
      }
      const isNew = outcome.kind !== 'duplicate';
      if (isNew) {
        peer.usefulAtMs = this.clock.monotonicMs();
        if (this.#isFresh(header)) this.ports.clockAgreed(peer);
        const { height } = outcome.node;
        const line = { level: 'info', kind: 'blocks', host: peer.session.remoteHost, perHost: BLOCK_LINES } as const;
        const facts = { block: hash, height, outcome: outcome.kind, peer: peer.nodeId };
        this.#lines.write(line, facts, `Block ${height} from ${peer.nodeId}`);
      }
      return isNew ? ACCEPTED : DUPLICATE;
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      // After the verdict has gone out: a ban ends the session.
      this.clock.after(0, () => this.ports.blame(peer, error));
      return { result: Verdict_Result.RESULT_REJECTED, code: error.code, detail: error.message };
    }
  }

  /**
   * @param judge says what the block is, if that is known without its body.
   * @throws RuleError
   */
  async #takeBody(
    peer: Peer,
    { hash, header, raw }: Announced,
    judge: () => AcceptOutcome | undefined,
  ): Promise<AcceptOutcome | 'busy'> {
    const accept = (block: VerifiedBlock): AcceptOutcome => {
      const outcome = this.chain.accept(block);
      const isNew = outcome.kind !== 'orphan' && outcome.kind !== 'duplicate';
      if (isNew) peer.reading.brought(raw.length, block.transactions.length);
      return outcome;
    };
    if (this.#arrivals.isSmall(peer, raw)) {
      const block = decodeWireBlock(raw);
      peer.reading.decoded(block.transactions.length);
      const verified = this.chain.verification(block).step(turnAllowance());
      if (verified !== undefined) return accept(verified);
    }
    if (this.#arrivals.isFull(peer, raw)) return 'busy';
    // Judged anew after each wait: the block, or its parent, may have come from somebody else meanwhile.
    return this.#arrivals.inTurn(peer, { hash, parent: header.previousHash, raw }, async () => {
      const known = judge();
      if (known !== undefined) return known;
      // A big block without a parent is not worth a look: whoever has more work shows how it is reached by headers.
      if (this.chain.node(header.previousHash) === undefined) return 'busy';
      const block = await verifyInTurns(raw, this.chain, this.turns);
      peer.reading.decoded(block.transactions.length);
      return judge() ?? accept(block);
    });
  }

  /**
   * Does the block stand on a branch that is much weaker than our chain? Blocks are cheap where the difficulty was low
   * once, and would fill the disk. If that branch ever gets stronger than ours, its headers show it.
   */
  #isFarBehind(hash: Hash, header: BlockHeader): boolean {
    const { tip } = this.chain;
    const parent = this.chain.node(header.previousHash);
    if (parent === undefined || tip.parent === undefined || this.chain.node(hash) !== undefined) return false;
    return parent.chainWork + FAR_BEHIND_BLOCKS * (tip.chainWork - tip.parent.chainWork) < tip.chainWork;
  }

  readonly #onTip = ({ connected, arrived }: TipChange): void => {
    if (!this.ports.isCatchingUp()) this.#announceBlocks(connected, arrived);
  };

  /** @param arrived the blocks that are in memory still; the others are read from disk. */
  #announceBlocks(connected: readonly BlockNode[], arrived: TipChange['arrived'] = new Map()): void {
    const tip = this.chain.tip;
    // A peer with more work needs none of ours; at equal work it has to hear of ours, or ties would stay unseen.
    const peers = [...this.ports.peers()].filter((peer) => peer.tip.chainWork <= tip.chainWork);
    for (const node of connected.length > MAX_ANNOUNCED_BLOCKS ? connected.slice(-1) : connected) {
      const lacking = peers.filter((peer) => !peer.known.has(node.hash));
      const raw = lacking.length === 0 ? undefined : (arrived.get(node)?.bytes ?? intactBlock(this.chain, node.hash));
      if (raw === undefined) continue;
      for (const peer of lacking) {
        peer.known.add(node.hash);
        void this.#announce(peer, node, raw);
      }
    }
  }

  /** Mined just now by our clock: only then does it tell something of clocks that both sides have taken it. */
  #isFresh({ time }: Pick<BlockHeader, 'time'>): boolean {
    return Math.abs(nowSeconds(this.clock) - time) <= FRESH_SECONDS;
  }

  async #announce(peer: Peer, node: BlockNode, raw: Buffer): Promise<void> {
    const value = { block: { raw }, tip: encodeTip(this.chain.tip) };
    const sentAtMs = this.clock.monotonicMs();
    try {
      const verdict = await peer.session.request({ $case: 'newBlock', value }, 'verdict', VERDICT_MS);
      const { result } = verdict;
      if (result === Verdict_Result.RESULT_ACCEPTED || result === Verdict_Result.RESULT_DUPLICATE) {
        this.ports.delivered(this.clock.monotonicMs() - sentAtMs);
        if (this.#isFresh(node)) this.ports.clockAgreed(peer);
      }
      if (result === Verdict_Result.RESULT_REJECTED) {
        const [code, detail] = [verdict.code, verdict.detail].map((text) => text.slice(0, MAX_LOGGED_CHARS));
        if (code === 'time-too-new') this.ports.refusedAsTooNew(peer);
        else {
          const facts = { block: node.hash, peer: peer.nodeId, code, detail };
          const line = { level: 'warn', kind: 'our blocks that were refused', host: peer.session.remoteHost } as const;
          this.#lines.write(line, facts, `Peer ${peer.nodeId} refused our block ${node.height}: ${code}`);
        }
      }
    } catch (error) {
      peer.known.delete(node.hash);
      this.log.debug(
        { block: node.hash, peer: peer.nodeId, reason: String(error) },
        `Peer ${peer.nodeId} did not answer the announcement of block ${node.height}`,
      );
    }
  }
}
