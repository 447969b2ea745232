import { createHash } from 'node:crypto';
import type { Call } from '../../call.ts';
import { Fault } from '../../errors.ts';
import type { MembershipPlan, MembershipScope } from './membershipPlan.ts';
import { judgeRemovals, type Removal } from './removalGuard.ts';

/** What a caller wants the members of a group to be. */
export interface SetMembersRequest {
  readonly members: readonly string[];
  readonly scope: MembershipScope;
  /** The caller's own limit for removals; null: the guard's. */
  readonly maxRemovals: number | null;
  readonly allowEmpty: boolean;
  /** Only this plan may be carried out; null: whatever is found. */
  readonly planId: string | null;
  readonly isDryRun: boolean;
}

/** The same for the same request, in whatever order and case it names people. */
export function fingerprintOf(groupId: string, request: SetMembersRequest): string {
  const members = [...new Set(request.members.map((member) => member.toLowerCase()))].sort();
  const hash = createHash('sha256').update(JSON.stringify([groupId.toLowerCase(), { ...request, members: [] }]));
  for (const member of members) hash.update(member).update('\n');
  return hash.digest('hex');
}

/** @throws Fault `plan_changed`, `too_many_removals`, `would_empty_group` */
export function refusePlan(request: SetMembersRequest, plan: MembershipPlan, recent: readonly Removal[]): void {
  if (request.planId !== null && request.planId !== plan.planId) {
    throw new Fault('plan_changed', {
      detail: `The plan is no longer ${request.planId}: now ${plan.adds.length} would be added and ${plan.removes.length} removed. Nothing was written.`,
      fix: 'Ask for a new plan with "dryRun": true, look at it, and repeat the request with its planId.',
    });
  }
  const refusal = guardRefusal(request, plan, recent);
  if (refusal !== null) throw refusal;
}

/** For a dry run: what would stop the plan is said beside it. */
export function warnOfRefusal(
  request: SetMembersRequest,
  plan: MembershipPlan,
  recent: readonly Removal[],
  call: Pick<Call, 'warn'>,
): void {
  const refusal = guardRefusal(request, plan, recent);
  if (refusal !== null)
    call.warn(`As it is, this plan would be refused (${refusal.code}). ${refusal.message} ${refusal.fix}`);
}

function guardRefusal(
  { maxRemovals, allowEmpty }: SetMembersRequest,
  { actualCount, adds, removes }: MembershipPlan,
  recent: readonly Removal[],
): Fault | null {
  return judgeRemovals({
    actualCount,
    addCount: adds.length,
    removeCount: removes.length,
    recent,
    maxRemovals,
    allowEmpty,
  });
}
