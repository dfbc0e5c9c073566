import type { BlockNode } from '../consensus/block-tree.js';
import { hashToBytes } from '../consensus/codec.js';
import { createHello, type SelfIdentity } from './handshake.js';
import { WireError, type BodyOf } from './messages.js';
import { isSignedBy } from './node-key.js';
import type { Direction } from './peer.js';

const SIGNATURE_BYTES = 64;
const DOMAIN = Buffer.from('minichain handshake');

type Role = 'dialler' | 'acceptor';
const ROLE_BYTES: Readonly<Record<Role, Buffer>> = { dialler: Buffer.of(0), acceptor: Buffer.of(1) };

/** What a Proof says of one side. */
type Party = Pick<BodyOf<'hello'>, 'publicKey' | 'nonce' | 'instanceNonce' | 'nodeId'>;

/** Our part in one exchange of Hellos and Proofs (see peer.proto). */
export class Handshake {
  readonly #self: SelfIdentity;
  readonly #genesis: BlockNode;
  readonly #nonce: Buffer;
  readonly #ourRole: Role;

  /**
   * @param direction 'outbound' if we dialled.
   * @param nonce 32 random bytes, used for this session alone.
   */
  constructor(self: SelfIdentity, genesis: BlockNode, direction: Direction, nonce: Uint8Array) {
    this.#self = self;
    this.#genesis = genesis;
    this.#nonce = Buffer.from(nonce);
    this.#ourRole = direction === 'outbound' ? 'dialler' : 'acceptor';
  }

  hello(tip: BlockNode): BodyOf<'hello'> {
    return createHello(this.#self, this.#nonce, this.#genesis, tip);
  }

  /** Our answer to the peer's Hello. */
  prove(theirs: Party): BodyOf<'proof'> {
    return { signature: this.#self.key.sign(this.#statement(this.#ourRole, theirs)) };
  }

  /** @throws WireError `wrong-proof` unless the peer has the key of its Hello. */
  checkProof(theirs: Party, { signature }: BodyOf<'proof'>): void {
    const statement = this.#statement(this.#ourRole === 'dialler' ? 'acceptor' : 'dialler', theirs);
    if (signature.length === SIGNATURE_BYTES && isSignedBy(theirs.publicKey, statement, signature)) return;
    throw new WireError('wrong-proof', 'the peer does not have the key that its Hello names');
  }

  /**
   * Both keys are in it: a peer of ours that passes our nonce on to a third node must not be able to hand that node's
   * signature to us as its own.
   */
  #statement(signer: Role, theirs: Party): Buffer {
    const { key, instanceNonce, nodeId } = this.#self;
    const ours: Party = { publicKey: key.publicKey, nonce: this.#nonce, instanceNonce, nodeId };
    const [dialler, acceptor] = this.#ourRole === 'dialler' ? [ours, theirs] : [theirs, ours];
    const signing = signer === 'dialler' ? dialler : acceptor;
    const instance = Buffer.alloc(8);
    instance.writeBigUInt64LE(signing.instanceNonce);
    return Buffer.concat([
      DOMAIN,
      ROLE_BYTES[signer],
      hashToBytes(this.#genesis.hash),
      dialler.nonce,
      acceptor.nonce,
      dialler.publicKey,
      acceptor.publicKey,
      instance,
      Buffer.from(signing.nodeId),
    ]);
  }
}
