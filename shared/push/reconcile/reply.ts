import { labelOf } from '../../groups/group.ts';
import { countRows, failedRow, type MemberRow, membershipMessage } from '../../groups/membership/memberRows.ts';
import { plannedRow } from '../../groups/membership/memberRows.ts';
import { type Operation, retryAfterSeconds } from '../../operations/operation.ts';
import type { PushMapping } from '../mapping.ts';
import type { PushOutcome, PushReply } from '../pushReply.ts';
import type { Execution } from './execute.ts';
import { summaryOf } from './summary.ts';
import type { Survey } from './survey.ts';

/** So many names of each list, and so many rows, fit into a reply that a flow reads; the counts are of all. */
const maxNames = 100;
const maxRows = 500;

/** What a plan would do, or did not come to, a row a change. Pure. */
export function plannedRows({ plan }: Survey): MemberRow[] {
  return [
    ...plan.adds.map(({ label }) => plannedRow(label, 'add', true)),
    ...plan.removes.map(({ label }) => plannedRow(label, 'remove', true)),
  ];
}

/** Whom a plan cannot add, and whom it leaves alone: the former first, since they want an answer. Pure. */
export function remarkRows({ plan }: Survey): MemberRow[] {
  return [
    ...plan.unresolved.map(({ login, code, message, isWaiting }) =>
      failedRow(login, isWaiting ? 'not_ready' : 'failed', { code, message }),
    ),
    ...plan.kept.map(({ label, code, message }): MemberRow => {
      if (code !== null) return failedRow(label, 'not_attempted', { code, message });
      return { member: label, outcome: 'kept', code: 'kept', message };
    }),
  ];
}

/** @param execution null: nothing was tried */
export function replyOfSurvey(
  survey: Survey,
  execution: Execution | null,
  mapping: Pick<PushMapping, 'status'>,
  nowMs: number,
): PushReply {
  const { plan, group, mapping: surveyed, actualCount } = survey;
  const done = execution === null ? plannedRows(survey) : execution.results.map(({ row }) => row);
  const all = [...done, ...remarkRows(survey)];
  const { addedCount, removedCount, unchangedCount, keptCount, failedCount, plannedCount, firstError } = countRows(all);
  const summary = summaryOf(survey, execution ?? { results: [], left: [], guard: null, fault: null }, nowMs);
  const { unresolvedCount, waitingCount, addedOutsideCount, removedOutsideCount } = summary;
  // An open outcome may be a change: to say "nothing was written" of it would be a guess.
  const changed = addedCount + removedCount > 0 || all.some(({ code }) => code === 'outcome_unknown');
  const same = unchangedCount + plan.unchangedCount;
  const counts = { addedCount, removedCount, unchangedCount: same, keptCount, failedCount, plannedCount };
  return {
    ok: failedCount === 0,
    outcome: outcomeOf(),
    changed,
    message: membershipMessage(labelOf(group), counts),
    oktaGroupId: surveyed.oktaGroupId,
    targetId: surveyed.targetId,
    status: mapping.status,
    planId: plan.planId,
    operationId: null,
    done: true,
    retryAfterSeconds: null,
    desiredCount: plan.desiredCount,
    actualCount,
    ...counts,
    plannedCount: plan.adds.length + plan.removes.length,
    unresolvedCount,
    waitingCount,
    firstError,
    addedOutsideCount,
    removedOutsideCount,
    addedOutside: plan.drift.addedOutside.slice(0, maxNames).map(({ label }) => label),
    removedOutside: plan.drift.removedOutside.slice(0, maxNames).map(({ label }) => label),
    exclusiveWouldRemoveCount: plan.exclusiveWouldRemove.length,
    exclusiveWouldRemove: plan.exclusiveWouldRemove.slice(0, maxNames).map(({ label }) => label),
    results: all.slice(0, maxRows),
  };

  function outcomeOf(): PushOutcome {
    if (execution === null) return plannedCount > 0 || failedCount > 0 ? 'planned' : 'unchanged';
    if (failedCount > 0) return addedCount + removedCount + same + keptCount > 0 ? 'partial' : 'failed';
    return changed ? 'updated' : 'unchanged';
  }
}

/** Of what goes on; what has ended is answered by getOperation. @param survey null: not known yet */
export function replyOfOperation(
  mapping: PushMapping,
  operation: Operation,
  survey: Survey | null,
  nowMs: number,
): PushReply {
  const { operationId, planId, counts, firstError, isDryRun } = operation;
  const { totalCount, addedCount, removedCount, unchangedCount, keptCount, failedCount } = counts;
  const none: readonly string[] = [];
  const found =
    survey === null
      ? { addedOutside: none, removedOutside: none, exclusiveWouldRemove: none, unresolvedCount: 0, waitingCount: 0 }
      : replyOfSurvey(survey, null, mapping, nowMs);
  const { addedOutside, removedOutside, exclusiveWouldRemove, unresolvedCount, waitingCount } = found;
  return {
    ok: false,
    outcome: 'running',
    // What goes on may have written by now.
    changed: !isDryRun,
    message: `${mapping.targetName}: goes on as the operation ${operationId}.`,
    oktaGroupId: mapping.oktaGroupId,
    targetId: mapping.targetId,
    status: mapping.status,
    planId,
    operationId,
    done: false,
    retryAfterSeconds: retryAfterSeconds(operation, nowMs),
    desiredCount: survey?.plan.desiredCount ?? 0,
    actualCount: survey?.actualCount ?? 0,
    plannedCount: totalCount,
    addedCount,
    removedCount,
    unchangedCount,
    keptCount,
    failedCount,
    unresolvedCount,
    waitingCount,
    firstError,
    addedOutsideCount: survey?.plan.drift.addedOutside.length ?? 0,
    removedOutsideCount: survey?.plan.drift.removedOutside.length ?? 0,
    addedOutside,
    removedOutside,
    exclusiveWouldRemoveCount: survey?.plan.exclusiveWouldRemove.length ?? 0,
    exclusiveWouldRemove,
    results: [],
  };
}
