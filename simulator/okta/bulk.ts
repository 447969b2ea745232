import { isObject } from '../http/json.ts';
import { addressOf, numbered, seedMany, USER_DIGITS } from '../tenant/bulk.ts';
import { MemberList } from '../tenant/memberList.ts';
import type { World } from '../world.ts';
import { namedId } from './ids.ts';
import { newAppUser, newOktaUser } from './seed.ts';

const GROUP_DIGITS = 4;
const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;

function faultsIn(world: World, body: unknown): string[] {
  if (!isObject(body)) return ['the body is not an object'];
  const { users = 0, groups = 0, members = {}, ...more } = body;
  const faults = Object.keys(more).map((key) => `${key} is not known`);
  if (!isCount(users)) faults.push('users is not a count');
  if (!isCount(groups)) faults.push('groups is not a count');
  if (!isObject(members)) return [...faults, 'members is not an object'];
  for (const [ref, count] of Object.entries(members)) {
    if (!isCount(count) || count > Number(users)) faults.push(`members.${ref} is not a count up to that of users`);
    if (!world.okta.org.groupNamed(ref) && !/^Okta Group \d+$/.test(ref)) faults.push(`${ref} is no group of the org`);
  }
  return faults;
}

/**
 * Many at once, silently: `users` by number, in Microsoft 365 and in Okta with an app user that links the two; `groups`,
 * `Okta Group 0001` and so on; and `members`, how many of those users each named group gets.
 */
export function seedOkta(world: World, body: unknown): string[] {
  const faults = faultsIn(world, body);
  if (faults.length > 0) return faults;
  const {
    users = 0,
    groups = 0,
    members = {},
  } = body as {
    users?: number;
    groups?: number;
    members?: Record<string, number>;
  };
  const { org } = world.okta;
  const office = [...org.apps].find(({ name }) => name === 'office365');
  const inTenant = seedMany(world, { users });
  if (inTenant.length > 0 || !office) return inTenant;
  const view = world.tenant.view('entra');
  const ids = numbered(users, USER_DIGITS).map((number) => {
    const login = addressOf(number);
    const made = newOktaUser(world.random, login, { firstName: 'Person', lastName: number });
    if (!org.users.get(made.id)) org.putUser(made);
    const account = view.get(world.random.guid(`user:${login}`));
    if (account?.type === 'user' && !org.appUsers(office.id).get(made.id))
      org.appUsers(office.id).put(newAppUser(made.id, account, account.id));
    return made.id;
  });
  const now = org.now;
  for (const number of numbered(groups, GROUP_DIGITS)) {
    const name = `Okta Group ${number}`;
    if (org.groupNamed(name)) continue;
    org.groups.put({
      id: namedId(world.random, '00g', `OKTA_GROUP:${name}`),
      type: 'OKTA_GROUP',
      created: now,
      lastUpdated: now,
      lastMembershipUpdated: now,
      profile: { name, description: null },
      sourceAppId: null,
      members: MemberList.empty,
    });
  }
  for (const [ref, count] of Object.entries(members)) {
    const group = org.groupNamed(ref);
    if (!group) return [`${ref} is no group of the org`];
    org.groups.put({ ...group, members: group.members.with(ids.slice(0, count)), lastMembershipUpdated: now });
  }
  return [];
}
