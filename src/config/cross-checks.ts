import { MIN_RETARGET_SECONDS } from '../consensus/params.js';
import type { SettingValues } from './schema.js';

/** Where the user gave the setting of this section and property, for messages; undefined when it has its default. */
export type PlaceOf = (section: keyof SettingValues, property: string) => string | undefined;

/** What is wrong with settings that are right one by one, but not together. */
export function findConflicts({ node, blockchain }: SettingValues, placeOf: PlaceOf): string[] {
  const problems: string[] = [];
  const { httpPort, p2pPort } = node;
  if (httpPort > 0 && httpPort === p2pPort) {
    const place = placeOf('node', 'p2pPort') ?? placeOf('node', 'httpPort');
    problems.push(`${place}: http_port and p2p_port must differ, both are ${p2pPort}`);
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
  return problems;
}
