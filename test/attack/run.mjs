// npm run test:attack [-- FILE...]: the attacks in their full size, with the times that are promised.
import { spawnSync } from 'node:child_process';

const paths = process.argv.slice(2);
const { status } = spawnSync('npx', ['vitest', 'run', ...(paths.length > 0 ? paths : ['test/attack'])], {
  // One file at a time: the times are those of a node that has the machine to itself.
  env: { ...process.env, ATTACK: 'full', VITEST_MAX_WORKERS: '1' },
  stdio: 'inherit',
});
process.exit(status ?? 1);
