// Runs in the node and in its mining threads, which load it as it stands from src or dist: so it imports nothing of ours.
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** How nonces are hashed: WebAssembly with four in SIMD lanes, WebAssembly one by one, or node:crypto. */
export type KernelKind = 'simd' | 'scalar' | 'crypto';

/** Tries the nonces of one header in the calling thread. Not reentrant, and it does not yield. */
export interface Kernel {
  /** Takes up a header (80 bytes; its nonce is ignored) and a target (32 bytes, little endian). */
  setJob(header: Uint8Array, target: Uint8Array): void;
  /** Offset of the first nonce in start..start+count-1 (modulo 2^32) that meets the target, or -1. `count` < 2^31. */
  scan(start: number, count: number): number;
}

/** What it takes to create kernels of one kind; it can be posted to another thread. */
export interface KernelSource {
  readonly kind: KernelKind;
  /** The compiled kernel; none for `crypto`. */
  readonly module?: object;
}

/** What kernel/assembly/scan.ts exports. */
interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly HEADER: { readonly value: number };
  readonly TARGET: { readonly value: number };
  setJob(): void;
  scan(start: number, count: number): number;
}

/** As much of WebAssembly as is used here: @types/node leaves it to the DOM's types. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const NONCE_OFFSET = 76;

/**
 * Compiles the kernel of this kind, or, with no kind given, the fastest that this machine and this build can run.
 * @throws Error when the asked kind cannot be had: no WebAssembly (`--jitless`), no SIMD, not built.
 */
export function loadKernel(kind?: KernelKind): KernelSource {
  if (kind !== undefined) return compile(kind);
  for (const candidate of ['simd', 'scalar'] as const) {
    try {
      return compile(candidate);
    } catch {
      // What comes next is slower, and the last cannot fail.
    }
  }
  return { kind: 'crypto' };
}

function compile(kind: KernelKind): KernelSource {
  if (kind === 'crypto') return { kind };
  const bytes = readFileSync(new URL(`./generated/scan-${kind}.wasm`, import.meta.url));
  return { kind, module: new WebAssembly.Module(bytes) };
}

export function createKernel({ module }: KernelSource): Kernel {
  return module === undefined ? createCryptoKernel() : createWasmKernel(module);
}

function createWasmKernel(module: object): Kernel {
  const exports = new WebAssembly.Instance(module).exports as KernelExports;
  const memory = new Uint8Array(exports.memory.buffer);
  const headerAt = exports.HEADER.value;
  const targetAt = exports.TARGET.value;
  return {
    setJob(header, target) {
      memory.set(header, headerAt);
      memory.set(target, targetAt);
      exports.setJob();
    },
    scan: (start, count) => exports.scan(start, count),
  };
}

function createCryptoKernel(): Kernel {
  const header = Buffer.alloc(80);
  const target = Buffer.alloc(32);
  return {
    setJob(jobHeader, jobTarget) {
      header.set(jobHeader);
      target.set(jobTarget);
    },
    scan(start, count) {
      for (let offset = 0; offset < count; offset++) {
        header.writeUInt32LE((start + offset) >>> 0, NONCE_OFFSET);
        if (isAtMost(hash('sha256', hash('sha256', header, 'buffer'), 'buffer'), target)) return offset;
      }
      return -1;
    },
  };
}

/** Compares 256-bit numbers, both 32 bytes little endian. */
function isAtMost(value: Uint8Array, limit: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    if (value[i] !== limit[i]) return value[i]! < limit[i]!;
  }
  return true;
}
