import { isObject, isStringArray, type JsonObject } from '../http/json.ts';
import { empty, json, type Reply } from '../http/message.ts';
import { seedOkta } from '../okta/bulk.ts';
import { deleteGroup, deleteUser, setGroupProfile, setMember, setStatus, setUserProfile } from '../okta/changes.ts';
import { OktaError } from '../okta/errors.ts';
import { logEvent, hookEligible, isHookEligible, type HookEligible, type Target } from '../okta/events.ts';
import { mergeOrg } from '../okta/merge.ts';
import { deliverySchema } from '../okta/mergeSchemas.ts';
import { userStatuses, type OktaGroup, type OktaUser, type UserStatus } from '../okta/model.ts';
import { createHook, hookFields, verifyHook } from '../okta/operations/eventHooks.ts';
import { hookRow } from '../okta/render.ts';
import { mismatches } from '../tenant/mergeSchemas.ts';
import type { World } from '../world.ts';
import { oktaState } from './oktaState.ts';
import { refuse } from './refuse.ts';

const unknown = (what: string): Reply => json(404, { error: what });

interface Target404 {
  group: OktaGroup;
  user: OktaUser;
}

/** /_sim/okta/groups/{group}/members/{user}: what a person does in the Admin Console. */
function found(world: World, groupRef: string, userRef: string): Target404 | Reply {
  const { org } = world.okta;
  const group = org.groupNamed(decodeURIComponent(groupRef));
  const user = org.userNamed(decodeURIComponent(userRef));
  if (!group) return unknown(`${groupRef} is no group of the org`);
  return user ? { group, user } : unknown(`${userRef} is no user of the org`);
}

function oneMember(world: World, method: string, groupRef: string, userRef: string): Reply | null {
  if (method !== 'PUT' && method !== 'DELETE') return null;
  const both = found(world, groupRef, userRef);
  if (!('group' in both)) return both;
  setMember(world.okta.org, both.group, both.user, method === 'PUT', 'WEB');
  return empty(204);
}

/** {"add": […], "remove": […]}: ids or logins, one event each, in this order. */
function manyMembers(world: World, groupRef: string, body: unknown): Reply {
  const { org } = world.okta;
  const group = org.groupNamed(decodeURIComponent(groupRef));
  if (!group) return unknown(`${groupRef} is no group of the org`);
  if (!isObject(body) || Object.keys(body).some((key) => key !== 'add' && key !== 'remove'))
    return refuse('the body is {add, remove}');
  const { add = [], remove = [] } = body;
  if (!isStringArray(add) || !isStringArray(remove)) return refuse('add and remove are lists of ids or logins');
  const strangers = [...add, ...remove].filter((ref) => !org.userNamed(ref));
  if (strangers.length > 0) return refuse(...strangers.map((ref) => `${ref} is no user of the org`));
  const each = (refs: readonly string[], isMember: boolean): void => {
    for (const ref of refs) {
      const user = org.userNamed(ref);
      if (user) setMember(org, group, user, isMember, 'WEB');
    }
  };
  each(add, true);
  each(remove, false);
  return empty(204);
}

const isStatus = (value: unknown): value is UserStatus => userStatuses.some((status) => status === value);

function changeUser(world: World, ref: string, body: unknown): Reply {
  const { org } = world.okta;
  const user = org.userNamed(decodeURIComponent(ref));
  if (!user) return unknown(`${ref} is no user of the org`);
  if (!isObject(body) || Object.keys(body).some((key) => key !== 'status' && key !== 'profile'))
    return refuse('the body is {status, profile}');
  const { status = user.status, profile = {} } = body;
  if (!isStatus(status)) return refuse(`status is none of ${userStatuses.join(', ')}`);
  if (!isObject(profile)) return refuse('profile is not an object');
  setUserProfile(org, user, profile);
  setStatus(org, org.users.get(user.id) ?? user, status);
  return empty(204);
}

function changeGroup(world: World, method: string, ref: string, body: unknown): Reply | null {
  const { org } = world.okta;
  const group = org.groupNamed(decodeURIComponent(ref));
  if (method !== 'PATCH' && method !== 'DELETE') return null;
  if (!group) return unknown(`${ref} is no group of the org`);
  if (method === 'DELETE') deleteGroup(org, group);
  else if (!isObject(body) || !isObject(body.profile) || Object.keys(body).length !== 1)
    return refuse('the body is {profile}');
  else setGroupProfile(org, group, { ...group.profile, ...body.profile });
  return empty(204);
}

function removeUser(world: World, ref: string): Reply {
  const { org } = world.okta;
  const user = org.userNamed(decodeURIComponent(ref));
  if (!user) return unknown(`${ref} is no user of the org`);
  if (user.status !== 'DEPROVISIONED') return refuse(`${ref} is not DEPROVISIONED`);
  deleteUser(org, user);
  return empty(204);
}

