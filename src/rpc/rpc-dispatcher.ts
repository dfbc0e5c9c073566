import { Slice, type Turns } from '../common/turns.js';
import { valuesOf, type RpcCall } from './call-table.js';
import { RPC_CODES, RpcError } from './rpc-error.js';

export const FAULT_MESSAGE = 'The node could not answer; its log says why';

/** The answer to one HTTP request. `body` is undefined where only notifications came. */
export interface RpcAnswer {
  readonly status: number;
  readonly body: string | undefined;
}

/** What came of one call, for metrics: a method that is not in the table is `unknown`. */
export type RpcMeter = (method: string, outcome: 'answered' | 'refused' | 'failed') => void;

export interface RpcDispatcherParts {
  readonly calls: readonly RpcCall[];
  /** In which the calls of a long batch are answered. */
  readonly turns: Turns;
  readonly meter: RpcMeter;
  /** A call broke for a reason that is this node's own. */
  readonly onFault: (error: Error, method: string) => void;
}

type Outcome = { readonly result: unknown } | { readonly error: RpcError };

/** One request as it came, as far as it can be read. */
interface RpcRequest {
  /** The client asked for JSON-RPC 2.0. */
  readonly isSecond: boolean;
  /** undefined: none was given. */
  readonly id: unknown;
  readonly outcome: Outcome;
}

/**
 * JSON-RPC as Bitcoin Core speaks it: 1.0 with `error: null` and the HTTP status of the error, or 2.0 where a request asks
 * for it, always with 200; batches of both; parameters by place or by name.
 */
export class RpcDispatcher {
  readonly #calls: ReadonlyMap<string, RpcCall>;
  #isStopping = false;

  constructor(private readonly parts: RpcDispatcherParts) {
    this.#calls = new Map(parts.calls.map((call) => [call.method, call]));
  }

  /** From now on each call is refused: the database is about to close. */
  stop(): void {
    this.#isStopping = true;
  }

  /** @param request the parsed body. */
  async answer(request: unknown): Promise<RpcAnswer> {
    if (!Array.isArray(request)) return answerOne(await this.#run(request));
    const slice = new Slice();
    const answers: string[] = [];
    for (const each of request as unknown[]) {
      const done = await this.#run(each);
      if (!isNotification(done)) answers.push(textOf(done));
      if (!slice.isOver) continue;
      await this.parts.turns.next();
      slice.restart();
    }
    const isSilent = answers.length === 0 && request.length > 0;
    return isSilent ? { status: 204, body: undefined } : { status: 200, body: `[${answers.join(',')}]` };
  }

  async #run(request: unknown): Promise<RpcRequest> {
    if (typeof request !== 'object' || request === null || Array.isArray(request)) {
      return { isSecond: false, id: null, outcome: refused(RPC_CODES.invalidRequest, 'Invalid Request object') };
    }
    const { jsonrpc, id, method, params } = request as Record<string, unknown>;
    const isSecond = jsonrpc === '2.0';
    const outcome = await this.#call(method, params ?? []);
    return { isSecond, id, outcome };
  }

  async #call(method: unknown, params: unknown): Promise<Outcome> {
    if (method === undefined) return refused(RPC_CODES.invalidRequest, 'Missing method');
    if (typeof method !== 'string') return refused(RPC_CODES.invalidRequest, 'Method must be a string');
    if (typeof params !== 'object') return refused(RPC_CODES.invalidRequest, 'Params must be an array or object');
    const call = this.#calls.get(method);
    const { meter, onFault } = this.parts;
    const name = call === undefined ? 'unknown' : method;
    try {
      if (this.#isStopping) throw new RpcError(RPC_CODES.shuttingDown, 'The node is shutting down');
      if (call === undefined) throw new RpcError(RPC_CODES.methodNotFound, 'Method not found');
      const values = valuesOf(call, params as unknown[] | Record<string, unknown>);
      const result = await (call.run as (...values: unknown[]) => unknown)(...values);
      meter(name, 'answered');
      return { result };
    } catch (error) {
      if (error instanceof RpcError) {
        meter(name, 'refused');
        return { error };
      }
      meter(name, 'failed');
      onFault(error as Error, name);
      return refused(RPC_CODES.internal, FAULT_MESSAGE);
    }
  }
}

/** The answer to what is no request yet, such as a body that is not JSON. */
export function refusal(code: number, message: string): RpcAnswer {
  return answerOne({ isSecond: false, id: null, outcome: refused(code, message) });
}

/** The HTTP status with which Bitcoin Core answers an error of JSON-RPC 1.0. Minerd asks for ever unless an unknown method is 404. */
function statusOf(code: number): number {
  if (code === RPC_CODES.methodNotFound) return 404;
  return code === RPC_CODES.invalidRequest ? 400 : 500;
}

function answerOne(request: RpcRequest): RpcAnswer {
  if (isNotification(request)) return { status: 204, body: undefined };
  const { isSecond, outcome } = request;
  const status = isSecond || 'result' in outcome ? 200 : statusOf(outcome.error.code);
  return { status, body: `${textOf(request)}\n` };
}

function isNotification({ isSecond, id }: RpcRequest): boolean {
  return isSecond && id === undefined;
}

function textOf({ isSecond, id = null, outcome }: RpcRequest): string {
  const error = 'error' in outcome ? { code: outcome.error.code, message: outcome.error.message } : null;
  const result = 'result' in outcome ? outcome.result : null;
  if (!isSecond) return JSON.stringify({ result, error, id });
  return JSON.stringify({ jsonrpc: '2.0', ...(error === null ? { result } : { error }), id });
}

function refused(code: number, message: string): Outcome {
  return { error: new RpcError(code, message) };
}
