import { Fault, type FaultCode } from '../../errors.ts';
import type { FindingCode } from '../diagnosis.ts';
import type { ImmutableIdDescription } from '../readImmutableId.ts';
import { type RepairGoal, repairGoalOf } from '../repairPlan.ts';

/** What each blocker is as a fault. */
const blockerCodes: Readonly<Partial<Record<FindingCode, FaultCode>>> = {
  synced_from_on_premises: 'on_premises_synced',
  management_restricted: 'management_restricted',
  protected_user: 'protected_object',
  held_by_user: 'immutable_id_in_use',
  held_by_deleted_user: 'immutable_id_in_use',
  role_missing: 'role_missing',
};

/**
 * Pure. What a repair would set out with; null where all is well already.
 * @throws Fault where it is known that a repair must not begin, or would not come to anything
 */
export function goalOf(description: ImmutableIdDescription): RepairGoal | null {
  const { comparison, findings, expectation, facts } = description;
  const label = facts.user.userPrincipalName;
  if (expectation === null) {
    const { message, fix } = comparison;
    throw new Fault('immutable_id_unknown', { detail: `Nothing was written to ${label}. ${message}`, fix });
  }
  if (expectation.immutableId === facts.user.immutableId) return null;
  const blockers = findings.filter(({ severity }) => severity === 'blocker');
  const [first] = blockers;
  if (first !== undefined) {
    throw new Fault(blockerCodes[first.code] ?? 'protected_object', {
      detail: `Nothing was written to ${label}. ${blockers.map(({ message, evidence }) => `${message} Evidence: ${evidence}.`).join(' ')}`,
      fix: first.fix,
    });
  }
  const goal = repairGoalOf(facts);
  if (goal !== null) return goal;
  throw new Fault('immutable_id_required', {
    detail: `Nothing was written to ${label}. Whoever signs in at a federated domain must have an immutable ID, and ${label} is not known to be in a managed one.`,
    fix: 'Move the user principal name to a managed domain first, or give the immutable ID that it should be.',
  });
}
