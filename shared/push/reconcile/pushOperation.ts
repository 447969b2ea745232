import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, faultTable } from '../../errors.ts';
import type { ProtectionLists } from '../../groups/blockers.ts';
import type { GroupLock, HeldGroup } from '../../groups/groupLock.ts';
import { countRows, type MemberRow, membershipMessage } from '../../groups/membership/memberRows.ts';
import { addRowCounts } from '../../groups/membership/membershipCounts.ts';
import type { GroupResolver } from '../../groups/resolve.ts';
import type { Operation } from '../../operations/operation.ts';
import type { OperationChange, OperationStore } from '../../operations/operationStore.ts';
import type { OperationRunner, Step } from '../../operations/runner.ts';
import type { PushMapping } from '../mapping.ts';
import type { PushRequest } from '../pushReply.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import type { FullRunner } from './fullRun.ts';
import { openTarget } from './openTarget.ts';
import { plannedRows, remarkRows } from './reply.ts';
import { refuseOtherPlan, type Surveyor } from './survey.ts';

/** What an operation has to know. */
interface PushInput {
  readonly oktaGroupId: string;
  /** As it was asked for: a dry run may be of a mapping that is not stored. */
  readonly mapping: PushMapping;
  readonly request: PushRequest;
}

type Save = (change: OperationChange) => Promise<Operation>;

export interface PushOperations extends OperationRunner {
  prepare(operationId: string, input: PushInput, call: Call): Promise<void>;
}

export interface PushOperationDependencies {
  readonly pushMappings: PushMappingStore;
  readonly surveyor: Surveyor;
  readonly fullRunner: FullRunner;
  readonly groups: GroupResolver;
  readonly groupLock: GroupLock;
  readonly protection: ProtectionLists;
  readonly operations: Pick<OperationStore, 'readPage' | 'writePage'>;
  readonly clock: Clock;
}

/** Whoever still holds the group then is alive: the lease of one who died has ended (15 s). */
const patienceMs = 16_000;
/** Changes between two looks at everything: some seconds of reading for some twenty of writing. */
const changesPerSlice = 500;
const rowsPerPage = 500;

/**
 * A push that is too long for one request. It keeps no plan: each slice reads everything anew and goes on with what is
 * still to be done, so that a crash anywhere needs no other care than the next slice.
 */
