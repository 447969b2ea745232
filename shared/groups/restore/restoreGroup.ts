import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { isFault } from '../../errors.ts';
import type { DistributionGroups } from '../../exchange/distributionGroups.ts';
import { sameText } from '../../exchange/identity.ts';
import type { GraphGroups } from '../../graph/groups.ts';
import { protectionBlockers, type ProtectionLists, refuseBlocked } from '../blockers.ts';
import { groupInExchange, groupInGraph, type Group, labelOf, lockIdOf, namesOf } from '../group.ts';
import { groupBusy, type GroupLock } from '../groupLock.ts';
import { livesInExchange } from '../kinds.ts';
import type { MemberRestorer, MembersRestored } from './restoreGroupMembers.ts';
import type { Reviver, Revival, Site } from './restoreGroupReviver.ts';
import { newIdRow, type RestoreOutcome, type RestoreRow } from './restorePlan.ts';
import type { RestoreProgress, Snapshot } from '../deletion/snapshot.ts';
import type { Snapshots } from '../deletion/snapshots.ts';

export interface RestoreRequest {
  readonly deletionId: string;
  /** Whether the members are to come back too. */
  readonly members: boolean;
  /** In place of the former owners; null for those. */
  readonly owners: readonly string[] | null;
}

export interface Restoration {
  readonly outcome: RestoreOutcome;
  readonly changed: boolean;
  readonly message: string;
  readonly snapshot: Snapshot;
  /** The group as it is now; null for a dry run of one that is not there. */
  readonly group: Group | null;
  readonly rows: readonly RestoreRow[];
  /** Members that are back, over all tries. */
  readonly restoredMemberCount: number;
  /** Members that cannot come back, over all tries. */
  readonly lostMemberCount: number;
}

export interface GroupRestorer {
  /**
   * Brings a deleted group back from its snapshot and says what could not come back. Safe to repeat: it goes on where an
   * earlier try was interrupted.
   * @throws Fault `snapshot_not_found`, `address_in_use`, `owner_not_valid`, `protected_object`, `group_busy`, upstream
   *   faults
   */
  restore(request: RestoreRequest, isDryRun: boolean, call: Call): Promise<Restoration>;
}

export interface GroupRestorerDependencies {
  readonly snapshots: Snapshots;
  readonly exchangeReviver: Reviver;
  readonly graphReviver: Reviver;
  readonly memberRestorer: MemberRestorer;
  readonly distributionGroups: DistributionGroups;
  readonly graphGroups: GraphGroups;
  readonly groupLock: GroupLock;
  readonly protection: ProtectionLists;
  readonly clock: Clock;
}

/** Rows of members that a reply lists; the counts are of all. */
const maxMemberRows = 500;

export function createGroupRestorer(dependencies: GroupRestorerDependencies): GroupRestorer {
  const { snapshots, exchangeReviver, graphReviver, memberRestorer, groupLock, protection, clock } = dependencies;
  const { distributionGroups, graphGroups } = dependencies;

  /** The group that an earlier restore has brought back, if it is still there. */
  async function findRestored({ kind, restoredId }: Snapshot, call: Call): Promise<Group | null> {
    if (restoredId === null) return null;
    if (!livesInExchange(kind)) {
      const graph = await graphGroups.get(restoredId, call);
      return graph === null ? null : groupInGraph(graph);
    }
    const [exchange] = await distributionGroups.find(restoredId, call);
    return exchange === undefined ? null : groupInExchange(exchange, null);
  }

  async function restoreHeld(request: RestoreRequest, isDryRun: boolean, call: Call): Promise<Restoration> {
    let snapshot = await snapshots.get(request.deletionId, call);
    const restored = await findRestored(snapshot, call);
    const areMembersDone = snapshot.progress?.areMembersDone === true || !request.members;
    if (restored !== null && areMembersDone) return alreadyRestored(snapshot, restored);
    // Restored and deleted once more: it begins anew.
    if (restored === null && snapshot.restoredAt !== null) {
      snapshot = { ...snapshot, restoredAt: null, restoredId: null, progress: null };
    }
    const reviver = livesInExchange(snapshot.kind) ? exchangeReviver : graphReviver;
    const site = await reviver.look(snapshot, request.owners, call);
    if (request.owners !== null && !site.givesOwners) call.warn(ownersLeftAside);
    if (isDryRun) return plan(snapshot, site, request);
    const revival = await site.revive(call);
    return finish(snapshot, site, revival, request, call);
  }

  async function finish(
    snapshot: Snapshot,
    site: Site,
    revival: Revival,
    request: RestoreRequest,
    call: Call,
  ): Promise<Restoration> {
    const { group, isNew } = revival;
    const start = progressOf(snapshot, group);
    if (isNew) await store({ ...snapshot, progress: start }, call);
    const members = await restoreMembers(snapshot, group, start, revival, request, call);
    const fault = revival.fault ?? members.fault;
    const isComplete = fault === null && (members.progress.areMembersDone || !request.members);
    if (fault !== null) call.warn(`Not all is back: ${fault.message} Repeat the request: it goes on from here.`);
    else if (!isComplete)
      call.warn('Time was up before all members were back; repeat the request: it goes on from here.');
    const restored = isComplete && group.id !== null ? { restoredAt: now(), restoredId: group.id } : {};
    await store({ ...snapshot, ...restored, progress: members.progress }, call);
    const isOther = group.id !== null && !sameText(group.id, snapshot.id);
    const rows = [
      ...(isOther ? [newIdRow(snapshot.id, group.id)] : []),
      ...site.rows,
      ...revival.rows,
      ...members.rows.slice(0, maxMemberRows),
    ];
    const outcome = group.id === null ? 'pending' : isComplete ? 'restored' : 'partial';
    const { restoredMemberCount, lostMemberCount } = members.progress;
    const changed = revival.changed || members.changed;
    const message = sentences[outcome](labelOf(group));
    return { outcome, changed, message, snapshot, group, rows, restoredMemberCount, lostMemberCount };
  }

  async function restoreMembers(
    snapshot: Snapshot,
    group: Group,
    start: RestoreProgress,
    revival: Revival,
    request: RestoreRequest,
    call: Call,
  ): Promise<MembersRestored> {
    const nothing = { progress: start, rows: [], changed: false, fault: null };
    if (!request.members || revival.fault !== null) return nothing;
    return memberRestorer.restore(snapshot, group, start, revival.isNew, call);
  }

  /** What is not noted is found out anew by a repeat. */
  async function store(snapshot: Snapshot, call: Call): Promise<void> {
    try {
      await snapshots.store(snapshot, call.proving());
    } catch (error) {
      if (!isFault(error)) throw error;
      call.warn(`How far the restore has come could not be stored: ${error.message}`);
    }
  }

  const now = () => new Date(clock.now()).toISOString();

  return {
    restore: async (request, isDryRun, call) => {
      const snapshot = await snapshots.get(request.deletionId, call);
      refuseBlocked(protectionBlockers(namesIn(snapshot), protection), labelOfSnapshot(snapshot));
      if (isDryRun) return restoreHeld(request, true, call);
      // Two restores of one deletion at once would create two groups.
      const hold = await groupLock.hold(`deletion-${request.deletionId}`, { waitMs: 0 }, call, (held) =>
        restoreHeld(request, false, held.call),
      );
      if (hold.type === 'running') throw groupBusy(hold.operation);
      return hold.result;
    },
  };
}

