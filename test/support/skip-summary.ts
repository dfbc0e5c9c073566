import type { TestProject } from 'vitest/node';

/** A suite that is skipped because something is missing ends its title in this. */
const REASON = / \(skipped: (.+?)\)(?: > |$)/;

/**
 * Vitest's global setup: when the run ends, prints how many tests were skipped and why, one line for each reason. It is
 * not a reporter, because `--reporter` on the command line (.ci/run uses it) replaces the reporters of the configuration.
 */
export default function setup(project: TestProject): () => void {
  return () => {
    const counts = new Map<string, number>();
    for (const module of project.vitest.state.getTestModules()) {
      for (const { fullName } of module.children.allTests('skipped')) {
        const reason = REASON.exec(fullName)?.[1];
        if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
      }
    }
    for (const [reason, count] of counts) {
      console.log(`Skipped ${count} ${count === 1 ? 'test' : 'tests'}: ${reason}`);
    }
  };
}
