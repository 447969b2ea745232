import type { Call } from '../call.ts';
import type { Graph, GraphObject } from './client.ts';
import { isGraphFault } from './errors.ts';
import { flagField, listField, textField } from './fields.ts';
import { odataLiteral, segment, withQuery } from './odata.ts';
import { nobodyWhenUnreadable } from './users.ts';

/** A user with what its sign-in hangs on. */
export interface IdentityUser {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string | null;
  readonly immutableId: string | null;
  readonly accountEnabled: boolean;
  /** Mastered in on-premises Active Directory. */
  readonly isSynced: boolean;
  readonly isManagementRestricted: boolean;
  readonly mail: string | null;
  readonly mailNickname: string | null;
  /** As Graph gives them: `SMTP:` before the primary one, `smtp:` before others, and what is no SMTP address at all. */
  readonly proxyAddresses: readonly string[];
}

export interface OtherUser {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string | null;
}

export interface DeletedUser extends OtherUser {
  /** As it was before the deletion, which puts the object id before it. */
  readonly userPrincipalName: string;
  readonly immutableId: string | null;
}

export interface TenantDomain {
  readonly name: string;
  readonly isFederated: boolean;
  readonly isVerified: boolean;
  /** `….onmicrosoft.com`, which can never be federated (graph.md §2.3). */
  readonly isInitial: boolean;
}

export interface RoleAssignment {
  /** Of a built-in role its template id. */
  readonly roleId: string;
  readonly isTenantWide: boolean;
  /** The administrative unit that it is limited to; null: none. */
  readonly unitId: string | null;
}

/** A group that can hold roles, and somebody's part in it. */
export interface RoleAssignableGroup {
  readonly id: string;
  readonly name: string;
  /** Rather than its owner alone. */
  readonly isMember: boolean;
}

/** What a look at deleted users asks for: any of these. */
export interface DeletedUserSearch {
  readonly immutableId: string | null;
  /** Of a user that may have been created in place of a deleted one. */
  readonly namesake: Pick<IdentityUser, 'userPrincipalName' | 'displayName' | 'mail' | 'mailNickname'>;
}

/** Methods throw as those of Graph do. */
export interface GraphIdentityReads {
  /** By object id or user principal name; null when there is none, or when Graph cannot read the text as either. */
  user(idOrUpn: string, call: Call): Promise<IdentityUser | null>;
  /** null only where Graph says that there is none. */
  userById(id: string, call: Call): Promise<IdentityUser | null>;
  /** Users with this immutable ID, whatever the case of its letters. */
  holders(immutableId: string, call: Call): Promise<OtherUser[]>;
  /** Users who sign in by this address, or have it as one of theirs. */
  addressHolders(address: string, call: Call): Promise<OtherUser[]>;
  /** null: Graph refuses to filter deleted users, and there are too many to look at each. */
  deletedUsers(search: DeletedUserSearch, call: Call): Promise<DeletedUser[] | null>;
  domains(call: Call): Promise<TenantDomain[]>;
  /** Given to the principal itself, whatever their scope (graph.md §4). */
  roleAssignments(principalId: string, call: Call): Promise<RoleAssignment[]>;
  /** Ids of roles that the principal could activate; needs a P2 licence. */
  eligibleRoles(principalId: string, call: Call): Promise<string[]>;
  /** The groups that can hold roles, of which the user is a member or an owner. */
  roleAssignableGroups(userId: string, call: Call): Promise<RoleAssignableGroup[]>;
}

const userSelect =
  'id,userPrincipalName,displayName,onPremisesImmutableId,accountEnabled,onPremisesSyncEnabled,isManagementRestricted,mail,mailNickname,proxyAddresses';
const nameSelect = 'id,userPrincipalName,displayName';
const deletedSelect = `${nameSelect},onPremisesImmutableId`;
const deletedUsersPath = '/directory/deletedItems/microsoft.graph.user';
/** As many as Graph gives at once (graph.md §9), and how many pages are looked through. */
const most = 999;
const maxPages = 5;

