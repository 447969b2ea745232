import type { Call } from '../call.ts';
import { objectOf, textOf } from './answers.ts';
import type { Okta, OktaObject } from './client.ts';
import { required } from './required.ts';

export interface OktaApp {
  readonly id: string;
  /** Of the kind of app: `office365` for Office 365. */
  readonly name: string;
  readonly label: string | null;
  readonly status: string;
  /** Of an Office 365 app (okta.md §4). */
  readonly msftTenant: string | null;
  readonly domain: string | null;
}

export interface OktaAppUser {
  /** Of the user in Okta. */
  readonly id: string;
  /** Of the account in the app: in an Office 365 app the Entra object id (okta.md §4, inferred). null for SSO alone. */
  readonly externalId: string | null;
  readonly status: string;
  /** `DISABLED`, `ERROR`, `OUT_OF_SYNC`, `SYNCHRONIZED`, `SYNCING`. */
  readonly syncState: string | null;
  /** ISO 8601. */
  readonly lastSync: string | null;
  /** `USER`, or `GROUP` where a group assigns. */
  readonly scope: string | null;
  /** Name, or else id, of the group that assigns. */
  readonly group: string | null;
  readonly userName: string | null;
  readonly profile: OktaObject;
}

/** Methods throw as those of Okta do; a list of an app that is not there is OktaFault `notFound`. */
export interface OktaApps {
  get(appId: string, call: Call): Promise<OktaApp | null>;
  /** Those that the user is assigned to. @param userId an id of Okta */
  ofUser(userId: string, call: Call): Promise<OktaApp[]>;
  /** null: the user is not assigned, or the user or the app is not there. */
  appUser(appId: string, userId: string, call: Call): Promise<OktaAppUser | null>;
  appUserPages(appId: string, call: Call): AsyncGenerator<readonly OktaAppUser[], void, undefined>;
  /** Of the groups whose members it is assigned to. */
  groupIds(appId: string, call: Call): Promise<readonly string[]>;
}

/** The most that Okta gives (okta.md §4). */
const appUsersPerPage = '500';
const appsPerPage = '200';

export function createOktaApps(okta: Okta): OktaApps {
  const scope = 'okta.apps.read';
  return {
    get: async (appId, call) => {
      const app = await okta.find({ path: ['apps', appId], scope, label: 'GET /apps/{id}' }, call);
      return app === null ? null : oktaAppOf(app);
    },

    ofUser: async (userId, call) => {
      const query = { filter: `user.id eq "${userId}"`, limit: appsPerPage };
      const apps: OktaApp[] = [];
      for await (const page of okta.pages({ path: ['apps'], query, scope, label: 'GET /apps?filter' }, call)) {
        apps.push(...page.map(oktaAppOf));
      }
      return apps;
    },

    appUser: async (appId, userId, call) => {
      const path = ['apps', appId, 'users', userId];
      const appUser = await okta.find({ path, scope, label: 'GET /apps/{id}/users/{user}' }, call);
      return appUser === null ? null : oktaAppUserOf(appUser);
    },

    appUserPages: async function* (appId, call) {
      const label = 'GET /apps/{id}/users';
      const request = { path: ['apps', appId, 'users'], query: { limit: appUsersPerPage }, scope, label } as const;
      for await (const page of okta.pages(request, call)) yield page.map(oktaAppUserOf);
    },

    groupIds: async (appId, call) => {
      const ids: string[] = [];
      const request = { path: ['apps', appId, 'groups'], scope, label: 'GET /apps/{id}/groups' } as const;
      for await (const page of okta.pages(request, call)) {
        ids.push(...page.map((group) => required(group, 'id', 'a group')));
      }
      return ids;
    },
  };
}

function oktaAppOf(app: OktaObject): OktaApp {
  const settings = objectOf(objectOf(app, 'settings'), 'app');
  return {
    id: required(app, 'id', 'an app'),
    name: required(app, 'name', 'an app'),
    label: textOf(app, 'label'),
    status: required(app, 'status', 'an app'),
    msftTenant: textOf(settings, 'msftTenant'),
    domain: textOf(settings, 'domain'),
  };
}

function oktaAppUserOf(appUser: OktaObject): OktaAppUser {
  return {
    id: required(appUser, 'id', 'an app user'),
    externalId: textOf(appUser, 'externalId'),
    status: required(appUser, 'status', 'an app user'),
    syncState: textOf(appUser, 'syncState'),
    lastSync: textOf(appUser, 'lastSync'),
    scope: textOf(appUser, 'scope'),
    group: groupOf(appUser),
    userName: textOf(objectOf(appUser, 'credentials'), 'userName'),
    profile: objectOf(appUser, 'profile'),
  };
}

function groupOf(appUser: OktaObject): string | null {
  const link = objectOf(objectOf(appUser, '_links'), 'group');
  return textOf(link, 'name') ?? textOf(link, 'href')?.split('/').at(-1) ?? null;
}
