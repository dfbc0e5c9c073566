import { parseArgs } from 'node:util';

/**
 * Reads a program's options. `--help` prints `usage` and ends with code 0; a mistake prints what is wrong, then `usage`,
 * and ends with code 2.
 * @template {import('node:util').ParseArgsConfig} T
 * @param {string} usage
 * @param {T} config as for parseArgs, without `args`
 */
export function readOptions(usage, config) {
  try {
    const options = { ...config.options, help: { type: /** @type {const} */ ('boolean'), short: 'h' } };
    const parsed = parseArgs({ ...config, options });
    if (!parsed.values.help) return parsed;
  } catch (error) {
    stop(error.message, usage);
  }
  console.log(usage);
  process.exit(0);
}

/**
 * @param {string} problem
 * @param {string} usage
 * @returns {never}
 */
export function stop(problem, usage) {
  console.error(`${problem}\n${usage}`);
  process.exit(2);
}
