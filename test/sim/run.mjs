// npm run sim [-- options]: compiles the simulator into .sim/ and runs it.
import { compile } from '../support/compile.mjs';

const { main } = await import(`${compile('test/sim', '.sim')}/test/sim/simulate.js`);
process.exit(await main(process.argv.slice(2)));
