import { describe, expect, it } from 'vitest';
import { playScenario, type PlayResult, type Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios.js';

/** Nodes and seeds that keep the whole within a minute on two slow cores; `npm run sim` plays what this does not. */
const PLAYS: Readonly<Record<string, { readonly nodes: number; readonly seeds: readonly number[] }>> = {
  mining: { nodes: 22, seeds: [1] },
  'few-slots': { nodes: 20, seeds: [23] },
  'partition-two': { nodes: 8, seeds: [2, 3] },
  'partition-three': { nodes: 9, seeds: [4] },
  'equal-length': { nodes: 6, seeds: [5, 6] },
  'equal-work': { nodes: 4, seeds: [7] },
  'deep-reorg': { nodes: 3, seeds: [8] },
  'late-joiners': { nodes: 20, seeds: [9] },
  'rolling-restarts': { nodes: 5, seeds: [10] },
  churn: { nodes: 12, seeds: [11] },
  loss: { nodes: 8, seeds: [12, 13] },
  disorder: { nodes: 8, seeds: [14] },
  nat: { nodes: 9, seeds: [15] },
  eclipse: { nodes: 4, seeds: [16] },
  drip: { nodes: 3, seeds: [22] },
  'silent-heavy-branch': { nodes: 3, seeds: [24] },
  squatting: { nodes: 6, seeds: [25] },
  random: { nodes: 7, seeds: [17, 18, 19] },
};

function scenarioOf(name: string): Scenario {
  return SCENARIOS.find((scenario) => scenario.name === name)!;
}

describe('a network of whole nodes comes to one chain, and keeps every promise', { timeout: 120_000 }, () => {
  it('in each scenario that there is', () => {
    expect(Object.keys(PLAYS).toSorted()).toEqual(SCENARIOS.map(({ name }) => name).toSorted());
  });

  const plays = Object.entries(PLAYS).flatMap(([name, { nodes, seeds }]) =>
    seeds.map((seed) => ({ name, nodes, seed })),
  );
  it.each(plays)('$name, $nodes nodes, seed $seed', async ({ name, nodes, seed }) => {
    const { height } = await playScenario(scenarioOf(name), { seed, nodes });
    expect(height).toBeGreaterThan(0);
  });
});

describe('a run is a matter of its seed alone', { timeout: 120_000 }, () => {
  const play = (seed: number): Promise<PlayResult> =>
    playScenario(scenarioOf('random'), { seed, nodes: 10, isRecording: true });

  it('with ten nodes, losses, cuts and deaths: one seed, one log', async () => {
    const [first, second, other] = [await play(20), await play(20), await play(21)];
    expect(first.log.length).toBeGreaterThan(1_000);
    const difference = first.log.findIndex((line, index) => line !== second.log[index]);
    expect([first.log[difference], second.log[difference]]).toEqual([undefined, undefined]);
    expect(second.log).toHaveLength(first.log.length);
    expect(other.log.join('')).not.toBe(first.log.join(''));
  });
});
