// AssemblyScript (see README.md); tsc does not compile this folder.
import { HEADER, JOB, JOB_STRIDE, MIDSTATE, SCHEDULE, STATE, TARGET } from './layout';
import * as word from './generated/job-words';
import {
  bigSigma0,
  bigSigma1,
  choose,
  compress,
  loadBigEndian,
  majority,
  pad,
  roundConstant,
  setInitialState,
  smallSigma0,
  smallSigma1,
} from './sha256';

const HEADER_BITS: u32 = 640;
const HASH_BITS: u32 = 256;
/** The first word of SHA-256 padding: a one bit and zeros. */
const PADDING: u32 = 0x80000000;

/** Takes up the header and target that stand in memory: all that does not depend on the nonce is computed here. */
export function setJob(): void {
  setInitialState(MIDSTATE);
  for (let i: u32 = 0; i < 64; i += 4) store<u32>(SCHEDULE + i, loadBigEndian(HEADER + i));
  compress(MIDSTATE);
  for (let i: u32 = 0; i < 8; i++) put(word.MIDSTATE_0 + i, load<u32>(MIDSTATE + (i << 2)));

  // The second block: words 0..2 are the end of the Merkle root, time and bits; word 3 is the nonce, the rest padding.
  const w0 = loadBigEndian(HEADER + 64);
  const w1 = loadBigEndian(HEADER + 68);
  const w2 = loadBigEndian(HEADER + 72);
  let a = load<u32>(MIDSTATE, 0);
  let b = load<u32>(MIDSTATE, 4);
  let c = load<u32>(MIDSTATE, 8);
  let d = load<u32>(MIDSTATE, 12);
  let e = load<u32>(MIDSTATE, 16);
  let f = load<u32>(MIDSTATE, 20);
  let g = load<u32>(MIDSTATE, 24);
  let h = load<u32>(MIDSTATE, 28);
  for (let round: u32 = 0; round < 3; round++) {
    const message = round == 0 ? w0 : round == 1 ? w1 : w2;
    const t1 = h + bigSigma1(e) + choose(e, f, g) + roundConstant(round) + message;
    const t2 = bigSigma0(a) + majority(a, b, c);
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  // Round 3 but for the nonce, which is only added to both results.
  const t1 = h + bigSigma1(e) + choose(e, f, g) + roundConstant(3);
  put(word.ROUND3_A, t1 + bigSigma0(a) + majority(a, b, c));
  put(word.ROUND3_E, d + t1);
  put(word.STATE_A, a);
  put(word.STATE_B, b);
  put(word.STATE_C, c);
  put(word.STATE_E, e);
  put(word.STATE_F, f);
  put(word.STATE_G, g);
  // h + K + W of rounds 4..6, whose h is still free of the nonce (W4 is the padding, W5 and W6 are zero).
  put(word.ROUND4_H, g + roundConstant(4) + PADDING);
  put(word.ROUND5_H, f + roundConstant(5));
  put(word.ROUND6_H, e + roundConstant(6));

  // Schedule words 16 and 17, and the parts of later ones that are free of the nonce.
  const w16 = smallSigma0(w1) + w0;
  const w17 = smallSigma1(HEADER_BITS) + smallSigma0(w2) + w1;
  put(word.W16, w16);
  put(word.W17, w17);
  put(word.K_W16, w16 + roundConstant(16));
  put(word.K_W17, w17 + roundConstant(17));
  put(word.PART_W18, smallSigma1(w16) + w2);
  put(word.PART_W19, smallSigma1(w17) + smallSigma0(PADDING));
  put(word.PART_W31, smallSigma0(w16) + HEADER_BITS);
  put(word.PART_W32, smallSigma0(w17) + w16);
}

function put(index: u32, value: u32): void {
  const from = JOB + index * JOB_STRIDE;
  for (let at = from; at < from + JOB_STRIDE; at += 4) store<u32>(at, value);
}

/** Does the header hash to at most the target with this nonce? All 256 bits; for the few that pass the probe. */
export function check(nonce: u32): bool {
  memory.copy(STATE, MIDSTATE, 32);
  for (let i: u32 = 0; i < 12; i += 4) store<u32>(SCHEDULE + i, loadBigEndian(HEADER + 64 + i));
  store<u32>(SCHEDULE, bswap<u32>(nonce), 12);
  pad(4, HEADER_BITS);
  compress(STATE);

  memory.copy(SCHEDULE, STATE, 32);
  pad(8, HASH_BITS);
  setInitialState(STATE);
  compress(STATE);

  // The digest read as a little-endian number, from its most significant word down.
  for (let i: i32 = 28; i >= 0; i -= 4) {
    const ours = loadBigEndian(STATE + i);
    const limit = load<u32>(TARGET + i);
    if (ours != limit) return ours < limit;
  }
  return true;
}
