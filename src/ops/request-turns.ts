import { setImmediate } from 'node:timers';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { arrivals } from '../common/arrivals.js';
import { HttpProblem } from '../common/http-problem.js';
import { operationOf } from '../common/operation.js';
import { Slice } from '../common/turns.js';

/**
 * Shares the event loop out among requests. Many that arrive at once would otherwise all be served before the loop looks
 * at anything else. Here they are begun in order, and once those of one turn of the loop have taken 5 ms, the rest wait
 * for the next.
 */
export class RequestTurns {
  readonly #waiting: (() => void)[] = [];
  readonly #slice = new Slice();
  #isSliceBegun = false;

  /** Runs `task` when it is its turn. */
  take(task: () => void): void {
    this.#waiting.push(task);
    // One immediate for each: what a task leaves in the queue of microtasks runs before the next, and so is measured.
    arrivals.defer(() => this.#run());
  }

  #run(): void {
    if (!this.#isSliceBegun) {
      this.#isSliceBegun = true;
      this.#slice.restart();
      setImmediate(() => (this.#isSliceBegun = false));
    }
    if (this.#slice.isOver) arrivals.defer(() => this.#run());
    else this.#waiting.shift()!();
  }
}

/** The requests of one connection that have no answer yet. */
interface Pending {
  count: number;
  /** Resolves with the answer to the last of them. */
  last: Promise<void>;
}

/**
 * Begins each request when it is its turn, and the requests of one connection one after another. An urgent request that is
 * the only one of its connection waits for nothing. Must be the first hook: also a refusal costs something.
 */
export function takeTurns(instance: FastifyInstance, turns: RequestTurns): void {
  const pending = new WeakMap<Socket, Pending>();
  instance.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    const own = pending.get(socket) ?? { count: 0, last: Promise.resolve() };
    pending.set(socket, own);
    const { count, last } = own;
    own.count += 1;
    own.last = new Promise((resolve) => {
      reply.raw.once('close', () => {
        own.count -= 1;
        resolve();
      });
    });
    const begin = (): void => turns.take(() => (socket.destroyed ? done(hungUp()) : done()));
    if (count > 0) void last.then(begin);
    else if (operationOf(request)?.isUrgent === true) done();
    else begin();
  });
}

/** Nobody reads the answer. */
function hungUp(): HttpProblem {
  return new HttpProblem(400, 'broken-off', 'the connection closed before the request was complete');
}
