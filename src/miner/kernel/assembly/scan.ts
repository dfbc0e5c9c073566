// AssemblyScript (see README.md); tsc does not compile this folder. The entry of both builds.
import { check } from './job';
import { probeScalar } from './generated/probe-scalar';
import { probeSimd } from './generated/probe-simd';
export { HEADER, TARGET } from './layout';
export { setJob } from './job';

/** How many nonces one probe looks at. */
const LANES: u32 = ASC_FEATURE_SIMD ? 4 : 1;

/**
 * Bit i is set when nonce + i may meet the target: the top 32 bits of its hash are at most the target's. Exported so that
 * wasm-opt cannot inline it into scan() (README.md, point 8).
 */
export function probe(nonce: u32): i32 {
  return ASC_FEATURE_SIMD ? probeSimd(nonce) : probeScalar(nonce);
}

/** Offset of the first nonce in start..start+count-1 (modulo 2^32) that meets the target of the job, or -1. */
export function scan(start: u32, count: u32): i32 {
  const end = count - (count % LANES);
  let offset: u32 = 0;
  for (; offset < end; offset += LANES) {
    let candidates = probe(start + offset);
    while (candidates) {
      const candidate = offset + ctz(candidates);
      if (check(start + candidate)) return candidate;
      candidates &= candidates - 1;
    }
  }
  for (; offset < count; offset++) {
    if (check(start + offset)) return offset;
  }
  return -1;
}
