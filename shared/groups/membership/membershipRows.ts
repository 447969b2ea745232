import type { MemberChange } from '../../exchange/members.ts';
import { failedRow, type MemberRow, plannedRow, settledRow } from './memberRows.ts';
import type { MembershipPlan, Remark } from './membershipPlan.ts';
import type { MemberResult } from './memberWrites.ts';

/** What a write came to, for the reply. */
export function rowOfResult(member: string, change: MemberChange, result: MemberResult): MemberRow {
  if (result.type === 'settled') return settledRow(member, change, result.wasChanged);
  return failedRow(member, result.type, result);
}

/** What a plan would do, a row a change. */
export function rowsOfPlan({ adds, removes }: MembershipPlan): MemberRow[] {
  return [
    ...adds.map(({ member }) => plannedRow(member, 'add', true)),
    ...removes.map(({ member }) => plannedRow(member, 'remove', true)),
  ];
}

/** Of a member who stays although not desired, since nobody who was to come is there. */
export function stillNeededRow(member: string): MemberRow {
  const message = 'Is not removed: those who were to take its place could not be added, and the group would be empty.';
  return failedRow(member, 'not_attempted', { code: 'would_empty_group', message });
}

/** Whom a plan leaves alone, and which entries it cannot use: the latter first, since they want an answer. */
export function remarkRows({ unresolvable, kept }: Pick<MembershipPlan, 'unresolvable' | 'kept'>): MemberRow[] {
  return [...unresolvable, ...kept].map(remarkRow);
}

function remarkRow({ member, type, code, message }: Remark): MemberRow {
  if (type === 'kept' || code === null) return { member, outcome: 'kept', code: 'kept', message };
  return failedRow(member, type, { code, message });
}
