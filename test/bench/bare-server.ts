import { createServer } from 'node:http';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';

/**
 * Baselines in a process of their own (node bare-server.js PORT MODE [DIRECTORY]): a node:http server that parses the JSON
 * of a POST and answers 202, either at once (`parse`) or after storing it in a durable SQLite commit of its own (`commit`).
 */
const [port, mode, directory] = process.argv.slice(2);
let store = (_body: string): void => {};
if (mode === 'commit') {
  const database = new Sqlite(join(directory!, 'bare.db'));
  database.pragma('journal_mode = wal');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE entries (id INTEGER PRIMARY KEY, body TEXT)');
  const insert = database.prepare('INSERT INTO entries (body) VALUES (?)');
  store = (body) => void insert.run(body);
}
createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    if (body !== '') store((JSON.parse(body) as { data: string }).data);
    const answer = JSON.stringify({ id: '0'.repeat(64), status: 'pending' });
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
  });
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));
