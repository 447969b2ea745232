import type { Call, Handler, Reply } from '../http/message.ts';
import type { World } from '../world.ts';
import { callerOf, requireAccess, type Caller } from './access.ts';
import { notModelled, OktaError, oktaErrorReply, tooManyRequests, wrongMethod } from './errors.ts';
import type { OktaOperation } from './operation.ts';
import { appOperations } from './operations/apps.ts';
import { appUserOperations } from './operations/appUsers.ts';
import { eventHookOperations } from './operations/eventHooks.ts';
import { groupOperations } from './operations/groups.ts';
import { groupRuleOperations } from './operations/groupRules.ts';
import { pushMappingOperations } from './operations/pushMappings.ts';
import { userOperations } from './operations/users.ts';
import { originOf } from './paging.ts';
import { tokenEndpoint } from './tokenEndpoint.ts';

/** Everything of the Management API that is modelled; rules before groups, whose path they share. */
const operations: readonly OktaOperation[] = [
  ...groupRuleOperations,
  ...groupOperations,
  ...userOperations,
  ...appOperations,
  ...appUserOperations,
  ...pushMappingOperations,
  ...eventHookOperations,
];

/** Methods that Okta has and the simulator does not, by path: 501 and no 405. */
const notModelledMethods: Readonly<Record<string, readonly string[]>> = {
  '/groups/rules': ['POST'],
  '/groups/rules/*': ['PUT', 'DELETE'],
  '/users': ['POST'],
  '/users/*': ['POST', 'PUT', 'DELETE'],
  '/apps': ['POST'],
  '/apps/*': ['PUT', 'DELETE'],
};

function paramsOf(path: string, segments: readonly string[]): string[] | null {
  const wanted = path.split('/').slice(1);
  if (wanted.length !== segments.length) return null;
  const params: string[] = [];
  for (const [index, segment] of segments.entries()) {
    if (wanted[index] === '*') params.push(segment);
    else if (wanted[index] !== segment) return null;
  }
  return params;
}

function segmentsOf(call: Call): string[] {
  const [, below = ''] = /^\/api\/v1\/(.+)$/.exec(call.url.pathname) ?? [];
  try {
    if (below !== '') return below.split('/').map(decodeURIComponent);
  } catch {
    // What cannot be decoded is no path of Okta's either.
  }
  throw notModelled(`${call.method} ${call.url.pathname}`);
}

function operationFor(call: Call): { operation: OktaOperation; params: string[] } {
  const segments = segmentsOf(call);
  const [path] = operations.flatMap((each) => (paramsOf(each.path, segments) ? [each.path] : []));
  const operation = operations.find((each) => each.path === path && each.method === call.method);
  if (operation) return { operation, params: paramsOf(operation.path, segments) ?? [] };
  if (path === undefined || notModelledMethods[path]?.includes(call.method))
    throw notModelled(`${call.method} ${call.url.pathname}`);
  throw wrongMethod();
}

/** One bucket for each collection. */
const bucketOf = (call: Call): string => `/api/v1/${call.url.pathname.split('/')[3] ?? ''}`;

async function routed(world: World, call: Call, caller: Caller): Promise<Reply> {
  const { org, hooks } = world.okta;
  const { operation, params } = operationFor(call);
  requireAccess(caller, operation.scopes, operation.capability);
  const unknown = [...call.url.searchParams.keys()].filter((name) => !operation.query?.includes(name));
  if (unknown.length > 0) throw notModelled(`the parameter ${unknown.join(', ')} here`);
  return operation.run({ org, hooks, call, origin: originOf(call), params, callerId: caller.id });
}

/** Who calls is known first, then counted, then let in. */
async function answer(world: World, call: Call): Promise<Reply> {
  const { org, tokens, limits, key } = world.okta;
  const nowMs = world.clock.now();
  if (call.method === 'POST' && call.url.pathname === '/oauth2/v1/token')
    return tokenEndpoint({ org, tokens, key, call, nowMs, freshToken: () => `simulated.${world.random.freshGuid()}` });
  const caller = await callerOf({ org, tokens, call, nowMs: call.heardAtMs });
  const { isAllowed, headers } = limits.count(caller.id, bucketOf(call), nowMs);
  if (!isAllowed) throw tooManyRequests(headers);
  const reply = await orError(call, () => routed(world, call, caller));
  return { ...reply, headers: { ...headers, ...reply.headers } };
}

async function orError(call: Call, run: () => Promise<Reply>): Promise<Reply> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof OktaError) return oktaErrorReply(error, call);
    throw error;
  }
}

export const oktaHandler =
  (world: World): Handler =>
  async (call) => {
    const reply = await orError(call, () => answer(world, call));
    return { ...reply, headers: { 'x-okta-request-id': call.requestId, ...reply.headers } };
  };
