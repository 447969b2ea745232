import type { Call } from '../../call.ts';
import { Fault, faultTable, isFault } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import type { OperationChange } from '../../operations/operationStore.ts';
import type { Step } from '../../operations/runner.ts';
import { refuseWhenLost } from '../../operations/runner.ts';
import type { RepairEngine } from '../repair/engine.ts';
import type { BatchPages } from './batchPages.ts';
import { judgeTogether, type PlannedEntry, planIdOf } from './batchPlan.ts';
import { noProgress, rowsOf } from './batchProgress.ts';
import type { BatchEntry, BatchRequest } from './batchRequest.ts';
import { countBatch } from './batchRows.ts';

/** Finds out about every user of a batch before the first is written to, in slices. */
export interface BatchPlanSlice {
  /** @throws Fault `plan_changed`, upstream faults that may pass */
  run(operation: Operation, lost: AbortSignal, call: Call): Promise<Step>;
}

/** What a crash costs to be looked at again. */
const entriesPerPage = 20;
/** Each takes some ten requests. */
const atOnce = 5;

export function createBatchPlanSlice(dependencies: {
  batchPages: BatchPages;
  repairEngine: RepairEngine;
}): BatchPlanSlice {
  const { batchPages: pages, repairEngine } = dependencies;

  /** @throws Fault that may pass */
  async function check({ user, given }: BatchEntry, oktaAppId: string | null, call: Call): Promise<PlannedEntry> {
    try {
      const open = await repairEngine.findOpen(user, call);
      // Under the temporary name Okta would not find it; it is checked again before anything is written.
      if (open !== null)
        return plannedAfter(open.record.before.userPrincipalName, open.userId, open.record.desired, given);
      const { description, goal, okta } = await repairEngine.check({ user, given, oktaAppId }, call);
      const { id: userId, userPrincipalName } = description.facts.user;
      if (goal === null) return { type: 'unchanged', userId, userPrincipalName };
      return { type: 'repair', userId, userPrincipalName, desired: goal.desired, hasOktaPart: okta !== null };
    } catch (error) {
      if (!isFault(error) || faultTable[error.code].retryable || isFault(error, 'internal_error')) throw error;
      return { type: 'refused', code: error.code, message: error.message };
    }
  }

  async function checkPage(request: BatchRequest, page: number, call: Call): Promise<PlannedEntry[]> {
    const entries = request.entries.slice((page - 1) * entriesPerPage, page * entriesPerPage);
    const checked: PlannedEntry[] = [];
    for (let start = 0; start < entries.length; start += atOnce) {
      const some = entries.slice(start, start + atOnce);
      checked.push(...(await Promise.all(some.map((entry) => check(entry, request.oktaAppId, call)))));
    }
    return checked;
  }

  async function store(operation: Operation, request: BatchRequest, planned: PlannedEntry[], call: Call) {
    const { operationId } = operation;
    const planId = planIdOf(request.oktaAppId, planned);
    if (request.planId !== null && request.planId !== planId) throw planChanged(request.planId, planned);
    await pages.writePlan(operationId, planned, call);
    const totalCount = planned.filter(({ type }) => type === 'repair').length;
    const known = rowsOf({ ...request, isDryRun: true }, planned, noProgress);
    const { firstError, ...counts } = countBatch(known);
    const change: OperationChange = {
      planId,
      planPages: totalCount,
      counts: { ...operation.counts, ...counts, totalCount },
      firstError,
    };
    if (!request.isDryRun) return { type: 'more', change } as const;
    const resultPages = await pages.writeResults(operationId, known, call);
    const state = counts.failedCount === 0 ? ('succeeded' as const) : ('partial' as const);
    return { type: 'ended', change: { ...change, resultPages }, state, fault: null } as const;
  }

  return {
    run: async (operation, lost, call) => {
      const { operationId } = operation;
      const request = await pages.readRequest(operationId, call);
      const pageCount = Math.ceil(request.entries.length / entriesPerPage);
      const planned: PlannedEntry[] = [];
      for (let page = 1; page <= pageCount; page += 1) {
        const known = await pages.readChecked(operationId, page, call);
        const checked = known ?? (await checkPage(request, page, call));
        if (known === null) {
          refuseWhenLost(lost);
          await pages.writeChecked(operationId, page, checked, call.proving());
        }
        planned.push(...checked);
      }
      return store(operation, request, judgeTogether(planned), call.proving());
    },
  };
}

/** Of a user whose repair is under way, by somebody else. */
function plannedAfter(
  userPrincipalName: string,
  userId: string,
  underWay: string | null,
  given: BatchEntry['given'],
): PlannedEntry {
  const desired = given === null ? underWay : given.immutableId;
  return { type: 'repair', userId, userPrincipalName, desired, hasOktaPart: true };
}

function planChanged(planId: string, planned: readonly PlannedEntry[]): Fault {
  const count = planned.filter(({ type }) => type === 'repair').length;
  return new Fault('plan_changed', {
    detail: `The plan is no longer ${planId}: now ${count} users would be repaired. Nothing was written.`,
    fix: 'Ask for a new plan with "dryRun": true, look at it, and repeat the request with its planId.',
  });
}
