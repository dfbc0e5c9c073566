import { Counter, type Registry } from 'prom-client';
import type { RpcMeter } from './rpc-dispatcher.js';

/** Registers the counter of calls, from 0 on for each method. */
export function rpcMeter(registry: Registry, methods: readonly string[]): RpcMeter {
  const calls = new Counter({
    name: 'minichain_rpc_calls_total',
    help: 'Calls of JSON-RPC by method (unknown for those that there are not), and what came of them: answered, refused, failed.',
    labelNames: ['method', 'outcome'],
    registers: [registry],
  });
  for (const method of methods) calls.inc({ method, outcome: 'answered' }, 0);
  return (method, outcome) => calls.inc({ method, outcome });
}
