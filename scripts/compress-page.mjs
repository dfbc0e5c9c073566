// Writes file.gz and file.br beside each file of the built page that compresses well, for @fastify/static to serve.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const page = fileURLToPath(new URL('../dist/explorer/', import.meta.url));
const QUALITY = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };

for (const name of readdirSync(page, { recursive: true })) {
  if (!/\.(html|js|css|svg)$/.test(name)) continue;
  const bytes = readFileSync(page + name);
  writeFileSync(`${page}${name}.gz`, gzipSync(bytes, { level: 9 }));
  writeFileSync(`${page}${name}.br`, brotliCompressSync(bytes, QUALITY));
}
