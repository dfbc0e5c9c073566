/** A check that can be left after each step and taken up again, by whoever has something else to do meanwhile: a page. */
export type Steps<T> = Generator<undefined, T>;

/** So many headers are linked in one step: about a millisecond in a browser. */
export const HEADERS_IN_STEP = 20;

/** Takes all steps at once. @throws what a step throws. */
export function allSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
