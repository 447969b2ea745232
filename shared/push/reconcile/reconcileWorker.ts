import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { type Fault, faultTable, isFault, toFault } from '../../errors.ts';
import type { ProtectionLists } from '../../groups/blockers.ts';
import type { GroupLock } from '../../groups/groupLock.ts';
import type { GroupResolver } from '../../groups/resolve.ts';
import type { Queues } from '../../store/queues.ts';
import type { PushMapping } from '../mapping.ts';
import { reconcileQueue } from '../queues.ts';
import type { PushSource } from '../source.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import type { PushPending } from '../store/pendingStore.ts';
import type { FullRunner } from './fullRun.ts';
import type { MappingHealth } from './mappingHealth.ts';
import { backoffMs, readMappingMessage } from './messages.ts';
import { openTarget } from './openTarget.ts';
import type { Surveyor } from './survey.ts';

export interface ReconcileWorker {
  /** Sends one message for each mapping that is not INACTIVE. Returns how many. */
  enqueueAll(call: Call): Promise<number>;
  /**
   * Reconciles the mapping that a message names, in full, or finds that nothing has moved.
   * @throws whatever is no Fault: a defect, which counts towards poison
   */
  run(message: unknown, call: Call): Promise<void>;
}

export interface ReconcileWorkerDependencies {
  readonly pushMappings: PushMappingStore;
  readonly pushPending: PushPending;
  readonly pushSource: PushSource;
  readonly surveyor: Surveyor;
  readonly fullRunner: FullRunner;
  readonly mappingHealth: MappingHealth;
  readonly groups: GroupResolver;
  readonly groupLock: GroupLock;
  readonly protection: ProtectionLists;
  readonly queues: Pick<Queues, 'send'>;
  readonly clock: Clock;
}

/** Whoever still holds the group then is alive: the lease of one who died has ended (15 s). */
const patienceMs = 16_000;
const busyMs = 30_000;
/** What Okta's `lastMembershipUpdated` does not tell, such as somebody's state, is found at least so often. */
const fullEveryMs = 24 * 3_600_000 - 30 * 60_000;
/** Tries after which it is left to the next time that the timer sets one off. */
const maxAttempts = 10;
const listedAtOnce = 200;

export function createReconcileWorker(dependencies: ReconcileWorkerDependencies): ReconcileWorker {
  const { pushMappings, pushPending, pushSource, surveyor, fullRunner, mappingHealth } = dependencies;
  const { groupLock, queues, clock } = dependencies;

  /** Whether nobody has come, gone or changed since the last full reconcile, as far as one call can tell. */
  async function hasMoved(mapping: PushMapping, call: Call): Promise<boolean> {
    const { lastReconcile, status, oktaGroupId } = mapping;
    if (status !== 'ACTIVE' || lastReconcile?.isClean !== true || lastReconcile.membershipUpdatedAt === null)
      return true;
    if (clock.now() - lastReconcile.atMs >= fullEveryMs) return true;
    if ((await pushPending.list(oktaGroupId, call)).length > 0) return true;
    const group = await pushSource.group(oktaGroupId, call);
    return group?.membershipUpdatedAt !== lastReconcile.membershipUpdatedAt;
  }

  async function reconcile({ oktaGroupId, targetId }: PushMapping, call: Call): Promise<void> {
    const hold = await groupLock.hold(targetId, { waitMs: patienceMs }, call, async (held) => {
      // As it stands now: it may have been changed while this worker waited.
      const mapping = await pushMappings.get(oktaGroupId, held.call);
      if (mapping === null || mapping.status === 'INACTIVE') return null;
      const pending = await fullRunner.pendingBefore(oktaGroupId, held.call);
      const group = await openTarget(mapping, dependencies, held.call);
      const survey = await surveyor.full(mapping, group, [], held.call);
      const options = { maxRemovals: null, allowEmpty: false, refuses: false, activates: false };
      return fullRunner.run(survey, pending, held, { ...options, budget: Number.POSITIVE_INFINITY });
    });
    const run = hold.type === 'held' ? hold.result : null;
    if (run === null) return;
    const { execution, summary } = run;
    const addedCount = execution.results.filter(({ row }) => row.outcome === 'added').length;
    const removedCount = execution.results.filter(({ row }) => row.outcome === 'removed').length;
    const leftCount = execution.left.length;
    const common = { event: 'push_reconciled', requestId: call.requestId, oktaGroupId, addedCount, removedCount };
    const addedOutsideCount = summary?.addedOutsideCount ?? null;
    const removedOutsideCount = summary?.removedOutsideCount ?? null;
    const isClean = summary?.isClean ?? false;
    call.log.info({ ...common, leftCount, isClean, addedOutsideCount, removedOutsideCount });
    if (execution.fault !== null) throw execution.fault;
    // Time was up: it goes on where this worker ended.
    if (leftCount > 0) await queues.send(reconcileQueue, { oktaGroupId }, call.proving(), clock.now());
  }

  async function failed(oktaGroupId: string, attempt: number, fault: Fault, call: Call): Promise<void> {
    const { code, retryAfterSeconds } = fault;
    if (!faultTable[code].retryable) {
      await mappingHealth.failed(oktaGroupId, fault, call);
      return;
    }
    call.log.warn({ event: 'reconcile_put_off', requestId: call.requestId, oktaGroupId, code, attempt });
    if (attempt >= maxAttempts) {
      // What has not passed by then is for a person to know of; a clean reconcile ends the ERROR.
      if (!isFault(fault, 'group_busy')) await mappingHealth.failed(oktaGroupId, fault, call);
      return;
    }
    const waitMs = isFault(fault, 'group_busy') ? busyMs : backoffMs(attempt, retryAfterSeconds);
    await queues.send(reconcileQueue, { oktaGroupId, attempt: attempt + 1 }, call, clock.now() + waitMs);
  }

  return {
    enqueueAll: async (call) => {
      let count = 0;
      for (let after: string | null = null; ;) {
        const page = await pushMappings.list({ status: null }, { limit: listedAtOnce, after }, call);
        for (const { oktaGroupId, status } of page.mappings) {
          if (status === 'INACTIVE') continue;
          await queues.send(reconcileQueue, { oktaGroupId }, call);
          count += 1;
        }
        after = page.mappings.at(-1)?.oktaGroupId ?? null;
        if (!page.hasMore) return count;
      }
    },

    run: async (message, call) => {
      const named = readMappingMessage(message);
      const mapping = named === null ? null : await pushMappings.get(named.oktaGroupId, call);
      if (named === null || mapping === null || mapping.status === 'INACTIVE') {
        call.log.info({ event: 'reconcile_skipped', requestId: call.requestId });
        return;
      }
      const { oktaGroupId, attempt } = named;
      try {
        if (await hasMoved(mapping, call)) await reconcile(mapping, call);
        else call.log.info({ event: 'reconcile_unmoved', requestId: call.requestId, oktaGroupId });
      } catch (error) {
        const fault = toFault(error);
        if (isFault(fault, 'internal_error')) {
          await mappingHealth.broken(oktaGroupId, call.proving());
          throw error;
        }
        await failed(oktaGroupId, attempt, fault, call.proving());
      }
    },
  };
}
