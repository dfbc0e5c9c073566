import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load-config.js';

/** [section, key, value] of each line of a unit file. */
function parseUnit(text: string): [string, string, string][] {
  const entries: [string, string, string][] = [];
  let section = '';
  for (const line of text.split('\n').filter((candidate) => candidate !== '' && !candidate.startsWith('#'))) {
    const heading = /^\[(\w+)\]$/.exec(line)?.[1];
    const setting = /^(\w+)=(.+)$/.exec(line);
    if (heading !== undefined) section = heading;
    else if (setting !== null) entries.push([section, setting[1]!, setting[2]!]);
    else throw new Error(`no line of a unit: ${line}`);
  }
  return entries;
}

describe('deploy/systemd/minichain.service', () => {
  const entries = parseUnit(readFileSync('deploy/systemd/minichain.service', 'utf8'));
  const valuesOf = (key: string): string[] => entries.filter(([, name]) => name === key).map(([, , value]) => value);
  const valueOf = (key: string): string => {
    const values = valuesOf(key);
    expect(values, key).toHaveLength(1);
    return values[0]!;
  };
  const env = Object.fromEntries(valuesOf('Environment').map((pair) => pair.split('=') as [string, string]));

  it('has the three sections of a service', () => {
    expect([...new Set(entries.map(([section]) => section))]).toEqual(['Unit', 'Service', 'Install']);
  });

  it('runs Node.js itself on a script of this project, not npm or npx', () => {
    const [program, script, ...args] = valueOf('ExecStart').split(' ');
    expect(program).toBe('/opt/minichain/node_modules/.bin/node');
    expect(existsSync(script!.replace('/opt/minichain/', ''))).toBe(true);
    expect(args).toEqual(['start', '--config', '/etc/minichain/node.toml']);
  });

  it('sets variables that a node knows, and keeps its data where it may write', () => {
    const { node } = parseConfig({ env: { ...env, MINICHAIN_NODE_NODE_ID: 'node-1' } });
    expect(node.dataDir).toMatch(new RegExp(`^/var/lib/${valueOf('StateDirectory')}/`));
    expect([valueOf('ProtectSystem'), node.logFormat]).toEqual(['strict', 'json']);
  });

  it('waits as long as Compose does, and does not restart on a mistake in the configuration', () => {
    const grace = /stop_grace_period: (\d+)s/.exec(readFileSync('docker-compose.yml', 'utf8'))![1];
    expect(valueOf('TimeoutStopSec')).toBe(grace);
    expect([valueOf('Restart'), valueOf('RestartPreventExitStatus')]).toEqual(['on-failure', '2']);
  });
});
