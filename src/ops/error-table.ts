import { status as GrpcStatus } from '@grpc/grpc-js';
import type { RuleCode } from '../consensus/rule-error.js';

/** What a broken rule is called outside: on REST and on gRPC. */
export interface RuleStatus {
  readonly http: number;
  readonly grpc: GrpcStatus;
}

const MALFORMED: RuleStatus = { http: 400, grpc: GrpcStatus.INVALID_ARGUMENT };
const TOO_LARGE: RuleStatus = { http: 413, grpc: GrpcStatus.INVALID_ARGUMENT };
const UNPROCESSABLE: RuleStatus = { http: 422, grpc: GrpcStatus.INVALID_ARGUMENT };
/** Right in itself, but not here or not now. */
const OUT_OF_PLACE: RuleStatus = { http: 422, grpc: GrpcStatus.FAILED_PRECONDITION };

/** The one table from rule to status: 400 for what cannot be read, 413 for what is too large, 422 for the rest. */
export const RULE_STATUS: Readonly<Record<RuleCode, RuleStatus>> = {
  'high-hash': UNPROCESSABLE,
  'bad-diffbits': UNPROCESSABLE,
  'time-too-old': UNPROCESSABLE,
  'time-too-new': OUT_OF_PLACE,
  'bad-prevblk': OUT_OF_PLACE,
  'checkpoint-mismatch': OUT_OF_PLACE,
  'bad-header-encoding': MALFORMED,
  'bad-blk-encoding': MALFORMED,
  'bad-blk-count': TOO_LARGE,
  'bad-blk-length': TOO_LARGE,
  'bad-txnmrklroot': UNPROCESSABLE,
  'bad-txns-duplicate': UNPROCESSABLE,
  'bad-cb-missing': UNPROCESSABLE,
  'bad-cb-multiple': UNPROCESSABLE,
  'bad-cb-height': UNPROCESSABLE,
  'bad-cb-miner': UNPROCESSABLE,
  'bad-txn-encoding': MALFORMED,
  'bad-txn-kind': UNPROCESSABLE,
  'bad-txn-timestamp': UNPROCESSABLE,
  'bad-txn-64-bytes': UNPROCESSABLE,
  'bad-txn-salt': UNPROCESSABLE,
  'bad-txn-data-empty': MALFORMED,
  'bad-txn-data-length': TOO_LARGE,
  'bad-txn-data-encoding': MALFORMED,
  'bad-sig-key': UNPROCESSABLE,
  'bad-sig-encoding': UNPROCESSABLE,
  'bad-sig': UNPROCESSABLE,
  'txn-already-in-chain': { http: 422, grpc: GrpcStatus.ALREADY_EXISTS },
};
