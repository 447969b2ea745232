import type { Group, ServicePrincipal, User } from '../../tenant/model.ts';
import { directGroupsOf, tenantWideRoles, transitiveGroupsOf, unitsOf } from '../../tenant/privileges.ts';
import type { RoleDefinition } from '../../tenant/roles.ts';
import type { Reply } from '../../http/message.ts';
import { assignmentId } from '../assignmentId.ts';
import { user, type GraphContext, type GraphOperation } from '../context.ts';
import { notModelled, unsupportedQuery } from '../errors.ts';
import { parseFilter } from '../filter.ts';
import { listingOf } from '../listing.ts';
import { groupType, type EntityType } from '../properties.ts';
import { checkSelect, isEventual, page, render, selected } from '../query.ts';
import { administrativeUnitType } from './administrativeUnits.ts';
import {
  administrativeUnitPermissions,
  applicationPermissions,
  permissionsToReadUsers,
  readPermissions,
  roleManagementPermissions,
} from './permissions.ts';
import { roleDefinitionsOf } from './roles.ts';
import { servicePrincipalOf } from './servicePrincipals.ts';

/** A role as a directory object, which it is once somebody holds it; its id is the tenant's own. */
const directoryRoleType: EntityType<RoleDefinition> = {
  name: 'microsoft.graph.directoryRole',
  properties: {
    id: (role) => roleObjectId(role.id),
    displayName: (role) => role.displayName,
    roleTemplateId: (role) => role.id,
  },
  byDefault: ['id', 'displayName', 'roleTemplateId'],
  filterable: ['displayName', 'roleTemplateId'],
  notModelled: ['deletedDateTime', 'description'],
};

/** Of the form of a guid, and not the template's. */
const roleObjectId = (templateId: string): string =>
  Buffer.from(assignmentId('directoryRole', templateId))
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/** Objects of one type, and the permissions that show more of them than their id. */
interface Kind {
  readonly type: EntityType<unknown>;
  readonly permissions: readonly string[];
  readonly objects: readonly unknown[];
}

const kind = <T>(type: EntityType<T>, permissions: readonly string[], objects: readonly T[]): Kind => ({
  type: type as EntityType<unknown>,
  permissions,
  objects,
});

const groupKind = (groups: readonly Group[]): Kind => kind(groupType, readPermissions, groups);

/** What someone is in: groups, roles over the whole tenant, administrative units. */
function memberOf({ view, tenant }: GraphContext, member: User | ServicePrincipal, isTransitive: boolean): Kind[] {
  const held = isTransitive ? tenantWideRoles(view, member) : member.directoryRoles;
  // facts.customRolesUnseen
  const roles = roleDefinitionsOf(tenant).filter(({ id, isBuiltIn }) => isBuiltIn && held.includes(id));
  return [
    groupKind(isTransitive ? transitiveGroupsOf(view, member.id) : directGroupsOf(view, member.id)),
    kind(directoryRoleType, roleManagementPermissions, roles),
    kind(administrativeUnitType, administrativeUnitPermissions, unitsOf(tenant.administrativeUnits, member.id)),
  ];
}

const ownedObjects = ({ view }: GraphContext, owner: User): Kind[] => [
  groupKind([...view.ofType('group')].filter(({ owners }) => owners.includes(owner.id))),
];

/** With a cast, a filter is an advanced query (graph.md §4). */
function narrowed({ call }: GraphContext, { type, objects }: Kind): readonly unknown[] {
  const filter = call.url.searchParams.get('$filter');
  if (filter === null) return objects;
  if (!isEventual(call) || call.url.searchParams.get('$count') !== 'true') throw unsupportedQuery('Unsupported Query.');
  const parsed = parseFilter(filter, type);
  return objects.filter((object) => parsed.matches(object));
}

const directoryRead = ['Directory.Read.All', 'Directory.ReadWrite.All'];

function list(context: GraphContext, kinds: readonly Kind[], cast: string | null): Reply {
  const { call, caller } = context;
  const select = selected(call);
  const wanted = cast === null ? kinds : kinds.filter(({ type }) => type.name === cast);
  if (wanted.length === 0) throw notModelled(`the cast to ${cast ?? ''} here`);
  if (cast === null && call.url.searchParams.has('$filter')) throw notModelled('$filter without a cast here');
  checkSelect(
    select ?? [],
    wanted.map(({ type }) => type),
    cast ?? 'microsoft.graph.directoryObject',
  );
  const row = ({ kind: { type, permissions }, object }: { kind: Kind; object: unknown }) => {
    const mayRead = [...permissions, ...directoryRead].some((permission) => caller.roles.includes(permission));
    const properties = Object.entries(render(object, type, select));
    return {
      '@odata.type': `#${type.name}`,
      // facts.limitedRoleInformation
      ...Object.fromEntries(properties.map(([name, value]) => [name, mayRead || name === 'id' ? value : null])),
    };
  };
  const rows = wanted.flatMap((each) => narrowed(context, each).map((object) => ({ kind: each, object })));
  return page(call, 'directoryObjects', listingOf(rows), row);
}

const options = ['$select', '$filter', '$top', '$count', '$skiptoken'];

const operations = (
  path: string,
  permissions: readonly string[],
  kindsOf: (context: GraphContext) => Kind[],
): GraphOperation[] => [
  { method: 'GET', path, permissions, options, run: (context) => list(context, kindsOf(context), null) },
  {
    method: 'GET',
    path: `${path}/microsoft.graph.*`,
    permissions,
    options,
    run: (context) => list(context, kindsOf(context), `microsoft.graph.${context.params.at(-1) ?? ''}`),
  },
];

const person = ({ view, params }: GraphContext): User => user(view, params[0] ?? '');
/** graph.md §4: User.Read.All is enough. */
const ofUsers = [...permissionsToReadUsers, 'GroupMember.Read.All', 'Group.Read.All'];

export const listMemberships: readonly GraphOperation[] = [
  ...operations('users/*/memberOf', ofUsers, (context) => memberOf(context, person(context), false)),
  ...operations('users/*/transitiveMemberOf', ofUsers, (context) => memberOf(context, person(context), true)),
  ...operations('users/*/ownedObjects', permissionsToReadUsers, (context) => ownedObjects(context, person(context))),
  ...operations('servicePrincipals/*/memberOf', applicationPermissions, (context) =>
    memberOf(context, servicePrincipalOf(context), false),
  ),
  ...operations('servicePrincipals/*/transitiveMemberOf', applicationPermissions, (context) =>
    memberOf(context, servicePrincipalOf(context), true),
  ),
];
