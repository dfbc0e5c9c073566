import { isHash, type Hash } from '../../consensus/codec.js';
import { HEADER_BYTES } from '../../consensus/header.js';
import { RULE_SET, type NetworkRules } from '../../consensus/params.js';
import type { BlockPlace } from './header-tree.js';
import { ProofError } from './proof-error.js';

/** Of the form below. A form that older programs would misread gets another number. */
export const JSON_PROOF_VERSION = 1;

/** The parameters of a network as GET /network shows them; the genesis is derived from the others. */
export interface ProofNetwork extends Omit<NetworkRules, 'limitBits'> {
  readonly limitBits: string;
  readonly genesis: Hash;
}

/** All of a proof as JSON except its headers. */
export interface JsonProofHead {
  readonly proof: 'minichain';
  readonly version: typeof JSON_PROOF_VERSION;
  readonly network: ProofNetwork;
  readonly id: Hash;
  /** The bytes that `id` is the hash of, as hex digits. */
  readonly transaction: string;
  readonly block_height: number;
  readonly block_hash: Hash;
  /** Siblings from the leaf up, as Esplora's merkle-proof has them. */
  readonly merkle: readonly Hash[];
  readonly pos: number;
  /** The block that the first header follows: the genesis, or one that the verifier has to know. */
  readonly anchor: BlockPlace;
  /** The block of the last header. */
  readonly tip: BlockPlace;
}

/** A proof of one entry that needs nothing else to be checked: what GET /transactions/:id/proof gives. */
export interface JsonProof extends JsonProofHead {
  /** 80 bytes each as hex digits, from the one after `anchor` to `tip`, the entry's block among them. */
  readonly headers: readonly string[];
}

type Parser<T> = (value: unknown, name: string) => T;

/**
 * Reads a proof as strictly as it is written, so that no byte of it can be changed unseen: all fields, no others, hex digits in lower case.
 * @throws ProofError `format`, `rules`.
 */
export function parseJsonProof(text: string): JsonProof {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProofError('format', `not whole JSON: ${(error as Error).message}`);
  }
  const proof = proofOf(value, 'the proof');
  if (proof.network.ruleSet > RULE_SET) {
    const found = `the proof is of rule set ${proof.network.ruleSet}, this program knows up to ${RULE_SET}`;
    throw new ProofError('rules', `${found}: use a newer minichain`);
  }
  return proof;
}

const integer: Parser<number> = (value, name) => {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw wrong(name, 'must be a whole number from 0 up');
};

const string: Parser<string> = (value, name) => {
  if (typeof value === 'string') return value;
  throw wrong(name, 'must be a string');
};

const hash: Parser<Hash> = (value, name) => {
  if (typeof value === 'string' && isHash(value)) return value;
  throw wrong(name, 'must be a hash: 64 hex digits in lower case');
};

const place = object<BlockPlace>({ height: integer, hash });

const network = object<ProofNetwork>({
  ruleSet: integer,
  network: string,
  limitBits: hex(4),
  retargetInterval: integer,
  targetSpacingSeconds: integer,
  medianTimeSpan: integer,
  maxFutureSeconds: integer,
  maxBlockBytes: integer,
  genesis: hash,
});

const proofOf = object<JsonProof>({
  proof: constant('minichain'),
  version: constant(JSON_PROOF_VERSION),
  network,
  id: hash,
  transaction: hex(),
  block_height: integer,
  block_hash: hash,
  merkle: list(hash),
  pos: integer,
  anchor: place,
  tip: place,
  headers: list(hex(HEADER_BYTES)),
});

function constant<const T extends string | number>(expected: T): Parser<T> {
  return (value, name) => {
    if (value === expected) return expected;
    throw wrong(name, `must be ${JSON.stringify(expected)}`);
  };
}

/** @param bytes how many; without it any number. */
function hex(bytes?: number): Parser<string> {
  return (value, name) => {
    const isHex = typeof value === 'string' && value.length % 2 === 0 && /^[0-9a-f]*$/.test(value);
    if (isHex && (bytes === undefined || value.length === bytes * 2)) return value;
    throw wrong(name, `must be ${bytes === undefined ? 'bytes' : `${bytes} bytes`} as hex digits in lower case`);
  };
}

function list<T>(item: Parser<T>): Parser<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) throw wrong(name, 'must be a list');
    return value.map((each, index) => item(each, `${name}[${index}]`));
  };
}

function object<T extends object>(fields: { readonly [K in keyof T]: Parser<T[K]> }): Parser<T> {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(name, 'must be a JSON object');
    const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
    if (unknown !== undefined) throw wrong(name, `has an unknown field ${JSON.stringify(unknown.slice(0, 40))}`);
    const parsed = Object.entries<Parser<unknown>>(fields).map(([key, parse]) => {
      const path = name === 'the proof' ? key : `${name}.${key}`;
      if (!Object.hasOwn(value, key)) throw wrong(path, 'is missing');
      return [key, parse((value as Record<string, unknown>)[key], path)];
    });
    return Object.fromEntries(parsed) as T;
  };
}

function wrong(name: string, what: string): ProofError {
  return new ProofError('format', `${name} ${what}`);
}
