import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Builds the page into dist/explorer; `scripts/compress-page.mjs` then adds the compressed files beside. */
export default defineConfig({
  root: here('.'),
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // The rules of consensus/ use Node's Buffer and hash; in a browser these stand in for them.
  resolve: { alias: { 'node:crypto': here('../consensus/browser/crypto.ts') } },
  worker: { format: 'es' },
  build: {
    outDir: here('../../dist/explorer'),
    emptyOutDir: true,
    target: 'es2024',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
