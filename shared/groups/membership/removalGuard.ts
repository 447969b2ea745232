import { Fault } from '../../errors.ts';

/** Members removed from one group by one request or one slice of it. */
export interface Removal {
  readonly atMs: number;
  readonly count: number;
  /** Members that the group had before; null where it was not counted. */
  readonly sizeBefore: number | null;
  /** The slice it belongs to, which may be told of again as it goes on; absent for what is told of once. */
  readonly slice?: string;
}

export interface RemovalPlan {
  /** Members now. */
  readonly actualCount: number;
  readonly addCount: number;
  readonly removeCount: number;
  /** Of the last 24 hours, oldest first. */
  readonly recent: readonly Removal[];
  /** The caller's own limit for this request; null: the guard's. */
  readonly maxRemovals: number | null;
  readonly allowEmpty: boolean;
}

/** How a caller is told of the guard, and how to allow what it forbids. */
export interface GuardWords {
  /** What was not done, as a sentence. */
  readonly undone: string;
  /** How to see the plan, as a sentence. */
  readonly look: string;
  /** What allows it, up to the field. */
  readonly allow: string;
}

/** Of a request that is refused as a whole. */
export const requestWords: GuardWords = {
  undone: 'Nothing was written.',
  look: 'Look at the plan with "dryRun": true.',
  allow: 'repeat the request with',
};

const windowMs = 24 * 3_600_000;
const leastAllowed = 5;
const allowedPercent = 10;

/** What the guard counts: the last 24 hours. */
export function recentOf<Change extends { readonly atMs: number }>(
  changes: readonly Change[],
  nowMs: number,
): readonly Change[] {
  return changes.filter(({ atMs }) => atMs > nowMs - windowMs);
}

/**
 * Why a plan must not be carried out as it is; null when it may. Pure. Removals of the last 24 hours count with those
 * planned, against a share of the size that the group had when that window began: many small steps are one large one
 * (design §6.7).
 */
export function judgeRemovals(plan: RemovalPlan, words: GuardWords = requestWords): Fault | null {
  const { actualCount, addCount, removeCount, maxRemovals, allowEmpty } = plan;
  if (removeCount === 0) return null;
  const removedCount = plan.recent.reduce((sum, { count }) => sum + count, 0);
  if (maxRemovals !== null) {
    if (removeCount > maxRemovals) return tooMany(`maxRemovals is ${maxRemovals}`, removeCount, words);
  } else {
    const sizeAtStart = sizeBeforeWindow(plan.recent) ?? actualCount + removedCount;
    const limit = Math.max(leastAllowed, Math.floor((sizeAtStart * allowedPercent) / 100));
    if (removedCount + removeCount > limit) {
      const already = removedCount === 0 ? '' : `, and ${removedCount} were removed in the last 24 hours`;
      return tooMany(`${limit} may go from a group of ${sizeAtStart} within 24 hours${already}`, removeCount, words);
    }
  }
  if (actualCount - removeCount + addCount > 0 || allowEmpty) return null;
  return new Fault('would_empty_group', {
    detail: `The group has ${actualCount} members and would be left without any. ${words.undone}`,
    fix: `If that is meant, ${words.allow} "allowEmpty": true.`,
  });
}

/** From the first removal that knows how large the group was; who was removed before it was there as well. */
function sizeBeforeWindow(recent: readonly Removal[]): number | null {
  let removedCount = 0;
  for (const { count, sizeBefore } of recent) {
    if (sizeBefore !== null) return sizeBefore + removedCount;
    removedCount += count;
  }
  return null;
}

function tooMany(limit: string, removeCount: number, { undone, look, allow }: GuardWords): Fault {
  return new Fault('too_many_removals', {
    detail: `${removeCount} members would be removed; ${limit}. ${undone}`,
    fix: `${look} If it is right, ${allow} "maxRemovals": ${removeCount}.`,
  });
}
