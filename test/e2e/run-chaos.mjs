// npm run test:chaos [-- options]: compiles the run into .chaos/ and starts it.
import { compile } from '../support/compile.mjs';

const { main } = await import(`${compile('test/e2e', '.chaos')}/test/e2e/chaos.js`);
process.exit(await main(process.argv.slice(2)));
