import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Builds the client with all that it needs into one file for browsers, dist/client/browser.js. */
export default defineConfig({
  root: here('.'),
  // The rules of consensus/ use Node's Buffer and hash; in a browser these stand in for them.
  resolve: { alias: { 'node:crypto': here('../consensus/browser/crypto.ts') } },
  build: {
    outDir: here('../../dist/client'),
    emptyOutDir: false,
    target: 'es2024',
    lib: { entry: here('client.ts'), formats: ['es'], fileName: () => 'browser.js' },
    rolldownOptions: { transform: { inject: { Buffer: ['buffer/index.js', 'Buffer'] } } },
    reportCompressedSize: false,
  },
});
