// AssemblyScript (see README.md); tsc does not compile this folder.
// SHA-256 as FIPS 180-4 has it, small and cold: the hot path is the generated probe.
import { SCHEDULE } from './layout';
import { INITIAL_STATE, K } from './generated/sha256-constants';

// Sums of three rotations, nested (README.md, point 2); names as in FIPS 180-4.
export function bigSigma1(x: u32): u32 {
  return rotr(rotr(rotr(x, 14) ^ x, 5) ^ x, 6);
}
export function bigSigma0(x: u32): u32 {
  return rotr(rotr(rotr(x, 9) ^ x, 11) ^ x, 2);
}
export function smallSigma0(x: u32): u32 {
  return rotr(rotr(x, 11) ^ x, 7) ^ (x >>> 3);
}
export function smallSigma1(x: u32): u32 {
  return rotr(rotr(x, 2) ^ x, 17) ^ (x >>> 10);
}
export function choose(e: u32, f: u32, g: u32): u32 {
  return g ^ (e & (f ^ g));
}
export function majority(a: u32, b: u32, c: u32): u32 {
  return b ^ ((a ^ b) & (b ^ c));
}

export function roundConstant(round: u32): u32 {
  return load<u32>(K + (round << 2));
}

export function loadBigEndian(address: u32): u32 {
  return bswap<u32>(load<u32>(address));
}

export function setInitialState(state: u32): void {
  memory.copy(state, INITIAL_STATE, 32);
}

/** Pads a message that fills the first `words` words of SCHEDULE; `messageBits` is the length of the whole message. */
export function pad(words: u32, messageBits: u32): void {
  store<u32>(SCHEDULE + (words << 2), 0x80000000);
  memory.fill(SCHEDULE + ((words + 1) << 2), 0, (15 - words) << 2);
  store<u32>(SCHEDULE, messageBits, 60);
}

/** One compression of the 16 message words at SCHEDULE into the 8 words at `state`. */
export function compress(state: u32): void {
  for (let at: u32 = SCHEDULE + 64; at < SCHEDULE + 256; at += 4) {
    const word =
      load<u32>(at - 64) + smallSigma0(load<u32>(at - 60)) + load<u32>(at - 28) + smallSigma1(load<u32>(at - 8));
    store<u32>(at, word);
  }
  let a = load<u32>(state, 0);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let round: u32 = 0; round < 64; round++) {
    const t1 = h + bigSigma1(e) + choose(e, f, g) + roundConstant(round) + load<u32>(SCHEDULE + (round << 2));
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
  store<u32>(state, load<u32>(state, 0) + a, 0);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}
