import { parseArgs } from 'node:util';
import { buildImage, engineProblem, newRunName, removeOnSignal, settleReaper } from '../support/docker-engine.js';
import { runChaos } from './chaos-run.js';

const USAGE = `npm run test:chaos [-- options]
  --minutes N   begin new perturbations for so long; default 5
  --seed N      what is done to whom; by default another one each time`;
const IMAGE = 'minichain:e2e';

/** Runs chaos; @returns the exit code: 1 when a promise was broken or there is no engine, 2 when the options are wrong. */
export async function main(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  const options = readOptions(args);
  if (typeof options === 'string') {
    console.error(`${options}; see \`npm run test:chaos -- --help\``);
    return 2;
  }
  const { minutes, seed } = options;
  const problem = await engineProblem();
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  await settleReaper();
  const run = newRunName();
  removeOnSignal(run);
  const image = process.env['MINICHAIN_IMAGE'] ?? IMAGE;
  console.log(`seed ${seed}, ${minutes} minutes, image ${image}`);
  try {
    if (process.env['MINICHAIN_IMAGE'] === undefined) buildImage(IMAGE);
    const report = await runChaos({ image, run, seed, forMs: minutes * 60_000, say: (line) => console.log(line) });
    console.log(JSON.stringify(report, undefined, 2));
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    console.error(`FAILED. Again: npm run test:chaos -- --minutes ${minutes} --seed ${seed}`);
    return 1;
  }
}

/** A string says what is wrong. */
function readOptions(args: string[]): { readonly minutes: number; readonly seed: number } | string {
  try {
    const { values } = parseArgs({ args, options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
    const { minutes = '5', seed = String(Math.floor(Math.random() * 2 ** 32)) } = values;
    if (!/^\d{1,4}(\.\d{1,3})?$/.test(minutes) || Number(minutes) === 0)
      return `--minutes ${minutes} is no length of time`;
    if (!/^\d{1,10}$/.test(seed)) return `--seed ${seed} is not a whole number`;
    return { minutes: Number(minutes), seed: Number(seed) };
  } catch (error) {
    return (error as Error).message;
  }
}
