// npm run screenshots: takes the pictures in docs/images of three nodes that fork and heal.
import { compile } from '../support/compile.mjs';

const output = compile('test/web', '.screenshots');
await import(`${output}/test/web/screenshots.js`);
