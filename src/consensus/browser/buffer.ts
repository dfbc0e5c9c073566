import { Buffer } from 'buffer/index.js';

// Evaluated before consensus/, which uses the name without importing it, as Node lets it.
globalThis.Buffer = Buffer as unknown as typeof globalThis.Buffer;
