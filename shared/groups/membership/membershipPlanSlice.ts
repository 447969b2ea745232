import { type Call, limitedTo } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { isFault } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import type { OperationChange } from '../../operations/operationStore.ts';
import type { Step } from '../../operations/runner.ts';
import { type Group, lockIdOf } from '../group.ts';
import { type GroupLock, type HeldGroup, warnOfLag } from '../groupLock.ts';
import { countRows, type MemberRow } from './memberRows.ts';
import { addRowCounts } from './membershipCounts.ts';
import { type MembershipPages, pagesOf, type PlanPage } from './membershipPages.ts';
import type { MembershipPlan } from './membershipPlan.ts';
import { refusePlan, type SetMembersRequest, warnOfRefusal } from './membershipRequest.ts';
import { remarkRows, rowsOfPlan } from './membershipRows.ts';
import type { TargetResolution } from './memberTargets.ts';
import type { MembershipPlanner, ResolutionMemory } from './planMembership.ts';

export interface MembershipPlanSlice {
  /** Stores a plan, with what has been done of it already. */
  store(operation: Operation, request: SetMembersRequest, planned: Planned, call: Call): Promise<OperationChange>;
  /**
   * Reads, plans, and stores the plan; what time does not suffice for is gone on with from what has been found out.
   * @param held null for a dry run, which keeps nobody from writing
   * @throws Fault of the guard, `plan_changed`
   */
  run(operation: Operation, group: Group, held: HeldGroup | null, call: Call): Promise<Step>;
}

/** A plan, the rows of what has been done of it, and the pages of what is left. */
export interface Planned {
  readonly plan: MembershipPlan;
  readonly rows: readonly MemberRow[];
  readonly left: readonly PlanPage[];
}

interface Memory extends ResolutionMemory {
  /** Stores what has been found out and not been stored yet; whether this try has found out anything. */
  flush(): Promise<boolean>;
  /** Of entries that are resolved. */
  size(): number;
}

const rowsPerPage = 500;
/** Of what a crash forgets, and of what a page holds. */
const resolvedPerPage = 1_000;
/** Of a worker's turn of five minutes; 100,000 unknown people take many. */
const sliceMs = 4 * 60_000;

export function createMembershipPlanSlice(dependencies: {
  membershipPages: MembershipPages;
  membershipPlanner: MembershipPlanner;
  groupLock: GroupLock;
  clock: Clock;
}): MembershipPlanSlice {
  const { membershipPages: pages, membershipPlanner, groupLock, clock } = dependencies;

  async function recall(operationId: string, call: Call): Promise<Memory> {
    const known = new Map<string, TargetResolution>();
    let pageCount = 0;
    for (;;) {
      const page = await pages.readResolved(operationId, pageCount + 1, call);
      if (page === null) break;
      for (const [entry, resolution] of page) known.set(entry, resolution);
      pageCount += 1;
    }
    const recalledCount = known.size;
    let unstored: (readonly [string, TargetResolution])[] = [];
    const flush = async () => {
      if (unstored.length > 0) {
        await pages.writeResolved(operationId, pageCount + 1, unstored, call.proving());
        pageCount += 1;
        unstored = [];
      }
      return known.size > recalledCount;
    };
    return {
      flush,
      size: () => known.size,
      find: (entry) => known.get(entry) ?? null,
      keep: async (resolved) => {
        for (const [entry, resolution] of resolved) known.set(entry, resolution);
        unstored.push(...resolved);
        if (unstored.length >= resolvedPerPage) await flush();
      },
    };
  }

  async function store(
    operation: Operation,
    request: SetMembersRequest,
    { plan, rows: done, left }: Planned,
    call: Call,
  ): Promise<OperationChange> {
    const { operationId } = operation;
    const planned = request.isDryRun ? rowsOfPlan(plan) : [];
    const rows = [...remarkRows(plan), ...done, ...planned];
    const resultPages = Math.ceil(rows.length / rowsPerPage);
    for (let page = 1; page <= resultPages; page += 1) {
      await pages.writeResults(operationId, page, rows.slice((page - 1) * rowsPerPage, page * rowsPerPage), call);
    }
    for (const [index, page] of left.entries()) await pages.writePlan(operationId, index + 1, page, call);
    const counts = addRowCounts({ ...operation.counts, unchangedCount: plan.unchangedCount }, rows);
    return {
      planId: plan.planId,
      planPages: left.length,
      resultPages,
      counts: { ...counts, totalCount: plan.adds.length + plan.removes.length, doneCount: done.length },
      firstError: countRows(rows).firstError,
    };
  }

  return {
    store,

    run: async (operation, group, held, call) => {
      const { operationId } = operation;
      const request = await pages.readRequest(operationId, call);
      const memory = await recall(operationId, call);
      const sliceCall = limitedTo(call, sliceMs, clock);
      let plan: MembershipPlan;
      try {
        plan = await membershipPlanner.plan(group, request.members, request.scope, sliceCall, memory);
      } catch (error) {
        // As long as each try finds out more, none of them has failed.
        const hasLearnt = await memory.flush();
        if (!isFault(error, 'throttled', 'deadline_exceeded', 'upstream_failed') || !hasLearnt) throw error;
        const why = `Planning: ${memory.size()} desired entries are looked up. ${error.message}`;
        const untilMs = clock.now() + (error.retryAfterSeconds ?? 1) * 1_000;
        return { type: 'wait', change: { failures: 0 }, untilMs, code: error.code, why };
      } finally {
        sliceCall.end();
      }
      if (held !== null) warnOfLag(held.notes, clock.now(), call);
      if (held !== null) refusePlan(request, plan, held.notes.removals);
      else warnOfRefusal(request, plan, (await groupLock.notes(lockIdOf(group), call)).removals, call);
      const left = request.isDryRun ? [] : pagesOf(plan.adds, plan.removes, plan.actualCount);
      return { type: 'more', change: await store(operation, request, { plan, rows: [], left }, call) };
    },
  };
}
