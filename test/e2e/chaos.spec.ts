import { expect, inject, it } from 'vitest';
import { describeWithEngine, imageUnderTest } from './cluster.js';
import { runChaos } from './chaos-run.js';

const SEED = 4;

describeWithEngine('chaos', () => {
  it(`for half a minute, seed ${SEED}`, async () => {
    const lines: string[] = [];
    const say = (line: string): unknown => lines.push(line);
    const report = await runChaos({ image: imageUnderTest(), run: inject('run'), seed: SEED, forMs: 30_000, say });
    console.log(lines.join('\n'));
    expect(report.acknowledged).toBeGreaterThan(20);
    expect(Object.keys(report.perturbations).length).toBeGreaterThan(0);
  });
});