function alreadyRestored(snapshot: Snapshot, group: Group): Restoration {
  return {
    outcome: 'already_restored',
    changed: false,
    message: sentences.already_restored(labelOf(group)),
    snapshot,
    group,
    rows: [],
    restoredMemberCount: snapshot.progress?.restoredMemberCount ?? 0,
    lostMemberCount: snapshot.progress?.lostMemberCount ?? 0,
  };
}

function plan(snapshot: Snapshot, site: Site, { members }: RestoreRequest): Restoration {
  const rows = [...site.rows, ...site.planned].map((row) =>
    row.outcome === 'restored' ? { ...row, message: 'Would be as it was.' } : row,
  );
  const how = howToRestore[site.type];
  const message = `${labelOfSnapshot(snapshot)} would be ${how}, ${members ? `with ${snapshot.memberCount}` : 'without its'} members.`;
  const counts = { restoredMemberCount: 0, lostMemberCount: 0 };
  return { outcome: 'planned', changed: false, message, snapshot, group: null, rows, ...counts };
}

const howToRestore: Readonly<Record<Site['type'], string>> = {
  absent: 'created anew, under a new id',
  deleted: 'taken out of the recycle bin of Entra',
  present: 'completed: it is there already',
};

const ownersLeftAside =
  'The owners named in the request were left aside: the group comes back with those it has. Change them with PATCH groups/{group}.';

const sentences: Readonly<Record<Exclude<RestoreOutcome, 'planned'>, (label: string) => string>> = {
  restored: (label) => `${label} is back; results say what is not as it was.`,
  partial: (label) => `${label} is back, but not all of it: see warnings and repeat the request.`,
  pending: (label) => `${label} is back, but its Entra id is not known yet: repeat the request.`,
  already_restored: (label) => `${label} was restored before.`,
};

/** Of this restore; that of another group, which is gone since, counts for nothing. */
function progressOf({ progress }: Snapshot, group: Group): RestoreProgress {
  const ids = [group.id, group.exchange?.exchangeId ?? null];
  if (progress !== null && ids.some((id) => sameText(id, progress.groupId))) return progress;
  return {
    groupId: lockIdOf(group),
    memberPage: 1,
    memberIndex: 0,
    openMembers: [],
    areMembersDone: false,
    restoredMemberCount: 0,
    lostMemberCount: 0,
  };
}

function namesIn({ exchange, graph }: Snapshot): (string | null)[] {
  if (exchange !== null) return namesOf(groupInExchange(exchange, graph));
  return graph === null ? [] : namesOf(groupInGraph(graph));
}

function labelOfSnapshot({ primarySmtpAddress, displayName }: Snapshot): string {
  return primarySmtpAddress ?? displayName;
}
