import { directHoldings, type Principal } from '../../tenant/privileges.ts';
import { builtInRoles, type RoleDefinition } from '../../tenant/roles.ts';
import type { Tenant } from '../../tenant/tenant.ts';
import type { View } from '../../tenant/store.ts';
import { assignmentId } from '../assignmentId.ts';
import type { GraphContext, GraphOperation } from '../context.ts';
import { GraphError, notFound, unsupportedQuery } from '../errors.ts';
import { listingOf } from '../listing.ts';
import type { EntityType } from '../properties.ts';
import { checkSelect, entity, filtered, page, render, selected } from '../query.ts';
import { eligibilityPermissions, roleManagementPermissions } from './permissions.ts';

export const roleDefinitionsOf = ({ customRoles }: Tenant): RoleDefinition[] => [...builtInRoles, ...customRoles];

/** isPrivileged is not in v1.0 (graph.md §4). */
const roleDefinitionType: EntityType<RoleDefinition> = {
  name: 'microsoft.graph.unifiedRoleDefinition',
  properties: {
    id: (role) => role.id,
    displayName: (role) => role.displayName,
    isBuiltIn: (role) => role.isBuiltIn,
    isEnabled: () => true,
    resourceScopes: () => ['/'],
    // The template id of a built-in role is its id.
    templateId: (role) => role.id,
  },
  byDefault: ['id', 'displayName', 'isBuiltIn', 'isEnabled', 'resourceScopes', 'templateId'],
  filterable: ['id', 'displayName', 'isBuiltIn', 'templateId'],
  notModelled: ['allowedPrincipalTypes', 'description', 'inheritsPermissionsFrom', 'rolePermissions', 'version'],
};

const root = 'roleManagement/directory';

export const listRoleDefinitions: GraphOperation = {
  method: 'GET',
  path: `${root}/roleDefinitions`,
  permissions: roleManagementPermissions,
  options: ['$select', '$filter', '$top', '$skiptoken'],
  run({ call, tenant }) {
    const select = selected(call);
    checkSelect(select ?? [], [roleDefinitionType], roleDefinitionType.name);
    const found = filtered(call, listingOf(roleDefinitionsOf(tenant)), roleDefinitionType);
    return page(call, `${root}/roleDefinitions`, found, (role) => render(role, roleDefinitionType, select));
  },
};

export const getRoleDefinition: GraphOperation = {
  method: 'GET',
  path: `${root}/roleDefinitions/*`,
  permissions: roleManagementPermissions,
  options: ['$select'],
  run({ call, tenant, params }) {
    const select = selected(call);
    checkSelect(select ?? [], [roleDefinitionType], roleDefinitionType.name);
    const wanted = params[0] ?? '';
    const found = roleDefinitionsOf(tenant).find(({ id }) => id === wanted.toLowerCase());
    if (!found) throw notFound(wanted);
    return entity(`${root}/roleDefinitions`, render(found, roleDefinitionType, select));
  },
};

interface Assignment {
  readonly id: string;
  readonly principalId: string;
  readonly directoryScopeId: string;
  readonly roleDefinitionId: string;
}

function* principalsOf(view: View): Generator<Principal> {
  for (const type of ['user', 'group', 'servicePrincipal'] as const) yield* view.ofType(type);
}

/** Given to the principal itself: those through a group name the group (graph.md §4). */
function assignmentsOf(principal: Principal): Assignment[] {
  return directHoldings(principal).map(({ roleDefinitionId, administrativeUnitId }) => {
    const directoryScopeId = administrativeUnitId === null ? '/' : `/administrativeUnits/${administrativeUnitId}`;
    return {
      id: assignmentId(principal.id, roleDefinitionId, directoryScopeId),
      principalId: principal.id,
      directoryScopeId,
      roleDefinitionId,
    };
  });
}

/** Eligible over the whole tenant; nobody's are limited to a unit here. */
function eligibilitiesOf(principal: Principal) {
  if (principal.type === 'servicePrincipal') return [];
  return principal.eligibleRoles.map((roleDefinitionId) => ({
    id: assignmentId('eligible', principal.id, roleDefinitionId),
    principalId: principal.id,
    roleDefinitionId,
    directoryScopeId: '/',
    appScopeId: null,
    startDateTime: '2025-03-03T08:00:00Z',
    endDateTime: null,
    memberType: 'Direct',
    roleEligibilityScheduleId: assignmentId('schedule', principal.id, roleDefinitionId),
  }));
}

type Row = Pick<Assignment, 'principalId' | 'roleDefinitionId'>;

/** graph.md §4: a filter on principalId or roleDefinitionId is mandatory; its words are facts.queryErrors. */
function chosen<T extends Row>({ call, view }: GraphContext, rowsOf: (principal: Principal) => T[]): T[] {
  const filter = call.url.searchParams.get('$filter') ?? '';
  const [, property, value] = /^\s*(principalId|roleDefinitionId) eq '([^']+)'\s*$/.exec(filter) ?? [];
  if (property === undefined || value === undefined)
    throw unsupportedQuery('A filter on principalId or roleDefinitionId is required.');
  return [...principalsOf(view)].flatMap(rowsOf).filter((row) => row[property as keyof Row] === value.toLowerCase());
}

export const listRoleAssignments: GraphOperation = {
  method: 'GET',
  path: `${root}/roleAssignments`,
  permissions: roleManagementPermissions,
  options: ['$filter', '$top', '$skiptoken'],
  run: (context) =>
    page(context.call, `${root}/roleAssignments`, listingOf(chosen(context, assignmentsOf)), (row) => ({ ...row })),
};

export const listRoleEligibilities: GraphOperation = {
  method: 'GET',
  path: `${root}/roleEligibilityScheduleInstances`,
  permissions: eligibilityPermissions,
  options: ['$filter', '$top', '$skiptoken'],
  run(context) {
    // facts.eligibilityLicence
    if (!context.tenant.settings.privilegedIdentityManagement)
      throw new GraphError(
        400,
        'AadPremiumLicenseRequired',
        'The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.',
      );
    const found = listingOf(chosen(context, eligibilitiesOf));
    return page(context.call, `${root}/roleEligibilityScheduleInstances`, found, (row) => row);
  },
};
