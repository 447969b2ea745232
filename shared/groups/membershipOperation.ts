import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault, type FaultCode } from '../errors.ts';
import type { MemberChange } from '../exchange/members.ts';
import type { GraphGroups } from '../graph/groups.ts';
import type { Operation, OperationCounts } from '../operations/operation.ts';
import type { OperationChange, OperationStore } from '../operations/operationStore.ts';
import { type OperationRunner, refuseWhenLost, type Step } from '../operations/runner.ts';
import { type ProtectionLists, refuseUnmanageable } from './blockers.ts';
import { warnOfOpenList } from './deliveryRestriction.ts';
import { type Group, lockIdOf } from './group.ts';
import type { GroupLock, HeldGroup } from './groupLock.ts';
import { countRows, failedRow, type MemberRow, membershipMessage } from './memberRows.ts';
import type { MembershipPlan, PlannedMember } from './membershipPlan.ts';
import { type Removal } from './removalGuard.ts';
import { refusePlan, type SetMembersRequest, warnOfRefusal } from './membershipRequest.ts';
import { remarkRows, rowOfResult, rowsOfPlan } from './membershipRows.ts';
import type { MemberResult, MemberWrites } from './memberWrites.ts';
import type { MembershipPlanner } from './planMembership.ts';
import type { GroupResolver } from './resolve.ts';

/** One page of a stored plan: members of one change, small enough to be done in one slice. */
interface PlanPage {
  readonly change: MemberChange;
  readonly members: readonly PlannedMember[];
}

/** How far a page has come after a round that left some of it open. By the key of the member. */
interface Draft {
  readonly settled: Readonly<Record<string, MemberRow>>;
  /** As they stood at the end of the round. */
  readonly open: Readonly<Record<string, MemberRow>>;
  /** Rounds in a row that settled nobody. */
  readonly idleRounds: number;
}

const noDraft: Draft = { settled: {}, open: {}, idleRounds: 0 };

/** Of one page: kept apart, so that a page that is sent twice counts once. */
interface PageRemoval extends Removal {
  readonly page: string;
}

export interface MembershipOperations extends OperationRunner {
  /** Stores what the operation has to know. @param rows of what the request has done itself */
  prepare(
    operation: Operation,
    request: SetMembersRequest,
    plan: {
      readonly plan: MembershipPlan;
      readonly rows: readonly MemberRow[];
      readonly left: readonly PlanPage[];
    } | null,
    call: Call,
  ): Promise<OperationChange>;
}

export interface MembershipOperationDependencies {
  readonly operations: OperationStore;
  readonly groups: GroupResolver;
  readonly graphGroups: GraphGroups;
  readonly groupLock: GroupLock;
  readonly membershipPlanner: MembershipPlanner;
  readonly memberWrites: MemberWrites;
  readonly protection: ProtectionLists;
  readonly clock: Clock;
}

/** Twenty batches of Exchange, ten of Graph: what a crash can cost to be done again. */
export const changesPerPage = 200;
const rowsPerPage = 500;
/** Whoever still holds the group then is alive: the lease of one who died has ended (15 s). */
const patienceMs = 16_000;
const longestWaitMs = 5 * 60_000;

