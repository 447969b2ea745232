import type { Finding } from '../diagnosis.ts';
import { mayHaveUnassigned } from '../oktaAssignment/assignment.ts';
import type { PlannedStep } from '../repairPlan.ts';
import { repairOutcomes } from '../repairRecord.ts';
import type { CheckedRepair } from './engine.ts';
import type { Repair, RepairStepRow, RepairTurn } from './repair.ts';
import { endOf, type UndoRow, undoRows, undoText } from './repairTexts.ts';

export const repairAnswerOutcomes = [...repairOutcomes, 'running', 'needs_attention', 'planned'] as const;
export type RepairAnswerOutcome = (typeof repairAnswerOutcomes)[number];

/** What came of a request to repair one user. */
export interface RepairAnswer {
  readonly ok: boolean;
  readonly outcome: RepairAnswerOutcome;
  readonly changed: boolean;
  readonly message: string;
  /** Object id. */
  readonly userId: string;
  /** As it was read last. */
  readonly userPrincipalName: string;
  /** As it was read last; null: none. */
  readonly immutableId: string | null;
  readonly formerImmutableId: string | null;
  /** null: none. */
  readonly desiredImmutableId: string | null;
  /** null: all is well. */
  readonly code: string | null;
  readonly fix: string | null;
  /** null: nothing was begun. */
  readonly operationId: string | null;
  readonly done: boolean;
  readonly retryAfterSeconds: number | null;
  /** What was done, in order. */
  readonly steps: readonly RepairStepRow[];
  /** What a dry run would do; else what in Okta is left to a flow or a person. */
  readonly plan: readonly PlannedStep[];
  /** What a person would send to have the user as before, in order. */
  readonly undo: readonly UndoRow[];
  readonly addedAddresses: readonly string[];
  readonly removedAddresses: readonly string[];
  readonly findings: readonly Finding[];
}

/** Pure. Of a request that writes nothing. */
export function answerOfCheck({ description, goal }: CheckedRepair): RepairAnswer {
  const { facts, comparison, findings, expectation, plan } = description;
  const { id, userPrincipalName, immutableId } = facts.user;
  const isPlanned = goal !== null;
  return {
    ok: true,
    outcome: isPlanned ? 'planned' : 'unchanged',
    changed: false,
    message: isPlanned
      ? `The immutable ID of ${userPrincipalName} would become ${goal.desired ?? 'none'}: ${comparison.message}`
      : `The immutable ID of ${userPrincipalName} is as asked for.`,
    userId: id,
    userPrincipalName,
    immutableId,
    formerImmutableId: immutableId,
    desiredImmutableId: expectation?.immutableId ?? null,
    code: null,
    fix: null,
    operationId: null,
    done: true,
    retryAfterSeconds: null,
    steps: [],
    plan,
    undo: [],
    addedAddresses: [],
    removedAddresses: [],
    findings,
  };
}

/** Pure. @param untilMs when it goes on by itself; null: it has ended */
export function answerOfRepair(repair: Repair, untilMs: number | null, nowMs: number): RepairAnswer {
  const { record, seen, addresses, operationId, steps } = repair;
  const { before, desired } = record;
  return {
    ...standing(repair, untilMs !== null),
    changed: record.hasChanged || record.last?.answer === 'sent' || hasWrittenInOkta(repair),
    userId: repair.userId,
    userPrincipalName: seen?.userPrincipalName ?? before.userPrincipalName,
    immutableId: seen === null ? before.immutableId : seen.immutableId,
    formerImmutableId: before.immutableId,
    desiredImmutableId: desired,
    operationId,
    done: untilMs === null,
    retryAfterSeconds: untilMs === null ? null : Math.min(60, Math.max(2, Math.ceil((untilMs - nowMs) / 1_000))),
    steps,
    plan: [],
    undo: undoRows(repair),
    addedAddresses: addresses?.added ?? [],
    removedAddresses: addresses?.removed ?? [],
    findings: [],
  };
}

/** What was brought back was written all the same. */
function hasWrittenInOkta({ oktaState, steps }: Repair): boolean {
  return (
    mayHaveUnassigned(oktaState) ||
    steps.some(({ step, outcome }) => step === 'turnOffDeactivateUsers' && outcome === 'done')
  );
}

/** Pure. */
export function answerOfTurn(turn: RepairTurn, nowMs: number): RepairAnswer {
  return answerOfRepair(turn.repair, turn.type === 'ended' ? null : turn.untilMs, nowMs);
}

function standing(repair: Repair, isOpen: boolean): Pick<RepairAnswer, 'ok' | 'outcome' | 'message' | 'code' | 'fix'> {
  const { attention, record } = repair;
  if (!isOpen) {
    const { isOk, code, message, fix } = endOf(repair);
    return { ok: isOk, outcome: record.ended ?? 'refused', message, code: isOk ? null : code, fix };
  }
  const { operationId } = repair;
  if (attention === null) {
    const message = `The repair of ${record.before.userPrincipalName} goes on by itself.`;
    return { ok: false, outcome: 'running', message, code: null, fix: `Ask GET operations/${operationId}.` };
  }
  return { ok: false, outcome: 'needs_attention', message: attention, code: 'needs_attention', fix: fixOf(repair) };
}

/** Pure. What to do where a person is called. */
export function fixOf(repair: Pick<Repair, 'record' | 'seen' | 'userId'>): string {
  const undo = undoText(repair);
  const byHand = undo === '' ? 'See to what the message says.' : `To have the user as before: ${undo}.`;
  return `${byHand} It is tried again all the same.`;
}
