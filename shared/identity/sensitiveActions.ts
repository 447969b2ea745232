/** Who may write the sensitive properties of whom: Microsoft's table of sensitive actions (graph.md §4). All pure. */

/** Template ids, which are the ids of role definitions too, of the roles the table names. */
export const roleNames: Readonly<Record<string, string>> = {
  '62e90394-69f5-4237-9190-012177145e10': 'Global Administrator',
  '7be44c8a-adaf-4e2a-84d6-ab2649e08a13': 'Privileged Authentication Administrator',
  'e8611ab8-c189-46e8-94e1-60213ab1f814': 'Privileged Role Administrator',
  'c4e39bd9-1100-46d3-8c65-fb160da0071f': 'Authentication Administrator',
  'fe930be7-5e62-47db-91af-98c3a49a38b1': 'User Administrator',
  '729827e3-9c14-49f7-bb1b-9608f156bbb8': 'Helpdesk Administrator',
  'fdd7a751-b60b-444a-984c-02652fe8fa1c': 'Groups Administrator',
  '966707d0-3269-4727-9be2-8c3a10f19b9d': 'Password Administrator',
  '95e79109-95c0-4d8e-aee3-d01accf2d47b': 'Guest Inviter',
  '88d8e3e3-8f55-4a1e-953a-9b9898b8876b': 'Directory Readers',
  '790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b': 'Message Center Reader',
  '4a5d8f65-41da-4de4-8968-e035b65339cf': 'Reports Reader',
  '75934031-6c7e-415a-99d7-48dbd49e875e': 'Usage Summary Reports Reader',
  '29232cdf-9323-42fd-ade2-1d097af3e4de': 'Exchange Administrator',
  '31392ffb-586c-42d1-9346-e59415a2cc4e': 'Exchange Recipient Administrator',
  '8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2': 'Hybrid Identity Administrator',
};

/** The columns of the table, the least powerful first. */
export const actingRoles = [
  'User Administrator',
  'Authentication Administrator',
  'Privileged Authentication Administrator',
  'Global Administrator',
] as const;
export type ActingRole = (typeof actingRoles)[number];

const mostPowerful: readonly ActingRole[] = ['Privileged Authentication Administrator', 'Global Administrator'];

/** The rows: who may act on a holder of the role. Custom roles, and roles without a row, take the most powerful. */
const mayActOn: Readonly<Record<string, readonly ActingRole[]>> = {
  'Authentication Administrator': ['Authentication Administrator', ...mostPowerful],
  'Directory Readers': actingRoles,
  'Guest Inviter': actingRoles,
  'Message Center Reader': actingRoles,
  'Password Administrator': actingRoles,
  'Reports Reader': actingRoles,
  'Usage Summary Reports Reader': actingRoles,
  'Groups Administrator': ['User Administrator', ...mostPowerful],
  'Helpdesk Administrator': ['User Administrator', ...mostPowerful],
  'User Administrator': ['User Administrator', ...mostPowerful],
};

export interface TargetPrivilege {
  /** Role definition ids, whatever their scope. */
  readonly roleIds: readonly string[];
  /** Whether the user is a member or an owner of a group that can hold roles. */
  readonly isInRoleAssignableGroup: boolean;
  /** Whether a role of the user is over a restricted management administrative unit. */
  readonly hasRestrictedScope?: boolean;
}

/**
 * The roles of which our service principal needs one, the least powerful first; null where the target has no privilege,
 * and the Graph permission suffices.
 */
export function rolesToActOn(target: TargetPrivilege): readonly ActingRole[] | null {
  const rows = rowsOf(target);
  return rows.length === 0 ? null : actingRoles.filter((role) => rows.every((row) => row.includes(role)));
}

/** Whether who holds these roles may act: of a target with several privileges, each may be covered by another role. */
export function mayAct(heldRoleIds: readonly string[], target: TargetPrivilege): boolean {
  const held = heldRoleIds.map(nameOfRole);
  return rowsOf(target).every((row) => row.some((role) => held.includes(role)));
}

function rowsOf({ roleIds, isInRoleAssignableGroup, hasRestrictedScope = false }: TargetPrivilege) {
  const rows = roleIds.map((id) => mayActOn[roleNames[id.toLowerCase()] ?? ''] ?? mostPowerful);
  if (isInRoleAssignableGroup || hasRestrictedScope) rows.push(mostPowerful);
  return rows;
}

export function nameOfRole(id: string): string {
  return roleNames[id.toLowerCase()] ?? `role ${id}`;
}
