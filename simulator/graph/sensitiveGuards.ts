import type { AdministrativeUnit, User } from '../tenant/model.ts';
import { activeHoldings, eligibleRolesOf, tenantWideRoles, unitsOf, type Principal } from '../tenant/privileges.ts';
import { objectById, type GraphContext } from './context.ts';
import { denied } from './errors.ts';
import {
  actingRoles,
  mayWrite,
  readerRoles,
  rolesNeeded,
  rolesToSetPassword,
  sensitiveProperties,
  type TargetPrivileges,
} from './sensitiveActions.ts';
import type { UserGuard } from './userGuard.ts';

function callerOf({ view, caller }: GraphContext): Principal | undefined {
  const found = objectById(view, caller.objectId ?? '');
  return found?.type === 'servicePrincipal' ? found : undefined;
}

/** Roles of the caller over the whole tenant: facts.callerRoles. */
function tenantRoles(context: GraphContext): readonly string[] {
  const principal = callerOf(context);
  if (context.tenant.settings.callerRoles === 'token' || !principal) return context.caller.directoryRoles;
  return tenantWideRoles(context.view, principal);
}

/** Roles of the caller over the members of these units; a token does not tell of them. */
function rolesOver(context: GraphContext, units: readonly AdministrativeUnit[]): string[] {
  const principal = callerOf(context);
  if (!principal) return [];
  return activeHoldings(context.view, principal)
    .filter(({ administrativeUnitId }) => units.some(({ id }) => id === administrativeUnitId))
    .map(({ roleDefinitionId }) => roleDefinitionId);
}

function privilegesOf({ view, tenant }: GraphContext, target: User): TargetPrivileges {
  const { eligibleRolesProtect, readerRolesProtect } = tenant.settings;
  const holdings = activeHoldings(view, target);
  const roles = [
    ...holdings.map(({ roleDefinitionId }) => roleDefinitionId),
    ...(eligibleRolesProtect ? eligibleRolesOf(view, target) : []),
  ];
  const restricted = tenant.administrativeUnits.filter(
    ({ isMemberManagementRestricted }) => isMemberManagementRestricted,
  );
  return {
    roles: readerRolesProtect ? roles : roles.filter((role) => !readerRoles.includes(role)),
    isInRoleAssignableGroup: [...view.ofType('group')].some(
      ({ isAssignableToRole, members, owners }) =>
        isAssignableToRole === true && (members.includes(target.id) || owners.includes(target.id)),
    ),
    hasRestrictedScope: holdings.some(({ administrativeUnitId }) =>
      restricted.some(({ id }) => id === administrativeUnitId),
    ),
  };
}

/** The same body as for a missing role: graph.md §4. */
export const refuseWithoutPermission: UserGuard = ({ caller }, _target, changed) => {
  if (!changed.every((property) => mayWrite(caller.roles, property))) throw denied();
};

/** Neither a permission nor a role over the tenant is enough (graph.md §1.2): facts.restrictedUnitScope. */
export const refuseRestricted: UserGuard = (context, target) => {
  if (!target.isManagementRestricted) return;
  const units = unitsOf(context.tenant.administrativeUnits, target.id).filter(
    ({ isMemberManagementRestricted }) => isMemberManagementRestricted,
  );
  if (rolesOver(context, units).some((role) => actingRoles.includes(role))) return;
  // facts.restrictedManagementText
  throw denied(
    ' Target object is a member of a restricted management administrative unit and can only be modified by administrators scoped to that administrative unit.',
  );
};

/** One sensitive property is enough to refuse the whole request: facts.sensitiveWhole. */
export const refuseSensitive: UserGuard = (context, target, changed) => {
  if (!changed.some((property) => (sensitiveProperties as readonly string[]).includes(property))) return;
  const held = [...tenantRoles(context), ...rolesOver(context, unitsOf(context.tenant.administrativeUnits, target.id))];
  const needed = [
    ...rolesNeeded(privilegesOf(context, target)),
    ...(changed.includes('passwordProfile') ? [rolesToSetPassword] : []),
  ];
  if (!needed.every((anyOf) => anyOf.some((role) => held.includes(role)))) throw denied();
};
