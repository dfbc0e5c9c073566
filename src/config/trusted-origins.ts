import { isLoopback } from './address.js';
import type { NodeConfig } from './node-config.js';

/** Browsers take these for three origins; on one machine they are one. */
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/** Origins of the pages of the lab's nodes; none while the lab is off. */
export function labOrigins({ lab }: NodeConfig): readonly string[] {
  if (!lab.enabled) return [];
  return lab.nodes.flatMap((origin) => {
    const url = new URL(origin);
    if (!isLoopback(url.hostname.replace(/^\[|\]$/g, ''))) return [origin];
    return [...new Set([url.hostname, ...LOOPBACK_NAMES])].map((name) => {
      url.hostname = name;
      return url.origin;
    });
  });
}
