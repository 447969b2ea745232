import type { FaultCode } from '../../errors.ts';
import { type PlannedEntry, rowOfPlan } from './batchPlan.ts';
import type { BatchRequest } from './batchRequest.ts';
import { badRow, type BatchRow } from './batchRows.ts';

/** How far a batch has come, stored after each few repairs. By the place of an entry in the request. */
export interface BatchProgress {
  readonly rows: Readonly<Record<number, BatchRow>>;
  /** Begun, or to be begun when nobody else is at the user any more. */
  readonly open: Readonly<Record<number, OpenEntry>>;
  /** Entries whose repair ended otherwise than planned. */
  readonly unexpected: readonly number[];
  /** Whether a repair has come to its end as it should: the rest follows then. */
  readonly isProven: boolean;
  readonly isStopped: boolean;
}

export interface OpenEntry {
  readonly sinceMs: number;
  /** Not to be gone on with before. */
  readonly untilMs: number;
  readonly code: FaultCode;
  /** What it waits for. */
  readonly why: string;
  /** Whether a person should look at it: nobody waits for it. */
  readonly needsAttention: boolean;
}

/** What came of one look at an entry. */
export type EntryResult =
  | { readonly type: 'settled'; readonly row: BatchRow; readonly isUnexpected: boolean }
  | { readonly type: 'open'; readonly entry: Omit<OpenEntry, 'sinceMs'> };

export const noProgress: BatchProgress = { rows: {}, open: {}, unexpected: [], isProven: false, isStopped: false };

/** How many repairs go on at once: each takes some twenty requests. */
const atOnce = 5;

/** What is to be done now. */
export type BatchMove =
  | { readonly type: 'repair'; readonly indexes: readonly number[] }
  | { readonly type: 'wait'; readonly open: OpenEntry }
  /** Nothing more is begun, and nothing is open. */
  | { readonly type: 'end' };

/**
 * Pure. Those that are open come first: while one of them may still end as it should, no other is begun, so that an
 * outage meets few. The first repair goes alone.
 */
export function nextMove(
  planned: readonly PlannedEntry[],
  progress: BatchProgress,
  maxFailures: number,
  nowMs: number,
): BatchMove {
  const open = Object.entries(progress.open);
  const due = open.filter(([, { untilMs }]) => untilMs <= nowMs).map(([index]) => Number(index));
  if (due.length > 0) return { type: 'repair', indexes: due.slice(0, atOnce) };
  const pending = open.map(([, entry]) => entry).toSorted((a, b) => a.untilMs - b.untilMs);
  const awaited = pending.find(({ needsAttention }) => !needsAttention);
  if (awaited !== undefined) return { type: 'wait', open: awaited };
  const indexes = nextIndexes(planned, progress, maxFailures);
  if (indexes.length > 0) return { type: 'repair', indexes };
  const [left] = pending;
  return left === undefined ? { type: 'end' } : { type: 'wait', open: left };
}

/** Pure. Those to be begun now; none where nothing is left to begin, or nothing more shall be. */
function nextIndexes(planned: readonly PlannedEntry[], progress: BatchProgress, maxFailures: number): number[] {
  const { rows, open, isProven, isStopped } = progress;
  if (isStopped) return [];
  const budget = maxFailures - failuresOf(progress) + 1;
  const left = planned.flatMap(({ type }, index) => {
    const isLeft = type === 'repair' && rows[index] === undefined && open[index] === undefined;
    return isLeft ? [index] : [];
  });
  return left.slice(0, isProven ? Math.min(atOnce, budget) : 1);
}

/** Pure. Whether anything may still be begun. */
export function beginsMore(planned: readonly PlannedEntry[], progress: BatchProgress, maxFailures: number): boolean {
  return nextIndexes(planned, progress, maxFailures).length > 0;
}

/** Pure. */
export function afterLook(
  progress: BatchProgress,
  results: ReadonlyMap<number, EntryResult>,
  maxFailures: number,
  nowMs: number,
): BatchProgress {
  let { rows, unexpected, isProven } = progress;
  const open = new Map(Object.entries(progress.open));
  for (const [index, result] of results) {
    const key = String(index);
    if (result.type === 'open') {
      open.set(key, { sinceMs: nowMs, ...progress.open[index], ...result.entry });
      continue;
    }
    open.delete(key);
    rows = { ...rows, [index]: result.row };
    if (result.isUnexpected) unexpected = [...unexpected, index];
    isProven ||= result.row.outcome === 'repaired';
  }
  const next: BatchProgress = { ...progress, rows, open: Object.fromEntries(open), unexpected, isProven };
  const failures = failuresOf(next);
  return { ...next, isStopped: progress.isStopped || failures > (isProven ? maxFailures : 0) };
}

/** A repair that needs a person counts until it has ended well. */
function failuresOf({ open, unexpected }: BatchProgress): number {
  return unexpected.length + Object.values(open).filter(({ needsAttention }) => needsAttention).length;
}

/** Pure. One row an entry, in the order of the request, as it stands. */
export function rowsOf(
  { entries, isDryRun }: BatchRequest,
  planned: readonly PlannedEntry[],
  progress: BatchProgress,
): BatchRow[] {
  return entries.flatMap((entry, index) => {
    const plan = planned[index];
    if (plan === undefined) return [];
    if (isDryRun || plan.type !== 'repair') return [rowOfPlan(entry, plan)];
    const known = progress.rows[index];
    if (known !== undefined) return [known];
    const open = progress.open[index];
    return [open === undefined ? neverBegun(entry.user, progress.isStopped) : leftOpen(entry.user, open)];
  });
}

function neverBegun(user: string, isStopped: boolean): BatchRow {
  const [code, why] = isStopped
    ? (['too_many_failures', 'Left alone, because too many repairs before it failed.'] as const)
    : (['not_attempted', 'Not begun before the operation ended.'] as const);
  return badRow(user, 'not_attempted', { code, message: why });
}

function leftOpen(user: string, { code, why }: OpenEntry): BatchRow {
  return badRow(user, 'failed', { code, message: `${why} It goes on by itself; getImmutableId says how it stands.` });
}
