import { MIN_RETARGET_SECONDS } from '../consensus/params.js';
import { isLoopback } from './address.js';
import type { SettingValues } from './schema.js';

/** Where the user gave the setting of this section and property, for messages; undefined when it has its default. */
export type PlaceOf = (section: keyof SettingValues, property: string) => string | undefined;

/** What is wrong with settings that are right one by one, but not together. */
export function findConflicts({ node, blockchain, http, lab, rpc }: SettingValues, placeOf: PlaceOf): string[] {
  const problems: string[] = [];
  const { httpPort, p2pPort } = node;
  if (httpPort > 0 && httpPort === p2pPort) {
    const place = placeOf('node', 'p2pPort') ?? placeOf('node', 'httpPort');
    problems.push(`${place}: http_port and p2p_port must differ, both are ${p2pPort}`);
  }
  for (const [key, port] of Object.entries({ http_port: httpPort, p2p_port: p2pPort })) {
    if (rpc.port === undefined || rpc.port === 0 || rpc.port !== port) continue;
    problems.push(`${placeOf('rpc', 'port')}: must not be the port of node.${key}, both are ${port}`);
  }
  // One that is given and wrong has its own problem.
  for (const [given, missing] of [
    ['user', 'password'],
    ['password', 'user'],
  ] as const) {
    if (rpc[given] === undefined || placeOf('rpc', missing) !== undefined) continue;
    const place = placeOf('rpc', given);
    problems.push(`${place}: needs rpc.${missing} too; without both, the file .cookie holds them`);
  }
  const { retargetInterval, targetSpacingSeconds } = blockchain;
  const retargetSeconds = retargetInterval * targetSpacingSeconds;
  if (retargetInterval > 0 && retargetSeconds < MIN_RETARGET_SECONDS) {
    const place = placeOf('blockchain', 'targetSpacingSeconds') ?? placeOf('blockchain', 'retargetInterval');
    problems.push(
      `${place}: retarget_interval times target_spacing_seconds must be at least ${MIN_RETARGET_SECONDS} seconds, ` +
        `is ${retargetSeconds}`,
    );
  }
  if (lab.enabled && http.writeToken === undefined) {
    const place = placeOf('lab', 'enabled');
    if (!isLoopback(node.httpHost)) {
      problems.push(
        `${place}: whoever can write to the node could kill it: set http.write_token, or http_host to "127.0.0.1" (is "${node.httpHost}")`,
      );
    }
    if (http.allowedHosts.includes('*')) {
      problems.push(
        `${place}: with allowed_hosts "*" any page could kill the node: set http.write_token, or name the hosts`,
      );
    }
  }
  return problems;
}
