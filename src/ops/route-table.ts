import type { FastifyInstance } from 'fastify';
import type { Operation } from '../common/operation.js';

/** Routes that libraries register, which cannot declare themselves: preflights of CORS, and the files of Swagger UI. */
const LIBRARY_ROUTES = [/^OPTIONS /, /^(GET|HEAD) \/docs(\/|-|$)/];
const LIBRARY_READ: Operation = {
  effect: 'read',
  queryParameters: 'any',
  isRateLimited: true,
  isUrgent: false,
  isStream: false,
  isGuarded: false,
};

interface Route {
  readonly method: string;
  readonly url: string;
  readonly path: RegExp;
  readonly operation: Operation | undefined;
}

/** All routes of the server, as they are registered. */
export class RouteTable {
  readonly #routes: Route[] = [];

  /** Must be made before the first route. */
  constructor(instance: FastifyInstance) {
    instance.addHook('onRoute', (options) => {
      for (const method of [options.method].flat()) {
        if (LIBRARY_ROUTES.some((pattern) => pattern.test(`${method} ${options.url}`))) {
          options.config = { ...options.config, operation: LIBRARY_READ };
        }
        const { url, config } = options;
        // The route that takes the preflights of all paths does not make every path a known one.
        if (url !== '*') this.#routes.push({ method, url, path: patternOf(url), operation: config?.operation });
      }
    });
  }

  /** @param url as it was registered, with `:name` for a parameter. */
  operation(method: string, url: string): Operation | undefined {
    return this.#routes.find((route) => route.method === method && route.url === url)?.operation;
  }

  /** Methods with which a path can be asked for, sorted; none for a path that is not known. */
  methodsOf(path: string): string[] {
    const decoded = decode(path);
    const methods = this.#routes.filter((route) => route.path.test(decoded)).map(({ method }) => method);
    return [...new Set(methods)].sort();
  }
}

function patternOf(url: string): RegExp {
  const source = url
    .split(/(:\w+|\*)/)
    .map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/\W/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`, 's');
}

function decode(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
