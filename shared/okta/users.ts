import type { Call } from '../call.ts';
import { objectOf, textOf } from './answers.ts';
import type { Okta, OktaObject } from './client.ts';
import { required } from './required.ts';

export interface OktaUser {
  readonly id: string;
  /** `STAGED`, `PROVISIONED`, `ACTIVE`, `RECOVERY`, `PASSWORD_EXPIRED`, `LOCKED_OUT`, `SUSPENDED` or `DEPROVISIONED`. */
  readonly status: string;
  readonly login: string;
  readonly email: string | null;
  /** Custom attributes too. */
  readonly profile: OktaObject;
}

/** Methods throw as those of Okta do. */
export interface OktaUsers {
  /** By id or whole login; null: Okta says that there is none, or knows the name for another's short login. */
  find(idOrLogin: string, call: Call): Promise<OktaUser | null>;
  /** Of every group that this user is a member of. @throws OktaFault `notFound` where there is no such user */
  groupIds(userId: string, call: Call): Promise<ReadonlySet<string>>;
}

export function createOktaUsers(okta: Okta): OktaUsers {
  const scope = 'okta.users.read';
  return {
    find: async (idOrLogin, call) => {
      const path = ['users', idOrLogin];
      const found = await okta.find({ path, scope, label: 'GET /users/{user}' }, call);
      const user = found === null ? null : oktaUserOf(found);
      // `me`, and a login without its domain, are names to Okta too.
      const isNamed = user?.id === idOrLogin || user?.login.toLowerCase() === idOrLogin.toLowerCase();
      return isNamed ? user : null;
    },

    groupIds: async (userId, call) => {
      const request = { path: ['users', userId, 'groups'], scope, label: 'GET /users/{user}/groups' } as const;
      const ids = new Set<string>();
      for await (const page of okta.pages(request, call)) {
        for (const group of page) ids.add(required(group, 'id', 'a group'));
      }
      return ids;
    },
  };
}

export function oktaUserOf(user: OktaObject): OktaUser {
  const profile = objectOf(user, 'profile');
  return {
    id: required(user, 'id', 'a user'),
    status: required(user, 'status', 'a user'),
    login: required(profile, 'login', 'a user'),
    email: textOf(profile, 'email'),
    profile,
  };
}
