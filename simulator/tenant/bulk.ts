import { isObject } from '../http/json.ts';
import type { World } from '../world.ts';
import { newUser } from './defaults.ts';
import { mergeTenant } from './merge.ts';
import type { User } from './model.ts';
import { groupNamed } from './outside.ts';

const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;

const kinds = {
  security: { groupTypes: [], mailEnabled: false, securityEnabled: true },
  microsoft365: { groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false },
  mailEnabledSecurity: { groupTypes: [], mailEnabled: true, securityEnabled: true },
  distributionList: { groupTypes: [], mailEnabled: true, securityEnabled: false },
} as const;
type Kind = keyof typeof kinds;

const OWNER = 'amara.osei@contoso.com';
export const numbered = (count: number, digits: number): string[] =>
  Array.from({ length: count }, (_, index) => String(index + 1).padStart(digits, '0'));

/** person000001@contoso.com and so on, each with a mailbox. */
export const addressOf = (number: string): string => `person${number}@contoso.com`;
export const USER_DIGITS = 6;
const GROUP_DIGITS = 4;

function person(world: World, number: string): User {
  const userPrincipalName = addressOf(number);
  return newUser({
    id: world.random.guid(`user:${userPrincipalName}`),
    userPrincipalName,
    displayName: `Person ${number}`,
    mail: userPrincipalName,
    createdDateTime: new Date(world.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
  });
}

function faultsIn(world: World, body: unknown): string[] {
  if (!isObject(body)) return ['the body is not an object'];
  const { users = 0, groups = 0, kind = 'security', members = {}, ...more } = body;
  const faults = Object.keys(more).map((key) => `${key} is not known`);
  if (!isCount(users)) faults.push('users is not a count');
  if (!isCount(groups)) faults.push('groups is not a count');
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind))
    faults.push(`kind is none of ${Object.keys(kinds).join(', ')}`);
  if (!isObject(members)) return [...faults, 'members is not an object'];
  for (const [ref, count] of Object.entries(members)) {
    if (!isCount(count) || count > Number(users)) faults.push(`members.${ref} is not a count up to that of users`);
    if (!groupNamed(world, ref)) faults.push(`${ref} is no group`);
  }
  return faults;
}

/**
 * Many at once: `users` and `groups` (of one `kind`) by number, and `members`, how many of those users, from the first
 * on, each named group gets. What is there already stays. Says what is wrong, or does it all.
 */
export function seedMany(world: World, body: unknown): string[] {
  const faults = faultsIn(world, body);
  if (faults.length > 0) return faults;
  const { users, groups, kind, members } = body as {
    users?: number;
    groups?: number;
    kind?: Kind;
    members?: Record<string, number>;
  };
  const { tenant, clock } = world;
  const people = numbered(users ?? 0, USER_DIGITS).map((number) => person(world, number));
  const view = tenant.view('entra');
  const added = people.filter(({ id }) => view.get(id) === undefined).map((put) => ({ put }));
  const merged = mergeTenant(world, {
    groups: numbered(groups ?? 0, GROUP_DIGITS).map((number) => ({
      displayName: `Numbered Group ${number}`,
      owners: [OWNER],
      ...kinds[kind ?? 'security'],
    })),
  });
  if (merged.length > 0) return merged;
  tenant.directory.commit('entra', added, clock.now(), 0);
  const ids = people.map(({ id }) => id);
  for (const [ref, count] of Object.entries(members ?? {})) {
    const group = groupNamed(world, ref);
    if (!group) continue;
    const put = { ...group, members: group.members.with(ids.slice(0, count)) };
    tenant.directory.commit('exchange', [{ put }], clock.now(), 0);
  }
  return [];
}
