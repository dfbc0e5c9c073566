import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { fuzz, runOne } from './fuzz.js';
import { TARGETS, shareOut } from './targets.js';

const MUTATIONS = 12_000;
const STRUCTURED = 3_000;

const seed = Number(process.env['MINICHAIN_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`seed ${seed}: MINICHAIN_FUZZ_SEED=${seed} npx vitest run test/fuzz`);

const mutations = shareOut(MUTATIONS);
const structured = shareOut(STRUCTURED);

/** Only what is documented comes out of any input, each in bounded time, and what answers goes on answering. */
describe.each(Object.entries(TARGETS))('%s', (name, { make }) => {
  it(`stands ${mutations.get(name)} mutations of valid input`, async () => {
    await fuzz(make, mutations.get(name)!, seed);
  });

  it(`stands ${structured.get(name)} inputs of the right form with any content`, async () => {
    const target = await make();
    try {
      const property = fc.asyncProperty(target.structured, async (input) => void (await runOne(target, input)));
      await fc.assert(property, { seed, numRuns: structured.get(name)! });
    } finally {
      await target.close?.();
    }
  });
});
