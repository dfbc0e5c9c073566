import { StandardSchemaValidationPipe } from '@nestjs/common';
import { HttpProblem } from '../common/http-problem.js';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Checks `@Body({schema})`, `@Query({schema})`, `@Param(name, {schema})` with their zod schemas. */
export function createValidationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: (issues) => createInvalidRequest(issues) });
}

/** All issues at once: in `detail` for people, as `errors: [{path, message}]` for programs. */
export function createInvalidRequest(issues: readonly Issue[]): HttpProblem {
  const errors = issues.map((issue) => ({ path: pathOf(issue), message: issue.message }));
  const detail = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new HttpProblem(400, 'invalid-request', detail, {}, { errors });
}

function pathOf(issue: Issue): string {
  return (issue.path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.');
}
