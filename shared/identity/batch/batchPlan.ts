import { createHash } from 'node:crypto';
import type { FaultCode } from '../../errors.ts';
import type { BatchEntry } from './batchRequest.ts';
import { badRow, type BatchRow, goodRow } from './batchRows.ts';

/** What is known of one entry before anything is written. */
export type PlannedEntry =
  | {
      readonly type: 'repair';
      /** Object id. */
      readonly userId: string;
      readonly userPrincipalName: string;
      readonly desired: string | null;
      /** Whether the user is assigned to the app that is to be taken care of. */
      readonly hasOktaPart: boolean;
    }
  | { readonly type: 'unchanged'; readonly userId: string; readonly userPrincipalName: string }
  | { readonly type: 'refused'; readonly code: FaultCode; readonly message: string };

/** Pure. Who is named twice, and who would get the same value as another, is refused: each alone might be well. */
export function judgeTogether(planned: readonly PlannedEntry[]): PlannedEntry[] {
  const mentions = countOf(planned.map((each) => (each.type === 'refused' ? null : each.userId)));
  const wishes = countOf(planned.map((each) => (each.type === 'repair' ? each.desired : null)));
  return planned.map((each) => {
    if (each.type === 'refused') return each;
    if ((mentions.get(each.userId) ?? 0) > 1) return namedTwice(each.userPrincipalName);
    if (each.type === 'unchanged' || each.desired === null) return each;
    return (wishes.get(each.desired) ?? 0) > 1 ? wantedTwice(each.desired) : each;
  });
}

function countOf(texts: readonly (string | null)[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) if (text !== null) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/**
 * Pure. What a plan is known by: the same whenever the same users would get the same values, in whatever order. Users
 * that are left alone do not count.
 */
export function planIdOf(oktaAppId: string | null, planned: readonly PlannedEntry[]): string {
  const repairs = planned.flatMap((each) => (each.type === 'repair' ? [[each.userId, each.desired]] : []));
  const sorted = repairs.map((each) => JSON.stringify(each)).sort();
  return createHash('sha256')
    .update(JSON.stringify([oktaAppId, sorted]))
    .digest('hex')
    .slice(0, 32);
}

/** Pure. What is to be said of an entry where nothing is done, or nothing is to be done. */
export function rowOfPlan({ user }: BatchEntry, planned: PlannedEntry): BatchRow {
  switch (planned.type) {
    case 'refused':
      return badRow(user, 'failed', planned);
    case 'unchanged':
      return goodRow(user, 'unchanged', 'The immutable ID is as it should be.');
    case 'repair':
      return goodRow(user, 'would_repair', `The immutable ID would become ${planned.desired ?? 'none'}.`);
  }
}

function namedTwice(userPrincipalName: string): PlannedEntry {
  return {
    type: 'refused',
    code: 'invalid_request',
    message: `${userPrincipalName} is named more than once; nothing was written.`,
  };
}

function wantedTwice(immutableId: string): PlannedEntry {
  return {
    type: 'refused',
    code: 'immutable_id_in_use',
    message: `Several users of the list should have the immutable ID ${immutableId}; nothing was written.`,
  };
}
