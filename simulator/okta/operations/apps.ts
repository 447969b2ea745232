import { isObject, type JsonObject } from '../../http/json.ts';
import { json } from '../../http/message.ts';
import { notFound, notModelled, validationFailed } from '../errors.ts';
import type { Capabilities, OktaApp } from '../model.ts';
import { appOf, bodyOf, onlyKeys, type OktaContext, type OktaOperation } from '../operation.ts';
import { parseFilter } from '../filter.ts';
import { page, where } from '../paging.ts';
import { appRow, appUserRow, featureRow } from '../render.ts';

const read = { scopes: ['okta.apps.read'], capability: 'apps.read' } as const;
const manage = { scopes: ['okta.apps.manage'], capability: 'apps.manage' } as const;
const FEATURE = 'USER_PROVISIONING';

/** facts.oktaAppFilter */
const unmodelledFilters = ['status', 'user.id', 'group.id', 'credentials.signing.kid'];

/** Whose apps `filter=user.id eq "…"` asks for; any other filter is by a property of the app. */
const userIdIn = (filter: string): string | undefined => /^\s*user\.id eq "([^"]+)"\s*$/.exec(filter)?.[1];

function testOf({ call, org }: OktaContext): (app: OktaApp) => boolean {
  const filter = call.url.searchParams.get('filter');
  if (filter === null) return () => true;
  const userId = userIdIn(filter);
  if (userId !== undefined) return (app) => org.appUsers(app.id).get(userId) !== undefined;
  const allows = (property: string, operator: string): boolean => {
    if (unmodelledFilters.includes(property)) throw notModelled(`a filter of apps by ${property}`);
    return property === 'name' && operator === 'eq';
  };
  return parseFilter(filter, { allows, ignoresCase: false });
}

/** `expand=user/{id}` goes with the filter on the same user and brings the app user along. */
function rowIn({ call, org, origin }: OktaContext): (app: OktaApp) => JsonObject {
  const { searchParams } = call.url;
  const expand = searchParams.get('expand');
  const userId = userIdIn(searchParams.get('filter') ?? '');
  if (expand !== null && (userId === undefined || expand !== `user/${userId}`))
    throw validationFailed('expand', 'expand: must be user/{userId} with a filter on the same user.id');
  return (app) => {
    const appUser = expand === null ? undefined : org.appUsers(app.id).get(userId ?? '');
    const embedded = appUser ? { _embedded: { user: appUserRow(origin, org, app, appUser) } } : {};
    return { ...appRow(origin, app), ...embedded };
  };
}

const listApps: OktaOperation = {
  method: 'GET',
  path: '/apps',
  ...read,
  query: ['limit', 'after', 'filter', 'expand'],
  run(context) {
    const { call, org } = context;
    const test = testOf(context);
    return page(
      call,
      { byDefault: 20, most: 200 },
      (position) => where(org.apps.after(position), test),
      rowIn(context),
    );
  },
};

const getApp: OktaOperation = {
  method: 'GET',
  path: '/apps/*',
  ...read,
  run: (context) => json(200, appRow(context.origin, appOf(context, context.params[0]))),
};

const listAppGroups: OktaOperation = {
  method: 'GET',
  path: '/apps/*/groups',
  ...read,
  run(context) {
    const app = appOf(context, context.params[0]);
    return json(
      200,
      app.assignedGroupIds.map((id, priority) => ({
        id,
        lastUpdated: app.lastUpdated,
        priority,
        profile: {},
        _links: {
          app: { href: `${context.origin}/api/v1/apps/${app.id}` },
          group: { href: `${context.origin}/api/v1/groups/${id}` },
        },
      })),
    );
  },
};

type Provisioned = OktaApp & { readonly capabilities: Capabilities };

/** An app without provisioning has no features to show. */
function provisioned(context: OktaContext): Provisioned {
  const app = appOf(context, context.params[0]);
  if (!app.capabilities) throw validationFailed('feature', 'Provisioning is not enabled for the app instance.');
  return { ...app, capabilities: app.capabilities };
}

const listFeatures: OktaOperation = {
  method: 'GET',
  path: '/apps/*/features',
  ...read,
  run: (context) => json(200, [featureRow(context.origin, provisioned(context))]),
};

function checkFeature([, name = '']: readonly string[]): void {
  if (name === 'INBOUND_PROVISIONING') throw notModelled('the feature INBOUND_PROVISIONING');
  if (name !== FEATURE) throw notFound(name, 'ApplicationFeature');
}

const getFeature: OktaOperation = {
  method: 'GET',
  path: '/apps/*/features/*',
  ...read,
  run(context) {
    checkFeature(context.params);
    return json(200, featureRow(context.origin, provisioned(context)));
  },
};

/** What is given replaces; of a setting that exists, with a value of its kind. */
function merged(present: JsonObject, given: JsonObject, at: string): JsonObject {
  onlyKeys(given, Object.keys(present), at);
  return Object.fromEntries(
    Object.entries(present).map(([key, value]) => {
      const wanted = given[key];
      if (wanted === undefined) return [key, value];
      if (isObject(value) && isObject(wanted)) return [key, merged(value, wanted, `${at}${key}.`)];
      if (key === 'status' && wanted !== 'ENABLED' && wanted !== 'DISABLED')
        throw validationFailed(`${at}${key}`, `${at}${key}: must be ENABLED or DISABLED`);
      if (typeof wanted !== typeof value) throw validationFailed(`${at}${key}`, `${at}${key}: has a wrong value`);
      return [key, wanted];
    }),
  );
}

const updateFeature: OktaOperation = {
  method: 'PUT',
  path: '/apps/*/features/*',
  ...manage,
  run(context) {
    checkFeature(context.params);
    const { capabilities, ...app } = provisioned(context);
    const changed = merged({ ...capabilities }, bodyOf(context.call), '') as unknown as Capabilities;
    const put = context.org.apps.put({ ...app, capabilities: changed, lastUpdated: context.org.now });
    return json(200, featureRow(context.origin, put));
  },
};

export const appOperations: readonly OktaOperation[] = [
  listApps,
  getApp,
  listAppGroups,
  listFeatures,
  getFeature,
  updateFeature,
];
