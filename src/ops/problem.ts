import { STATUS_CODES } from 'node:http';
import { z } from 'zod';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** RFC 9457. Facts about the particular problem stand beside these fields. */
export const problemSchema = z
  .looseObject({
    type: z.literal('about:blank'),
    title: z.string().meta({ description: 'The phrase of the HTTP status.' }),
    status: z.int().meta({ description: 'The HTTP status.' }),
    detail: z.string().meta({ description: 'What is wrong here, and what would be right.' }),
    instance: z.string().meta({ description: 'The path that was asked for.' }),
    code: z.string().meta({ description: 'A stable word for programs; of a broken rule, its code.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

export type Problem = z.infer<typeof problemSchema>;

export interface ProblemFacts {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The JSON body of a problem. Standard fields win over `data`, and stand in front of it. */
export function createProblem({ status, code, detail, instance, data }: ProblemFacts): Problem {
  const type = 'about:blank' as const;
  const standard = { type, title: STATUS_CODES[status] ?? 'Error', status, detail, instance, code };
  return { ...standard, ...data, ...standard };
}
