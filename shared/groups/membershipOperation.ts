import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { FaultCode } from '../errors.ts';
import type { MemberChange } from '../exchange/members.ts';
import type { GraphGroups } from '../graph/groups.ts';
import type { Operation, OperationCounts } from '../operations/operation.ts';
import type { OperationChange, OperationStore } from '../operations/operationStore.ts';
import type { OperationRunner, Step } from '../operations/runner.ts';
import { type ProtectionLists, refuseUnmanageable } from './blockers.ts';
import { warnOfOpenList } from './deliveryRestriction.ts';
import { type Group, labelOf, lockIdOf } from './group.ts';
import type { GroupLock, HeldGroup } from './groupLock.ts';
import { countRows, type MemberRow, membershipMessage } from './memberRows.ts';
import type { MembershipPlan, PlannedMember } from './membershipPlan.ts';
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

/** Rows of a page that are settled while others are not, by the key of the member. */
type Draft = Readonly<Record<string, MemberRow>>;

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
/** Another worker's or a request's last moments. */
const patienceMs = 5_000;
/** Rounds of one page without any progress, after which those still open are told as they stand. */
const maxIdleRounds = 8;

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
    const { change, members } = (await operations.readPage(operationId, `plan/${page}`, call)) as PlanPage;
    const draft = ((await operations.readPage(operationId, `draft/${page}`, call)) ?? {}) as Draft;
    // Whether this page has been begun is known before anything of it is sent: a worker that dies leaves a trace.
    if (begunPages < page) await save({ begunPages: page });
    const open = members.filter(({ target }) => !(target.key in draft));
    const targets = open.map(({ target }) => target);
    const results = await memberWrites.ensure(change, group, targets, call, begunPages >= page);
    const isLastRound = operation.failures >= maxIdleRounds;
    const rows = new Map(Object.entries(draft));
    let waitSeconds = 0;
    for (const { target, member } of open) {
      const result = results.get(target.key);
      if (result === undefined) throw new RangeError('a member without its result');
      if (isPassing(result) && !isLastRound) waitSeconds = Math.max(waitSeconds, result.retryAfterSeconds ?? 1);
      else rows.set(target.key, rowOfResult(member, change, result));
    }
    await noteRemovals(held, [...results.values()], change);
    if (rows.size < members.length) {
      await operations.writePage(operationId, `draft/${page}`, Object.fromEntries(rows), call.proving());
      const failures = rows.size > Object.keys(draft).length ? 0 : operation.failures + 1;
      const backoffMs = Math.min(5 * 60_000, 1_000 * 2 ** failures);
      const untilMs = clock.now() + Math.max(waitSeconds * 1_000, backoffMs);
      const why = `Waiting: ${members.length - rows.size} of a slice could not be written yet.`;
      return { type: 'wait', change: { failures }, untilMs, why };
    }
    const ordered = members.flatMap(({ target }) => rows.get(target.key) ?? []);
    const resultPages = operation.resultPages + 1;
    await operations.writePage(operationId, `results/${resultPages}`, ordered, call.proving());
    const doneCount = operation.counts.doneCount + ordered.length;
    const counts = { ...addCounts(operation.counts, ordered), doneCount };
    const firstError = operation.firstError ?? countRows(ordered).firstError;
    return { type: 'more', change: { donePages: page, resultPages, counts, firstError, failures: 0 } };
  }

  /** Members that go count in the guard's window (design §6.7); a second run of a slice counts its own only once. */
  async function noteRemovals(held: HeldGroup, results: readonly MemberResult[], change: MemberChange): Promise<void> {
    const count = results.filter((result) => result.type === 'settled' && result.wasChanged).length;
    if (change === 'add' || count === 0) return;
    const removal = { atMs: clock.now(), count, sizeBefore: null };
    await held.note({ removals: [...held.notes.removals, removal] });
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
      const group = await groups.resolveForWrite(operation.targetId, call);
      const summary = (ended: Operation) => summaryOf(ended, labelOf(group));
      if (operation.isDryRun) {
        // A plan alone: nobody is kept from writing.
        const next = async (current: Operation) =>
          current.planPages === null ? planSlice(current, group, null, call) : end(current);
        await work({ call, lost: null, next, letGo: () => Promise.resolve(), summary });
        return;
      }
      refuseUnmanageable(group, protection);
      const { operationId } = operation;
      const applicant = { operationId, waitMs: patienceMs };
      await groupLock.hold(lockIdOf(group), applicant, call, async (held) => {
        await work({
          call: held.call,
          lost: held.lost,
          next: (current, save) => nextStep(current, group, held, save),
          letGo: () => held.note({ claim: null }),
          summary,
        });
      });
    },
  };
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

/** What may be settled by trying again. */
const passing: readonly FaultCode[] = ['outcome_unknown', 'not_replicated', 'upstream_failed'];

function isPassing(result: MemberResult): result is Exclude<MemberResult, { readonly type: 'settled' }> {
  return result.type === 'not_attempted' || (result.type !== 'settled' && passing.includes(result.code));
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
