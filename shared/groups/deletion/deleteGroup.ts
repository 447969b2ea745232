import type { Audit } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import { Fault, isFault } from '../../errors.ts';
import type { DistributionGroups } from '../../exchange/distributionGroups.ts';
import { ExchangeFault } from '../../exchange/errors.ts';
import { sameText } from '../../exchange/identity.ts';
import { isGraphFault } from '../../graph/errors.ts';
import type { GraphGroups } from '../../graph/groups.ts';
import type { GraphGroupWrites } from '../../graph/groupWrites.ts';
import { type ProtectionLists, refuseUnmanageable } from '../blockers.ts';
import { type Group, labelOf, lockIdOf } from '../group.ts';
import { groupBusy, type GroupLock } from '../groupLock.ts';
import { livesInExchange } from '../kinds.ts';
import { notesOf } from '../linkability.ts';
import { sendOnce, type WriteOutput } from '../openWrite.ts';
import { groupNotReady, type GroupResolver } from '../resolve.ts';
import type { Snapshot } from './snapshot.ts';
import type { Snapshots } from './snapshots.ts';
import type { SnapshotTaker } from './snapshotTaker.ts';

export const deletionOutcomes = ['deleted', 'planned'] as const;
export type DeletionOutcome = (typeof deletionOutcomes)[number];

export interface Deletion {
  readonly outcome: DeletionOutcome;
  readonly changed: boolean;
  readonly message: string;
  readonly group: Group;
  /** By which the group is restored; null for a dry run. */
  readonly deletionId: string | null;
  /** ISO 8601; null for a dry run. */
  readonly restorableUntil: string | null;
  /** In the snapshot; for a dry run as Graph counts them. */
  readonly memberCount: number;
}

export interface GroupDeleter {
  /**
   * Deletes a group of any kind, after a snapshot of all that its restore needs: Exchange has no recycle bin
   * (exchange.md §4). Without a complete snapshot nothing is deleted.
   * @param confirm the group's primary address or its name
   * @throws Fault `confirm_mismatch`, blockers, `group_not_found`, `group_busy`, `deadline_exceeded`,
   *   `storage_unavailable`, upstream faults
   */
  delete(identity: string, confirm: string, isDryRun: boolean, call: Call): Promise<Deletion>;
}

export interface GroupDeleterDependencies {
  readonly groups: GroupResolver;
  readonly distributionGroups: DistributionGroups;
  readonly graphGroups: GraphGroups;
  readonly graphGroupWrites: GraphGroupWrites;
  readonly snapshotTaker: SnapshotTaker;
  readonly snapshots: Snapshots;
  readonly groupLock: GroupLock;
  readonly audit: Audit;
  readonly protection: ProtectionLists;
}

/** How one directory deletes one group. */
interface Remover {
  readonly operation: string;
  send(call: Call): Promise<WriteOutput>;
  /** Whether a refusal says that there is no such group. */
  isMissing(error: unknown): error is Fault;
  isGone(call: Call): Promise<boolean>;
}

interface Removal {
  /** Whether it was our deletion, not somebody else's before it. */
  readonly wasOurs: boolean;
  /** null: the group is gone. */
  readonly openFault: Fault | null;
}

/** A deletion that could not be answered before the deadline is not begun. */
const minRemovalMs = 1_500;
/** For others who change single members and will be done soon. */
const patienceMs = 5_000;

