import { type Operation, retryAfterSeconds } from '../../operations/operation.ts';
import { type Group, labelOf } from '../group.ts';
import { countRows, type MemberRow, membershipMessage, membershipOutcomes } from './memberRows.ts';
import type { MembershipPlan } from './membershipPlan.ts';

/** `running`: goes on as an operation. */
export const setMembersOutcomes = [...membershipOutcomes, 'running'] as const;
export type SetMembersOutcome = (typeof setMembersOutcomes)[number];

/** What a caller is told; counts are of what has been done so far. */
export interface SetMembersReply {
  readonly ok: boolean;
  readonly outcome: SetMembersOutcome;
  readonly changed: boolean;
  readonly message: string;
  readonly groupId: string;
  readonly planId: string | null;
  readonly operationId: string | null;
  readonly done: boolean;
  readonly retryAfterSeconds: number | null;
  readonly plannedCount: number;
  readonly addedCount: number;
  readonly removedCount: number;
  readonly unchangedCount: number;
  readonly keptCount: number;
  readonly failedCount: number;
  readonly firstError: string | null;
  readonly results: readonly MemberRow[];
}

/** Of what was done, or planned, within the request. Pure. */
export function replyOfPlan(
  group: Group,
  plan: MembershipPlan,
  rows: readonly MemberRow[],
  isDryRun: boolean,
): SetMembersReply {
  const found = countRows(rows);
  const counts = { ...found, unchangedCount: found.unchangedCount + plan.unchangedCount };
  const { addedCount, removedCount, unchangedCount, keptCount, failedCount, firstError, plannedCount } = counts;
  // An open outcome may be a change: to say "nothing was written" of it would be a guess.
  const changed = addedCount + removedCount > 0 || rows.some(({ code }) => code === 'outcome_unknown');
  return {
    ok: failedCount === 0,
    outcome: outcomeOf(),
    changed,
    message: membershipMessage(labelOf(group), counts),
    groupId: group.id ?? '',
    planId: plan.planId,
    operationId: null,
    done: true,
    retryAfterSeconds: null,
    plannedCount: isDryRun ? plannedCount : plan.adds.length + plan.removes.length,
    addedCount,
    removedCount,
    unchangedCount,
    keptCount,
    failedCount,
    firstError,
    results: rows,
  };

  function outcomeOf(): SetMembersOutcome {
    if (isDryRun) return plannedCount > 0 || failedCount > 0 ? 'planned' : 'unchanged';
    if (failedCount > 0) return addedCount + removedCount + unchangedCount + keptCount > 0 ? 'partial' : 'failed';
    return changed ? 'updated' : 'unchanged';
  }
}

/** Of what goes on; what has ended is answered by getOperation. Pure. */
export function replyOfOperation(group: Group, operation: Operation, nowMs: number): SetMembersReply {
  const { operationId, planId, counts, firstError, isDryRun } = operation;
  const { totalCount, addedCount, removedCount, unchangedCount, keptCount, failedCount } = counts;
  return {
    ok: false,
    outcome: 'running',
    // What goes on may have written by now.
    changed: !isDryRun,
    message: `${labelOf(group)}: goes on as the operation ${operationId}.`,
    groupId: group.id ?? '',
    planId,
    operationId,
    done: false,
    retryAfterSeconds: retryAfterSeconds(operation, nowMs),
    plannedCount: totalCount,
    addedCount,
    removedCount,
    unchangedCount,
    keptCount,
    failedCount,
    firstError,
    results: [],
  };
}