export function createMembershipOperations(dependencies: MembershipOperationDependencies): MembershipOperations {
  const { operations, groups, graphGroups, groupLock, membershipPlanner, memberWrites, protection, clock } =
    dependencies;

  async function storePlan(
    operation: Operation,
    request: SetMembersRequest,
    plan: MembershipPlan,
    done: readonly MemberRow[],
    left: readonly PlanPage[],
    call: Call,
  ): Promise<OperationChange> {
    const { operationId } = operation;
    const planned = request.isDryRun ? rowsOfPlan(plan) : [];
    const rows = [...remarkRows(plan), ...done, ...planned];
    const resultPages = Math.ceil(rows.length / rowsPerPage);
    for (let page = 1; page <= resultPages; page += 1) {
      const part = rows.slice((page - 1) * rowsPerPage, page * rowsPerPage);
      await operations.writePage(operationId, `results/${page}`, part, call);
    }
    for (const [index, page] of left.entries()) {
      await operations.writePage(operationId, `plan/${index + 1}`, page, call);
    }
    const counts = addCounts({ ...operation.counts, unchangedCount: plan.unchangedCount }, rows);
    return {
      planId: plan.planId,
      planPages: left.length,
      resultPages,
      counts: { ...counts, totalCount: plan.adds.length + plan.removes.length, doneCount: done.length },
      firstError: countRows(rows).firstError,
    };
  }

  /** Reads, plans, and stores the plan. A refusal of the guard ends the operation. */
  async function planSlice(operation: Operation, group: Group, held: HeldGroup | null, call: Call): Promise<Step> {
    const request = (await operations.readPage(operation.operationId, 'input/1', call)) as SetMembersRequest;
    const plan = await membershipPlanner.plan(group, request.members, request.scope, call);
    if (held === null) await warnOfGuard(request, plan, group, call);
    else refusePlan(request, plan, held.notes.removals);
    const left = request.isDryRun ? [] : pagesOf(plan.adds, plan.removes);
    const change = await storePlan(operation, request, plan, [], left, call);
    return { type: 'more', change };
  }

  async function warnOfGuard(request: SetMembersRequest, plan: MembershipPlan, group: Group, call: Call) {
    const recent = await groupLock.recentRemovals(lockIdOf(group), call);
    warnOfRefusal(request, plan, recent, call);
  }

  async function readDraft(operationId: string, page: number, call: Call): Promise<Draft> {
    return ((await operations.readPage(operationId, `draft/${page}`, call)) as Draft | null) ?? noDraft;
  }

  async function readPlanPage(operationId: string, page: number, call: Call): Promise<PlanPage> {
    return (await operations.readPage(operationId, `plan/${page}`, call)) as PlanPage;
  }

  /** Sends what of the next page is not settled yet. */
  async function applySlice(
    operation: Operation,
    group: Group,
    held: HeldGroup,
    save: (change: OperationChange) => Promise<Operation>,
  ): Promise<Step> {
    const { operationId, begunPages, donePages } = operation;
    const { call } = held;
    const page = donePages + 1;
    const { change, members } = await readPlanPage(operationId, page, call);
    if (change === 'remove' && (await wouldEmpty(operation, call))) {
      const rows = members.map(({ member }) => failedRow(member, 'not_attempted', stillNeeded));
      return { type: 'more', change: await closePage(operation, rows, call) };
    }
    const draft = await readDraft(operationId, page, call);
    // Whether this page has been begun is known before anything of it is sent: a worker that dies leaves a trace.
    await save({ begunPages: page, isUnderway: true });
    const open = members.filter(({ target }) => !(target.key in draft.settled));
    const targets = open.map(({ target }) => target);
    const results = await memberWrites.ensure(change, group, targets, call, begunPages >= page);
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
    if (change === 'remove') await noteRemovals(held, `${operationId}/${page}`, [...settled.values()]);
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
    await operations.writePage(operationId, `draft/${page}`, next, call.proving());
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
    await operations.writePage(operation.operationId, `results/${resultPages}`, rows, call);
    const donePages = operation.donePages + 1;
    return {
      donePages,
      begunPages: donePages,
      isUnderway: false,
      resultPages,
      counts: { ...addCounts(operation.counts, rows), doneCount: operation.counts.doneCount + rows.length },
      firstError: operation.firstError ?? countRows(rows).firstError,
      failures: 0,
    };
  }

  /** Whether those who were to take the place of the members to be removed are not there. */
  async function wouldEmpty({ operationId, counts }: Operation, call: Call): Promise<boolean> {
    if (counts.addedCount + counts.unchangedCount + counts.keptCount > 0) return false;
    const request = (await operations.readPage(operationId, 'input/1', call)) as SetMembersRequest;
    return !request.allowEmpty && counts.failedCount > 0;
  }

  /** Members that go count in the guard's window (design §6.7). */
  async function noteRemovals(held: HeldGroup, page: string, rows: readonly MemberRow[]): Promise<void> {
    const count = countRows(rows).removedCount;
    if (count === 0) return;
    const others = held.notes.removals.filter((each) => (each as Partial<PageRemoval>).page !== page);
    const removal: PageRemoval = { page, atMs: clock.now(), count, sizeBefore: null };
    await held.note({ removals: [...others, removal] });
  }

  function end(operation: Operation): Step {
    const { counts, isDryRun } = operation;
    const didNothing = counts.addedCount + counts.removedCount === 0 && counts.totalCount > 0;
    const failedState = didNothing && !isDryRun ? ('failed' as const) : ('partial' as const);
    const state = counts.failedCount === 0 ? ('succeeded' as const) : failedState;
    return { type: 'ended', change: {}, state, fault: null };
  }

  async function nextStep(
    operation: Operation,
    group: Group,
    held: HeldGroup,
    save: (change: OperationChange) => Promise<Operation>,
  ): Promise<Step> {
    if (operation.planPages === null) return planSlice(operation, group, held, held.call);
    if (operation.donePages < operation.planPages) return applySlice(operation, group, held, save);
    if (operation.counts.addedCount > 0) await warnOfOpenList(group, graphGroups, held.call);
    return end(operation);
  }

  return {
    type: 'setMembers',

    prepare: async (operation, request, planned, call) => {
      await operations.writePage(operation.operationId, 'input/1', request, call);
      if (planned === null) return {};
      const { plan, rows, left } = planned;
      return storePlan(operation, request, plan, rows, left, call);
    },

    hold: async (operation, call, work) => {
      const { operationId, targetId, isDryRun } = operation;
      const find = async (within: Call): Promise<Group> => {
        const group = await groups.resolveForWrite(targetId, within);
        if (!isDryRun) refuseUnmanageable(group, protection);
        return group;
      };
      let found: Promise<Group> | null = null;
      if (isDryRun) {
        // A plan alone: nobody is kept from writing.
        const next = async (current: Operation) =>
          current.planPages === null ? planSlice(current, await (found ??= find(call)), null, call) : end(current);
        await work({ call, lost: new AbortController().signal, next, letGo: () => Promise.resolve() });
        return;
      }
      // Held before anything is asked of the directories: who only wants it to end needs neither of them.
      await groupLock.hold(targetId, { operationId, waitMs: patienceMs }, call, async (held) => {
        if (held.notes.claim?.operationId !== operationId) throw overtaken();
        await work({
          call: held.call,
          lost: held.lost,
          next: async (current, save) => nextStep(current, await (found ??= find(held.call)), held, save),
          letGo: () => held.note({ claim: null }),
        });
      });
    },

    settle: async (operation, call) => {
      const { operationId, begunPages, donePages, isUnderway } = operation;
      if (begunPages <= donePages) return {};
      const page = donePages + 1;
      const { members } = await readPlanPage(operationId, page, call);
      const { settled, open } = await readDraft(operationId, page, call);
      const rows = members.map(({ target, member }) => {
        const known = settled[target.key] ?? (isUnderway ? undefined : open[target.key]);
        return known ?? failedRow(member, 'failed', cutOff);
      });
      return closePage(operation, rows, call);
    },

    summary: (operation) => summaryOf(operation, operation.targetName),
  };
}

