// Run by crash-commit.spec.ts with the built node: takes in a reorganisation and kills its own process inside the commit,
// at the SQL statement that the trigger given names, or at the end of all statements.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [root, dataDir, blocksFile, trigger] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${root}/dist/${path}`).href);
const [{ createNode }, { parseConfig }, { decodeBlock }, { DATABASE }] = await Promise.all([
  load('node.js'),
  load('config/load-config.js'),
  load('consensus/block.js'),
  load('storage/database-token.js'),
]);
const env = {
  MINICHAIN_NODE_NODE_ID: 'dying',
  MINICHAIN_NODE_HTTP_PORT: '0',
  MINICHAIN_NODE_P2P_PORT: '0',
  MINICHAIN_NODE_DATA_DIR: dataDir,
  MINICHAIN_NODE_LOG_LEVEL: 'silent',
  MINICHAIN_BLOCKCHAIN_DIFFICULTY: '0',
};
const node = await createNode(parseConfig({ env }));
const blocks = JSON.parse(readFileSync(blocksFile, 'utf8')).map((raw) => decodeBlock(Buffer.from(raw, 'hex')));
const die = () => process.kill(process.pid, 'SIGKILL');
const database = node.app.get(DATABASE);
// Pages of the unfinished commit go to the log before its end, as those of a big one do.
database.pragma('cache_size = 10');
database.function('die', { directOnly: false }, () => void die());
database.pragma('trusted_schema = ON');
if (trigger === 'at the end') node.chain.events.on('committing', die);
else database.exec(`CREATE TEMP TRIGGER dying AFTER ${trigger} BEGIN SELECT die(); END`);
node.chain.acceptBatch(blocks.map((block) => node.chain.verify(block)));
process.stdout.write('survived');
process.exit(0);
