import { StandardSchemaValidationPipe } from '@nestjs/common';
import { HttpProblem } from '../common/http-problem.js';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Checks `@Body({schema})`, `@Query({schema})`, `@Param(name, {schema})` with their zod schemas. */
export class ValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => createInvalidRequest(issues) });
  }

  /**
   * Nest removes the keys `__proto__` and `constructor` here, silently. The schemas see them instead, and refuse them as
   * they refuse every key that they do not know; a schema's output holds known keys only.
   */
  protected override stripProtoKeys(): void {}
}

/** A 400 with all issues: in `detail` for people, as `errors: [{path, message}]` for programs. */
export function createInvalidRequest(issues: readonly Issue[]): HttpProblem {
  const errors = issues.map((issue) => ({ path: pathOf(issue), message: issue.message }));
  const detail = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new HttpProblem(400, 'invalid-request', detail, {}, { errors });
}

function pathOf(issue: Issue): string {
  return (issue.path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.');
}
