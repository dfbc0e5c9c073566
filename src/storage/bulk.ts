/** Rows or keys that one statement takes. */
export const BULK = 250;

/** Hands items to a statement that takes BULK of them, and the rest to one that takes a single item. */
export function inBulk<T>(items: readonly T[], many: (part: readonly T[]) => void, one: (item: T) => void): void {
  const whole = items.length - (items.length % BULK);
  for (let start = 0; start < whole; start += BULK) many(items.slice(start, start + BULK));
  for (const item of items.slice(whole)) one(item);
}
