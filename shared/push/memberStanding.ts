import type { ManagedMember } from './people.ts';

/**
 * For how long a write of ours counts more than what Graph shows of it: Graph follows Exchange within seconds, without
 * a promise, and replicas have been seen to take minutes (exchange.md §4, Consistency).
 */
export const graphLagMs = 5 * 60_000;

/** `open`: may be a member or not. */
export type Standing = 'member' | 'absent' | 'open';

export function isFresh({ changedAtMs }: ManagedMember, nowMs: number): boolean {
  return nowMs - changedAtMs < graphLagMs;
}

/**
 * Whether an object is a member, by what Graph shows and by what we have written. Pure.
 * @param row of the managed set
 * @param isShown by Graph; null where Graph was not asked
 */
export function standingOf(row: ManagedMember | undefined, isShown: boolean | null, nowMs: number): Standing {
  const shown = isShown === null ? null : isShown ? 'member' : 'absent';
  if (row === undefined) return shown ?? 'open';
  if (row.state === 'added') return isFresh(row, nowMs) ? 'member' : (shown ?? 'member');
  if (row.state === 'removed') return isFresh(row, nowMs) ? 'absent' : (shown ?? 'absent');
  // A write that was begun is open, whatever Graph shows, until it would show it.
  return shown === 'absent' && !isFresh(row, nowMs) ? 'absent' : 'open';
}
