import type { Call } from '../../call.ts';
import { Fault } from '../../errors.ts';
import type { GraphGroups } from '../../graph/groups.ts';
import type { Operation } from '../../operations/operation.ts';
import type { OperationChange } from '../../operations/operationStore.ts';
import type { OperationRunner, Step } from '../../operations/runner.ts';
import { type ProtectionLists, refuseUnmanageable } from '../blockers.ts';
import { warnOfOpenList } from './deliveryRestriction.ts';
import type { Group } from '../group.ts';
import type { GroupLock, HeldGroup } from '../groupLock.ts';
import { membershipMessage } from './memberRows.ts';
import type { MembershipApplySlice } from './membershipApplySlice.ts';
import type { MembershipPages } from './membershipPages.ts';
import type { MembershipPlanSlice, Planned } from './membershipPlanSlice.ts';
import type { SetMembersRequest } from './membershipRequest.ts';
import type { GroupResolver } from '../resolve.ts';

export interface MembershipOperations extends OperationRunner {
  /** Stores what the operation has to know. @param rows of what the request has done itself */
  prepare(
    operation: Operation,
    request: SetMembersRequest,
    planned: Planned | null,
    call: Call,
  ): Promise<OperationChange>;
}

export interface MembershipOperationDependencies {
  readonly groups: GroupResolver;
  readonly graphGroups: GraphGroups;
  readonly groupLock: GroupLock;
  readonly membershipPages: MembershipPages;
  readonly planSlice: MembershipPlanSlice;
  readonly applySlice: MembershipApplySlice;
  readonly protection: ProtectionLists;
}

/** Whoever still holds the group then is alive: the lease of one who died has ended (15 s). */
const patienceMs = 16_000;

export function createMembershipOperations(dependencies: MembershipOperationDependencies): MembershipOperations {
  const { groups, graphGroups, groupLock, membershipPages, planSlice, applySlice, protection } = dependencies;

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
    if (operation.planPages === null) return planSlice.run(operation, group, held, held.call);
    if (operation.donePages < operation.planPages) return applySlice.run(operation, group, held, save);
    if (operation.counts.addedCount > 0) await warnOfOpenList(group, graphGroups, held.call);
    return end(operation);
  }

  return {
    type: 'setMembers',

    prepare: async (operation, request, planned, call) => {
      await membershipPages.writeRequest(operation.operationId, request, call);
      return planned === null ? {} : planSlice.store(operation, request, planned, call);
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
          current.planPages === null ? planSlice.run(current, await (found ??= find(call)), null, call) : end(current);
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

    settle: (operation, call) => applySlice.settle(operation, call),

    summary: (operation) => summaryOf(operation, operation.targetName),
  };
}

/** An operation that goes on has claimed its group; one whose claim is gone was taken for dead, and others have written. */
function overtaken(): Fault {
  return new Fault('plan_changed', {
    detail: 'Another request has had the group since this operation was planned; nothing more is written.',
    fix: 'Repeat the request.',
  });
}

function summaryOf({ counts, isDryRun }: Operation, label: string): string {
  return membershipMessage(
    label,
    isDryRun ? { ...counts, plannedCount: counts.totalCount } : { ...counts, plannedCount: 0 },
  );
}
