import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { NetworkView } from '../../chain/chain-schemas.js';
import { prepareEntry, type PreparedEntry } from '../../client/prepare-entry.js';
import { MAX_TIMESTAMP_MS } from '../../consensus/data-entry.js';
import { parseJsonProof } from '../../proofs/offline/json-proof.js';
import { decodeOts, MAX_OTS_BYTES } from '../../proofs/offline/ots-file.js';
import { otsOfStampedFile } from '../../proofs/offline/ots-proof.js';
import { ProofError } from '../../proofs/offline/proof-error.js';
import { verifyJsonProof, type Proven } from '../../proofs/offline/verify-proof.js';
import { clientCommand, clientOf, wholeNumberArgument, type ClientOptions } from '../client-command.js';
import { CliError, EXIT } from '../exit.js';
import { isFile, readDataFile, readWhole, writeWhole, type DataFile } from '../files.js';
import { count, plural, printable } from '../format.js';
import type { NodeClient } from '../node-client.js';
import { ProgressLine } from '../progress-line.js';
import { submitEntry } from '../submit-entry.js';
import type { Terminal } from '../terminal.js';
import { waitForEntry } from '../wait-for-entry.js';

const DEFAULT_TIMEOUT_SECONDS = 600;
const MAX_CONFIRMATIONS = 1_000_000;
/** How often a proof is asked for that reorganisations undo. */
const MAX_ATTEMPTS = 20;
const RETRY_MS = 250;

interface StampOptions extends ClientOptions {
  readonly wait: number;
  readonly timeout: number;
  readonly force?: boolean;
}

interface Job {
  readonly client: NodeClient;
  readonly file: DataFile;
  readonly entry: PreparedEntry;
  readonly out: string;
}

export function stampCommand(terminal: Terminal): Command {
  return clientCommand(
    'stamp',
    'put the SHA-256 of a file into the chain, and write an OpenTimestamps proof beside the file',
  )
    .argument('<file>', 'any file; its content stays here, its name and its SHA-256 become public')
    .option('--wait <n>', 'confirmations to wait for', wholeNumberArgument(1, MAX_CONFIRMATIONS), 1)
    .option('--timeout <seconds>', 'how long to wait', wholeNumberArgument(1, 31_536_000), DEFAULT_TIMEOUT_SECONDS)
    .option('--force', 'replace the proof of another version of the file')
    .addHelpText(
      'after',
      '\nIt can be interrupted and run again: the same file, unchanged, is the same entry, and is not posted twice.' +
        '\n\nExamples:\n  minichain stamp contract.pdf --wait 6\n  minichain verify contract.pdf.minichain.ots --headers http://localhost:8091',
    )
    .action(async (path: string, options: StampOptions) => {
      const file = await readDataFile(path);
      const client = clientOf(options, terminal);
      const network = nameOf((await client.ask('GET /network', {})).body);
      const job: Job = { client, file, entry: entryOf(path, file), out: `${path}.${network}.ots` };
      if (options.force !== true) checkOlder(job);
      const { id } = job.entry;
      await submitEntry(client, job.entry, terminal);
      const proven = await confirm(job, options, terminal);
      const { block, confirmations } = proven;
      const text =
        `${printable(job.out)}: entry ${id} is in block ${count(block.height)} (${block.hash}) of network ${network}, ` +
        `with ${plural(confirmations, 'confirmation')}\n`;
      terminal.stdout.write(
        options.json
          ? `${JSON.stringify({ file: path, ots: job.out, id, sha256: file.sha256.toString('hex'), network, block, confirmations })}\n`
          : text,
      );
    });
}

/** The same for a file that is unchanged: the time is that of its last change. Never of 64 bytes, which no entry may have. */
function entryOf(path: string, { sha256, modifiedMs }: DataFile): PreparedEntry {
  const timestampMs = Math.min(Math.max(modifiedMs, 0), MAX_TIMESTAMP_MS);
  return prepareEntry(`The salt is the SHA-256 of ${basename(path)}`, { timestampMs, salt: sha256 });
}

/** Waits, and writes the proof. A block that a reorganisation undoes between the last two questions is waited for again. */
async function confirm(job: Job, { wait, timeout }: StampOptions, terminal: Terminal): Promise<Proven> {
  const { client, file, entry, out } = job;
  const line = new ProgressLine(terminal);
  const endMs = performance.now() + timeout * 1_000;
  try {
    for (let attempt = 1; ; attempt++) {
      await waitForEntry(client, entry.id, {
        timeoutMs: Math.max(0, endMs - performance.now()),
        terminal,
        confirmations: wait,
        onProgress: ({ block, confirmations }) => {
          const where = block === null ? 'waiting for a block' : `in block ${count(block.index)}`;
          line.show(`${where}: ${count(confirmations)} of ${plural(wait, 'confirmation')}`);
        },
      });
      const answer = await client
        .ask('GET /transactions/:id/proof', { params: { id: entry.id }, query: { headers: 'block' } })
        .catch((error: unknown) => {
          if (attempt === MAX_ATTEMPTS) throw error;
        });
      if (answer === undefined) {
        await sleep(RETRY_MS);
        continue;
      }
      const { text } = answer;
      const proven = checked(text, file);
      if (proven.confirmations < wait) continue;
      const { merkle, pos, block_height } = parseJsonProof(text);
      writeWhole(out, otsOfStampedFile(entry.bytes, file.sha256, { merkle, pos }, block_height));
      return proven;
    }
  } finally {
    line.clear();
  }
}

/** The node's word is not enough: what it answers has to hold. */
function checked(text: string, data: DataFile): Proven {
  try {
    return verifyJsonProof(text, { data });
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw new CliError(
      `the proof of the node does not hold; check "${error.check}" failed: ${printable(error.message)}`,
      EXIT.failed,
    );
  }
}

/** An older proof of what the file was then is worth keeping. @throws CliError */
function checkOlder({ file, out }: Job): void {
  if (!isFile(out)) return;
  try {
    if (decodeOts(readWhole(out, MAX_OTS_BYTES)).digest.equals(file.sha256)) return;
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
  }
  throw new CliError(
    `${printable(out)} is no proof of this file as it is now: move it away, or give --force`,
    EXIT.failed,
  );
}

/** It becomes part of the name of a file. */
function nameOf({ network }: NetworkView): string {
  if (/^[\w.-]{1,64}$/.test(network)) return network;
  throw new CliError(`the network has the name "${printable(network, 64)}", which no file can bear`, EXIT.failed);
}
