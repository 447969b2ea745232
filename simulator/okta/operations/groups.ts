import { empty, json } from '../../http/message.ts';
import { createGroup as create, deleteGroup as remove, setGroupProfile, setMember } from '../changes.ts';
import { accessDenied, notModelled, validationFailed, wrongUserStatus } from '../errors.ts';
import { parseFilter } from '../filter.ts';
import { isObject } from '../../http/json.ts';
import type { OktaGroup } from '../model.ts';
import { bodyOf, groupOf, onlyKeys, textAt, userOf, type OktaContext, type OktaOperation } from '../operation.ts';
import { page, where } from '../paging.ts';
import { groupRow, groupStats, userRow } from '../render.ts';
import { MemberList } from '../../tenant/memberList.ts';

const read = { scopes: ['okta.groups.read'], capability: 'groups.read' } as const;
const manage = { scopes: ['okta.groups.manage'], capability: 'groups.manage' } as const;
const manageMembers = { scopes: ['okta.groups.manage'], capability: 'groupMembers.manage' } as const;

const filterable = ['id', 'type', 'lastUpdated', 'lastMembershipUpdated'];
const searchable = (property: string): boolean =>
  [...filterable, 'created'].includes(property) || property.startsWith('profile.');

/** `q` finds names that begin so, and takes no paging. */
function testOf({ call }: OktaContext): (group: OktaGroup) => boolean {
  const { searchParams } = call.url;
  const [search, filter, q] = ['search', 'filter', 'q'].map((name) => searchParams.get(name));
  const tests: ((group: OktaGroup) => boolean)[] = [];
  if (search) tests.push(parseFilter(search, { allows: searchable, ignoresCase: true }));
  if (filter) tests.push(parseFilter(filter, { allows: (name) => filterable.includes(name), ignoresCase: false }));
  if (q) tests.push(({ profile }) => profile.name.toLowerCase().startsWith(q.toLowerCase()));
  return (group) => tests.every((test) => test(group));
}

const listGroups: OktaOperation = {
  method: 'GET',
  path: '/groups',
  ...read,
  query: ['search', 'filter', 'q', 'after', 'limit', 'expand'],
  run(context) {
    const { call, org, origin } = context;
    const expand = call.url.searchParams.get('expand');
    if (expand !== null && expand !== 'stats') throw notModelled(`expand=${expand}`);
    const test = testOf(context);
    const byDefault = call.url.searchParams.has('q') ? 300 : 10_000;
    return page(
      call,
      { byDefault, most: 10_000 },
      (position) => where(org.groups.after(position), test),
      (group) => ({
        ...groupRow(origin, group),
        ...(expand === null ? {} : { _embedded: { stats: groupStats(org, group) } }),
      }),
    );
  },
};

const getGroup: OktaOperation = {
  method: 'GET',
  path: '/groups/*',
  ...read,
  run: (context) => json(200, groupRow(context.origin, groupOf(context, context.params[0]))),
};

function profileIn({ call }: OktaContext): OktaGroup['profile'] {
  const body = bodyOf(call);
  onlyKeys(body, ['profile'], '');
  const { profile } = body;
  if (!isObject(profile)) throw validationFailed('profile', 'profile: The field cannot be left blank');
  const description = typeof profile.description === 'string' ? profile.description : null;
  return { ...profile, name: textAt(profile, 'name'), description };
}

/** An app's groups and the built-in ones are not edited here: facts.oktaForeignGroups. */
function editable(context: OktaContext): OktaGroup {
  const group = groupOf(context, context.params[0]);
  if (group.type !== 'OKTA_GROUP') throw accessDenied();
  return group;
}

function withFreeName({ org }: OktaContext, name: string, id: string | null): void {
  if ([...org.groups].some((group) => group.id !== id && group.type === 'OKTA_GROUP' && group.profile.name === name))
    throw validationFailed('name', 'name: An object with this field already exists in the current organization');
}

const createGroup: OktaOperation = {
  method: 'POST',
  path: '/groups',
  ...manage,
  run(context) {
    const { org, origin } = context;
    const profile = profileIn(context);
    withFreeName(context, profile.name, null);
    const now = org.now;
    const group = create(org, {
      id: org.newId('00g'),
      type: 'OKTA_GROUP',
      created: now,
      lastUpdated: now,
      lastMembershipUpdated: now,
      profile,
      sourceAppId: null,
      members: MemberList.empty,
    });
    return json(200, groupRow(origin, group));
  },
};

/** The whole profile is replaced (okta.md §4). */
const replaceGroup: OktaOperation = {
  method: 'PUT',
  path: '/groups/*',
  ...manage,
  run(context) {
    const group = editable(context);
    const profile = profileIn(context);
    withFreeName(context, profile.name, group.id);
    return json(200, groupRow(context.origin, setGroupProfile(context.org, group, profile)));
  },
};

const deleteGroup: OktaOperation = {
  method: 'DELETE',
  path: '/groups/*',
  ...manage,
  run(context) {
    remove(context.org, editable(context));
    return empty(204);
  },
};

const listMembers: OktaOperation = {
  method: 'GET',
  path: '/groups/*/users',
  ...read,
  query: ['limit', 'after'],
  run(context) {
    const { org, call, origin, params } = context;
    const { members } = groupOf(context, params[0]);
    function* users(position: number) {
      for (const entry of members.after(position)) {
        const object = org.users.get(entry.id);
        if (object) yield { position: entry.position, object };
      }
    }
    return page(call, { byDefault: 1_000, most: 1_000 }, users, (user) => userRow(origin, user));
  },
};

const member = (method: 'PUT' | 'DELETE'): OktaOperation => ({
  method,
  path: '/groups/*/users/*',
  ...manageMembers,
  run(context) {
    const group = editable(context);
    const user = userOf(context, context.params[1]);
    if (method === 'PUT' && user.status === 'DEPROVISIONED') throw wrongUserStatus();
    setMember(context.org, group, user, method === 'PUT', 'WEB');
    return empty(204);
  },
});

export const groupOperations: readonly OktaOperation[] = [
  listGroups,
  getGroup,
  createGroup,
  replaceGroup,
  deleteGroup,
  listMembers,
  member('PUT'),
  member('DELETE'),
];