/** {"url", "header": {"key", "value"}, "events", "verify"}: registered and, unless verify is false, verified. */
async function registerHook(world: World, body: unknown): Promise<Reply> {
  const { org, hooks } = world.okta;
  if (!isObject(body)) return refuse('the body is not an object');
  const { url, header, events = hookEligible, verify = true, ...more } = body;
  if (Object.keys(more).length > 0) return refuse(...Object.keys(more).map((key) => `${key} is not known`));
  const authScheme = isObject(header) ? { authScheme: { type: 'HEADER', ...header } } : {};
  try {
    const hook = createHook(
      { org, callerId: 'control' },
      hookFields({
        name: 'Event hook of the control API',
        events: { type: 'EVENT_TYPE', items: events },
        channel: { type: 'HTTP', version: '1.0.0', config: { uri: url, ...authScheme } },
      }),
    );
    const ready = verify === false ? hook : await verifyHook({ org, hooks }, hook);
    return json(201, hookRow(hooks.origin, ready));
  } catch (error) {
    if (error instanceof OktaError) return refuse(error.message, ...error.causes);
    throw error;
  }
}

function setDelivery(world: World, body: unknown): Reply {
  const faults = mismatches(body, deliverySchema, 'delivery');
  if (faults.length > 0) return refuse(...faults);
  const { hooks } = world.okta;
  hooks.delivery = { ...hooks.delivery, ...(body as JsonObject) };
  hooks.resume();
  return json(200, hooks.delivery);
}

/** [{"eventType", "target", "published", …}]: events as given, over what Okta would say; nothing in the org changes. */
function publishRaw(world: World, body: unknown): Reply {
  if (!Array.isArray(body)) return refuse('the body is a list of events');
  const events: unknown[] = body;
  const wrong = events.filter((event) => !isObject(event) || !isHookEligible(String(event.eventType)));
  if (wrong.length > 0) return refuse(`no event type of a hook: ${JSON.stringify(wrong)}`);
  const { random, okta } = world;
  for (const event of events.filter(isObject)) {
    const happening = { eventType: event.eventType as HookEligible, target: [] as Target[], by: 'WEB' } as const;
    const [uuid, transactionId] = [random.freshGuid(), random.freshGuid()];
    okta.hooks.publish({ ...logEvent(happening, { uuid, published: okta.org.now, transactionId }), ...event });
  }
  return empty(204);
}

const faultsReply = (faults: string[]): Reply => (faults.length > 0 ? refuse(...faults) : json(200, { ok: true }));

async function settle(world: World): Promise<Reply> {
  const { hooks } = world.okta;
  await hooks.settled();
  return json(200, { waiting: hooks.waitingCount });
}

/** /_sim/okta/…: null where there is no such path. */
export async function controlOkta(
  world: World,
  method: string,
  pathname: string,
  body: unknown,
): Promise<Reply | null> {
  const { hooks } = world.okta;
  const [, what = '', first, members, second] =
    /^\/_sim\/okta\/(\w+)(?:\/([^/]+)(?:\/(members)(?:\/([^/]+))?)?)?$/.exec(pathname) ?? [];
  if (what === 'groups' && first !== undefined) {
    if (members === undefined) return changeGroup(world, method, first, body);
    if (second !== undefined) return oneMember(world, method, first, second);
    return method === 'POST' ? manyMembers(world, first, body) : null;
  }
  if (what === 'users' && first !== undefined) {
    if (method === 'PATCH') return changeUser(world, first, body);
    return method === 'DELETE' ? removeUser(world, first) : null;
  }
  switch (`${method} ${[what, first].filter((part) => part !== undefined).join('/')}`) {
    case 'GET state':
      return json(200, oktaState(world));
    case 'PUT org':
      return faultsReply(mergeOrg(world, body));
    case 'POST seed':
      return faultsReply(seedOkta(world, body));
    case 'POST hooks':
      return registerHook(world, body);
    case 'PUT delivery':
      return setDelivery(world, body);
    case 'POST events':
      return publishRaw(world, body);
    case 'GET deliveries':
      return json(200, hooks.rows);
    case 'DELETE deliveries':
      hooks.clearRows();
      return empty(204);
    case 'POST deliveries/settle':
      return settle(world);
    default:
      return null;
  }
}

export const oktaControlPaths = [
  'GET /_sim/okta/state',
  'PUT /_sim/okta/org',
  'POST /_sim/okta/seed',
  'PUT, DELETE /_sim/okta/groups/{group}/members/{user}',
  'POST /_sim/okta/groups/{group}/members',
  'PATCH, DELETE /_sim/okta/groups/{group}',
  'PATCH, DELETE /_sim/okta/users/{user}',
  'POST /_sim/okta/hooks',
  'PUT /_sim/okta/delivery',
  'POST /_sim/okta/events',
  'GET, DELETE /_sim/okta/deliveries',
  'POST /_sim/okta/deliveries/settle',
];
