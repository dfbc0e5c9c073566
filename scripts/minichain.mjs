#!/usr/bin/env node
// The `minichain` command. Its first task is to report a Node.js that is too old, so any Node.js with modules must be able
// to read this file: no syntax newer than 2020, and no import of other files of the project before the check.
import { existsSync, readFileSync } from 'fs';
import module from 'module';

const root = new URL('../', import.meta.url);
const entry = new URL('dist/cli/main.js', root);
const needed = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).engines.node.replace('>=', '');

function isOlder(version, least) {
  const has = version.split('.').map(Number);
  const wants = least.split('.').map(Number);
  const differs = wants.findIndex((part, i) => has[i] !== part);
  return differs >= 0 && has[differs] < wants[differs];
}

function stop(message) {
  process.stderr.write('minichain ' + message + '\n');
  process.exitCode = 1;
}

if (isOlder(process.versions.node, needed)) {
  stop(
    'needs Node.js ' +
      needed +
      ' or newer, this is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '): ' +
      'start it with `npm start` or `npx minichain`, which use the Node.js that `npm ci` brings along on Linux',
  );
} else if (!existsSync(entry)) {
  stop('is not built yet: run `npm run build`');
} else {
  if (module.enableCompileCache) module.enableCompileCache();
  import(entry.href).catch((error) => {
    const isPackageMissing = error.code === 'ERR_MODULE_NOT_FOUND' && /Cannot find package/.test(error.message);
    stop(isPackageMissing ? 'has no packages yet: run `npm ci`' : 'failed: ' + (error.stack || error));
  });
}
