import { json } from '../../http/message.ts';
import { parseFilter } from '../filter.ts';
import type { OktaUser } from '../model.ts';
import { userOf, type OktaContext, type OktaOperation } from '../operation.ts';
import { page, where } from '../paging.ts';
import { groupRow, userRow } from '../render.ts';

const read = { scopes: ['okta.users.read'], capability: 'users.read' } as const;

const filterable = ['status', 'id', 'profile.login', 'profile.email', 'profile.firstName', 'profile.lastName'];
/** Only `lastUpdated` may be compared by size. */
const mayFilter = (property: string, operator: string): boolean =>
  property === 'lastUpdated'
    ? operator !== 'sw' && operator !== 'pr'
    : operator === 'eq' && filterable.includes(property);
const searchable = ['status', 'id', 'created', 'activated', 'statusChanged', 'lastUpdated'];
const maySearch = (property: string): boolean => searchable.includes(property) || property.startsWith('profile.');

/** Who is deprovisioned is found by a filter or a search only. */
function testOf({ call }: OktaContext): (user: OktaUser) => boolean {
  const { searchParams } = call.url;
  const [search, filter, q] = ['search', 'filter', 'q'].map((name) => searchParams.get(name));
  const tests: ((user: OktaUser) => boolean)[] = [];
  if (search) tests.push(parseFilter(search, { allows: maySearch, ignoresCase: true }));
  if (filter) tests.push(parseFilter(filter, { allows: mayFilter, ignoresCase: false }));
  if (!search && !filter) tests.push(({ status }) => status !== 'DEPROVISIONED');
  if (q)
    tests.push(({ profile }) =>
      [profile.firstName, profile.lastName, profile.email].some(
        (name) => typeof name === 'string' && name.toLowerCase().startsWith(q.toLowerCase()),
      ),
    );
  return (user) => tests.every((test) => test(user));
}

const listUsers: OktaOperation = {
  method: 'GET',
  path: '/users',
  ...read,
  query: ['search', 'filter', 'q', 'after', 'limit'],
  run(context) {
    const { call, org, origin } = context;
    const test = testOf(context);
    const byDefault = call.url.searchParams.has('q') ? 10 : 200;
    return page(
      call,
      { byDefault, most: 200 },
      (position) => where(org.users.after(position), test),
      (user) => userRow(origin, user),
    );
  },
};

const getUser: OktaOperation = {
  method: 'GET',
  path: '/users/*',
  ...read,
  run: (context) => json(200, userRow(context.origin, userOf(context, context.params[0]))),
};

const listUserGroups: OktaOperation = {
  method: 'GET',
  path: '/users/*/groups',
  ...read,
  run(context) {
    const { org, origin, params } = context;
    const groups = org.groupsOf(userOf(context, params[0]).id);
    return json(
      200,
      groups.map((group) => groupRow(origin, group)),
    );
  },
};

export const userOperations: readonly OktaOperation[] = [listUsers, getUser, listUserGroups];
