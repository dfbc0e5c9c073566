import type { BlockView, TransactionView } from '../chain/block-view.js';

/** Bodies of the REST API, as far as the command shows them. Fields that may be missing came after version 0.1. */
export interface StatusBody {
  readonly nodeId: string;
  readonly network: string;
  readonly height: number;
  readonly length: number;
  readonly tip: string;
  readonly chainWork: string;
  readonly difficulty: number;
  readonly peers: { readonly connected: number; readonly known: number };
  readonly mempool: { readonly transactions: number; readonly bytes: number };
  readonly mining: { readonly auto: boolean; readonly active: boolean; readonly hashRate: number };
  readonly sync: SyncBody;
  readonly version: string;
  readonly uptimeSeconds: number;
}

export interface SyncBody {
  readonly state: 'idle' | 'headers' | 'blocks';
  /** 0 to 1. */
  readonly progress: number;
  readonly height?: number;
  readonly targetHeight?: number;
  readonly blocksPerSecond?: number;
  readonly etaSeconds?: number | null;
}

export interface ChainBody {
  readonly length: number;
  readonly tip: string;
  readonly from: number;
  readonly blocks: readonly BlockView[];
}

export interface PeersBody {
  readonly connected: number;
  readonly peers: readonly {
    /** null until the node has talked to it. */
    readonly id: string | null;
    readonly address: string;
    readonly connected: boolean;
    readonly refused?: boolean;
    readonly lastSeen: string | null;
    readonly direction: string | null;
    readonly latencyMs: number | null;
    readonly height: number | null;
    readonly score: number;
  }[];
}

export interface PeerLinkBody {
  readonly id: string;
  readonly connected: boolean;
  readonly refused: boolean;
}

export interface BanBody {
  readonly subject: string;
  readonly until: string;
  readonly code: string;
}

export interface BansBody {
  readonly bans: readonly BanBody[];
}

export interface LiftedBansBody {
  readonly lifted: readonly BanBody[];
}

export interface MempoolBody {
  readonly transactions: number;
  readonly bytes: number;
  readonly entries: readonly TransactionView[];
}

export interface ReceiptBody {
  readonly id: string;
  readonly status: string;
}

export interface TransactionBody {
  readonly id: string;
  readonly status: 'pending' | 'confirmed';
  readonly block: { readonly index: number; readonly hash: string } | null;
}

export interface MinedBody {
  readonly blocks: readonly { readonly index: number; readonly hash: string }[];
}