export function createGraphIdentityReads(graph: Graph): GraphIdentityReads {
  /** All rows, or null where there are more than `pages` pages of them. */
  async function rowsOf(path: string, label: string, call: Call, pages = Infinity): Promise<GraphObject[] | null> {
    const rows: GraphObject[] = [];
    let next: string | null = path;
    for (let read = 0; next !== null; read += 1) {
      if (read >= pages) return null;
      const page: Awaited<ReturnType<Graph['page']>> = await graph.page(next, label, call);
      rows.push(...page.items);
      next = page.nextPath;
    }
    return rows;
  }

  async function all(path: string, label: string, call: Call): Promise<GraphObject[]> {
    return (await rowsOf(path, label, call)) ?? [];
  }

  async function groupsOf(userId: string, link: 'transitiveMemberOf' | 'ownedObjects', call: Call) {
    const path = withQuery(`/users/${segment(userId)}/${link}/microsoft.graph.group`, {
      $filter: 'isAssignableToRole eq true',
      $count: 'true',
      $select: 'id,displayName',
    });
    return all(path, `GET /users/{id}/${link}/microsoft.graph.group`, call);
  }

  return {
    user: async (idOrUpn, call) => {
      const path = withQuery(`/users/${segment(idOrUpn)}`, { $select: userSelect });
      const user = await graph.find(path, 'GET /users/{id}', call).catch(nobodyWhenUnreadable);
      return user === null ? null : readIdentityUser(user);
    },

    userById: async (id, call) => {
      const path = withQuery(`/users/${segment(id)}`, { $select: userSelect });
      const user = await graph.find(path, 'GET /users/{id}', call);
      return user === null ? null : readIdentityUser(user);
    },

    holders: async (immutableId, call) => {
      const $filter = `onPremisesImmutableId eq ${odataLiteral(immutableId)}`;
      const rows = await all(withQuery('/users', { $filter, $select: nameSelect }), 'GET /users?$filter', call);
      return rows.map(readOtherUser);
    },

    addressHolders: async (address, call) => {
      const $filter = `userPrincipalName eq ${odataLiteral(address)} or proxyAddresses/any(p:p eq ${odataLiteral(`smtp:${address}`)})`;
      const rows = await all(withQuery('/users', { $filter, $select: nameSelect }), 'GET /users?$filter', call);
      return rows.map(readOtherUser);
    },

    deletedUsers: async (search, call) => {
      const label = 'GET /directory/deletedItems/microsoft.graph.user';
      const filtered = withQuery(deletedUsersPath, { $filter: deletedFilter(search), $select: deletedSelect });
      try {
        return (await all(filtered, label, call)).map(readDeletedUser);
      } catch (error) {
        // That a filter works here is inferred (graph.md §2.1).
        if (!isGraphFault(error, 'rejected')) throw error;
      }
      const everybody = withQuery(deletedUsersPath, { $select: deletedSelect, $top: most });
      return (await rowsOf(everybody, label, call, maxPages))?.map(readDeletedUser) ?? null;
    },

    domains: async (call) => {
      const path = withQuery('/domains', { $select: 'id,authenticationType,isVerified,isInitial' });
      return (await all(path, 'GET /domains', call)).map((domain) => ({
        name: textField(domain, 'id') ?? '',
        isFederated: textField(domain, 'authenticationType') === 'Federated',
        isVerified: flagField(domain, 'isVerified'),
        isInitial: flagField(domain, 'isInitial'),
      }));
    },

    roleAssignments: async (principalId, call) => {
      const path = roleManagementPath('roleAssignments', principalId);
      return (await all(path, 'GET /roleManagement/directory/roleAssignments', call)).map((row) => ({
        roleId: textField(row, 'roleDefinitionId') ?? '',
        isTenantWide: textField(row, 'directoryScopeId') === '/',
        unitId: unitOfScope(textField(row, 'directoryScopeId') ?? ''),
      }));
    },

    eligibleRoles: async (principalId, call) => {
      const path = roleManagementPath('roleEligibilityScheduleInstances', principalId);
      const rows = await all(path, 'GET /roleManagement/directory/roleEligibilityScheduleInstances', call);
      return rows.map((row) => textField(row, 'roleDefinitionId') ?? '');
    },

    roleAssignableGroups: async (userId, call) => {
      const [memberships, owned] = await Promise.all([
        groupsOf(userId, 'transitiveMemberOf', call),
        groupsOf(userId, 'ownedObjects', call),
      ]);
      const groups = new Map<string, RoleAssignableGroup>();
      for (const group of owned) groups.set(textField(group, 'id') ?? '', roleAssignableGroupOf(group, false));
      for (const group of memberships) groups.set(textField(group, 'id') ?? '', roleAssignableGroupOf(group, true));
      return [...groups.values()];
    },
  };
}

function unitOfScope(scope: string): string | null {
  return /^\/administrativeUnits\/([^/]+)$/.exec(scope)?.[1] ?? null;
}

function roleAssignableGroupOf(group: GraphObject, isMember: boolean): RoleAssignableGroup {
  const id = textField(group, 'id') ?? '';
  return { id, name: textField(group, 'displayName') ?? id, isMember };
}

function roleManagementPath(collection: string, principalId: string): string {
  return withQuery(`/roleManagement/directory/${collection}`, {
    $filter: `principalId eq ${odataLiteral(principalId)}`,
  });
}

/** The name of a deleted user cannot be asked for: the object id stands before it. What it went by besides can. */
function deletedFilter({ immutableId, namesake }: DeletedUserSearch): string {
  const { userPrincipalName, displayName, mail, mailNickname } = namesake;
  const conditions: readonly (readonly [property: string, value: string | null])[] = [
    ['onPremisesImmutableId', immutableId],
    ['mail', userPrincipalName],
    ['mail', mail === userPrincipalName ? null : mail],
    ['mailNickname', mailNickname],
    ['displayName', displayName],
  ];
  return conditions
    .flatMap(([property, value]) => (value === null ? [] : [`${property} eq ${odataLiteral(value)}`]))
    .join(' or ');
}

function readIdentityUser(user: GraphObject): IdentityUser {
  return {
    ...readOtherUser(user),
    immutableId: textField(user, 'onPremisesImmutableId'),
    accountEnabled: flagField(user, 'accountEnabled'),
    isSynced: flagField(user, 'onPremisesSyncEnabled'),
    isManagementRestricted: flagField(user, 'isManagementRestricted'),
    mail: textField(user, 'mail'),
    mailNickname: textField(user, 'mailNickname'),
    proxyAddresses: listField(user, 'proxyAddresses'),
  };
}

function readOtherUser(user: GraphObject): OtherUser {
  return {
    id: textField(user, 'id') ?? '',
    userPrincipalName: textField(user, 'userPrincipalName') ?? '',
    displayName: textField(user, 'displayName'),
  };
}

function readDeletedUser(user: GraphObject): DeletedUser {
  const { id, userPrincipalName, displayName } = readOtherUser(user);
  const prefix = id.replaceAll('-', '').toLowerCase();
  const hasPrefix = prefix !== '' && userPrincipalName.toLowerCase().startsWith(prefix);
  return {
    id,
    userPrincipalName: hasPrefix ? userPrincipalName.slice(prefix.length) : userPrincipalName,
    displayName,
    immutableId: textField(user, 'onPremisesImmutableId'),
  };
}