const cutOff = {
  code: 'outcome_unknown',
  message: 'The operation ended before it was known whether this change was made; send it again.',
} as const;

const stillNeeded = {
  code: 'would_empty_group',
  message: 'Is not removed: those who were to take its place could not be added, and the group would be empty.',
} as const;

/** An operation that goes on has claimed its group; one whose claim is gone was taken for dead, and others have written. */
function overtaken(): Fault {
  return new Fault('plan_changed', {
    detail: 'Another request has had the group since this operation was planned; nothing more is written.',
    fix: 'Repeat the request.',
  });
}

/** Adds before removals: a member who is renamed or replaced is never missing in between. */
export function pagesOf(adds: readonly PlannedMember[], removes: readonly PlannedMember[]): PlanPage[] {
  const inPages = (change: MemberChange, members: readonly PlannedMember[]): PlanPage[] =>
    Array.from({ length: Math.ceil(members.length / changesPerPage) }, (_, page) => ({
      change,
      members: members.slice(page * changesPerPage, (page + 1) * changesPerPage),
    }));
  return [...inPages('add', adds), ...inPages('remove', removes)];
}

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

function addCounts(counts: OperationCounts, rows: readonly MemberRow[]): OperationCounts {
  const more = countRows(rows);
  return {
    ...counts,
    addedCount: counts.addedCount + more.addedCount,
    removedCount: counts.removedCount + more.removedCount,
    unchangedCount: counts.unchangedCount + more.unchangedCount,
    keptCount: counts.keptCount + more.keptCount,
    failedCount: counts.failedCount + more.failedCount,
  };
}

function summaryOf({ counts, isDryRun }: Operation, label: string): string {
  return membershipMessage(
    label,
    isDryRun ? { ...counts, plannedCount: counts.totalCount } : { ...counts, plannedCount: 0 },
  );
}
