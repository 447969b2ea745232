import type { Reading } from '../identity/facts.ts';
import type { OwnStanding } from '../identity/privilege.ts';
import {
  actingRoles,
  type ActingRole,
  mayAct,
  nameOfRole,
  rolesToActOn,
  type TargetPrivilege,
} from '../identity/sensitiveActions.ts';
import type { TargetStanding, UserUnit } from './facts.ts';

/** What the table of sensitive actions makes of a target and of us. All pure. */
export interface Verdict {
  /** `no`: surely refused; `perhaps`: what is not known decides. */
  readonly mayWrite: 'yes' | 'perhaps' | 'no';
  /** The least powerful role that surely suffices; null where none is needed. */
  readonly leastRole: ActingRole | null;
}

/** Whether our roles suffice for what the target holds (graph.md §4). */
export function judgeRoles(target: TargetStanding, own: OwnStanding): Verdict {
  const held = heldRoleIds(own, unitsOf(target.units));
  const surely = privilegeOf(target, false);
  const perhaps = privilegeOf(target, true);
  const leastRole = rolesToActOn(perhaps)?.[0] ?? null;
  if (mayAct(held, perhaps)) return { mayWrite: 'yes', leastRole };
  const isSure = own.assignments.known && !mayAct(held, surely);
  return { mayWrite: isSure ? 'no' : 'perhaps', leastRole };
}

/** Whether a role of ours is over the restricted units that the user is in (graph.md §1.2). */
export function isAdministeredByUs(target: TargetStanding, own: OwnStanding): boolean {
  if (!own.assignments.known) return false;
  const units = unitsOf(target.units)
    .filter(({ isRestricted }) => isRestricted !== false)
    .map(({ id }) => id);
  return own.assignments.value.some(
    ({ roleId, unitId }) => unitId !== null && units.includes(unitId) && isActing(roleId),
  );
}

/** Once no hindrance to an app with the permission, since then in the table (microsoft-graph-docs-contrib issue 3258). */
const readerRoles: readonly string[] = [
  'Directory Readers',
  'Guest Inviter',
  'Message Center Reader',
  'Reports Reader',
];

/** Who is eligible for a role is not documented to be protected as its holder is, nor the contrary (graph.md §2.5, §4). */
function privilegeOf(target: TargetStanding, isCautious: boolean): TargetPrivilege {
  const eligible = target.eligibleRoleIds.known ? target.eligibleRoleIds.value : [];
  const active = target.roles.map(({ roleId }) => roleId);
  return {
    roleIds: isCautious ? [...active, ...eligible] : active.filter((id) => !readerRoles.includes(nameOfRole(id))),
    isInRoleAssignableGroup: target.groups.length > 0,
    hasRestrictedScope: target.roles.some(({ unit }) => {
      if (unit === null) return false;
      const isRestricted = unit.known ? unit.value.isRestricted : null;
      return isRestricted ?? isCautious;
    }),
  };
}

function heldRoleIds({ tokenRoleIds, assignments }: OwnStanding, units: readonly UserUnit[]): string[] {
  const assigned = (assignments.known ? assignments.value : []).filter(
    ({ isTenantWide, unitId }) => isTenantWide || units.some(({ id }) => id === unitId),
  );
  return [...tokenRoleIds, ...assigned.map(({ roleId }) => roleId)];
}

/** What we hold over the tenant and elsewhere, in words. */
export function describeOwn({ id, tokenRoleIds, assignments }: OwnStanding): string {
  const overUnits = (assignments.known ? assignments.value : []).filter(({ isTenantWide }) => !isTenantWide);
  const overTenant = (assignments.known ? assignments.value : []).filter(({ isTenantWide }) => isTenantWide);
  const names = [
    ...new Set([...tokenRoleIds, ...overTenant.map(({ roleId }) => roleId)].map(nameOfRole)),
    ...overUnits.map(({ roleId, unitId }) => `${nameOfRole(roleId)} over ${unitId ?? 'another scope'}`),
  ];
  return `service principal ${id} has ${names.length === 0 ? 'no role' : names.join(', ')}`;
}

/** What makes the target privileged, in words; empty where nothing does. */
export function describeTarget({ roles, eligibleRoleIds, groups }: TargetStanding): string {
  return [
    ...roles.map(({ roleId, unit }) => `${nameOfRole(roleId)}${unit === null ? '' : ` over ${nameOfScope(unit)}`}`),
    ...(eligibleRoleIds.known ? eligibleRoleIds.value : []).map((id) => `${nameOfRole(id)} (eligible)`),
    ...groups.map(({ name, isMember, roleIds }) => {
      const held = roleIds.length === 0 ? '' : `, which holds ${roleIds.map(nameOfRole).join(', ')}`;
      return `${isMember ? 'membership' : 'ownership'} of the role-assignable group ${name}${held}`;
    }),
  ].join('; ');
}

/** Whether anything makes the target privileged. */
export function isPrivileged(target: TargetStanding): boolean {
  return describeTarget(target) !== '';
}

function nameOfScope(unit: Reading<UserUnit>): string {
  if (!unit.known) return 'an administrative unit';
  const { id, name, isRestricted } = unit.value;
  return `the ${isRestricted === true ? 'restricted ' : ''}administrative unit ${name ?? id}`;
}

function unitsOf(units: Reading<readonly UserUnit[]>): readonly UserUnit[] {
  return units.known ? units.value : [];
}

function isActing(roleId: string): boolean {
  return (actingRoles as readonly string[]).includes(nameOfRole(roleId));
}
