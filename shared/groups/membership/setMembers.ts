import { type Call, limitedTo } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { isFault } from '../../errors.ts';
import type { MemberChange } from '../../exchange/members.ts';
import type { OperationStore } from '../../operations/operationStore.ts';
import type { OperationSender } from '../../operations/operationSender.ts';
import { type ProtectionLists, refuseUnmanageable } from '../blockers.ts';
import { warnOfSize } from './deliveryRestriction.ts';
import { type Group, labelOf, lockIdOf } from '../group.ts';
import { type GroupLock, type HeldGroup, tryToNoteWritten, warnOfLag } from '../groupLock.ts';
import { warnOfNotes } from '../linkability.ts';
import { countRows, failedRow, type MemberRow } from './memberRows.ts';
import type { MembershipOperations } from './membershipOperation.ts';
import { pagesOf } from './membershipPages.ts';
import type { MembershipPlan, PlannedMember } from './membershipPlan.ts';
import { fingerprintOf, refusePlan, type SetMembersRequest, warnOfRefusal } from './membershipRequest.ts';
import { remarkRows, rowOfResult, rowsOfPlan, stillNeededRow } from './membershipRows.ts';
import type { MemberWrites } from './memberWrites.ts';
import type { MembershipPlanner } from './planMembership.ts';
import type { GroupResolver } from '../resolve.ts';
import { replyOfOperation, replyOfPlan, type SetMembersReply } from './setMembersReply.ts';

export interface MembershipSetter {
  /**
   * Makes the members of a group exactly these. What will not end within the request goes on as an operation; the same
   * request while it runs is answered with the same operation.
   * @throws Fault of resolving or refusing the group, `group_busy`, `plan_changed`, `too_many_removals`,
   *   `would_empty_group`, and of an upstream that failed before anything was written
   */
  set(identity: string, request: SetMembersRequest, call: Call): Promise<SetMembersReply>;
}

export interface MembershipSetterDependencies {
  readonly groups: GroupResolver;
  readonly groupLock: GroupLock;
  readonly membershipPlanner: MembershipPlanner;
  readonly memberWrites: MemberWrites;
  readonly operations: OperationStore;
  readonly membershipOperations: MembershipOperations;
  readonly operationSender: OperationSender;
  readonly protection: ProtectionLists;
  readonly clock: Clock;
}

/** What has been found out when a request turns into an operation. */
interface Handover {
  readonly plan: MembershipPlan;
  readonly rows: readonly MemberRow[];
  readonly adds: readonly PlannedMember[];
  readonly removes: readonly PlannedMember[];
}

/** More desired members than this are not even planned within the request: reading and resolving takes too long. */
const maxDesiredAtOnce = 5_000;
/** More changes than this are not begun within the request: a batch of ten takes Exchange about a second. */
const maxChangesAtOnce = 100;
/** So many rows fit into a reply that a flow reads; more are had page by page from the operation. */
const maxRowsAtOnce = 500;
/** Planning that takes longer is left to an operation, which begins anew. */
const planningMs = 12_000;
/** For requests that add or remove single members and will be done soon. */
const patienceMs = 10_000;

