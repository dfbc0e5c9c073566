/** In the full form (`npm run test:attack`) attacks have their whole size, and what they do to the API is judged in milliseconds. */
export const IS_FULL = process.env['ATTACK'] === 'full';

/** A number for the form of this run. */
export function scaled(short: number, full: number): number {
  return IS_FULL ? full : short;
}
