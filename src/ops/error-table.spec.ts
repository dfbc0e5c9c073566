import { status as GrpcStatus } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { RULE_CODES } from '../consensus/rule-error.js';
import { RULE_STATUS } from './error-table.js';

describe('RULE_STATUS', () => {
  it('has every rule, and nothing else', () => {
    expect(Object.keys(RULE_STATUS).sort()).toEqual([...RULE_CODES].sort());
  });

  it('blames the caller for every one', () => {
    for (const { http, grpc } of Object.values(RULE_STATUS)) {
      expect([400, 413, 422]).toContain(http);
      expect([GrpcStatus.INVALID_ARGUMENT, GrpcStatus.FAILED_PRECONDITION, GrpcStatus.ALREADY_EXISTS]).toContain(grpc);
    }
  });
});
