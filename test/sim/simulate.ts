import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { playScenario, type Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios.js';

const USAGE = `npm run sim [-- options]
  --seconds N        start new runs for so long (real time); default 60
  --nodes N          nodes of each run; by default as many as suit the scenario
  --seed N           play each once, with this seed
  --scenario NAME    ${SCENARIOS.map(({ name }) => name).join(', ')}; by default all in turn
  --verbs            print what is done, with the virtual time
  --log FILE         write the log of all nodes, of the last run, also of one that fails`;

/** Plays scenarios; @returns the exit code: 1 when a run failed, 2 when the options are wrong. */
export async function main(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  const options = readOptions(args);
  if (typeof options === 'string') {
    console.error(`${options}; see \`npm run sim -- --help\``);
    return 2;
  }
  const { scenarios, nodes, seed, seconds, logFile, showsVerbs } = options;
  const endMs = performance.now() + seconds * 1000;
  let runs = 0;
  let virtualMs = 0;
  const isOnce = seed !== undefined;
  for (let isOver = false; !isOver; isOver = isOnce || performance.now() >= endMs) {
    for (const scenario of scenarios) {
      if (!isOnce && runs > 0 && performance.now() >= endMs) break;
      const runSeed = seed ?? Math.floor(Math.random() * 2 ** 32);
      const count = nodes ?? scenario.nodes;
      console.log(`seed ${runSeed}  ${scenario.name}, ${count} nodes`);
      try {
        const startMs = performance.now();
        const result = await playScenario(scenario, {
          seed: runSeed,
          nodes: count,
          ...(logFile === undefined ? {} : { isRecording: true, onLog: (log) => writeFileSync(logFile, log.join('')) }),
          ...(showsVerbs ? { onVerb: (verb, atMs) => console.log(verbLine(verb, atMs)) } : {}),
        });
        const tookMs = Math.round(performance.now() - startMs);
        console.log(
          `  height ${result.height}, ${result.entries} entries, ${result.virtualMs / 1000} s in ${tookMs} ms`,
        );
        virtualMs += result.virtualMs;
        runs += 1;
      } catch (error) {
        console.error(error);
        console.error(`FAILED. Again: npm run sim -- --scenario ${scenario.name} --nodes ${count} --seed ${runSeed}`);
        return 1;
      }
    }
  }
  console.log(`${runs} runs, ${(virtualMs / 3_600_000).toFixed(2)} virtual hours: all invariants held`);
  return 0;
}

/** The virtual time since the start of the run, and the verb: "    62.5 s  kill n2". */
export function verbLine(verb: string, atMs: number): string {
  return `${(atMs / 1000).toFixed(3).padStart(12)} s  ${verb}`;
}

interface SimulateOptions {
  readonly scenarios: readonly Scenario[];
  readonly nodes: number | undefined;
  readonly seed: number | undefined;
  readonly seconds: number;
  readonly logFile: string | undefined;
  readonly showsVerbs: boolean;
}

/** A string says what is wrong. */
function readOptions(args: string[]): SimulateOptions | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        seconds: { type: 'string' },
        nodes: { type: 'string' },
        seed: { type: 'string' },
        scenario: { type: 'string' },
        log: { type: 'string' },
        verbs: { type: 'boolean' },
      },
    });
    const number = (name: 'seconds' | 'nodes' | 'seed'): number | undefined => {
      const text = values[name];
      if (text === undefined) return undefined;
      if (!/^\d{1,10}$/.test(text)) throw new Error(`--${name} ${text} is not a whole number`);
      return Number(text);
    };
    const scenarios = SCENARIOS.filter(({ name }) => values.scenario === undefined || name === values.scenario);
    if (scenarios.length === 0) return `no scenario ${values.scenario}`;
    const nodes = number('nodes');
    if (nodes !== undefined && (nodes < 3 || nodes > 50)) return '--nodes 3 to 50';
    const [seed, seconds] = [number('seed'), number('seconds') ?? 60];
    return { scenarios, nodes, seed, seconds, logFile: values.log, showsVerbs: values.verbs ?? false };
  } catch (error) {
    return (error as Error).message;
  }
}
