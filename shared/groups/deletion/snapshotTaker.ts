import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, isFault } from '../../errors.ts';
import type { Recipients } from '../../exchange/recipients.ts';
import { isGraphFault } from '../../graph/errors.ts';
import { type GraphGroups, maxMemberPage } from '../../graph/groups.ts';
import type { Group } from '../group.ts';
import { groupNotReady } from '../resolve.ts';
import {
  memberOf,
  newDraft,
  peopleNamedIn,
  personInGraph,
  personOf,
  type Snapshot,
  snapshotOf,
  type SnapshotDraft,
  type SnapshotPerson,
  startedAtMsOf,
} from './snapshot.ts';
import type { Snapshots } from './snapshots.ts';

export interface SnapshotTaker {
  /**
   * Reads all that a re-creation of the group needs, and stores its members page by page. What time does not suffice
   * for is gone on with when the request comes again within ten minutes.
   * @throws Fault `deadline_exceeded`, `storage_unavailable`, upstream faults: nothing may be deleted then
   */
  take(group: Group, call: Call): Promise<Snapshot>;
  /** Makes the snapshot one that can be restored: before the deletion is sent. @throws storage faults */
  seal(snapshot: Snapshot, call: Call): Promise<void>;
  /** The group is gone. What fails here is a warning: the snapshot is there. */
  close(snapshot: Snapshot, call: Call): Promise<void>;
  /** The deletion was refused: the group is there, and nothing is to be restored. A repeat takes up the members. */
  withdraw(snapshot: Snapshot, call: Call): Promise<void>;
}

/** How old the first page of members may be when the last one is read. Graph's own links live longer. */
const draftLifeMs = 10 * 60_000;

export function createSnapshotTaker(dependencies: {
  snapshots: Snapshots;
  recipients: Recipients;
  graphGroups: GraphGroups;
  clock: Clock;
}): SnapshotTaker {
  const { snapshots, recipients, graphGroups, clock } = dependencies;

  /** The draft of a request that was interrupted, or a new one. */
  async function openDraft(groupId: string, call: Call): Promise<SnapshotDraft> {
    const draft = await snapshots.draft(groupId, call);
    if (draft === null) return newDraft(clock.now(), []);
    const isYoung = clock.now() - startedAtMsOf(draft.deletionId) < draftLifeMs;
    // A sealed one may belong to a deletion whose outcome is not known: it stays until this one is there.
    const isOpen = isYoung && !isCheap(draft) && (await snapshots.find(draft.deletionId, call)) === null;
    return isOpen ? draft : newDraft(clock.now(), [...draft.replaces, draft.deletionId]);
  }

  async function readMembers(groupId: string, call: Call): Promise<SnapshotDraft> {
    let draft = await openDraft(groupId, call);
    while (!draft.isRead) {
      const page = { size: maxMemberPage, from: draft.nextPath };
      const { members, nextPath } = await graphGroups.members(groupId, page, call).catch((error: unknown) => {
        // Graph does not know where it was any more: the request that comes next begins anew.
        if (page.from === null || !isGraphFault(error, 'rejected', 'notFound')) throw error;
        return { members: null, nextPath: null };
      });
      if (members === null) {
        draft = newDraft(clock.now(), [...draft.replaces, draft.deletionId]);
        continue;
      }
      const memberPages = draft.memberPages + 1;
      await snapshots.storeMembers(draft.deletionId, memberPages, members.map(memberOf), call);
      const memberCount = draft.memberCount + members.length;
      draft = { ...draft, memberPages, memberCount, nextPath, isRead: nextPath === null };
      await snapshots.storeDraft(groupId, draft, call.proving());
    }
    return draft;
  }

  /** An entry that leads nowhere, or cannot be looked up, stays as the directory gave it. */
  async function readPeople(entries: readonly string[], call: Call): Promise<SnapshotPerson[]> {
    const lookups = await recipients.lookUpEntries(entries, call);
    return entries.map((entry, index) => {
      const lookup = lookups[index];
      return personOf(entry, lookup?.type === 'found' ? lookup.recipient : null);
    });
  }

  async function readOwners(group: Group & { readonly id: string }, call: Call): Promise<SnapshotPerson[]> {
    if (group.exchange !== null) return readPeople(group.exchange.managedBy, call);
    return (await graphGroups.owners(group.id, call)).map(personInGraph);
  }

  return {
    take: async (group, call) => {
      const { id } = group;
      if (id === null) throw groupNotReady(group);
      const known = { ...group, id };
      try {
        const owners = await readOwners(known, call);
        const named = group.exchange === null ? [] : await readPeople(peopleNamedIn(group.exchange), call);
        const draft = await readMembers(id, call);
        const at = { deletedAt: new Date(clock.now()).toISOString(), requestId: call.requestId };
        return snapshotOf(known, draft, { owners, named }, at);
      } catch (error) {
        throw withoutSnapshot(error);
      }
    },

    seal: async (snapshot, call) => {
      try {
        await snapshots.store(snapshot, call);
      } catch (error) {
        throw withoutSnapshot(error);
      }
    },

    close: async (snapshot, call) => {
      try {
        await snapshots.store({ ...snapshot, state: 'deleted' }, call);
        const draft = await snapshots.draft(snapshot.id, call);
        for (const deletionId of draft?.replaces ?? []) await snapshots.remove(deletionId, call);
        await snapshots.removeDraft(snapshot.id, call);
      } catch (error) {
        if (!isFault(error)) throw error;
        call.warn(
          `The snapshot ${snapshot.deletionId} is complete but could not be marked as deleted. ${error.message}`,
        );
      }
    },

    withdraw: async (snapshot, call) => {
      try {
        await snapshots.withdraw(snapshot.deletionId, call);
      } catch (error) {
        if (!isFault(error)) throw error;
        call.log.warn({ event: 'snapshot_left', requestId: call.requestId, deletionId: snapshot.deletionId });
      }
    },
  };
}

/** What one call reads is read anew: members may have come since. */
function isCheap({ isRead, memberPages }: SnapshotDraft): boolean {
  return isRead && memberPages <= 1;
}

/** Says of what hindered a snapshot that nothing was deleted, and how a large group is deleted nevertheless. */
function withoutSnapshot(error: unknown): unknown {
  if (isFault(error, 'deadline_exceeded')) {
    return new Fault('deadline_exceeded', {
      detail: 'Time was up before the snapshot of the group was complete; nothing was deleted.',
      fix: 'Repeat the request within ten minutes: it goes on with the members it has not stored yet.',
      ...(error.upstream === null ? {} : { upstream: error.upstream }),
      cause: error,
    });
  }
  if (isFault(error, 'storage_unavailable')) {
    return new Fault('storage_unavailable', {
      detail: `${error.message} Without a snapshot nothing is deleted.`,
      fix: error.fix,
      upstream: 'storage',
      cause: error,
    });
  }
  return error;
}
