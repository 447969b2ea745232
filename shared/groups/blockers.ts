import { Fault, type FaultCode } from '../errors.ts';
import { type Group, labelOf, namesOf } from './group.ts';
import { livesInExchange } from './kinds.ts';
import { isListed } from './protection.ts';

/** Why a group must not be managed from the cloud by this app. */
export interface Blocker {
  readonly code: FaultCode;
  readonly message: string;
  readonly fix: string;
}

export interface ProtectionLists {
  readonly protectedGroups: readonly string[];
  readonly managedGroups: readonly string[] | null;
}

/**
 * Every reason not to write to this group, the gravest first. Pure. Both directories are asked about on-premises
 * mastery, since either alone may lag behind (design §6.2).
 */
export function blockersOf(group: Group, lists: ProtectionLists): Blocker[] {
  const blockers: Blocker[] = [];
  const { graph, exchange } = group;
  if (exchange?.isDirSynced === true || graph?.isOnPremisesSynced === true) {
    blockers.push({
      code: 'on_premises_synced',
      message: 'The group is synced from on-premises Active Directory, which alone may change it.',
      fix: 'Change it in Active Directory, or move its source of authority to the cloud first.',
    });
  }
  if (graph?.isDynamic === true) {
    blockers.push({
      code: 'dynamic_membership',
      message: 'A rule decides who is a member.',
      fix: 'Change the rule in Entra, or make the group assigned.',
    });
  }
  if (graph?.isAssignableToRole === true) {
    blockers.push({
      code: 'role_assignable',
      message: 'The group can hold directory roles: membership in it is privilege.',
      fix: 'Change it in Entra with a privileged role; this app leaves such groups alone.',
    });
  }
  if (graph?.isManagementRestricted === true) {
    blockers.push({
      code: 'management_restricted',
      message: 'The group is in a restricted management administrative unit.',
      fix: 'Have an administrator of that unit change it, or take the group out of the unit.',
    });
  }
  if (livesInExchange(group.kind) && (graph === null || exchange === null)) {
    blockers.push({
      code: 'group_not_ready',
      message: 'Only one of Exchange and Entra shows the group yet; whether it may be written cannot be judged.',
      fix: 'Look again in a minute.',
    });
  }
  return [...blockers, ...protectionBlockers(namesOf(group), lists)];
}

/** What the configuration forbids, for a group that exists or one that is to be created under these names. */
export function protectionBlockers(names: readonly (string | null)[], lists: ProtectionLists): Blocker[] {
  const blockers: Blocker[] = [];
  if (isListed(lists.protectedGroups, names)) {
    blockers.push({
      code: 'protected_object',
      message: 'The group is listed in PROTECTED_GROUPS.',
      fix: 'Change it by hand, or take it off PROTECTED_GROUPS.',
    });
  }
  if (lists.managedGroups !== null && !isListed(lists.managedGroups, names)) {
    blockers.push({
      code: 'outside_managed_groups',
      message: 'MANAGED_GROUPS is set and does not list this group.',
      fix: 'Add the group to MANAGED_GROUPS if this app shall manage it.',
    });
  }
  return blockers;
}

/** @throws Fault with the code of the gravest blocker; the others are named in the detail */
export function refuseBlocked(blockers: readonly Blocker[], label: string): void {
  const [first] = blockers;
  if (first === undefined) return;
  throw new Fault(first.code, {
    detail: `${label} is not written to: ${blockers.map(({ message }) => message).join(' ')}`,
    fix: first.fix,
  });
}

/** A group may be linked (managed from the cloud) when nothing blocks it. */
export function refuseUnmanageable(group: Group, lists: ProtectionLists): void {
  refuseBlocked(blockersOf(group, lists), labelOf(group));
}