export function createPushOperations(dependencies: PushOperationDependencies): PushOperations {
  const { pushMappings, surveyor, fullRunner, groupLock, operations, clock } = dependencies;

  async function readInput({ operationId }: Operation, call: Call): Promise<PushInput> {
    return (await operations.readPage(operationId, 'input/1', call)) as PushInput;
  }

  async function writeRows(operation: Operation, rows: readonly MemberRow[], call: Call): Promise<OperationChange> {
    let { resultPages } = operation;
    for (let start = 0; start < rows.length; start += rowsPerPage) {
      resultPages += 1;
      const page = rows.slice(start, start + rowsPerPage);
      await operations.writePage(operation.operationId, `results/${resultPages}`, page, call);
    }
    const counts = addRowCounts(operation.counts, rows);
    return { resultPages, counts, firstError: operation.firstError ?? countRows(rows).firstError };
  }

  async function planSlice(operation: Operation, call: Call): Promise<Step> {
    const { mapping, request } = await readInput(operation, call);
    const survey = await surveyor.full(mapping, await openTarget(mapping, dependencies, call), request.repin, call);
    const { plan } = survey;
    const change = await writeRows(operation, [...remarkRows(survey), ...plannedRows(survey)], call);
    const totalCount = plan.adds.length + plan.removes.length;
    const counts = { ...(change.counts ?? operation.counts), totalCount, unchangedCount: plan.unchangedCount };
    return ended({ ...operation, counts }, { ...change, counts, planId: plan.planId });
  }

  async function pushSlice(operation: Operation, held: HeldGroup, save: Save): Promise<Step> {
    const { call } = held;
    const { request, oktaGroupId } = await readInput(operation, call);
    const mapping = await pushMappings.get(oktaGroupId, call);
    const isFirst = operation.planId === null;
    if (mapping === null || (mapping.status === 'INACTIVE' && !(isFirst && request.activates))) throw stopped(mapping);
    const pending = await fullRunner.pendingBefore(oktaGroupId, call);
    const repin = isFirst ? request.repin : [];
    const survey = await surveyor.full(mapping, await openTarget(mapping, dependencies, call), repin, call);
    const { plan } = survey;
    if (isFirst) refuseOtherPlan(survey, request.planId);
    const totalCount = isFirst ? plan.adds.length + plan.removes.length : operation.counts.totalCount;
    const options = {
      ...request,
      maxRemovals: leftOf(request.maxRemovals, operation),
      activates: isFirst && request.activates,
      refuses: true,
      budget: changesPerSlice,
      // What is left of an approved plan is no longer that plan: whoever comes after a crash must not ask for it again.
      begin: async () => {
        if (isFirst) await save({ planId: plan.planId, counts: { ...operation.counts, totalCount } });
      },
    };
    const { execution, summary } = await fullRunner.run(survey, pending, held, options);

    const told = execution.results.map(({ row }) => row);
    const rows = [...told, ...(summary === null ? [] : remarkRows(survey))];
    const written = await writeRows(operation, rows, call.proving());
    const counts = {
      ...(written.counts ?? operation.counts),
      totalCount,
      doneCount: operation.counts.doneCount + told.length,
      unchangedCount: isFirst ? plan.unchangedCount : operation.counts.unchangedCount,
    };
    const donePages = operation.donePages + 1;
    const planPages = Math.max(donePages, Math.ceil(totalCount / changesPerSlice));
    const change = { ...written, counts, planId: operation.planId ?? plan.planId, planPages, donePages, failures: 0 };
    if (summary !== null) return ended({ ...operation, counts }, change);
    const { fault } = execution;
    if (fault === null) return { type: 'more', change };
    if (!faultTable[fault.code].retryable) throw fault;
    const untilMs = clock.now() + Math.max(5, fault.retryAfterSeconds ?? 0) * 1_000;
    return { type: 'wait', change, untilMs, code: fault.code, why: `Waiting: ${fault.message}` };
  }

  return {
    type: 'push',

    prepare: (operationId, input, call) => operations.writePage(operationId, 'input/1', input, call),

    hold: async (operation, call, work) => {
      const { operationId, targetId, isDryRun } = operation;
      if (isDryRun) {
        // A plan alone: nobody is kept from writing.
        const next = (current: Operation) => planSlice(current, call);
        await work({ call, lost: new AbortController().signal, next, letGo: () => Promise.resolve() });
        return;
      }
      await groupLock.hold(targetId, { operationId, waitMs: patienceMs }, call, (held) =>
        work({
          call: held.call,
          lost: held.lost,
          next: (current, save) => pushSlice(current, held, save),
          letGo: () => held.note({ claim: null }),
        }),
      );
    },

    // A slice that was cut off is told by the next one, which finds what it has done.
    settle: () => Promise.resolve({}),

    summary: ({ counts, isDryRun, targetName }) =>
      membershipMessage(targetName, { ...counts, plannedCount: isDryRun ? counts.totalCount : 0 }),
  };
}

/** The limit is for the whole of the operation. */
function leftOf(maxRemovals: number | null, { counts }: Operation): number | null {
  return maxRemovals === null ? null : Math.max(0, maxRemovals - counts.removedCount);
}

function ended({ counts, isDryRun }: Operation, change: OperationChange): Step {
  const didNothing = counts.addedCount + counts.removedCount === 0 && counts.totalCount > 0;
  const failedState = didNothing && !isDryRun ? ('failed' as const) : ('partial' as const);
  const state = counts.failedCount === 0 ? ('succeeded' as const) : failedState;
  return { type: 'ended', change, state, fault: null };
}

function stopped(mapping: PushMapping | null): Fault {
  if (mapping === null) {
    return new Fault('push_mapping_not_found', {
      detail: 'The push mapping was deleted meanwhile; nothing more is written.',
      fix: 'Nothing is to be done.',
    });
  }
  return new Fault('push_mapping_inactive', {
    detail: 'The push mapping was set INACTIVE meanwhile; nothing more is written.',
    fix: 'Set it ACTIVE when it shall go on.',
  });
}
