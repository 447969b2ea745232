import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HostedFunction, isTriggeredBy, type RunFunction } from './hostedFunction.ts';
import { isAuthorized, type Keys, presentedKey } from './keys.ts';
import { comparePrecedence, matchRoute, parseRoute, type Route } from './routes.ts';
import { readBody, sendEmpty, sendRpcHttp, toRpcHttp } from './rpcHttp.ts';

/** Answers a request. `url` has gone through the WHATWG parser, which takes out dot segments, as Kestrel does. */
export type Door = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

interface HttpFunction extends HostedFunction {
  methods: readonly string[];
  route: Route;
}

// FUNCTIONS_REQUEST_BODY_SIZE_LIMIT (functions.md §2). That the answer above it is a 413 is Kestrel's; inferred here.
const bodyLimit = 100 * 1024 * 1024;

/** Where the HTTP functions are called. */
export function createHttpDoor(
  functions: readonly HostedFunction[],
  routePrefix: string,
  keys: Keys,
  run: RunFunction,
): Door {
  const httpFunctions = functions
    .filter((each) => isTriggeredBy(each, 'http'))
    .map((each) => toHttpFunction(each, routePrefix))
    .sort((a, b) => comparePrecedence(a.route, b.route));

  return async (request, response, url) => {
    const found = find(httpFunctions, request.method ?? 'GET', url);
    if (!found) {
      sendEmpty(response, 404);
      return;
    }
    const { trigger } = found.target;
    if (!isAuthorized(trigger.authLevel, presentedKey(request, url.searchParams), keys)) {
      sendEmpty(response, 401);
      return;
    }
    const { tooLarge, body } = await readBody(request, bodyLimit);
    if (tooLarge) {
      sendEmpty(response, 413);
      return;
    }
    try {
      const data = toRpcHttp(request, url, found.params, body);
      const traceParent = request.headersDistinct.traceparent?.[0];
      sendRpcHttp(response, await run(found.target, { data, traceParent }));
    } catch {
      // The caller of the real host learns nothing either; the log says why.
      sendEmpty(response, 500);
    }
  };
}

function toHttpFunction(target: HostedFunction, routePrefix: string): HttpFunction {
  const { trigger, metadata } = target;
  const route = typeof trigger.route === 'string' ? trigger.route : metadata.name;
  return {
    ...target,
    methods: (trigger.methods as string[]).map((method) => method.toUpperCase()),
    route: parseRoute(`${routePrefix}/${route}`),
  };
}

/** A method that a route doesn't have is a route that doesn't exist: 404, not 405 (functions.md §2). */
function find(functions: readonly HttpFunction[], method: string, url: URL) {
  for (const target of functions) {
    const params = target.methods.includes(method) && matchRoute(target.route, url.pathname.slice(1));
    if (params) return { target, params };
  }
  return undefined;
}
