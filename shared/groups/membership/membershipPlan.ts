import type { FaultCode } from '../../errors.ts';
import type { GraphMember } from '../../graph/groups.ts';
import { isGuid } from '../../guid.ts';
import { createDesiredIndex, type DesiredIndex } from './desiredIndex.ts';
import { type MemberTarget, targetOfMember } from './memberTarget.ts';
import type { TargetResolution } from './memberTargets.ts';
import { planIdOf } from './planId.ts';

/** Whose membership is made exact: `users` leaves contacts, groups and devices as they are. */
export const membershipScopes = ['users', 'all'] as const;
export type MembershipScope = (typeof membershipScopes)[number];

/** One member that a plan adds or removes. */
export interface PlannedMember {
  readonly target: MemberTarget;
  /** As the request named it; for a removal, the member's address. */
  readonly member: string;
}

/** A member that a plan leaves alone, or an entry that it cannot use, with why. */
export interface Remark {
  readonly member: string;
  readonly type: 'kept' | 'not_ready' | 'not_attempted' | 'failed';
  /** null for what is left alone by the rules of the request. */
  readonly code: FaultCode | null;
  readonly message: string;
}

/** Desired against actual. */
export interface MembershipPlan {
  /** The same whenever the same changes come out, whatever the request called people. */
  readonly planId: string;
  readonly actualCount: number;
  readonly unchangedCount: number;
  readonly adds: readonly PlannedMember[];
  readonly removes: readonly PlannedMember[];
  /** Members that are not desired and stay all the same. */
  readonly kept: readonly Remark[];
  /** Desired entries that are nobody who can be added. */
  readonly unresolvable: readonly Remark[];
}

/**
 * Compares desired with actual, page by page. Pure but for what it has been told. Identity is the Entra id: a desired
 * text counts as an actual member when that member bears it as id, UPN or address, and what is left over is resolved
 * to an id first.
 */
export interface MembershipComparison {
  /** One page of actual members. */
  see(members: readonly GraphMember[]): void;
  /** Desired entries that no actual member bears: to be resolved once all pages have been seen. */
  leftOver(): string[];
  /** What a left-over entry turned out to be. */
  resolve(entry: string, resolution: TargetResolution): void;
  /** @param isProtected whether a member must not be removed */
  plan(isProtected: (member: GraphMember) => boolean): MembershipPlan;
}

export function compareMembership(
  groupId: string,
  desired: readonly string[],
  scope: MembershipScope,
): MembershipComparison {
  const index: DesiredIndex = createDesiredIndex(desired);
  const actualIds = new Set<string>();
  const unmatched = new Map<string, GraphMember>();
  const adds = new Map<string, PlannedMember>();
  const unresolvable: Remark[] = [];
  let unchangedCount = 0;
  let isAnyoneUnknown = false;

  return {
    see: (members) => {
      for (const member of members) {
        const id = member.id.toLowerCase();
        // Pages may show an object twice when the list changes meanwhile.
        if (actualIds.has(id)) continue;
        actualIds.add(id);
        if (index.match([id, member.userPrincipalName, member.mail, ...member.addresses])) unchangedCount += 1;
        else unmatched.set(id, member);
      }
    },

    leftOver: () => index.unmatched(),

    resolve: (entry, resolution) => {
      if (resolution.type !== 'found') {
        const { type, code, message } = resolution;
        unresolvable.push({ member: entry, type, code, message });
        if (mayMeanAMember(entry, resolution)) isAnyoneUnknown = true;
        return;
      }
      const { target } = resolution;
      const id = target.id?.toLowerCase() ?? null;
      if (id !== null && actualIds.has(id)) {
        if (unmatched.delete(id)) unchangedCount += 1;
      } else if (!adds.has(target.key)) adds.set(target.key, { target, member: entry });
    },

    plan: (isProtected) => {
      const removes: PlannedMember[] = [];
      const kept: Remark[] = [];
      for (const member of unmatched.values()) {
        const target = targetOfMember(member);
        const remark = whyKept(member, scope, isProtected(member), isAnyoneUnknown);
        if (remark === null) removes.push({ target, member: target.label });
        else kept.push({ member: target.label, ...remark });
      }
      const addList = [...adds.values()];
      return {
        planId: planIdOf(groupId, addList.map(keyInPlan), removes.map(keyInPlan)),
        actualCount: actualIds.size,
        unchangedCount,
        adds: addList,
        removes,
        kept,
        unresolvable,
      };
    },
  };
}

/**
 * Whether an entry that cannot be used may be somebody who is a member under another name. An id names one object for
 * ever, and a user whom Exchange does not know yet is no member yet.
 */
function mayMeanAMember(entry: string, { type, code }: Exclude<TargetResolution, { readonly type: 'found' }>): boolean {
  if (isGuid(entry) || type === 'not_ready') return false;
  return !isAboutSomebodyCertain(code);
}

/** Whether who a failure speaks of is certain: who is protected stays anyway, and a kind that cannot be a member is none. */
export function isAboutSomebodyCertain(code: FaultCode): boolean {
  return code === 'protected_object' || code === 'member_kind_not_allowed';
}

function whyKept(
  member: GraphMember,
  scope: MembershipScope,
  isProtected: boolean,
  isAnyoneUnknown: boolean,
): Omit<Remark, 'member'> | null {
  if (scope === 'users' && member.type !== 'user') {
    const message = `Is no user (${member.type}); with scope "users" only users are removed.`;
    return { type: 'kept', code: null, message };
  }
  if (isProtected) {
    const message = 'Is not removed: it is listed in PROTECTED_USERS.';
    return { type: 'not_attempted', code: 'protected_object', message };
  }
  if (isAnyoneUnknown) {
    const message = 'Is not removed while a desired entry cannot be resolved: it might mean this member.';
    return { type: 'not_attempted', code: 'held_back', message };
  }
  return null;
}

function keyInPlan({ target }: PlannedMember): string {
  return target.id ?? target.key;
}
