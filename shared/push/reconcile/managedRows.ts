import type { MemberChange } from '../../exchange/members.ts';
import type { MemberResult } from '../../groups/membership/memberWrites.ts';
import { isManaged } from '../candidate.ts';
import type { ManagedMember } from '../people.ts';
import type { PushChange } from '../pushPlan.ts';

/** One change of a plan with what was known of its member before. */
export interface KnownChange {
  readonly change: PushChange;
  readonly before: ManagedMember | undefined;
}

const begun = { add: 'adding', remove: 'removing' } as const;

/** Whether an earlier try, of which nobody knows what came, may have made the change. */
export function mayBeDone(change: MemberChange, { before }: KnownChange): boolean {
  return before?.state === begun[change];
}

/**
 * What is noted before a batch is sent: that it may be ours from now on. Who is ours already stays so while it is added
 * once more, and who never was does not become so by being removed. Pure.
 */
export function rowsBeforeWrite(change: MemberChange, batch: readonly KnownChange[], nowMs: number): ManagedMember[] {
  return batch
    .filter(({ before }) => (change === 'add' ? before?.state !== 'added' : isManaged(before)))
    .map(({ change: each }) => rowOf(each, begun[change], nowMs));
}

/**
 * What is noted once the answer is there. A write of which nobody knows the outcome stays as it was begun. Whoever is
 * gone is noted, also who was not ours: Graph may still show who is gone, and nobody is removed and counted twice. Pure.
 */
export function rowsAfterWrite(
  change: MemberChange,
  written: readonly (KnownChange & { readonly result: MemberResult })[],
  adoptMembers: boolean,
  nowMs: number,
): { readonly put: readonly ManagedMember[]; readonly forget: readonly string[] } {
  const put: ManagedMember[] = [];
  const forget: string[] = [];
  for (const { change: each, before, result } of written) {
    if (result.type === 'settled') {
      // Whose removal was begun has been ours as well, and may never have gone.
      const isOurs = change === 'remove' || result.wasChanged || isManaged(before) || adoptMembers;
      if (isOurs) put.push(rowOf(each, change === 'add' ? 'added' : 'removed', nowMs));
      else forget.push(each.entraId);
    } else if (result.code !== 'outcome_unknown' && before?.state !== 'adding' && before?.state !== 'removing') {
      if (before !== undefined) put.push(before);
      else if (change === 'add') forget.push(each.entraId);
    }
  }
  return { put, forget };
}

export function rowOf(change: PushChange, state: ManagedMember['state'], nowMs: number): ManagedMember {
  const { entraId, oktaUserId, login, label } = change;
  return { entraId, oktaUserId, login, label, state, changedAtMs: nowMs };
}
