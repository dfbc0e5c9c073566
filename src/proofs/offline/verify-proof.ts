import { ancestorAt, type BlockNode } from '../../consensus/block-tree.js';
import type { Hash } from '../../consensus/codec.js';
import { hash256, sha256 } from '../../consensus/hash.js';
import { decodeHeader, hashHeader } from '../../consensus/header.js';
import { RuleError } from '../../consensus/rule-error.js';
import { fingerprintOf } from '../../consensus/ssh-signature.js';
import {
  checkSignature,
  checkTransaction,
  decodeTransaction,
  isEntry,
  type Entry,
} from '../../consensus/transaction.js';
import { HeaderTree, type BlockPlace } from './header-tree.js';
import { parseJsonProof, type JsonProof } from './json-proof.js';
import { decodeMerkleBlock } from './merkle-block.js';
import { rootOf } from './merkle-branch.js';
import { paramsOfNetwork } from './network-rules.js';
import { readOtsProof, stampedDigest } from './ots-proof.js';
import { ProofError } from './proof-error.js';
import { HEADERS_IN_STEP, allSteps, type Steps } from './steps.js';
import type { TrustedHeaders } from './trusted-headers.js';

/** The file that a proof is about, where it is at hand. */
export interface ProofData {
  readonly sha256: Buffer;
  /** Its bytes, if it is small enough to be an entry. */
  readonly bytes: Uint8Array | undefined;
}

export interface VerifyOptions {
  readonly data?: ProofData | undefined;
  /** The hash of a block that the verifier knows to be in the chain; the entry's block has to be at or below it. */
  readonly tip?: Hash | undefined;
  /** Headers from elsewhere. Proofs that carry none need them. */
  readonly headers?: TrustedHeaders | undefined;
}

/** Who vouches for the chain: nobody but the work in the proof, a block that the verifier named, or headers from elsewhere. */
export type Basis = 'work' | 'tip' | 'headers';

/** What a proof has shown. */
export interface Proven {
  readonly id: Hash;
  /** undefined when its bytes are neither in the proof nor at hand. */
  readonly entry: Entry | undefined;
  /** Fingerprint of the key whose signature of the entry holds; undefined when it has none, or the network is not known. */
  readonly author: string | undefined;
  /** SHA-256 of the file that the proof is about, if it is about a file and not an entry. */
  readonly fileSha256: string | undefined;
  readonly network: { readonly name: string | undefined; readonly genesis: Hash } | undefined;
  /** `timeSeconds` of its header, since the epoch. */
  readonly block: BlockPlace & { readonly timeSeconds: number };
  readonly tip: BlockPlace;
  /** Blocks from the entry's to the tip, both counted. */
  readonly confirmations: number;
  /** Expected number of hashes for these blocks. */
  readonly work: bigint;
  /** Where the headers begin, if it is not the genesis. */
  readonly anchor: BlockPlace | undefined;
  readonly basis: Basis;
}

/** Checks a proof as JSON. @throws ProofError */
export function verifyJsonProof(text: string, options: VerifyOptions = {}): Proven {
  return allSteps(stepsOfJsonProof(parseJsonProof(text), options));
}

/** As verifyJsonProof, of a proof that parseJsonProof has read, in steps. */
export function* stepsOfJsonProof(proof: JsonProof, options: VerifyOptions = {}): Steps<Proven> {
  const params = paramsOfNetwork(proof.network);
  const bytes = Buffer.from(proof.transaction, 'hex');
  const { entry, author } = readEntry(bytes, proof.id, params.genesis.hash);
  const fileSha256 = checkData(options.data, bytes, entry);
  const root = rootOf(proof.id, { merkle: proof.merkle, pos: proof.pos });
  const isWhole = proof.anchor.height === 0;
  if (isWhole && proof.anchor.hash !== params.genesis.hash) {
    throw new ProofError('genesis', `the headers begin after ${proof.anchor.hash}, which is not the genesis`);
  }
  const tree = new HeaderTree(isWhole ? params.genesis.header : proof.anchor, params);
  const block = yield* linkAll(tree, proof);
  const { merkleRoot } = decodeHeader(Buffer.from(proof.headers[block.height - proof.anchor.height - 1]!, 'hex'));
  checkRoot(root, merkleRoot, block);
  const { headers } = options;
  if (headers?.genesis !== undefined && headers.genesis !== params.genesis.hash) {
    const trusted = headers.network === undefined ? headers.genesis : `${headers.network} (${headers.genesis})`;
    const own = `${proof.network.network} (${params.genesis.hash})`;
    throw new ProofError('network', `the proof is of network ${own}, the headers are of network ${trusted}`);
  }
  const network = { name: proof.network.network, genesis: params.genesis.hash };
  if (headers === undefined) {
    const anchor = isWhole ? undefined : proof.anchor;
    return {
      id: proof.id,
      entry,
      author,
      fileSha256,
      network,
      anchor,
      ...placeOf(block.hash, tree, options.tip, 'work'),
    };
  }
  const begin = headers.tree.root.height;
  if (begin >= block.height) {
    throw new ProofError('block', `the headers begin after block ${begin}, the entry is in block ${block.height}`);
  }
  return { id: proof.id, entry, author, fileSha256, ...trustedPlace(block.hash, headers, options.tip), network };
}

