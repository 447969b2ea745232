import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, isFault } from '../../errors.ts';
import { labelOf } from '../../groups/group.ts';
import type { HeldGroup } from '../../groups/groupLock.ts';
import type { PushMapping, ReconcileSummary } from '../mapping.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import type { PendingChange, PushPending } from '../store/pendingStore.ts';
import { type Execution, type Executor, judgePlan, type Limits } from './execute.ts';
import type { MappingHealth } from './mappingHealth.ts';
import type { NameFollower } from './nameFollower.ts';
import type { PendingSender } from './pendingSender.ts';
import { retriedLater, summaryOf } from './summary.ts';
import type { Survey } from './survey.ts';

export interface FullRunOptions extends Limits {
  /** Whether a guard that trips refuses everything; else what it does not forbid is done, and the mapping is in ERROR. */
  readonly refuses: boolean;
  /** Whether the mapping becomes ACTIVE before anything is written. */
  readonly activates: boolean;
  /** Done once nothing refuses the run any more, and before anything is written. */
  readonly begin?: () => Promise<void>;
  /** How many changes may be made now. */
  readonly budget: number;
}

export interface FullRun {
  readonly survey: Survey;
  readonly execution: Execution;
  /** null: something is left, and another run is to follow. */
  readonly summary: ReconcileSummary | null;
  readonly mapping: PushMapping;
}

export interface FullRunner {
  /** What is pending before a survey is made: the survey serves it. */
  pendingBefore(oktaGroupId: string, call: Call): Promise<readonly PendingChange[]>;
  /**
   * Carries out what a survey of everybody found.
   * @throws Fault of the guard (where it refuses), `storage_unavailable`; nothing was written then
   */
  run(survey: Survey, pending: readonly PendingChange[], held: HeldGroup, options: FullRunOptions): Promise<FullRun>;
}

export interface FullRunnerDependencies {
  readonly pushMappings: PushMappingStore;
  readonly pushPending: PushPending;
  readonly executor: Executor;
  readonly mappingHealth: MappingHealth;
  readonly nameFollower: NameFollower;
  readonly pendingSender: PendingSender;
  /** Whether this app may write at all (WRITE_MODE). */
  readonly mayWrite: boolean;
  readonly clock: Clock;
}

const nothingDone: Execution = { results: [], left: [], guard: null, fault: null };

export function createFullRunner(dependencies: FullRunnerDependencies): FullRunner {
  const { pushMappings, pushPending, executor, mappingHealth, nameFollower, pendingSender, mayWrite, clock } =
    dependencies;

  /** Only a clean end makes an ERROR ACTIVE. @throws Fault `plan_changed` when the mapping is no longer the one surveyed */
  async function activate({ mapping, group }: Survey, call: Call): Promise<void> {
    const surveyed = JSON.stringify(mapping.settings);
    await pushMappings.update(
      mapping.oktaGroupId,
      ({ status, settings, approvedAtMs }) => {
        if (JSON.stringify(settings) !== surveyed) throw otherSettings(labelOf(group));
        if (status !== 'INACTIVE') return null;
        return { status: 'ACTIVE', reason: null, approvedAtMs: approvedAtMs ?? clock.now() };
      },
      call,
    );
  }

  /** What could not be done for now is gone on with person by person; what the survey has served is over. */
  async function settlePending(
    survey: Survey,
    execution: Execution,
    pending: readonly PendingChange[],
    call: Call,
  ): Promise<void> {
    const { oktaGroupId } = survey.mapping;
    const later = retriedLater(survey, execution);
    // Of whom the source was not sure, the survey has served nothing.
    const isServed = (oktaUserId: string) => survey.isSteady || survey.members.has(oktaUserId);
    const served = pending.filter(({ oktaUserId }) => isServed(oktaUserId) && !later.has(oktaUserId));
    await pushPending.remove(served, call);
    const known = new Set(pending.map(({ oktaUserId }) => oktaUserId));
    const unknown = [...later].filter((oktaUserId) => !known.has(oktaUserId));
    if (unknown.length === 0) return;
    const eventAtMs = clock.now();
    const pings = unknown.map((oktaUserId) => ({ oktaGroupId, oktaUserId, isMembership: true, eventAtMs }));
    await pushPending.put(pings, call);
    await pendingSender.send(oktaGroupId, call);
  }

  return {
    pendingBefore: (oktaGroupId, call) => pushPending.list(oktaGroupId, call),

    run: async (survey, pending, held, options) => {
      const { mapping } = survey;
      const { oktaGroupId } = mapping;
      const verdict = judgePlan(survey, held.notes, options, clock.now(), true);
      const guard: Fault | null = verdict.removals ?? verdict.additions;
      if (options.refuses && guard !== null) throw guard;
      if (options.activates) await activate(survey, held.call);
      await options.begin?.();
      const writes = mayWrite && !mapping.settings.reportOnly;
      const execution = writes ? await executor.execute(survey, held, options, options.budget) : nothingDone;

      const call = held.call.proving();
      await nameFollower.follow(survey, writes, held.call);
      if (execution.left.length > 0) return { survey, execution, summary: null, mapping };
      const summary = summaryOf(survey, execution, clock.now());
      try {
        if (execution.guard !== null) await mappingHealth.failed(oktaGroupId, execution.guard, call);
        if (writes) await settlePending(survey, execution, pending, call);
        const after = await mappingHealth.reconciled(oktaGroupId, summary, call);
        return { survey, execution, summary, mapping: after ?? mapping };
      } catch (error) {
        // Members are as they should be, which is what must be told; the next reconcile stores the rest.
        if (!isFault(error)) throw error;
        call.warn(`What came of it could not be stored for the mapping: ${error.message}`);
        return { survey, execution, summary, mapping };
      }
    },
  };
}

function otherSettings(label: string): Fault {
  return new Fault('plan_changed', {
    detail: `The settings of the push mapping of ${label} were changed meanwhile; nothing was written.`,
    fix: 'Look at the mapping and at a new plan with "dryRun": true, then repeat the request with its planId.',
  });
}
