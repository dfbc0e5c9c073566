// AssemblyScript (see README.md); tsc does not compile this folder.
// Fixed addresses in the module's own memory, all below --memoryBase (4096), where the constants of the probe begin.

/** 80 bytes as serialised; the nonce in bytes 76..79 is ignored. */
export const HEADER: u32 = 0;
/** 32 bytes, little-endian 256-bit number. */
export const TARGET: u32 = 96;
/** 8 words: the SHA-256 state after header bytes 0..63. */
export const MIDSTATE: u32 = 192;
/** 8 words of scratch: the state that check() works on. */
export const STATE: u32 = 224;
/** 64 words of scratch: a message schedule. */
export const SCHEDULE: u32 = 256;
/** The words that depend on the job but not on the nonce; their order stands in generated/job-words.ts. */
export const JOB: u32 = 512;
/** Distance of two words at JOB: the SIMD probe wants each word in all four lanes. */
export const JOB_STRIDE: u32 = ASC_FEATURE_SIMD ? 16 : 4;
