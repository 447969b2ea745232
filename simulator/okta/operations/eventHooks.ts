import { isObject, isStringArray, type JsonObject } from '../../http/json.ts';
import { empty, json, type Reply } from '../../http/message.ts';
import { isHookEligible } from '../events.ts';
import { accessDenied, notFound, notModelled, validationFailed } from '../errors.ts';
import type { EventHook, HookHeader } from '../model.ts';
import { bodyOf, onlyKeys, textAt, type OktaContext, type OktaOperation } from '../operation.ts';
import { hookRow } from '../render.ts';

const read = { scopes: ['okta.eventHooks.read'], capability: 'eventHooks.read' } as const;
const manage = { scopes: ['okta.eventHooks.manage'], capability: 'eventHooks.manage' } as const;
/** okta.md §1.1 */
const MOST_ACTIVE = 25;

type HookFields = Pick<EventHook, 'name' | 'description' | 'eventTypes' | 'uri' | 'headers' | 'auth'>;

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  if (!isObject(value)) throw validationFailed(key, `${key}: The field cannot be left blank`);
  return value;
}

/** HTTPS, but for this machine itself: facts.oktaHookOnLoopback. */
function uriIn(config: JsonObject): string {
  const uri = textAt(config, 'uri');
  const url = URL.canParse(uri) ? new URL(uri) : null;
  const isLoopback = url?.hostname === '127.0.0.1' || url?.hostname === 'localhost';
  if (url?.protocol !== 'https:' && !isLoopback)
    throw validationFailed('channel.config.uri', 'channel.config.uri: must be a valid HTTPS URL');
  return uri;
}

function headersIn(value: unknown): HookHeader[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw validationFailed('channel.config.headers', 'channel.config.headers: is no list');
  return value.filter(isObject).map((header) => ({ key: textAt(header, 'key'), value: textAt(header, 'value') }));
}

function authIn(value: unknown): HookHeader | null {
  if (value === undefined) return null;
  if (!isObject(value)) throw validationFailed('authScheme', 'authScheme: has a wrong value');
  onlyKeys(value, ['type', 'key', 'value'], 'channel.config.authScheme.');
  // HEADER is the only type there is (okta.md §1.1).
  if (value.type !== 'HEADER') throw validationFailed('authScheme.type', 'authScheme.type: must be HEADER');
  return { key: textAt(value, 'key'), value: textAt(value, 'value') };
}

function eventTypesIn(body: JsonObject): string[] {
  const events = objectAt(body, 'events');
  onlyKeys(events, ['type', 'items', 'filter'], 'events.');
  if (events.filter !== undefined && events.filter !== null) throw notModelled('events.filter');
  const { items } = events;
  if (events.type !== 'EVENT_TYPE' || !isStringArray(items) || items.length === 0)
    throw validationFailed('events', 'events.items: must be a list of event types');
  const unknown = items.filter((type) => !isHookEligible(type));
  if (unknown.length > 0)
    throw validationFailed('events.items', `events.items: not eligible for event hooks: ${unknown.join(', ')}`);
  return items;
}

export function hookFields(body: JsonObject): HookFields {
  onlyKeys(body, ['name', 'description', 'events', 'channel'], '');
  const channel = objectAt(body, 'channel');
  onlyKeys(channel, ['type', 'version', 'config'], 'channel.');
  if (channel.type !== 'HTTP' || channel.version !== '1.0.0')
    throw validationFailed('channel', 'channel: must be HTTP, version 1.0.0');
  const config = objectAt(channel, 'config');
  onlyKeys(config, ['uri', 'headers', 'authScheme', 'method'], 'channel.config.');
  return {
    name: textAt(body, 'name'),
    description: typeof body.description === 'string' ? body.description : null,
    eventTypes: eventTypesIn(body),
    uri: uriIn(config),
    headers: headersIn(config.headers),
    auth: authIn(config.authScheme),
  };
}

/** ACTIVE from the start, and silent until it is verified. */
export function createHook({ org, callerId }: Pick<OktaContext, 'org' | 'callerId'>, fields: HookFields): EventHook {
  if ([...org.hooks].filter(({ status }) => status === 'ACTIVE').length >= MOST_ACTIVE)
    throw validationFailed('eventHook', `There are ${String(MOST_ACTIVE)} active event hooks already.`);
  const now = org.now;
  return org.hooks.put({
    ...fields,
    id: org.newId('who'),
    status: 'ACTIVE',
    verificationStatus: 'UNVERIFIED',
    created: now,
    createdBy: callerId,
    lastUpdated: now,
  });
}

/** Throws what the API answers where the challenge does not come back. */
export async function verifyHook(
  { org, hooks }: Pick<OktaContext, 'org' | 'hooks'>,
  hook: EventHook,
): Promise<EventHook> {
  const why = await hooks.verify(hook);
  if (why !== null) throw validationFailed('eventHook', `The event hook could not be verified: ${why}.`);
  return org.hooks.put({ ...hook, verificationStatus: 'VERIFIED', lastUpdated: org.now });
}

function hookOf({ org, params: [id = ''] }: OktaContext): EventHook {
  const hook = org.hooks.get(id);
  if (!hook) throw notFound(id, 'EventHook');
  return hook;
}

const answer = ({ origin }: OktaContext, hook: EventHook): Reply => json(200, hookRow(origin, hook));

const listHooks: OktaOperation = {
  method: 'GET',
  path: '/eventHooks',
  ...read,
  run: ({ org, origin }) =>
    json(
      200,
      [...org.hooks].map((hook) => hookRow(origin, hook)),
    ),
};

const create: OktaOperation = {
  method: 'POST',
  path: '/eventHooks',
  ...manage,
  run: (context) => answer(context, createHook(context, hookFields(bodyOf(context.call)))),
};

const getHook: OktaOperation = {
  method: 'GET',
  path: '/eventHooks/*',
  ...read,
  run: (context) => answer(context, hookOf(context)),
};

/** Another URL has to be verified anew (okta.md §1.1). */
const replaceHook: OktaOperation = {
  method: 'PUT',
  path: '/eventHooks/*',
  ...manage,
  run(context) {
    const hook = hookOf(context);
    const fields = hookFields(bodyOf(context.call));
    const verificationStatus = fields.uri === hook.uri ? hook.verificationStatus : 'UNVERIFIED';
    const put = context.org.hooks.put({ ...hook, ...fields, verificationStatus, lastUpdated: context.org.now });
    return answer(context, put);
  },
};

const deleteHook: OktaOperation = {
  method: 'DELETE',
  path: '/eventHooks/*',
  ...manage,
  run(context) {
    const hook = hookOf(context);
    if (hook.status === 'ACTIVE') throw accessDenied();
    context.org.hooks.remove(hook.id);
    return empty(204);
  },
};

const verify: OktaOperation = {
  method: 'POST',
  path: '/eventHooks/*/lifecycle/verify',
  ...manage,
  run: async (context) => answer(context, await verifyHook(context, hookOf(context))),
};

const setStatus = (verb: 'activate' | 'deactivate'): OktaOperation => ({
  method: 'POST',
  path: `/eventHooks/*/lifecycle/${verb}`,
  ...manage,
  run(context) {
    const status = verb === 'activate' ? 'ACTIVE' : 'INACTIVE';
    return answer(context, context.org.hooks.put({ ...hookOf(context), status, lastUpdated: context.org.now }));
  },
});

export const eventHookOperations: readonly OktaOperation[] = [
  listHooks,
  create,
  getHook,
  replaceHook,
  deleteHook,
  verify,
  setStatus('activate'),
  setStatus('deactivate'),
];
