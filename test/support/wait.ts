/**
 * Asks until the answer is not undefined (nor false), and returns it.
 * @throws Error naming `what`, and the last error met, after `limitMs`.
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 60_000,
): Promise<T> {
  const endMs = performance.now() + limitMs;
  let lastError: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      lastError = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  } while (performance.now() < endMs);
  throw new Error(`not within ${limitMs} ms: ${what}`, { cause: lastError });
}
