import type { Call } from '../call.ts';
import { objectOf, textOf } from './answers.ts';
import type { Okta, OktaObject } from './client.ts';
import { oktaUserOf, type OktaUser } from './users.ts';
import { required } from './required.ts';

export interface OktaGroup {
  readonly id: string;
  /** `OKTA_GROUP`, `APP_GROUP` (of an app or a directory) or `BUILT_IN`; Okta may know more. */
  readonly type: string;
  readonly name: string;
  readonly description: string | null;
  /** ISO 8601. */
  readonly lastUpdated: string | null;
  /** ISO 8601; moves with every change of members, which makes it a cheap probe (okta.md §4). */
  readonly lastMembershipUpdated: string | null;
  /** Custom attributes too. */
  readonly profile: OktaObject;
}

/** Methods throw as those of Okta do. */
export interface OktaGroups {
  /** null: Okta says that there is no such group. */
  get(id: string, call: Call): Promise<OktaGroup | null>;
  /**
   * Its members with their states, a page at a time.
   * @throws OktaFault `notFound` where there is no such group: never an empty list
   */
  memberPages(id: string, call: Call): AsyncGenerator<readonly OktaUser[], void, undefined>;
}

/** What Okta recommends (okta.md §4). */
const membersPerPage = '200';

export function createOktaGroups(okta: Okta): OktaGroups {
  const scope = 'okta.groups.read';
  return {
    get: async (id, call) => {
      const group = await okta.find({ path: ['groups', id], scope, label: 'GET /groups/{id}' }, call);
      return group === null ? null : oktaGroupOf(group);
    },

    memberPages: async function* (id, call) {
      const label = 'GET /groups/{id}/users';
      const request = { path: ['groups', id, 'users'], query: { limit: membersPerPage }, scope, label } as const;
      for await (const page of okta.pages(request, call)) yield page.map(oktaUserOf);
    },
  };
}

function oktaGroupOf(group: OktaObject): OktaGroup {
  const profile = objectOf(group, 'profile');
  return {
    id: required(group, 'id', 'a group'),
    type: required(group, 'type', 'a group'),
    name: required(profile, 'name', 'a group'),
    description: textOf(profile, 'description'),
    lastUpdated: textOf(group, 'lastUpdated'),
    lastMembershipUpdated: textOf(group, 'lastMembershipUpdated'),
    profile,
  };
}
