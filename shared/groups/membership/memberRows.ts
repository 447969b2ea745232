import type { FaultCode } from '../../errors.ts';
import type { MemberChange } from '../../exchange/members.ts';

/** What became of one member. */
export const memberOutcomes = [
  'added',
  'already_member',
  'would_add',
  'removed',
  'not_member',
  'would_remove',
  'kept',
  'not_ready',
  'not_attempted',
  'failed',
] as const;
export type MemberOutcome = (typeof memberOutcomes)[number];

/** One row of `results`. `code` is the outcome itself where nothing went wrong. */
export interface MemberRow {
  /** As the caller wrote it. */
  readonly member: string;
  readonly outcome: MemberOutcome;
  readonly code: FaultCode | MemberOutcome;
  readonly message: string;
}

export const membershipOutcomes = ['updated', 'unchanged', 'partial', 'failed', 'planned'] as const;
export type MembershipOutcome = (typeof membershipOutcomes)[number];

/** The counts a flow reads instead of looping over `results`. */
export interface MembershipSummary {
  readonly ok: boolean;
  readonly outcome: MembershipOutcome;
  readonly changed: boolean;
  readonly message: string;
  readonly addedCount: number;
  readonly removedCount: number;
  readonly unchangedCount: number;
  readonly failedCount: number;
  readonly firstError: string | null;
  readonly results: readonly MemberRow[];
}

const failures: readonly MemberOutcome[] = ['failed', 'not_ready', 'not_attempted'];
const changes: readonly MemberOutcome[] = ['added', 'removed'];

/** The row of a member that is now, or was already, as asked. */
export function settledRow(member: string, change: MemberChange, wasChanged: boolean): MemberRow {
  const outcome = wasChanged ? changedOutcome[change] : unchangedOutcome[change];
  return { member, outcome, code: outcome, message: settledMessages[outcome] };
}

export function plannedRow(member: string, change: MemberChange, isNeeded: boolean): MemberRow {
  if (!isNeeded) return settledRow(member, change, false);
  const outcome = change === 'add' ? 'would_add' : 'would_remove';
  return { member, outcome, code: outcome, message: settledMessages[outcome] };
}

export function failedRow(
  member: string,
  outcome: 'failed' | 'not_ready' | 'not_attempted',
  why: { readonly code: FaultCode; readonly message: string },
): MemberRow {
  return { member, outcome, code: why.code, message: why.message };
}

const changedOutcome = { add: 'added', remove: 'removed' } as const;
const unchangedOutcome = { add: 'already_member', remove: 'not_member' } as const;
const settledMessages = {
  added: 'Added.',
  removed: 'Removed.',
  already_member: 'Is a member already.',
  not_member: 'Is not a member.',
  would_add: 'Would be added.',
  would_remove: 'Would be removed.',
} as const;

export interface RowCounts {
  readonly addedCount: number;
  readonly removedCount: number;
  readonly unchangedCount: number;
  readonly plannedCount: number;
  readonly keptCount: number;
  readonly failedCount: number;
  /** The first member that failed, with the reason. */
  readonly firstError: string | null;
}

/** Pure. */
export function countRows(rows: readonly MemberRow[]): RowCounts {
  const count = (...outcomes: MemberOutcome[]) => rows.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const first = rows.find(({ outcome }) => failures.includes(outcome));
  return {
    addedCount: count('added'),
    removedCount: count('removed'),
    unchangedCount: count('already_member', 'not_member'),
    plannedCount: count('would_add', 'would_remove'),
    keptCount: count('kept'),
    failedCount: count(...failures),
    firstError: first === undefined ? null : `${first.member}: ${first.message}`,
  };
}

/** One sentence for a person. Pure. */
export function membershipMessage(groupLabel: string, counts: Omit<RowCounts, 'firstError'>): string {
  const { addedCount, removedCount, plannedCount, unchangedCount, keptCount, failedCount } = counts;
  const parts = [
    addedCount > 0 ? `${addedCount} added` : '',
    removedCount > 0 ? `${removedCount} removed` : '',
    plannedCount > 0 ? `${plannedCount} would change` : '',
    unchangedCount > 0 ? `${unchangedCount} already as asked` : '',
    keptCount > 0 ? `${keptCount} kept` : '',
    failedCount > 0 ? `${failedCount} not done` : '',
  ].filter((part) => part !== '');
  return `${groupLabel}: ${parts.length === 0 ? 'nothing to do' : parts.join(', ')}.`;
}

/** Sums rows up. Pure. `partial`: some are as asked and some are not. */
export function summarize(rows: readonly MemberRow[], groupLabel: string, isDryRun: boolean): MembershipSummary {
  const counts = countRows(rows);
  const { addedCount, removedCount, unchangedCount, plannedCount, failedCount, firstError } = counts;
  // An open outcome may be a change: to say "nothing was written" of it would be a guess.
  const changed = rows.some(({ outcome, code }) => changes.includes(outcome) || code === 'outcome_unknown');
  return {
    ok: failedCount === 0,
    outcome: outcomeOf(),
    changed,
    message: membershipMessage(groupLabel, counts),
    addedCount,
    removedCount,
    unchangedCount,
    failedCount,
    firstError,
    results: rows,
  };

  function outcomeOf(): MembershipOutcome {
    if (failedCount === rows.length && rows.length > 0) return 'failed';
    if (failedCount > 0) return 'partial';
    if (isDryRun && plannedCount > 0) return 'planned';
    return changed ? 'updated' : 'unchanged';
  }
}
