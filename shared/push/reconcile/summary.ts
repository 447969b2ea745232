import type { ReconcileSummary } from '../mapping.ts';
import type { PushChange } from '../pushPlan.ts';
import { isWaitingCode } from '../unresolved.ts';
import type { ChangeResult } from './planWriter.ts';
import type { Execution } from './execute.ts';
import type { Survey } from './survey.ts';

/** Okta users who could not be added or removed for now: an event about each does it later. Pure. */
export function retriedLater(survey: Survey, { results }: Pick<Execution, 'results'>): Set<string> {
  const waiting = survey.plan.unresolved.filter(({ isWaiting }) => isWaiting).map(({ oktaUserId }) => oktaUserId);
  const later = results.filter(({ type }) => type === 'later').map(({ change }) => change);
  return new Set([...waiting, ...usersOf(survey, later)]);
}

/**
 * Okta users whom these changes are about. Pure. A change itself names one at most, and none for members that the
 * mapping has never added.
 */
export function usersOf({ people, matches }: Survey, changes: readonly PushChange[]): string[] {
  const objects = new Set(changes.map(({ entraId }) => entraId.toLowerCase()));
  const isAbout = (entraId: string | null) => entraId !== null && objects.has(entraId.toLowerCase());
  return [
    ...changes.flatMap(({ oktaUserId }) => oktaUserId ?? []),
    ...[...people.values()].filter(({ entraId }) => isAbout(entraId)).map(({ oktaUserId }) => oktaUserId),
    ...[...matches].filter(([, match]) => match.type === 'matched' && isAbout(match.entraId)).map(([id]) => id),
  ];
}

/** What a full reconcile came to. Pure. */
export function summaryOf(survey: Survey, execution: Execution, atMs: number): ReconcileSummary {
  const { plan, actualCount, sourceGroup, isSteady, mapping } = survey;
  const { results, guard } = execution;
  const count = (test: (result: ChangeResult) => boolean) => results.filter(test).length;
  const refusedAdds = count(({ type, direction }) => type === 'refused' && direction === 'add');
  const waitingCount =
    plan.unresolved.filter(({ isWaiting }) => isWaiting).length + count(({ row }) => row.code === 'no_mailbox');
  const isDone = results.every(({ type, row }) => type === 'done' || row.code === 'no_mailbox' || type === 'refused');
  const refusedRemoves = count(({ type, direction }) => type === 'refused' && direction === 'remove');
  const hasReportedOnly = results.length < plan.adds.length + plan.removes.length && guard === null;
  return {
    atMs,
    isClean: isSteady && isDone && guard === null && refusedRemoves === 0 && !hasReportedOnly,
    desiredCount: plan.desiredCount,
    actualCount,
    addedCount: count(({ row }) => row.outcome === 'added'),
    removedCount: count(({ row }) => row.outcome === 'removed'),
    keptCount: plan.kept.length,
    unresolvedCount: plan.unresolved.filter(({ code }) => !isWaitingCode(code)).length + refusedAdds,
    waitingCount,
    addedOutsideCount: plan.drift.addedOutside.length,
    removedOutsideCount: plan.drift.removedOutside.length,
    // Of what was still moving, nothing is known for sure.
    membershipUpdatedAt: isSteady
      ? sourceGroup.membershipUpdatedAt
      : (mapping.lastReconcile?.membershipUpdatedAt ?? null),
  };
}
