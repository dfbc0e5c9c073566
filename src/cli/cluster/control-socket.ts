import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { CliError, EXIT } from '../exit.js';
import {
  controlAnswerSchema,
  controlRequestSchema,
  obey,
  type ClusterControl,
  type ClusterNodeView,
  type ControlAnswer,
  type ControlRequest,
} from './control.js';

/** Far more than any request needs; a client that sends nothing is not waited for. */
const MAX_REQUEST_BYTES = 4_096;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Lets other processes of this user control the cluster: one line of JSON in, one out, for each connection.
 * @returns how to close it. @throws Error of the system when there can be no socket at this path.
 */
export async function openControl(path: string, control: ClusterControl): Promise<() => void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => void serve(socket, control));
  const address = shortest(path);
  mkdirSync(dirname(path), { recursive: true });
  try {
    await listen(server, address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || (await isAnswered(address))) throw error;
    // Left behind by a cluster that was killed.
    rmSync(path, { force: true });
    await listen(server, address);
  }
  chmodSync(path, 0o600);
  // The nodes keep the process running, not this.
  server.unref();
  return () => void server.close();
}

/**
 * Asks the cluster whose socket is at `path`.
 * @throws CliError when no cluster answers there, or it refuses.
 */
export async function askCluster(path: string, request: ControlRequest): Promise<ClusterNodeView[]> {
  const socket = connect(shortest(path));
  let text = '';
  try {
    socket.end(`${JSON.stringify(request)}\n`);
    for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hint = 'start one with `npm start`, or give the --config-dir and --data-dir that it was started with';
    throw new CliError(`no cluster answers at ${path} (${code}): ${hint}`, EXIT.unreachable);
  }
  const answer = parse(text);
  if (answer === undefined) throw new CliError(`the cluster at ${path} ended before it answered`, EXIT.failed);
  if ('message' in answer) throw new CliError(`${answer.message} (${answer.code})`, EXIT.failed);
  return answer.nodes;
}

async function serve(socket: Socket, control: ClusterControl): Promise<void> {
  // A client that has gone needs no answer.
  socket.on('error', () => socket.destroy());
  socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
  const line = await firstLine(socket);
  socket.setTimeout(0);
  const request = controlRequestSchema.safeParse(jsonOf(line));
  const answer: ControlAnswer = request.success
    ? await obey(control, request.data)
    : { code: 'bad-request', message: 'a request is {"command": "list"}, or start, stop or kill with a nodeId' };
  socket.end(`${JSON.stringify(answer)}\n`);
}

/** '' when there is none. */
async function firstLine(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let bytes = 0;
  socket.on('data', (chunk) => (bytes += chunk.length) > MAX_REQUEST_BYTES && socket.destroy());
  createInterface({ input: socket }).once('line', resolve);
  socket.once('close', () => resolve('')).once('end', () => setImmediate(resolve, ''));
  return promise;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });
}

/** Systems allow about 100 bytes for the address of a socket. */
function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.length < path.length ? fromHere : path;
}

function parse(text: string): ControlAnswer | undefined {
  return controlAnswerSchema.safeParse(jsonOf(text)).data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
