import { spawnSync } from 'node:child_process';

/** What a suite needs to know of the programs that it runs. */
export interface Need {
  readonly isMissing: boolean;
  /** For the title of the suite: skip-summary.ts prints the reason when the run ends. */
  readonly note: string;
}

/** Whether these programs are installed; suites that need one that is not are skipped. */
export function needOf(...programs: readonly string[]): Need {
  const missing = programs.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  const verb = missing.length === 1 ? 'is' : 'are';
  const note = missing.length === 0 ? '' : ` (skipped: ${missing.join(' and ')} ${verb} not installed)`;
  return { isMissing: missing.length > 0, note };
}
