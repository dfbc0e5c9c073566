import { join, parse } from 'node:path';
import { Command } from 'commander';
import { isHash } from '../../consensus/codec.js';
import { FORM_NAMES, formOf, merkleBlockBytes, type ProofForm } from '../../proofs/offline/proof-form.js';
import { ProofError } from '../../proofs/offline/proof-error.js';
import {
  verifyJsonProof,
  verifyMerkleBlock,
  verifyOtsProof,
  type Proven,
  type VerifyOptions,
} from '../../proofs/offline/verify-proof.js';
import { describeProof } from '../../proofs/offline/words.js';
import { CliError, EXIT } from '../exit.js';
import { isFile, readDataFile, readWhole } from '../files.js';
import { printable } from '../format.js';
import { MAX_PROOF_BYTES, readHeaders } from '../read-headers.js';
import type { Terminal } from '../terminal.js';

interface VerifyCommandOptions {
  readonly data?: string;
  readonly tip?: string;
  readonly headers?: readonly string[];
  readonly json?: boolean;
}

export function verifyCommand(terminal: Terminal): Command {
  return new Command('verify')
    .summary('check a proof, without a node')
    .description(
      'Checks a proof of an entry: JSON, an OpenTimestamps file (.ots) or a merkleblock. It asks nobody, except the nodes\n' +
        'that --headers names. Exit code 0: the proof holds; 1: it does not, and the check that failed is named; 2: something\n' +
        'is missing; 3: a node that --headers names cannot be reached.',
    )
    .argument('<file>', 'the proof')
    .option('--data <file>', 'the stamped file, or the bytes of the entry (default for x.ots and x.<network>.ots: x)')
    .option('--tip <hash>', 'a block that you know to be in the chain: the proof has to be of the chain up to it')
    .option(
      '--headers <place...>',
      'headers that you trust: nodes (http://host:port) or files; .ots and merkleblock need them',
    )
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain verify entry.proof.json\n  minichain verify contract.pdf.minichain.ots --headers http://localhost:8091\n  curl -s localhost:8091/headers?from=0 >headers.json && minichain verify entry.merkleblock --headers headers.json',
    )
    .action(async (path: string, options: VerifyCommandOptions) => {
      const proof = readWhole(path, MAX_PROOF_BYTES);
      const form = formOf(proof);
      const tip = tipOf(options.tip);
      if (form !== 'json' && options.headers === undefined) {
        throw new CliError(
          `${FORM_NAMES[form]} holds no headers: say with --headers which node or file has them`,
          EXIT.usage,
        );
      }
      const dataPath = options.data ?? (form === 'ots' ? besides(path) : undefined);
      const data = dataPath === undefined ? undefined : await readDataFile(dataPath);
      let proven: Proven;
      try {
        const headers = options.headers && (await readHeaders(options.headers));
        proven = verify(proof, form, { data, tip, headers });
      } catch (error) {
        if (!(error instanceof ProofError)) throw error;
        if (options.json)
          terminal.stdout.write(`${JSON.stringify({ holds: false, check: error.check, reason: error.message })}\n`);
        throw new CliError(`not proven; check "${error.check}" failed: ${printable(error.message)}`, EXIT.failed);
      }
      terminal.stdout.write(options.json ? `${JSON.stringify(viewOf(proven, form))}\n` : show(proven, form, dataPath));
    });
}

function verify(proof: Buffer, form: ProofForm, options: VerifyOptions): Proven {
  if (form === 'json') return verifyJsonProof(proof.toString('latin1'), options);
  if (form === 'ots') return verifyOtsProof(proof, options.headers!, options);
  return verifyMerkleBlock(merkleBlockBytes(proof), options.headers!, options);
}

function tipOf(given: string | undefined): string | undefined {
  const tip = given?.toLowerCase();
  if (tip === undefined || isHash(tip)) return tip;
  throw new CliError(`--tip must be a block hash (64 hex digits), got "${printable(given!, 80)}"`, EXIT.usage);
}

/** The file that the name of the proof speaks of, if it is there: contract.pdf of contract.pdf.minichain.ots. */
function besides(path: string): string | undefined {
  const { dir, name } = parse(path);
  return [name, parse(name).name].map((candidate) => join(dir, candidate)).find(isFile);
}

function show(proven: Proven, form: ProofForm, dataPath: string | undefined): string {
  const { proven: holds, notProven } = describeProof(proven);
  const about = dataPath === undefined ? '' : ` of ${printable(dataPath)}`;
  return [
    `The proof holds: ${FORM_NAMES[form]}${about}.`,
    '',
    ...holds.map((line) => printable(line)),
    '',
    'It does not prove:',
    ...notProven.map((line) => `- ${printable(line)}`),
    '',
  ].join('\n');
}

function viewOf({ entry, work, ...proven }: Proven, form: ProofForm): object {
  const { kind, data } = entry ?? { kind: null, data: null };
  return {
    holds: true,
    form,
    ...proven,
    entry: { kind, data },
    work: String(work),
    ...describeProof({ entry, work, ...proven }),
  };
}
