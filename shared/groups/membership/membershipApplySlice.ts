import { type Call, limitedTo } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, type FaultCode } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import type { OperationChange } from '../../operations/operationStore.ts';
import { refuseWhenLost, type Step } from '../../operations/runner.ts';
import type { Group } from '../group.ts';
import { type HeldGroup, noteWritten } from '../groupLock.ts';
import { countRows, failedRow, type MemberRow } from './memberRows.ts';
import { addRowCounts } from './membershipCounts.ts';
import type { Draft, MembershipPages } from './membershipPages.ts';
import { rowOfResult, stillNeededRow } from './membershipRows.ts';
import type { MemberResult, MemberWrites } from './memberWrites.ts';

export interface MembershipApplySlice {
  /** Sends what of the next page of the plan is not settled yet. */
  run(
    operation: Operation,
    group: Group,
    held: HeldGroup,
    save: (change: OperationChange) => Promise<Operation>,
  ): Promise<Step>;
  /** What is known of a page that was begun and will not be gone on with, told in results and counts. */
  settle(operation: Operation, call: Call): Promise<OperationChange>;
}

/** Whatever asks to wait longer is waited for without a worker and without the group (design §6.9). */
const sliceMs = 90_000;
const longestWaitMs = 5 * 60_000;

export function createMembershipApplySlice(dependencies: {
  membershipPages: MembershipPages;
  memberWrites: MemberWrites;
  clock: Clock;
}): MembershipApplySlice {
  const { membershipPages: pages, memberWrites, clock } = dependencies;

  /** Sends what of the next page is not settled yet. */
  async function run(
    operation: Operation,
    group: Group,
    held: HeldGroup,
    save: (change: OperationChange) => Promise<Operation>,
  ): Promise<Step> {
    const { operationId, begunPages, donePages } = operation;
    const { call } = held;
    const page = donePages + 1;
    const { change, members, actualCount } = await pages.readPlan(operationId, page, call);
    if (change === 'remove' && (await wouldEmpty(operation, call))) {
      const rows = members.map(({ member }) => stillNeededRow(member));
      return { type: 'more', change: await closePage(operation, rows, call) };
    }
    const draft = await pages.readDraft(operationId, page, call);
    // Whether this page has been begun is known before anything of it is sent: a worker that dies leaves a trace.
    await save({ begunPages: page, isUnderway: true });
    const open = members.filter(({ target }) => !(target.key in draft.settled));
    const targets = open.map(({ target }) => target);
    const sliceCall = limitedTo(call, sliceMs, clock);
    const mayBeDone = begunPages >= page;
    const results = await memberWrites
      .ensure(change, group, targets, sliceCall, mayBeDone)
      .finally(() => sliceCall.end());
    refuseWhenLost(held.lost);

    const settled = new Map(Object.entries(draft.settled));
    const left = new Map<string, MemberRow>();
    const leftResults: OpenResult[] = [];
    for (const { target, member } of open) {
      const result = results.get(target.key);
      if (result === undefined) throw new RangeError('a member without its result');
      const row = rowOfResult(member, change, result);
      if (isPassing(result) && draft.idleRounds < maxIdleRounds(result)) {
        left.set(target.key, row);
        leftResults.push(result);
      } else settled.set(target.key, row);
    }
    const { addedCount, removedCount } = countRows([...settled.values()]);
    const removal = {
      atMs: clock.now(),
      count: removedCount,
      sizeBefore: actualCount,
      slice: `${operationId}/${page}`,
    };
    await noteWritten(held, addedCount, removal);
    const [first] = leftResults;
    if (first === undefined) {
      const rows = members.flatMap(({ target }) => settled.get(target.key) ?? []);
      return { type: 'more', change: await closePage(operation, rows, call.proving()) };
    }
    const isIdle = left.size === open.length;
    // Nobody gets through: that is no matter of these members, and is waited out as every fault is.
    const isOutage = settled.size === 0 && leftResults.every(({ code }) => code !== 'not_replicated');
    const idleRounds = isIdle && !isOutage ? draft.idleRounds + 1 : 0;
    const next: Draft = { settled: Object.fromEntries(settled), open: Object.fromEntries(left), idleRounds };
    await pages.writeDraft(operationId, page, next, call.proving());
    if (isOutage) {
      await save({ isUnderway: false });
      throw outageOf(leftResults, first);
    }
    const waitSeconds = Math.max(1, ...leftResults.map(({ retryAfterSeconds }) => retryAfterSeconds ?? 0));
    const backoffMs = Math.min(longestWaitMs, 1_000 * 2 ** idleRounds);
    return {
      type: 'wait',
      change: { isUnderway: false, failures: 0 },
      untilMs: clock.now() + Math.max(waitSeconds * 1_000, backoffMs),
      code: first.code,
      why: `Waiting: ${left.size} of a slice of ${members.length} changes could not be made yet. ${first.message}`,
    };
  }

  /** The page is done: its rows are told and counted. */
  async function closePage(operation: Operation, rows: readonly MemberRow[], call: Call): Promise<OperationChange> {
    const resultPages = operation.resultPages + 1;
    await pages.writeResults(operation.operationId, resultPages, rows, call);
    const donePages = operation.donePages + 1;
    return {
      donePages,
      begunPages: donePages,
      isUnderway: false,
      resultPages,
      counts: { ...addRowCounts(operation.counts, rows), doneCount: operation.counts.doneCount + rows.length },
      firstError: operation.firstError ?? countRows(rows).firstError,
      failures: 0,
    };
  }

  /** Whether those who were to take the place of the members to be removed are not there. */
  async function wouldEmpty({ operationId, counts }: Operation, call: Call): Promise<boolean> {
    if (counts.addedCount + counts.unchangedCount + counts.keptCount > 0) return false;
    const request = await pages.readRequest(operationId, call);
    return !request.allowEmpty && counts.failedCount > 0;
  }

  return {
    run,

    settle: async (operation, call) => {
      const { operationId, begunPages, donePages, isUnderway } = operation;
      if (begunPages <= donePages) return {};
      const page = donePages + 1;
      const { members } = await pages.readPlan(operationId, page, call);
      const { settled, open } = await pages.readDraft(operationId, page, call);
      const rows = members.map(({ target, member }) => {
        const known = settled[target.key] ?? (isUnderway ? undefined : open[target.key]);
        return known ?? failedRow(member, 'failed', cutOff);
      });
      return closePage(operation, rows, call);
    },
  };
}

const cutOff = {
  code: 'outcome_unknown',
  message: 'The operation ended before it was known whether this change was made; send it again.',
} as const;

type OpenResult = Exclude<MemberResult, { readonly type: 'settled' }>;

/** What may be settled by trying again. */
const passing: readonly FaultCode[] = ['outcome_unknown', 'not_replicated', 'upstream_failed'];

function isPassing(result: MemberResult): result is OpenResult {
  return result.type === 'not_attempted' || (result.type !== 'settled' && passing.includes(result.code));
}

/** Rounds without any progress after which those still open are told as they stand, while the rest goes on. */
function maxIdleRounds({ type, code }: OpenResult): number {
  // Throttled and its like are no failures (design §6.9): some eight hours.
  if (type === 'not_attempted') return 100;
  // Some eight minutes for who is found nowhere, an hour for a write that is never answered.
  return code === 'not_replicated' ? 8 : 20;
}

function outageOf(results: readonly OpenResult[], { code, message }: OpenResult): Fault {
  return new Fault(code, {
    detail: message,
    fix: 'It goes on by itself; if this stays, look at what the message says.',
    retryAfterSeconds: Math.max(0, ...results.map(({ retryAfterSeconds }) => retryAfterSeconds ?? 0)),
  });
}
