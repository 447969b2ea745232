import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, faultTable, isFault } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import type { OperationChange } from '../../operations/operationStore.ts';
import { type OperationRunner, refuseWhenLost, type Step } from '../../operations/runner.ts';
import { leasePauseMs, whileHeld } from '../../store/leaseHold.ts';
import type { Lease, Leases } from '../../store/leases.ts';
import type { FeatureLock } from '../oktaAssignment/featureLock.ts';
import type { BatchPages } from './batchPages.ts';
import type { PlannedEntry } from './batchPlan.ts';
import type { BatchPlanSlice } from './batchPlanSlice.ts';
import {
  afterLook,
  type BatchProgress,
  beginsMore,
  type EntryResult,
  nextMove,
  type OpenEntry,
  rowsOf,
} from './batchProgress.ts';
import type { BatchRepairer } from './batchRepairer.ts';
import type { BatchRequest } from './batchRequest.ts';
import { batchMessage, countBatch } from './batchRows.ts';

export interface BatchOperations extends OperationRunner {
  /** Stores what the operation has to know. */
  prepare(operationId: string, request: BatchRequest, call: Call): Promise<void>;
}

export interface BatchOperationDependencies {
  readonly batchPages: BatchPages;
  readonly planSlice: BatchPlanSlice;
  readonly batchRepairer: BatchRepairer;
  /** null where Okta's API is not configured. */
  readonly featureLock: FeatureLock | null;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Whoever still is at the operation then is alive: the lease of one who died has ended (15 s). */
const patienceMs = 16_000;

/** What a worker has read of a batch, and knows to be its own to change. */
interface Desk {
  readonly request: BatchRequest;
  readonly planned: readonly PlannedEntry[];
  progress: BatchProgress;
  holdsFeature: boolean | null;
}

/** The repairs of a list: all are planned, one is proven, then the others follow, a few at once. */
export function createBatchOperations(dependencies: BatchOperationDependencies): BatchOperations {
  const { batchPages: pages, planSlice, batchRepairer, featureLock, leases, clock, random } = dependencies;

  async function acquire({ operationId }: Operation, call: Call): Promise<Lease> {
    const giveUpAtMs = clock.now() + patienceMs;
    for (;;) {
      // Beside its pages, with which it is removed.
      const lease = await leases.acquire(`operations/${operationId}/worker.json`, call);
      if (lease !== null) return lease;
      const waitMs = leasePauseMs(random());
      if (clock.now() + waitMs >= giveUpAtMs) throw workerBusy(operationId);
      await clock.sleep(waitMs, call.deadline.signal);
    }
  }

  async function openDesk({ operationId }: Operation, call: Call): Promise<Desk> {
    const [request, planned, progress] = await Promise.all([
      pages.readRequest(operationId, call),
      pages.readPlan(operationId, call),
      pages.readProgress(operationId, call),
    ]);
    return { request, planned, progress, holdsFeature: null };
  }

  /** "Deactivate Users" is turned off once for all, and stays so until nothing more is begun. */
  async function holdFeature(desk: Desk, { operationId }: Operation, call: Call): Promise<void> {
    const { oktaAppId } = desk.request;
    const needsIt = desk.planned.some((each) => each.type === 'repair' && each.hasOktaPart);
    if (featureLock === null || oktaAppId === null || !needsIt || desk.holdsFeature === true) return;
    const holder = { id: operationId, type: 'batch', owner: operationId, sinceMs: clock.now() } as const;
    await featureLock.hold(oktaAppId, holder, call);
    desk.holdsFeature = true;
  }

  /** What Okta refuses the sweep tries again, as soon as the operation has ended. @throws Fault that may pass */
  async function letFeatureGo(desk: Desk, { operationId }: Operation, call: Call): Promise<void> {
    const { oktaAppId } = desk.request;
    if (featureLock === null || oktaAppId === null || desk.holdsFeature === false) return;
    try {
      await featureLock.letGo(oktaAppId, operationId, call);
    } catch (error) {
      if (!isFault(error) || faultTable[error.code].retryable || isFault(error, 'internal_error')) throw error;
      call.warn(`"Deactivate Users" is not on as before; it is tried again every two minutes. ${error.message}`);
    }
    desk.holdsFeature = false;
  }

  async function repairSome(
    desk: Desk,
    operation: Operation,
    indexes: readonly number[],
    lost: AbortSignal,
    call: Call,
  ): Promise<Step> {
    const { request, planned } = desk;
    const { operationId } = operation;
    if (beginsMore(planned, desk.progress, request.maxFailures)) await holdFeature(desk, operation, call);
    const looks = await Promise.allSettled(
      indexes.map(async (index): Promise<readonly [number, EntryResult]> => {
        const [entry, plan] = [request.entries[index], planned[index]];
        if (entry === undefined || plan?.type !== 'repair') throw new RangeError('an entry without its plan');
        const openSinceMs = desk.progress.open[index]?.sinceMs ?? null;
        const task = { operationId, oktaAppId: request.oktaAppId, entry, planned: plan, openSinceMs };
        return [index, await batchRepairer.repair(task, call)];
      }),
    );
    // What the others came to is stored before the fault of one is told.
    const results = new Map(looks.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : [])));
    refuseWhenLost(lost);
    const progress = afterLook(desk.progress, results, request.maxFailures, clock.now());
    await pages.writeProgress(operationId, progress, call.proving());
    desk.progress = progress;
    const broken = looks.find(({ status }) => status === 'rejected');
    if (broken?.status === 'rejected') throw broken.reason;
    return { type: 'more', change: { ...changeOf(desk, operation), failures: 0 } };
  }

  function changeOf({ request, planned, progress }: Desk, operation: Operation): OperationChange {
    const rows = rowsOf(request, planned, progress);
    const settledRows = rows.filter(
      (_, index) => planned[index]?.type !== 'repair' || progress.rows[index] !== undefined,
    );
    const { firstError, ...counts } = countBatch(settledRows);
    const doneCount = Object.keys(progress.rows).length;
    return { counts: { ...operation.counts, ...counts, doneCount }, donePages: doneCount, firstError };
  }

  function waitFor({ untilMs, code, why, needsAttention }: OpenEntry): Step {
    const change: OperationChange = needsAttention ? { state: 'needs_attention' } : { state: 'running' };
    return { type: 'wait', change, untilMs, code, why };
  }

  async function tell(desk: Desk, operation: Operation, call: Call): Promise<OperationChange> {
    const rows = rowsOf(desk.request, desk.planned, desk.progress);
    const resultPages = await pages.writeResults(operation.operationId, rows, call);
    const { firstError, ...counts } = countBatch(rows);
    const doneCount = Object.keys(desk.progress.rows).length;
    return { resultPages, counts: { ...operation.counts, ...counts, doneCount }, donePages: doneCount, firstError };
  }

  async function end(desk: Desk, operation: Operation, call: Call): Promise<Step> {
    await letFeatureGo(desk, operation, call);
    const change = await tell(desk, operation, call.proving());
    const { repairedCount = 0, unchangedCount = 0, failedCount = 0 } = change.counts ?? {};
    const failedState = repairedCount + unchangedCount > 0 ? ('partial' as const) : ('failed' as const);
    const state = failedCount === 0 ? ('succeeded' as const) : failedState;
    const stopped = desk.progress.isStopped ? tooManyFailures : {};
    return { type: 'ended', change: { ...change, ...stopped }, state, fault: null };
  }

  async function repairSlice(desk: Desk, operation: Operation, lost: AbortSignal, call: Call): Promise<Step> {
    const { request, planned, progress } = desk;
    const move = nextMove(planned, progress, request.maxFailures, clock.now());
    // Whoever is still open then turns it off for itself, should it need that.
    if (!beginsMore(planned, progress, request.maxFailures) && move.type !== 'repair') {
      await letFeatureGo(desk, operation, call);
    }
    switch (move.type) {
      case 'repair':
        return repairSome(desk, operation, move.indexes, lost, call);
      case 'wait':
        return waitFor(move.open);
      case 'end':
        return end(desk, operation, call);
    }
  }

  return {
    type: 'repairImmutableIds',

    prepare: (operationId, request, call) => pages.writeRequest(operationId, request, call),

    hold: async (operation, call, work) => {
      const lease = await acquire(operation, call);
      await whileHeld(lease, call, (heldCall) => {
        let desk: Promise<Desk> | null = null;
        return work({
          call: heldCall,
          lost: lease.lost,
          next: async (current) => {
            if (current.planPages === null) return planSlice.run(current, lease.lost, heldCall);
            return repairSlice(await (desk ??= openDesk(current, heldCall)), current, lease.lost, heldCall);
          },
          letGo: () => Promise.resolve(),
        });
      });
    },

    settle: async (operation, call) => {
      if (operation.planPages === null) return {};
      const desk = await openDesk(operation, call);
      const change = await tell(desk, operation, call);
      // The sweep does it otherwise, as soon as the operation has ended.
      await letFeatureGo(desk, operation, call).catch((error: unknown) => {
        if (!isFault(error)) throw error;
      });
      return change;
    },

    summary: ({ counts, targetName, isDryRun }) => batchMessage(targetName, counts, isDryRun),
  };
}

const tooManyFailures = {
  code: 'too_many_failures' as const,
  fix: 'Read the rows that failed, mend their cause, and repeat the request: who is repaired already is left as is. maxFailures allows more.',
};

function workerBusy(operationId: string): Fault {
  return new Fault('user_busy', {
    detail: `Another worker is at the operation ${operationId}.`,
    fix: 'Wait: it goes on by itself.',
  });
}
