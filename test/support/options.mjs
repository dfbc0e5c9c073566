import { parseArgs } from 'node:util';

/**
 * Reads a program's options. `--help` prints `usage` and ends with code 0; a mistake prints one line and ends with code 2.
 * @template {import('node:util').ParseArgsConfig} T
 * @param {string} usage its first line begins with the command, up to " [": "npm run fuzz [-- options]"
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
 * @param {string} usage as for readOptions
 * @returns {never}
 */
export function stop(problem, usage) {
  const command = usage.slice(0, usage.indexOf(' ['));
  // What Node adds after the first sentence is about other mistakes.
  console.error(`${problem.split('. ')[0]}; see \`${command} -- --help\``);
  process.exit(2);
}
