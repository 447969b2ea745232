import { isObject, type JsonObject } from '../../http/json.ts';
import { json } from '../../http/message.ts';
import { notFound, notModelled, validationFailed } from '../errors.ts';
import type { Capabilities, OktaApp } from '../model.ts';
import { appOf, bodyOf, onlyKeys, type OktaContext, type OktaOperation } from '../operation.ts';
import { page } from '../paging.ts';
import { appRow, featureRow } from '../render.ts';

const read = { scopes: ['okta.apps.read'], capability: 'apps.read' } as const;
const manage = { scopes: ['okta.apps.manage'], capability: 'apps.manage' } as const;
const FEATURE = 'USER_PROVISIONING';

const listApps: OktaOperation = {
  method: 'GET',
  path: '/apps',
  ...read,
  query: ['limit', 'after'],
  run: ({ call, org, origin }) =>
    page(
      call,
      { byDefault: 20, most: 200 },
      (position) => org.apps.after(position),
      (app) => appRow(origin, app),
    ),
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