/** Checks an OpenTimestamps proof against headers. @throws ProofError */
export function verifyOtsProof(bytes: Uint8Array, headers: TrustedHeaders, options: VerifyOptions = {}): Proven {
  const proof = translated(() => readOtsProof(bytes));
  const { data, tip } = options;
  if (data !== undefined && !data.sha256.equals(proof.digest)) throw wrongFile(data, proof.digest.toString('hex'));
  const entryBytes = proof.entry ?? data?.bytes;
  const { entry, author } = readIfAny(entryBytes, proof.id, headers.genesis);
  const root = rootOf(proof.id, proof.branch);
  const end = tipOf(headers.tree, tip);
  const block = ancestorAt(end, proof.height);
  const merkleRoot = block && headers.merkleRoots.get(block.hash);
  if (block === undefined || merkleRoot === undefined) {
    throw new ProofError(
      'block',
      `the headers have no block ${proof.height}: they reach from ${headers.tree.root.height + 1} to ${end.height}`,
    );
  }
  if (root !== merkleRoot) {
    const what = `the proof leads to the Merkle root ${root}, block ${proof.height} has ${merkleRoot}`;
    throw new ProofError('merkle', `${what}: it is of another network, or a reorganisation has undone its block`);
  }
  const fileSha256 = proof.entry === undefined ? undefined : proof.digest.toString('hex');
  return { id: proof.id, entry, author, fileSha256, ...trustedPlace(block.hash, headers, tip) };
}

/** Checks a merkleblock against headers. @throws ProofError */
export function verifyMerkleBlock(bytes: Uint8Array, headers: TrustedHeaders, options: VerifyOptions = {}): Proven {
  const { header, matches } = decodeMerkleBlock(bytes);
  const [match, ...others] = matches;
  if (match === undefined || others.length > 0) {
    throw new ProofError('merkle', `the tree shows ${matches.length} transactions; a proof of an entry shows one`);
  }
  const { data, tip } = options;
  if (data !== undefined && (data.bytes === undefined || hash256(data.bytes) !== match.id)) {
    throw new ProofError(
      'data',
      `the file is not the entry ${match.id} (its bytes are in GET /transactions/:id?format=raw)`,
    );
  }
  const { entry, author } = readIfAny(data?.bytes, match.id, headers.genesis);
  const place = trustedPlace(hashHeader(decodeHeader(header)), headers, tip);
  return { id: match.id, entry, author, fileSha256: undefined, ...place };
}

function* linkAll(tree: HeaderTree, proof: JsonProof): Steps<BlockNode> {
  const { anchor, tip } = proof;
  let at = tree.root;
  let block: BlockNode | undefined;
  for (const [index, header] of proof.headers.entries()) {
    if (index % HEADERS_IN_STEP === 0) yield;
    at = tree.linkTo(at, Buffer.from(header, 'hex'));
    if (at.height === proof.block_height) block = at;
  }
  if (at.hash !== tip.hash || at.height !== tip.height) {
    throw new ProofError(
      'tip',
      `the headers end with block ${at.height} (${at.hash}), not ${tip.height} (${tip.hash})`,
      at.height,
    );
  }
  if (block === undefined) {
    const reach = `${anchor.height + 1} to ${at.height}`;
    throw new ProofError('block', `the headers reach from ${reach}, and the entry is to be in ${proof.block_height}`);
  }
  if (block.hash !== proof.block_hash) {
    const named = `block ${block.height} is ${block.hash}, the proof names ${proof.block_hash}`;
    throw new ProofError('block', named, block.height);
  }
  return block;
}

/** An entry, and the key whose signature of it holds. */
type Read = Pick<Proven, 'entry' | 'author'>;

