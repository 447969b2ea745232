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
  const { graph } = group;
  const blockers = [syncedBlocker(group), ruleBlocker(group)];
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
  blockers.push(unknownKindBlocker(group), notReadyBlocker(group));
  return [...blockers.filter((blocker) => blocker !== null), ...protectionBlockers(namesOf(group), lists)];
}

function syncedBlocker({ exchange, graph }: Group): Blocker | null {
  const inExchange = exchange?.isDirSynced ?? null;
  const inEntra = graph?.isOnPremisesSynced ?? null;
  if (inExchange !== true && inEntra !== true) return null;
  if (inExchange === null || inEntra === null || inExchange === inEntra) {
    return {
      code: 'on_premises_synced',
      message: 'The group is synced from on-premises Active Directory, which alone may change it.',
      fix: 'Change it in Active Directory, or move its source of authority to the cloud first.',
    };
  }
  const [says, denies] = inExchange ? ['Exchange', 'Entra'] : ['Entra', 'Exchange'];
  return {
    code: 'on_premises_synced',
    message: `${says} says that the group is synced from on-premises Active Directory, ${denies} says that it is not; while either says so, it is left alone.`,
    fix: 'Look again in some minutes if its source of authority was moved to the cloud just now; otherwise change it in Active Directory.',
  };
}

function ruleBlocker({ kind, graph }: Group): Blocker | null {
  if (kind === 'dynamicDistribution') {
    return {
      code: 'dynamic_membership',
      message: 'Exchange looks the members of a dynamic distribution group up by a filter whenever a message comes.',
      fix: 'Change its filter with Set-DynamicDistributionGroup, or create a distribution list in its place.',
    };
  }
  if (graph?.isDynamic !== true) return null;
  return {
    code: 'dynamic_membership',
    message: 'A rule decides who is a member.',
    fix: 'Change the rule in Entra, or make the group assigned.',
  };
}

/** A recipient type that is neither of the two kinds that this app writes in Exchange, above all a room list. */
function unknownKindBlocker({ kind, exchange }: Group): Blocker | null {
  if (!livesInExchange(kind) || exchange?.kind !== null) return null;
  return {
    code: 'unknown_kind',
    message:
      exchange.recipientType === 'RoomList'
        ? 'The group is a room list: Outlook offers its members as rooms to book.'
        : `Exchange calls the group "${exchange.recipientType}", a kind that this app does not know.`,
    fix: 'Change it in the Exchange admin centre; this app leaves such groups alone.',
  };
}

function notReadyBlocker({ kind, exchange, graph }: Group): Blocker | null {
  if (!livesInExchange(kind) || (exchange !== null && graph !== null)) return null;
  return {
    code: 'group_not_ready',
    message: `Only ${exchange === null ? 'Entra' : 'Exchange'} shows the group yet; whether it may be written cannot be judged.`,
    fix: 'Look again in a minute.',
  };
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