export function createGroupDeleter(dependencies: GroupDeleterDependencies): GroupDeleter {
  const { groups, distributionGroups, graphGroups, graphGroupWrites, audit, protection } = dependencies;
  const { snapshotTaker, snapshots, groupLock } = dependencies;

  function removerOf({ exchange, kind }: Group, id: string): Remover {
    if (exchange !== null && livesInExchange(kind)) {
      const { exchangeId } = exchange;
      return {
        operation: 'Remove-DistributionGroup',
        send: (call) => distributionGroups.remove(exchangeId, call),
        isMissing: (error): error is Fault => error instanceof ExchangeFault && error.kind === 'notFound',
        isGone: async (call) => (await distributionGroups.find(exchangeId, call)).length === 0,
      };
    }
    return {
      operation: 'DELETE /groups/{id}',
      send: (call) => graphGroupWrites.remove(id, call),
      isMissing: (error): error is Fault => isGraphFault(error, 'groupMissing', 'notFound'),
      isGone: async (call) => (await graphGroups.get(id, call)) === null,
    };
  }

  /**
   * Deletes the group; whether a deletion of ours brought it about. A lost answer is read back, and a group that is still
   * there is deleted once more. That the directory does not find it is the state asked for.
   */
  async function remove(group: Group, snapshot: Snapshot, call: Call): Promise<boolean> {
    const remover = removerOf(group, snapshot.id);
    const first = await removeOnce(remover, group, snapshot, call);
    if (first.openFault === null) return first.wasOurs;
    try {
      if (call.deadline.signal.aborted) throw first.openFault;
      const second = await removeOnce(remover, group, snapshot, call);
      if (second.openFault !== null) throw second.openFault;
      return true;
    } catch {
      // A second try that is refused does not tell what became of the first.
      throw first.openFault;
    }
  }

  async function removeOnce(remover: Remover, group: Group, snapshot: Snapshot, call: Call): Promise<Removal> {
    const { deletionId, owners, memberCount } = snapshot;
    const intent = {
      operation: remover.operation,
      targetType: 'group' as const,
      targetId: snapshot.id,
      targetName: labelOf(group),
      before: { ...(group.exchange ?? group.graph), deletionId, owners, memberCount },
      planned: 'deleted',
    };
    return audit.record<Removal>(intent, call, async () => {
      await snapshotTaker.seal(snapshot, call);
      try {
        const sent = await sendOnce(() => remover.send(call), call);
        const { upstreamRequestId } = sent;
        const isProven = sent.openFault === null || (await isGone(remover, call.proving()));
        if (isProven) return { result: { wasOurs: true, openFault: null }, after: null, upstreamRequestId };
        const result = { wasOurs: true, openFault: sent.openFault };
        return { result, state: 'unknown', after: null, upstreamRequestId };
      } catch (error) {
        if (!remover.isMissing(error)) throw error;
        const result = { wasOurs: false, openFault: null };
        return { result, after: null, upstreamRequestId: error.upstreamRequestId };
      }
    });
  }

  /** Whether it is proven to be gone; a read that fails proves nothing. */
  async function isGone(remover: Remover, call: Call): Promise<boolean> {
    try {
      return await remover.isGone(call);
    } catch (error) {
      if (isFault(error)) return false;
      throw error;
    }
  }

  /** The snapshot, then the deletion, while nobody else writes to the group. */
  async function removeHeld(group: Group, call: Call): Promise<Deletion> {
    const snapshot = await snapshotTaker.take(group, call);
    const { deletionId, memberCount } = snapshot;
    if (call.deadline.remainingMs() < minRemovalMs) throw outOfTime(memberCount);
    let changed: boolean;
    try {
      changed = await remove(group, snapshot, call);
    } catch (error) {
      // Only what was surely not carried out needs no snapshot: otherwise it may be all that is left of the group.
      const isRefused = isFault(error) && error.code !== 'outcome_unknown';
      if (isRefused) await snapshotTaker.withdraw(snapshot, call.proving());
      throw error;
    }
    await snapshotTaker.close(snapshot, call.proving());
    warnOfLoss(group, call);
    const label = labelOf(group);
    const message = changed ? `${label} was deleted.` : `${label} was gone before it could be deleted.`;
    const restorableUntil = snapshots.restorableUntil(snapshot);
    return { outcome: 'deleted', changed, message, group, deletionId, restorableUntil, memberCount };
  }

  async function plan(group: Group, call: Call): Promise<Deletion> {
    const memberCount = group.id === null ? 0 : await graphGroups.memberCount(group.id, call);
    warnOfLoss(group, call);
    const message = `${labelOf(group)} would be deleted, after a snapshot of its settings, owners and ${memberCount} members.`;
    const nothing = { deletionId: null, restorableUntil: null };
    return { outcome: 'planned', changed: false, message, group, memberCount, ...nothing };
  }

  return {
    delete: async (identity, confirm, isDryRun, call) => {
      const group = await groups.resolveForWrite(identity, call);
      refuseUnmanageable(group, protection);
      if (livesInExchange(group.kind) && group.exchange === null) throw groupNotReady(group);
      refuseUnconfirmed(group, confirm);
      if (isDryRun) return plan(group, call);
      const hold = await groupLock.hold(lockIdOf(group), { waitMs: patienceMs }, call, (held) =>
        removeHeld(group, held.call),
      );
      if (hold.type === 'running') throw groupBusy(hold.operation);
      return hold.result;
    },
  };
}

function warnOfLoss(group: Group, call: Call): void {
  for (const { code, message, fix } of notesOf(group)) {
    const isTeam = code === 'team_connected';
    call.warn(
      isTeam
        ? 'A Microsoft Team goes with the group; a restore brings it back within 30 days only.'
        : `${message} ${fix}`,
    );
  }
}

function refuseUnconfirmed(group: Group, confirm: string): void {
  if ([group.primarySmtpAddress, group.displayName, group.name].some((name) => sameText(name, confirm))) return;
  throw new Fault('confirm_mismatch', {
    detail: `confirm is neither the primary address nor the name of ${group.displayName}; nothing was deleted.`,
    fix: `Repeat with confirm=${encodeURIComponent(labelOf(group))} if this is the group you mean.`,
  });
}

function outOfTime(memberCount: number): Fault {
  return new Fault('deadline_exceeded', {
    detail: `The snapshot with ${memberCount} members is complete, but no time was left for the deletion; nothing was deleted.`,
    fix: 'Repeat the request within ten minutes: it takes the members from this snapshot.',
  });
}
