import { Fault } from '../errors.ts';
import type { Addition } from '../groups/groupLock.ts';
import { type GuardWords, recentOf, requestWords } from '../groups/membership/removalGuard.ts';

/**
 * Why a plan adds more than its mapping allows; null when it may be carried out. Pure. Additions of the last 24 hours
 * count with those planned (design §6.7).
 */
export function judgeAdditions(plan: {
  readonly addCount: number;
  /** What is noted of the group; older ones do not count. */
  readonly recent: readonly Pick<Addition, 'atMs' | 'count'>[];
  /** Of the mapping; null: any number. */
  readonly maxAdditions: number | null;
  readonly nowMs: number;
  readonly words?: GuardWords;
}): Fault | null {
  const { addCount, recent, maxAdditions, nowMs, words = requestWords } = plan;
  if (addCount === 0 || maxAdditions === null) return null;
  const addedCount = recentOf(recent, nowMs).reduce((sum, { count }) => sum + count, 0);
  const total = addedCount + addCount;
  if (total <= maxAdditions) return null;
  const already = addedCount === 0 ? '' : `, and ${addedCount} were added in the last 24 hours`;
  return new Fault('too_many_additions', {
    detail: `${addCount} members would be added; ${maxAdditions} may come within 24 hours${already}. ${words.undone}`,
    fix: `${words.look} If it is right, raise "maxAdditions" of the mapping to ${total} or more.`,
  });
}
