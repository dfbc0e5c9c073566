import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

/**
 * What a route does, as the guards of REST see it: the write token, the check of origins, the rate limit, the check of
 * query parameters and the OpenAPI document all go by it, and none by the HTTP verb.
 */
export interface Operation {
  /** A read may be asked for by anybody; a write needs the write token and an origin that is trusted. */
  readonly effect: 'read' | 'write';
  /** Names of the query parameters that it knows; others are refused. `any`: it is left to the route. */
  readonly queryParameters: readonly string[] | 'any';
  /** Does it count against the rate limit of its caller? */
  readonly isRateLimited: boolean;
  /** Is it answered before the requests that wait for their turn? Only for what is cheap, whatever the node holds. */
  readonly isUrgent: boolean;
  /** Does its answer last for as long as the caller stays? Then its duration says nothing. */
  readonly isStream: boolean;
  /** Can it do damage? Then a page needs an origin that is trusted by name, and has to send JSON. */
  readonly isGuarded: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation;
  }
}

interface Declared {
  /** The schema of its `@Query`; a route without one takes no query parameters. */
  readonly query?: { readonly shape: object };
  /** false: orchestrators and Prometheus ask for it, and a flood from their address must not make the node look dead. */
  readonly isRateLimited?: boolean;
  /** true: the node has to show that it is alive, and how it is, also while it is flooded. */
  readonly isUrgent?: boolean;
  readonly isStream?: boolean;
  readonly isGuarded?: boolean;
}

/** Declares that a route changes nothing that its caller could decide on. */
export function Reads(declared: Declared = {}): MethodDecorator {
  return declare('read', declared);
}

/** Declares that a route changes what the node stores or does. */
export function Writes(declared: Declared = {}): MethodDecorator {
  return declare('write', declared);
}

/** For a route that says nothing: a forgotten declaration must not open a door. */
const UNDECLARED: Operation = {
  effect: 'write',
  queryParameters: [],
  isRateLimited: true,
  isUrgent: false,
  isStream: false,
  isGuarded: false,
};

/** What the request asks for; undefined where no route fits it. */
export function operationOf(request: FastifyRequest): Operation | undefined {
  return request.is404 ? undefined : (request.routeOptions.config.operation ?? UNDECLARED);
}

function declare(effect: Operation['effect'], declared: Declared): MethodDecorator {
  const { query, isRateLimited = true, isUrgent = false, isStream = false, isGuarded = false } = declared;
  const queryParameters = Object.keys(query?.shape ?? {});
  const operation: Operation = { effect, queryParameters, isRateLimited, isUrgent, isStream, isGuarded };
  return RouteConfig({ operation });
}
