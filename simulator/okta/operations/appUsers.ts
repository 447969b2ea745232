import { isObject, type JsonObject } from '../../http/json.ts';
import { empty, json, type Reply } from '../../http/message.ts';
import { assign, unassign, updateAppUser } from '../changes.ts';
import { accessDenied, notFound, notModelled, validationFailed, wrongUserStatus } from '../errors.ts';
import type { AppUser, OktaApp, OktaUser } from '../model.ts';
import { appOf, bodyOf, onlyKeys, textAt, userOf, type OktaContext, type OktaOperation } from '../operation.ts';
import { page, where } from '../paging.ts';
import { appUserRow, userRow } from '../render.ts';

const read = { scopes: ['okta.apps.read'], capability: 'apps.read' } as const;
const manage = { scopes: ['okta.apps.manage'], capability: 'apps.manage' } as const;

/** With `expand=user` the user comes along. */
function rowIn({ call, org, origin }: OktaContext, app: OktaApp): (appUser: AppUser) => JsonObject {
  const expand = call.url.searchParams.get('expand');
  if (expand !== null && expand !== 'user') throw notModelled(`expand=${expand}`);
  return (appUser) => {
    const user = org.users.get(appUser.id);
    const embedded = expand === null || !user ? {} : { _embedded: { user: userRow(origin, user) } };
    return { ...appUserRow(origin, org, app, appUser), ...embedded };
  };
}

const matches = (appUser: AppUser, q: string): boolean =>
  [appUser.userName, appUser.profile.firstName, appUser.profile.lastName, appUser.profile.email].some(
    (name) => typeof name === 'string' && name.toLowerCase().startsWith(q.toLowerCase()),
  );

const listAppUsers: OktaOperation = {
  method: 'GET',
  path: '/apps/*/users',
  ...read,
  query: ['limit', 'after', 'q', 'expand'],
  run(context) {
    const { call, org, params } = context;
    const app = appOf(context, params[0]);
    const q = call.url.searchParams.get('q');
    return page(
      call,
      { byDefault: 50, most: 500 },
      (position) => where(org.appUsers(app.id).after(position), (each) => q === null || matches(each, q)),
      rowIn(context, app),
    );
  },
};

interface Assignment {
  app: OktaApp;
  user: OktaUser;
  appUser: AppUser;
}

function assignmentOf(context: OktaContext): Assignment {
  const [appId, userRef = ''] = context.params;
  const app = appOf(context, appId);
  const user = context.org.users.get(userRef);
  const appUser = user && context.org.appUsers(app.id).get(user.id);
  if (!user || !appUser) throw notFound(userRef, 'AppUser');
  return { app, user, appUser };
}

const getAppUser: OktaOperation = {
  method: 'GET',
  path: '/apps/*/users/*',
  ...read,
  query: ['expand'],
  run(context) {
    const { app, appUser } = assignmentOf(context);
    return json(200, rowIn(context, app)(appUser));
  },
};

function given(body: JsonObject): { userName: string | null; profile: JsonObject } {
  const { credentials = {}, profile = {} } = body;
  if (!isObject(credentials)) throw validationFailed('credentials', 'credentials: has a wrong value');
  if (!isObject(profile)) throw validationFailed('profile', 'profile: has a wrong value');
  onlyKeys(credentials, ['userName'], 'credentials.');
  return { userName: typeof credentials.userName === 'string' ? credentials.userName : null, profile };
}

const answer = (context: OktaContext, app: OktaApp, appUser: AppUser): Reply =>
  json(200, appUserRow(context.origin, context.org, app, appUser));

/** Who is assigned already by a group gets an assignment of their own. */
const assignUser: OktaOperation = {
  method: 'POST',
  path: '/apps/*/users',
  ...manage,
  run(context) {
    const { org, call, params } = context;
    const app = appOf(context, params[0]);
    const body = bodyOf(call);
    onlyKeys(body, ['id', 'scope', 'credentials', 'profile'], '');
    if (body.scope !== undefined && body.scope !== 'USER') throw notModelled(`the scope ${JSON.stringify(body.scope)}`);
    const user = userOf(context, textAt(body, 'id'));
    if (user.status === 'DEPROVISIONED') throw wrongUserStatus();
    const { userName, profile } = given(body);
    const present = org.appUsers(app.id).get(user.id);
    if (present) {
      const own: AppUser = { ...present, scope: 'USER', groupId: null, profile: { ...present.profile, ...profile } };
      return answer(context, app, updateAppUser(org, app, user, own));
    }
    const { email, firstName, lastName } = user.profile;
    const made = assign(org, app, user, {
      scope: 'USER',
      groupId: null,
      userName: userName ?? user.profile.login,
      profile: { email, firstName, lastName, ...profile },
    });
    return answer(context, app, made);
  },
};

const updateUser: OktaOperation = {
  method: 'POST',
  path: '/apps/*/users/*',
  ...manage,
  run(context) {
    const { app, user, appUser } = assignmentOf(context);
    const body = bodyOf(context.call);
    onlyKeys(body, ['credentials', 'profile'], '');
    const { userName, profile } = given(body);
    const changed = { ...appUser, userName: userName ?? appUser.userName, profile: { ...appUser.profile, ...profile } };
    return answer(context, app, updateAppUser(context.org, app, user, changed));
  },
};

/** Who is assigned by a group stays assigned: facts.oktaGroupAssignment. */
const unassignUser: OktaOperation = {
  method: 'DELETE',
  path: '/apps/*/users/*',
  ...manage,
  query: ['sendEmail'],
  run(context) {
    const { app, user, appUser } = assignmentOf(context);
    if (appUser.scope === 'GROUP') throw accessDenied();
    unassign(context.org, app, user);
    return empty(204);
  },
};

export const appUserOperations: readonly OktaOperation[] = [
  listAppUsers,
  getAppUser,
  assignUser,
  updateUser,
  unassignUser,
];
