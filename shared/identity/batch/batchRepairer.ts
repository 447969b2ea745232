import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { type Fault, faultTable, isFault } from '../../errors.ts';
import type { HeldUser, RepairEngine } from '../repair/engine.ts';
import type { Repair, RepairTurn } from '../repair/repair.ts';
import { repairRunning } from '../repair/repairEngine.ts';
import { addressRemarks, endOf } from '../repair/repairTexts.ts';
import type { PlannedEntry } from './batchPlan.ts';
import type { EntryResult } from './batchProgress.ts';
import type { BatchEntry } from './batchRequest.ts';
import { badRow, goodRow } from './batchRows.ts';

type PlannedRepair = Extract<PlannedEntry, { type: 'repair' }>;

/** One user of a batch. */
export interface BatchTask {
  readonly operationId: string;
  readonly oktaAppId: string | null;
  readonly entry: BatchEntry;
  readonly planned: PlannedRepair;
  /** When it was first found that it must wait; null: not yet. */
  readonly openSinceMs: number | null;
}

export interface BatchRepairer {
  /**
   * Begins the repair of one user, or goes on with the one that this batch began: whatever a crash left.
   * @throws Fault where the whole batch cannot go on: storage, or the end of the call
   */
  repair(task: BatchTask, call: Call): Promise<EntryResult>;
}

/** Others are at a user for some seconds; meanwhile the rest of the batch goes on. */
const patienceMs = 2_000;
const lookAgainMs = 5_000;
/** For a user that somebody else is at, or that cannot be read: then it is told as it stands. */
const giveUpMs = 30 * 60_000;

export function createBatchRepairer(dependencies: { repairEngine: RepairEngine; clock: Clock }): BatchRepairer {
  const { repairEngine, clock } = dependencies;

  /** @throws Fault of the check, `repair_running` */
  async function begin({ operationId, oktaAppId, entry, planned }: BatchTask, held: HeldUser): Promise<Begun> {
    const question = { user: planned.userId, given: entry.given, oktaAppId };
    // The plan may be old: what is written is decided while nobody else is at the user.
    const { goal, okta } = await repairEngine.check(question, held.call);
    if (goal === null) return { type: 'settled', row: wellRow(entry.user), isUnexpected: false };
    if (goal.desired !== planned.desired) return failed(entry.user, otherPlan(planned, goal.desired));
    // The feature is held off for the batch as a whole.
    const part = okta === null ? null : { ...okta, togglesFeature: false };
    return { type: 'begun', repair: await held.begin(goal, { operationId, okta: part }) };
  }

  async function repairHeld(task: BatchTask, held: HeldUser): Promise<EntryResult> {
    const { operationId, entry, planned } = task;
    const last = await repairEngine.last(planned.userId, held.call);
    const isOurs = last?.operationId === operationId;
    if (isOurs && last.phase === 'ended') return settled(entry.user, last, held.call);
    // In the middle of it nothing about the user is as it will be.
    if (last !== null && !isOurs && last.phase !== 'ended') throw repairRunning(last);
    const begun = isOurs ? ({ type: 'begun', repair: last } as const) : await begin(task, held);
    if (begun.type !== 'begun') return begun;
    const turn = await held.resume(begun.repair.repairId);
    return turn === null ? repairHeld(task, held) : resultOf(entry.user, turn, held.call);
  }

  /** @throws Fault that is none of this user */
  function resultOfFault(task: BatchTask, fault: Fault, call: Call): EntryResult {
    const isOfAll = isFault(fault, 'internal_error', 'storage_unavailable', 'audit_unavailable');
    if (isOfAll || call.deadline.signal.aborted) throw fault;
    const { code, message, retryAfterSeconds } = fault;
    const mayPass = faultTable[code].retryable || code === 'repair_running';
    const sinceMs = task.openSinceMs ?? clock.now();
    if (!mayPass || clock.now() - sinceMs > giveUpMs) return failed(task.entry.user, fault);
    const untilMs = clock.now() + Math.max(lookAgainMs, (retryAfterSeconds ?? 0) * 1_000);
    return { type: 'open', entry: { untilMs, code, why: message, needsAttention: false } };
  }

  return {
    repair: async (task, call) => {
      try {
        return await repairEngine.hold(task.planned.userId, patienceMs, call, (held) => repairHeld(task, held));
      } catch (error) {
        if (!isFault(error)) throw error;
        return resultOfFault(task, error, call);
      }
    },
  };
}

type Begun = { readonly type: 'begun'; readonly repair: Repair } | Extract<EntryResult, { type: 'settled' }>;

function resultOf(user: string, turn: RepairTurn, call: Call): EntryResult {
  if (turn.type === 'ended') return settled(user, turn.repair, call);
  const { attention, record } = turn.repair;
  const name = record.before.userPrincipalName;
  const entry =
    attention === null
      ? { code: 'not_replicated' as const, why: `The repair of ${name} goes on by itself.`, needsAttention: false }
      : { code: 'needs_attention' as const, why: attention, needsAttention: true };
  return { type: 'open', entry: { ...entry, untilMs: turn.untilMs } };
}

function settled(user: string, repair: Repair, call: Pick<Call, 'warn'>): Extract<EntryResult, { type: 'settled' }> {
  for (const remark of addressRemarks(repair)) call.warn(remark);
  const { code, message } = endOf(repair);
  if (code !== 'repaired' && code !== 'unchanged') return failed(user, { code, message });
  return { type: 'settled', row: goodRow(user, code, message), isUnexpected: false };
}

function failed(user: string, why: Pick<Fault, 'code' | 'message'>): Extract<EntryResult, { type: 'settled' }> {
  return { type: 'settled', row: badRow(user, 'failed', why), isUnexpected: true };
}

function wellRow(user: string) {
  return goodRow(user, 'unchanged', 'The immutable ID is as it should be.');
}

function otherPlan({ userPrincipalName, desired }: PlannedRepair, found: string | null) {
  const message = `The immutable ID of ${userPrincipalName} should be ${found ?? 'none'} by now, and no longer ${desired ?? 'none'}; nothing was written.`;
  return { code: 'plan_changed' as const, message };
}
