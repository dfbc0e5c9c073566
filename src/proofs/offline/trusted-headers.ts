import type { Hash } from '../../consensus/codec.js';
import { HEADER_BYTES, decodeHeader } from '../../consensus/header.js';
import { HeaderTree } from './header-tree.js';
import type { ProofNetwork } from './json-proof.js';
import { paramsOfNetwork } from './network-rules.js';
import { ProofError } from './proof-error.js';
import { HEADERS_IN_STEP, allSteps, type Steps } from './steps.js';

/** Headers of one chain, from whoever the verifier trusts: a node, a file. */
export interface HeaderSource {
  /** Height of the first. */
  readonly from: number;
  /** 80 bytes each. */
  readonly headers: readonly Uint8Array[];
  /** Where it says which network it is of. */
  readonly network: ProofNetwork | undefined;
}

/** Headers that the verifier trusts, linked, and what is known of their network. */
export interface TrustedHeaders {
  readonly tree: HeaderTree;
  /** The hash of block 0, where the headers begin with it or the network is known. */
  readonly genesis: Hash | undefined;
  readonly network: string | undefined;
  /** Of each block, by its hash. */
  readonly merkleRoots: ReadonlyMap<Hash, Hash>;
}

/**
 * Links headers from several sources into one tree: parts of one chain, or the chains of several nodes.
 * @throws ProofError `format` without headers; `network` when the sources are of several networks; `link` when there is a gap;
 *   `rules`, `genesis`, `work`, `difficulty`, `time`.
 */
export function trustHeaders(given: readonly HeaderSource[]): TrustedHeaders {
  return allSteps(stepsToTrust(given));
}

/** As trustHeaders, in steps. */
export function* stepsToTrust(given: readonly HeaderSource[]): Steps<TrustedHeaders> {
  const sources = given.filter(({ headers }) => headers.length > 0).toSorted((one, other) => one.from - other.from);
  const [lowest] = sources;
  if (lowest === undefined) throw new ProofError('format', 'there are no headers');
  const network = networkOfAll(sources);
  const first = readHeader(lowest.headers[0]!);
  const root = lowest.from === 0 ? first : { height: lowest.from - 1, hash: first.previousHash };
  const tree = new HeaderTree(root, network && paramsOfNetwork(network));
  const genesis = lowest.from === 0 ? tree.root.hash : network?.genesis;
  if (network !== undefined && genesis !== network.genesis) throw ofOther(genesis!, network.genesis);
  const merkleRoots = new Map<Hash, Hash>();
  for (const { from, headers } of sources) {
    for (const [index, header] of headers.entries()) {
      if (index % HEADERS_IN_STEP === 0) yield;
      const node = from + index === 0 ? genesisOf(tree, header) : tree.link(header);
      if (node.height !== from + index) {
        throw new ProofError(
          'link',
          `header ${node.hash} is at height ${node.height}, its source says ${from + index}`,
        );
      }
      merkleRoots.set(node.hash, readHeader(header).merkleRoot);
    }
  }
  return { tree, genesis, network: network?.network, merkleRoots };
}

function genesisOf(tree: HeaderTree, header: Uint8Array): HeaderTree['root'] {
  const { hash } = new HeaderTree(readHeader(header)).root;
  if (hash !== tree.root.hash) throw ofOther(hash, tree.root.hash);
  return tree.root;
}

function networkOfAll(sources: readonly HeaderSource[]): ProofNetwork | undefined {
  const networks = sources.flatMap(({ network }) => network ?? []);
  const other = networks.find(({ genesis }) => genesis !== networks[0]!.genesis);
  if (other !== undefined) throw ofOther(other.genesis, networks[0]!.genesis);
  return networks[0];
}

function ofOther(one: Hash, other: Hash): ProofError {
  return new ProofError('network', `the headers are of two networks, with the genesis ${one} and ${other}`);
}

function readHeader(bytes: Uint8Array): ReturnType<typeof decodeHeader> {
  if (bytes.length === HEADER_BYTES) return decodeHeader(bytes);
  throw new ProofError('format', `a header has ${HEADER_BYTES} bytes, one of these has ${bytes.length}`);
}
