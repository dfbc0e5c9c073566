import { describe, expect, it } from 'vitest';
import { run, serve } from '../../../test/support/cli-rig.js';
import type { LabView } from '../../lab/lab-schemas.js';

const LAB: LabView = {
  nodeId: 'node-1',
  mining: { mode: 'entries', hashRate: 0 },
  links: [],
  groups: null,
  groupsEndInSeconds: null,
  nodes: [],
  cluster: { nodes: [{ nodeId: 'node-1', url: 'http://127.0.0.1:8091', state: 'running' }] },
};
const CUT = { nodeId: 'node-2', cut: true, delayMs: 0, jitterMs: 0, endsInSeconds: 600 };

describe('lab', () => {
  it('says that the network is whole only where no link is cut', async () => {
    let links: LabView['links'] = [];
    const bodies: string[] = [];
    const url = await serve({
      'GET /lab': () => ({ body: { ...LAB, links } }),
      'POST /lab/links/node-2': (body) => {
        bodies.push(body);
        links = [CUT];
        return { body: { ...LAB, links } };
      },
    });
    expect((await run(['lab', '--url', url])).out).toContain('The network is whole\nnode-1 mines');
    const { code, out } = await run(['lab', 'cut', 'node-2', '--url', url]);
    expect([code, bodies]).toEqual([0, ['{"cut":true}']]);
    expect(out).toMatch(/^The link of node-1 with node-2 is cut, for 10 min\nnode-1 mines: entries/);
    expect((await run(['lab', 'status', '--url', url])).out).toBe(out);
  });

  it('asks for each change at its route', async () => {
    const asked: string[] = [];
    const answer =
      (name: string) =>
      (body: string): { body: LabView } => {
        asked.push(`${name} ${body}`);
        return { body: LAB };
      };
    const names = [
      'POST /lab/partition',
      'POST /lab/links/node%202',
      'DELETE /lab/links/node%202',
      'POST /lab/nodes/node-3/pause',
      'POST /lab/nodes/node-3/kill',
      'POST /lab/heal',
      'POST /lab/reset',
    ];
    const url = await serve({
      'GET /lab': () => ({ body: LAB }),
      ...Object.fromEntries(names.map((name) => [name, answer(name)])),
    });
    for (const line of [
      'partition node-1 / node-2,node-3 --seconds 9',
      'slow node%202 800 --jitter 200',
      'slow node%202 0',
      'pause node-3 --seconds 5',
      'kill node-3',
      'heal',
      'reset',
    ]) {
      const argv = line.split(' ').map((word) => word.replace('%20', ' '));
      expect(await run(['lab', ...argv, '--url', url]), line).toMatchObject({ code: 0, err: '' });
    }
    expect(asked).toEqual([
      'POST /lab/partition {"groups":[["node-1"],["node-2","node-3"]],"seconds":9}',
      'POST /lab/links/node%202 {"delayMs":800,"jitterMs":200}',
      'DELETE /lab/links/node%202 ',
      'POST /lab/nodes/node-3/pause {"seconds":5}',
      'POST /lab/nodes/node-3/kill ',
      'POST /lab/heal ',
      'POST /lab/reset ',
    ]);
  });
});
