import type { AdministrativeUnit, Group, ScopedRole, ServicePrincipal, User } from './model.ts';
import type { View } from './store.ts';

/** Who roles can be given to. */
export type Principal = User | Group | ServicePrincipal;

export interface RoleHolding {
  readonly roleDefinitionId: string;
  /** null: over the whole tenant. */
  readonly administrativeUnitId: string | null;
}

/** Groups that name this object as a member, and those that name these groups, and so on. */
export function transitiveGroupsOf(view: View, id: string): Group[] {
  const found = new Map<string, Group>();
  let ids = [id];
  while (ids.length > 0) {
    const named = ids;
    const next = [...view.ofType('group')].filter(
      (group) => !found.has(group.id) && named.some((each) => group.members.includes(each)),
    );
    for (const group of next) found.set(group.id, group);
    ids = next.map((group) => group.id);
  }
  return [...found.values()];
}

export const directGroupsOf = (view: View, id: string): Group[] =>
  [...view.ofType('group')].filter(({ members }) => members.includes(id));

/** Active roles given to the principal itself. */
export const directHoldings = (principal: {
  directoryRoles: readonly string[];
  scopedRoles: readonly ScopedRole[];
}): RoleHolding[] => [
  ...principal.directoryRoles.map((roleDefinitionId) => ({ roleDefinitionId, administrativeUnitId: null })),
  ...principal.scopedRoles,
];

/** Active roles, its own and those of its groups: role-assignable ones have no groups among their members. */
export const activeHoldings = (view: View, principal: Principal): RoleHolding[] =>
  [principal, ...directGroupsOf(view, principal.id)].flatMap(directHoldings);

/** Roles that can be activated, its own and those of its role-assignable groups. */
export const eligibleRolesOf = (view: View, user: User): string[] =>
  [user, ...directGroupsOf(view, user.id)].flatMap(({ eligibleRoles }) => eligibleRoles);

export const tenantWideRoles = (view: View, principal: Principal): string[] => [
  ...new Set(
    activeHoldings(view, principal)
      .filter(({ administrativeUnitId }) => administrativeUnitId === null)
      .map(({ roleDefinitionId }) => roleDefinitionId),
  ),
];

export const unitsOf = (units: readonly AdministrativeUnit[], id: string): AdministrativeUnit[] =>
  units.filter(({ members }) => members.includes(id));
