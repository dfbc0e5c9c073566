/** JSON-safe facts that go into a problem's body beside the standard fields. */
export type ProblemData = Readonly<Record<string, unknown>>;

/**
 * A refusal for the REST caller: becomes an RFC 9457 problem+json body with this HTTP status. `code` is a stable
 * kebab-case word for programs, `detail` a sentence that says what is wrong and what would be right.
 */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
    readonly data: ProblemData = {},
  ) {
    super(detail);
  }
}