/**
 * @param genesis of the network that it is to be signed for; undefined where that is not known.
 * @throws ProofError `transaction` unless these bytes are an entry with this id that keeps the rules; `signature`.
 */
function readEntry(bytes: Uint8Array, id: Hash, genesis: Hash | undefined): Read & { readonly entry: Entry } {
  return translated(() => {
    const transaction = decodeTransaction(bytes);
    checkTransaction(transaction);
    if (!isEntry(transaction)) throw new ProofError('transaction', 'the transaction is a coinbase, not an entry');
    // Before the id, which any change of a signed entry breaks too: what is wrong with a forged signature is the signature.
    const author = checkAuthor(transaction, genesis);
    if (transaction.id !== id) {
      throw new ProofError('transaction', `the transaction has the id ${transaction.id}, the proof is of ${id}`);
    }
    return { entry: transaction, author };
  });
}

/** As readEntry; of bytes that are neither in the proof nor at hand nothing is known. */
function readIfAny(bytes: Uint8Array | undefined, id: Hash, genesis: Hash | undefined): Read {
  return bytes === undefined ? { entry: undefined, author: undefined } : readEntry(bytes, id, genesis);
}

/** @returns the fingerprint of its key. @throws ProofError `signature`. */
function checkAuthor(entry: Entry, genesis: Hash | undefined): string | undefined {
  if (entry.kind !== 'signed' || genesis === undefined) return undefined;
  try {
    checkSignature(entry, genesis);
  } catch (error) {
    if (error instanceof RuleError) throw new ProofError('signature', error.message);
    throw error;
  }
  return fingerprintOf(entry.publicKey);
}

/** @returns SHA-256 of the file that the entry stamps, if that is what is at hand. @throws ProofError `data`. */
function checkData(data: ProofData | undefined, bytes: Buffer, entry: Entry): string | undefined {
  if (data === undefined || data.sha256.equals(sha256(bytes))) return undefined;
  const stamped = stampedDigest(entry);
  if (stamped?.equals(data.sha256)) return stamped.toString('hex');
  throw wrongFile(data, stamped?.toString('hex') ?? sha256(bytes).toString('hex'));
}

function wrongFile(data: ProofData, wanted: string): ProofError {
  return new ProofError('data', `the file has the SHA-256 ${data.sha256.toString('hex')}, the proof is of ${wanted}`);
}

function checkRoot(root: Hash, merkleRoot: Hash, { height }: BlockNode): void {
  if (root === merkleRoot) return;
  throw new ProofError('merkle', `the branch leads to ${root}, block ${height} has the Merkle root ${merkleRoot}`);
}

type Place = Pick<Proven, 'block' | 'tip' | 'confirmations' | 'work' | 'basis'>;

function trustedPlace(
  block: Hash,
  { tree, genesis, network: name }: TrustedHeaders,
  tip: Hash | undefined,
): Place & Pick<Proven, 'network' | 'anchor'> {
  const { height, hash } = tree.root;
  const place = placeOf(block, tree, tip, 'headers');
  if (genesis === undefined) return { ...place, network: undefined, anchor: { height, hash } };
  return { ...place, network: { name, genesis }, anchor: undefined };
}

/** Where the block stands below the tip. @throws ProofError `tip`, `undone`. */
function placeOf(hash: Hash, tree: HeaderTree, tip: Hash | undefined, basis: Basis): Place {
  const end = tipOf(tree, tip);
  const block = tree.get(hash);
  if (block === undefined || ancestorAt(end, block.height) !== block) {
    const chain = `the chain that ends with block ${end.height} (${end.hash})`;
    const why = 'a reorganisation has undone it, or it is of another network';
    throw new ProofError('undone', `block ${hash} is not part of ${chain}: ${why}`);
  }
  return {
    block: { height: block.height, hash, timeSeconds: block.time },
    tip: { height: end.height, hash: end.hash },
    confirmations: end.height - block.height + 1,
    work: end.chainWork - (block.parent?.chainWork ?? 0n),
    basis: tip === undefined ? basis : 'tip',
  };
}

function tipOf(tree: HeaderTree, tip: Hash | undefined): BlockNode {
  if (tip === undefined) return tree.best;
  const node = tree.get(tip);
  if (node !== undefined) return node;
  throw new ProofError('tip', `block ${tip} is not among the headers: give headers that reach it`);
}

/** A rule that the entry breaks is what is wrong with the proof. */
function translated<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RuleError) throw new ProofError('transaction', `the entry ${error.message}`);
    throw error;
  }
}