export function createMembershipSetter(dependencies: MembershipSetterDependencies): MembershipSetter {
  const { groups, groupLock, membershipPlanner, memberWrites, operations, clock } = dependencies;
  const { membershipOperations, operationSender, protection } = dependencies;

  /** The plan; null when it takes longer than a request has. */
  async function planInTime(group: Group, request: SetMembersRequest, call: Call): Promise<MembershipPlan | null> {
    if (request.members.length > maxDesiredAtOnce) return null;
    const planningCall = limitedTo(call, planningMs, clock);
    try {
      return await membershipPlanner.plan(group, request.members, request.scope, planningCall);
    } catch (error) {
      if (isFault(error, 'throttled', 'deadline_exceeded')) return null;
      throw error;
    } finally {
      planningCall.end();
    }
  }

  async function planOnly(group: Group, request: SetMembersRequest, call: Call): Promise<SetMembersReply> {
    const plan = await planInTime(group, request, call);
    if (plan === null) return startOperation(group, request, null, null, call);
    warnOfRefusal(request, plan, (await groupLock.notes(lockIdOf(group), call)).removals, call);
    if (plan.adds.length + plan.removes.length > 0) warnOfNotes(group, call);
    const rows = [...remarkRows(plan), ...rowsOfPlan(plan)];
    if (rows.length <= maxRowsAtOnce) return replyOfPlan(group, plan, rows, true);
    return startOperation(group, request, { plan, rows: [], adds: [], removes: [] }, null, call);
  }

  async function setHeld(group: Group, request: SetMembersRequest, held: HeldGroup): Promise<SetMembersReply> {
    const { call } = held;
    warnOfLag(held.notes, clock.now(), call);
    const plan = await planInTime(group, request, call);
    if (plan === null) return startOperation(group, request, null, held, call);
    refusePlan(request, plan, held.notes.removals);
    const { adds, removes } = plan;
    if (adds.length + removes.length > 0) warnOfNotes(group, call);
    const remarks = remarkRows(plan);
    if (adds.length + removes.length > maxChangesAtOnce || remarks.length > maxRowsAtOnce) {
      return startOperation(group, request, { plan, rows: [], adds, removes }, held, call);
    }
    const { rows, ...left } = await apply(group, request, plan, held);
    const { addedCount, removedCount } = countRows(rows);
    await tryToNoteWritten(held, addedCount, { atMs: clock.now(), count: removedCount, sizeBefore: plan.actualCount });
    if (left.adds.length + left.removes.length > 0) {
      try {
        return await startOperation(group, request, { plan, rows, ...left }, held, call.proving());
      } catch (error) {
        // What has been written must be told, whether or not the rest can go on.
        if (!isFault(error) || rows.length === 0) throw error;
        rows.push(...[...left.adds, ...left.removes].map(({ member }) => failedRow(member, 'not_attempted', error)));
      }
    }
    if (addedCount > 0) warnOfSize(group, plan.actualCount + addedCount - removedCount, call);
    return replyOfPlan(group, plan, [...remarks, ...rows], false);
  }

  /**
   * Adds before removals: a member who is renamed or replaced is never missing in between, and a group whose new
   * members were all refused is not emptied of its old ones.
   */
  async function apply(group: Group, request: SetMembersRequest, plan: MembershipPlan, held: HeldGroup) {
    const { adds, removes, actualCount } = plan;
    const added = await applyChange('add', adds, group, held, false);
    if (added.left.length > 0) return { rows: added.rows, adds: added.left, removes };
    const { addedCount, unchangedCount } = countRows(added.rows);
    const leftCount = actualCount + addedCount + unchangedCount - removes.length;
    if (removes.length > 0 && leftCount <= 0 && !request.allowEmpty) {
      const kept = removes.map(({ member }) => stillNeededRow(member));
      return { rows: [...added.rows, ...kept], adds: [], removes: [] };
    }
    const removed = await applyChange('remove', removes, group, held, added.rows.length > 0);
    return { rows: [...added.rows, ...removed.rows], adds: [], removes: removed.left };
  }

  /** @throws Fault only when nothing was sent, neither now nor before (`hasSent`) */
  async function applyChange(
    change: MemberChange,
    members: readonly PlannedMember[],
    group: Group,
    held: HeldGroup,
    hasSent: boolean,
  ): Promise<{ rows: MemberRow[]; left: readonly PlannedMember[] }> {
    const targets = members.map(({ target }) => target);
    try {
      const results = await memberWrites.ensure(change, group, targets, held.call);
      const rows: MemberRow[] = [];
      const left: PlannedMember[] = [];
      for (const planned of members) {
        const result = results.get(planned.target.key);
        if (result === undefined) throw new RangeError('a member without its result');
        if (result.type === 'not_attempted') left.push(planned);
        else rows.push(rowOfResult(planned.member, change, result));
      }
      return { rows, left };
    } catch (error) {
      // Before anything was written a fault is the answer; afterwards it must not hide what was done.
      if (!isFault(error) || !hasSent) throw error;
      return { rows: [], left: members };
    }
  }

  /**
   * Stores everything first, then claims the group, then lets the operation be found by workers: whatever is lost in
   * between, nobody works on half of it, and nobody else on the group.
   */
  async function startOperation(
    group: Group,
    request: SetMembersRequest,
    handover: Handover | null,
    held: HeldGroup | null,
    call: Call,
  ): Promise<SetMembersReply> {
    const fingerprint = fingerprintOf(lockIdOf(group), request);
    const created = await operations.create(
      {
        type: 'setMembers',
        targetId: lockIdOf(group),
        targetName: labelOf(group),
        requestId: call.requestId,
        isDryRun: request.isDryRun,
        fingerprint,
        message: `The members of ${labelOf(group)} are being ${request.isDryRun ? 'compared' : 'made exact'}.`,
      },
      call,
    );
    const { operationId } = created;
    const planned =
      handover === null
        ? null
        : {
            plan: handover.plan,
            rows: handover.rows,
            left: pagesOf(handover.adds, handover.removes, handover.plan.actualCount),
          };
    const change = await membershipOperations.prepare(created, request, planned, call);
    await held?.note({ claim: { fingerprint, operationId } });
    const operation = await operations.update(operationId, { ...change, state: 'queued' }, call);
    try {
      await operationSender.enqueue(operation, call);
    } catch (error) {
      if (!isFault(error)) throw error;
      call.warn('The operation is stored and could not be queued; it begins with the next sweep, within minutes.');
    }
    return replyOfOperation(group, operation, clock.now());
  }

  return {
    set: async (identity, request, call) => {
      const group = await groups.resolveForWrite(identity, call);
      refuseUnmanageable(group, protection);
      if (request.isDryRun) return planOnly(group, request, call);
      const fingerprint = fingerprintOf(lockIdOf(group), request);
      const hold = await groupLock.hold(lockIdOf(group), { fingerprint, waitMs: patienceMs }, call, async (held) => {
        await held.note({ claim: { fingerprint, operationId: null } });
        const answer = await setHeld(group, request, held).catch(async (error: unknown) => {
          await letGo(held);
          throw error;
        });
        if (answer.operationId === null) await letGo(held);
        return answer;
      });
      if (hold.type === 'held') return hold.result;
      return replyOfOperation(group, hold.operation, clock.now());
    },
  };
}

/** A claim without an operation means nothing once the lease is gone: that it stays is no harm. */
async function letGo(held: HeldGroup): Promise<void> {
  await held.note({ claim: null }).catch((error: unknown) => {
    if (!isFault(error)) throw error;
  });
}
