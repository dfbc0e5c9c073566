import { RPC_CODES, RpcError } from './rpc-error.js';

/** One value in `params`. Reads it, or throws RpcError -3. */
export interface RpcParameter<T> {
  readonly name: string;
  readonly read: (value: unknown) => T;
  /** Left out or null: this is taken. Without it, the parameter is required. */
  readonly fallback?: T;
}

/** One call: its parameters in order, and what it does. A new call is one more of these in a table. */
export interface RpcCall {
  readonly method: string;
  readonly parameters: readonly RpcParameter<unknown>[];
  /** One sentence. */
  readonly summary: string;
  /** @throws RpcError */
  run(...values: never[]): unknown;
}

/** Ties the types of the parameters to those of `run`. */
export function rpcCall<const P extends readonly RpcParameter<unknown>[]>(call: {
  readonly method: string;
  readonly parameters: P;
  readonly summary: string;
  run(...values: { -readonly [K in keyof P]: P[K] extends RpcParameter<infer T> ? T : never }): unknown;
}): RpcCall {
  return call;
}

export function parameter<T>(name: string, read: RpcParameter<T>['read'], fallback?: T): RpcParameter<T> {
  return fallback === undefined ? { name, read } : { name, read, fallback };
}

/**
 * The values of a call's parameters, given by place or by name.
 * @throws RpcError -1 for too few or too many, -3 for a wrong type, -8 for an unknown name.
 */
export function valuesOf(call: RpcCall, params: readonly unknown[] | Readonly<Record<string, unknown>>): unknown[] {
  const { parameters } = call;
  const given = Array.isArray(params) ? (params as unknown[]) : byName(call, params as Record<string, unknown>);
  if (given.length > parameters.length) throw new RpcError(RPC_CODES.misc, usageOf(call));
  return parameters.map((wanted, at) => {
    const { fallback } = wanted;
    const value = given[at] ?? undefined;
    if (value !== undefined) return wanted.read(value);
    if (fallback === undefined) throw new RpcError(RPC_CODES.misc, usageOf(call));
    return fallback;
  });
}

/** As Bitcoin Core shows it: `getblockheader "blockhash" ( verbose )`. */
export function usageOf({ method, parameters, summary }: RpcCall): string {
  const shown = parameters.map(({ name, fallback }) => (fallback === undefined ? `"${name}"` : `( ${name} )`));
  return `${[method, ...shown].join(' ')}\n\n${summary}`;
}

function byName({ parameters }: RpcCall, params: Record<string, unknown>): unknown[] {
  const unknown = Object.keys(params).find((key) => parameters.every(({ name }) => name !== key));
  if (unknown !== undefined) throw new RpcError(RPC_CODES.invalidParameter, `Unknown named parameter ${unknown}`);
  return parameters.map(({ name }) => params[name]);
}
