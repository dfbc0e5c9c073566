import { parseArgs } from 'node:util';

/**
 * Reads a program's options. `--help` prints `usage` and ends with code 0; a mistake prints what is wrong, then `usage`,
 * and ends with code 2.
 * @template {import('node:util').ParseArgsConfig} T
 * @param {string} usage
 * @param {T} config as for parseArgs, without `args`
 */
export function readOptions(usage, config) {
  const options = { ...config.options, help: { type: /** @type {const} */ ('boolean'), short: 'h' } };
  let parsed;
  try {
    parsed = parseArgs({ ...config, options });
  } catch (error) {
    return stop(error.message, usage);
  }
  if (parsed.values.help) {
    console.log(usage);
    process.exit(0);
  }
  return parsed;
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
