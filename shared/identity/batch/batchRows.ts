import type { FaultCode } from '../../errors.ts';
import type { OperationCounts } from '../../operations/operation.ts';

/** What became of one user. */
export const batchRowOutcomes = ['repaired', 'would_repair', 'unchanged', 'not_attempted', 'failed'] as const;
type BatchRowOutcome = (typeof batchRowOutcomes)[number];

/** One row of `results`. `code` is the outcome itself where nothing went wrong. */
export interface BatchRow {
  /** As the caller wrote it. */
  readonly member: string;
  readonly outcome: BatchRowOutcome;
  readonly code: FaultCode | BatchRowOutcome;
  readonly message: string;
}

export function goodRow(
  member: string,
  outcome: Exclude<BatchRowOutcome, 'failed' | 'not_attempted'>,
  message: string,
): BatchRow {
  return { member, outcome, code: outcome, message };
}

export function badRow(
  member: string,
  outcome: 'failed' | 'not_attempted',
  why: { readonly code: FaultCode; readonly message: string },
): BatchRow {
  return { member, outcome, code: why.code, message: why.message };
}

const bad: readonly BatchRowOutcome[] = ['failed', 'not_attempted'];

/** Pure. */
export function countBatch(rows: readonly BatchRow[]) {
  const count = (...outcomes: BatchRowOutcome[]) => rows.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const first = rows.find(({ outcome }) => bad.includes(outcome));
  return {
    repairedCount: count('repaired'),
    unchangedCount: count('unchanged'),
    failedCount: count(...bad),
    firstError: first === undefined ? null : `${first.member}: ${first.message}`,
  };
}

/** Pure. One sentence for a person. */
export function batchMessage(label: string, counts: OperationCounts, isDryRun: boolean): string {
  const { totalCount, repairedCount, unchangedCount, failedCount } = counts;
  const parts = [
    isDryRun && totalCount > 0 ? `${totalCount} would be repaired` : '',
    repairedCount > 0 ? `${repairedCount} repaired` : '',
    unchangedCount > 0 ? `${unchangedCount} already as asked` : '',
    failedCount > 0 ? `${failedCount} not done` : '',
  ].filter((part) => part !== '');
  return `The immutable IDs of ${label}: ${parts.length === 0 ? 'nothing done' : parts.join(', ')}.`;
}
