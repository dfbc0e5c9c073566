import '../../consensus/browser/buffer.js';

// The node's own rules, fetched when the page first needs them.
export { createBlock, decodeBlock } from '../../consensus/block.js';
export { checkBlockContext } from '../../consensus/check-block.js';
export { encodeDataTransaction } from '../../consensus/data-entry.js';
export { hash256 } from '../../consensus/hash.js';
export { encodeHeader } from '../../consensus/header.js';
export { computeMerkleRoot } from '../../consensus/merkle.js';
export { createParams } from '../../consensus/params.js';
export { RuleError } from '../../consensus/rule-error.js';
export { encodeSignedTransaction } from '../../consensus/signed-entry.js';
export { targetOf, workOf } from '../../consensus/target.js';
export { verifyBlock } from '../../consensus/verify-block.js';
