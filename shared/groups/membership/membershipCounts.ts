import type { OperationCounts } from '../../operations/operation.ts';
import { countRows, type MemberRow } from './memberRows.ts';

/** What an operation counts, with these rows. Pure. */
export function addRowCounts(counts: OperationCounts, rows: readonly MemberRow[]): OperationCounts {
  const more = countRows(rows);
  return {
    ...counts,
    addedCount: counts.addedCount + more.addedCount,
    removedCount: counts.removedCount + more.removedCount,
    unchangedCount: counts.unchangedCount + more.unchangedCount,
    keptCount: counts.keptCount + more.keptCount,
    failedCount: counts.failedCount + more.failedCount,
  };
}
