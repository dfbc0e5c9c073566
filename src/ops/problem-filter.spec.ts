import { NotFoundException, type ArgumentsHost } from '@nestjs/common';
import Sqlite from 'better-sqlite3';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { LogLimiter } from '../common/log-limiter.js';
import { RULE_CODES, RuleError } from '../consensus/rule-error.js';
import { MinerStoppedError } from '../miner/miner.service.js';
import { RULE_STATUS } from './error-table.js';
import { ProblemFilter, type ProblemFilterOptions } from './problem-filter.js';
import type { Problem } from './problem.js';

const faults: unknown[] = [];
const options: ProblemFilterOptions = {
  bodyLimitBytes: 1024,
  methodsOf: () => [],
  log: new LogLimiter(pino({ level: 'silent' }), new VirtualClock()),
  onFault: (error) => faults.push(error),
};

function problemOf(exception: unknown, { method = 'GET', methodsOf = options.methodsOf } = {}): Problem {
  const filter = new ProblemFilter({ ...options, methodsOf });
  let sent = '';
  const reply = { status: () => reply, headers: () => reply, type: () => reply, send: (body: string) => (sent = body) };
  const http = { getRequest: () => ({ url: '/path?query=1', method, ip: '127.0.0.1' }), getResponse: () => reply };
  filter.catch(exception, { getType: () => 'http', switchToHttp: () => http } as unknown as ArgumentsHost);
  return JSON.parse(sent) as Problem;
}

describe('ProblemFilter', () => {
  it('leaves other contexts to others', () => {
    const error = new Error('of a gRPC call');
    const filter = new ProblemFilter(options);
    expect(() => filter.catch(error, { getType: () => 'rpc' } as unknown as ArgumentsHost)).toThrow(error);
  });

  it('gives every rule its code and status', () => {
    for (const code of RULE_CODES) {
      const problem = problemOf(new RuleError(code, 'broken', { height: 7 }));
      expect(problem).toMatchObject({ code, status: RULE_STATUS[code].http, detail: 'broken', height: 7 });
    }
  });

  it('lets facts add to the standard fields, never replace them', () => {
    const data = { status: 999, code: 'x', type: 'x', detail: 'x', instance: 'x', title: 'x', extra: 'kept' };
    expect(problemOf(new RuleError('high-hash', 'broken', data))).toEqual({
      type: 'about:blank',
      title: 'Unprocessable Entity',
      status: 422,
      detail: 'broken',
      instance: '/path',
      code: 'high-hash',
      extra: 'kept',
    });
  });

  it('refuses politely while shutting down', () => {
    expect(problemOf(new MinerStoppedError())).toMatchObject({ status: 503, code: 'shutting-down' });
  });

  it('tells a full disk from other faults, and reports it as one', () => {
    const full = new Sqlite.SqliteError('database or disk is full', 'SQLITE_FULL');
    expect(problemOf(full)).toMatchObject({ status: 507, code: 'disk-full' });
    expect(problemOf(new Sqlite.SqliteError('disk I/O error', 'SQLITE_IOERR'))).toMatchObject({ status: 500 });
    expect(faults.splice(0)).toHaveLength(2);
  });

  it('gives 404 for an unknown path, and 405 with Allow for a known one', () => {
    const methodsOf = () => ['GET', 'HEAD', 'POST'];
    const missing = new NotFoundException();
    expect(problemOf(missing)).toMatchObject({ status: 404, code: 'not-found' });
    expect(problemOf(missing, { methodsOf })).toMatchObject({ status: 404, code: 'not-found' });
    const wrongMethod = problemOf(missing, { methodsOf, method: 'PUT' });
    expect(wrongMethod).toMatchObject({ status: 405, code: 'method-not-allowed' });
    expect(wrongMethod.detail).toBe('/path does not support PUT; it supports GET, HEAD, POST');
  });

  it('takes a caller that hangs up for no fault of ours', () => {
    const aborted = Object.assign(new Error('aborted'), { code: 'ECONNRESET', statusCode: 400 });
    expect(problemOf(aborted)).toMatchObject({ status: 400, code: 'broken-off' });
    expect(faults).toEqual([]);
  });

  it('takes whatever is thrown', () => {
    for (const thrown of [undefined, null, 'text', 42, {}]) {
      expect(problemOf(thrown)).toMatchObject({ status: 500, code: 'internal-error' });
    }
    expect(faults).toEqual([undefined, null, 'text', 42, {}]);
  });
});
