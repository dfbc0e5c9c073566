import { cliTarget } from './cli-target.js';
import { environmentTarget, tomlTarget } from './config-targets.js';
import { armourTarget, bitsTarget, blockTarget, headerTarget, transactionTarget } from './consensus-targets.js';
import type { TargetMaker } from './fuzz.js';
import { httpTarget } from './http-target.js';
import { headersTarget, jsonProofTarget, keyFileTarget, merkleBlockTarget, otsTarget } from './proof-targets.js';
import { restTarget } from './rest-target.js';
import { rpcTarget } from './rpc-target.js';
import { sessionTarget } from './session-target.js';
import { messageTarget } from './wire-targets.js';

interface Listed {
  readonly make: TargetMaker;
  /** How many inputs it gets, beside the others: the slow ones fewer. */
  readonly share: number;
}

/** Everything that reads bytes of strangers. */
export const TARGETS: Readonly<Record<string, Listed>> = {
  header: { make: headerTarget, share: 20 },
  bits: { make: bitsTarget, share: 20 },
  transaction: { make: transactionTarget, share: 20 },
  block: { make: blockTarget, share: 20 },
  armour: { make: armourTarget, share: 10 },
  'json-proof': { make: jsonProofTarget, share: 5 },
  ots: { make: otsTarget, share: 10 },
  merkleblock: { make: merkleBlockTarget, share: 10 },
  headers: { make: headersTarget, share: 5 },
  'key-file': { make: keyFileTarget, share: 10 },
  message: { make: messageTarget, share: 20 },
  session: { make: sessionTarget, share: 3 },
  toml: { make: tomlTarget, share: 10 },
  environment: { make: environmentTarget, share: 10 },
  rest: { make: restTarget, share: 5 },
  rpc: { make: rpcTarget, share: 3 },
  http: { make: httpTarget, share: 2 },
  cli: { make: cliTarget, share: 2 },
};

/** Inputs of each of these targets, `total` in all by their shares. */
export function shareOut(total: number, names: readonly string[] = Object.keys(TARGETS)): Map<string, number> {
  const shares = names.reduce((sum, name) => sum + TARGETS[name]!.share, 0);
  return new Map(names.map((name) => [name, Math.ceil((total * TARGETS[name]!.share) / shares)]));
}
