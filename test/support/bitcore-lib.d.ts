/** What we use of bitcore-lib, which has no types. */
declare module 'bitcore-lib' {
  /** Ids as hex digits in internal order. */
  export interface BitcoreMerkleBlock {
    readonly header: { readonly merkleRoot: Buffer };
    validMerkleTree(): boolean;
    filterdTxsHash(): string[];
    hasTransaction(id: string): boolean;
  }

  const bitcore: { readonly MerkleBlock: { fromBuffer(bytes: Buffer): BitcoreMerkleBlock } };
  export default bitcore;
}
