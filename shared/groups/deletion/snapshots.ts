import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Blobs } from '../../store/blobs.ts';
import {
  deletionIdAt,
  readSnapshot,
  type Snapshot,
  type SnapshotDraft,
  type SnapshotMember,
  snapshotNotFound,
  startedAtMsOf,
} from './snapshot.ts';

/** Where deleted groups are kept. All methods throw storage faults. */
export interface Snapshots {
  /** @throws Fault `snapshot_not_found`, also for one that is older than snapshots are kept */
  get(deletionId: string, call: Call): Promise<Snapshot>;
  /** null when none is stored under this id. */
  find(deletionId: string, call: Call): Promise<Snapshot | null>;
  store(snapshot: Snapshot, call: Call): Promise<void>;
  /** `page` counts from 1. */
  storeMembers(deletionId: string, page: number, members: readonly SnapshotMember[], call: Call): Promise<void>;
  readMembers(deletionId: string, page: number, call: Call): Promise<readonly SnapshotMember[]>;
  remove(deletionId: string, call: Call): Promise<void>;
  /** As if it had never been stored: its members stay for a draft to take up. */
  withdraw(deletionId: string, call: Call): Promise<void>;
  /** Newest first; `after` is the id of the last one seen. */
  list(
    page: { limit: number; after: string | null },
    call: Call,
  ): Promise<{ readonly snapshots: readonly Snapshot[]; readonly next: string | null }>;
  /** The snapshot of this group (Entra id) that is being taken. */
  draft(groupId: string, call: Call): Promise<SnapshotDraft | null>;
  storeDraft(groupId: string, draft: SnapshotDraft, call: Call): Promise<void>;
  removeDraft(groupId: string, call: Call): Promise<void>;
  /** ISO 8601. */
  restorableUntil(snapshot: Pick<Snapshot, 'deletionId'>): string;
  /**
   * Removes what is older than snapshots are kept, until the call's deadline ends it. May be repeated.
   * @returns isDone: whether nothing of that age is left
   */
  removeExpired(call: Call): Promise<{ removedCount: number; isDone: boolean }>;
}

const dayMs = 86_400_000;
const draftLifeMs = dayMs;

/**
 * The groups lie apart from their members, so that a list of deletions does not wade through a hundred pages of members
 * each. Names sort newest first.
 */
const groupsFolder = 'snapshots/groups/';
const membersFolder = 'snapshots/members/';
const draftsFolder = 'snapshots/drafts/';

/** How many are read at once for a list. */
const readAtOnce = 10;
const removedAtOnce = 100;

export function createSnapshots(dependencies: { blobs: Blobs; clock: Clock; retentionDays: number }): Snapshots {
  const { blobs, clock, retentionDays } = dependencies;

  async function find(deletionId: string, call: Call): Promise<Snapshot | null> {
    const value = await blobs.read(groupName(deletionId), call);
    return value === null ? null : readSnapshot(value);
  }

  async function remove(deletionId: string, call: Call): Promise<void> {
    await blobs.remove(groupName(deletionId), call);
    await blobs.removeAll(`${membersFolder}${deletionId}/`, call);
  }

  /** What every deletion that is too old comes after. */
  const expiry = () => deletionIdAt(clock.now() - retentionDays * dayMs);

  return {
    find,

    get: async (deletionId, call) => {
      const snapshot = deletionId < expiry() ? await find(deletionId, call) : null;
      if (snapshot === null) throw snapshotNotFound(deletionId);
      return snapshot;
    },

    store: (snapshot, call) => blobs.write(groupName(snapshot.deletionId), snapshot, call),

    storeMembers: (deletionId, page, members, call) => blobs.write(pageName(deletionId, page), members, call),

    readMembers: async (deletionId, page, call) => {
      const members = (await blobs.read(pageName(deletionId, page), call)) as readonly SnapshotMember[] | null;
      if (members === null) throw snapshotNotFound(deletionId);
      return members;
    },

    remove,

    withdraw: (deletionId, call) => blobs.remove(groupName(deletionId), call),

    list: async ({ limit, after }, call) => {
      const names = await blobs.list(
        { prefix: groupsFolder, after: after === null ? null : groupName(after), limit: limit + 1 },
        call,
      );
      const ids = names.map(idOfGroup).filter((id) => id < expiry());
      const onPage = ids.slice(0, limit);
      const snapshots: Snapshot[] = [];
      for (let start = 0; start < onPage.length; start += readAtOnce) {
        const slice = onPage.slice(start, start + readAtOnce);
        const found = await Promise.all(slice.map((id) => find(id, call)));
        snapshots.push(...found.filter((snapshot) => snapshot !== null));
      }
      return { snapshots, next: ids.length > limit ? (onPage.at(-1) ?? null) : null };
    },

    draft: async (groupId, call) => (await blobs.read(draftName(groupId), call)) as SnapshotDraft | null,
    storeDraft: (groupId, draft, call) => blobs.write(draftName(groupId), draft, call),
    removeDraft: (groupId, call) => blobs.remove(draftName(groupId), call),

    restorableUntil: ({ deletionId }) => new Date(startedAtMsOf(deletionId) + retentionDays * dayMs).toISOString(),

    removeExpired: async (call) => {
      let removedCount = 0;
      try {
        // The members first: a group without them is still found by the next run, pages without their group are not
        // missed by anybody.
        for (const prefix of [membersFolder, groupsFolder]) {
          for (;;) {
            const names = await blobs.list({ prefix, after: `${prefix}${expiry()}`, limit: removedAtOnce }, call);
            for (const name of names) await blobs.remove(name, call);
            if (prefix === groupsFolder) removedCount += names.length;
            if (names.length < removedAtOnce) break;
          }
        }
        await removeOldDrafts(call);
      } catch (error) {
        if (call.deadline.signal.aborted) return { removedCount, isDone: false };
        throw error;
      }
      return { removedCount, isDone: true };
    },
  };

  /** What deletions that nobody went on with have left: nothing of it can be restored. */
  async function removeOldDrafts(call: Call): Promise<void> {
    let after: string | null = null;
    do {
      const names: string[] = await blobs.list({ prefix: draftsFolder, after, limit: removedAtOnce }, call);
      for (const name of names) {
        const draft = (await blobs.read(name, call)) as SnapshotDraft | null;
        if (draft === null || startedAtMsOf(draft.deletionId) > clock.now() - draftLifeMs) continue;
        for (const deletionId of [draft.deletionId, ...draft.replaces]) {
          if ((await find(deletionId, call)) === null) await remove(deletionId, call);
        }
        await blobs.remove(name, call);
      }
      after = names.length < removedAtOnce ? null : (names.at(-1) ?? null);
    } while (after !== null);
  }
}

function groupName(deletionId: string): string {
  return `${groupsFolder}${deletionId}.json`;
}

function idOfGroup(name: string): string {
  return name.slice(groupsFolder.length, -'.json'.length);
}

function pageName(deletionId: string, page: number): string {
  return `${membersFolder}${deletionId}/${String(page).padStart(6, '0')}.json`;
}

function draftName(groupId: string): string {
  return `${draftsFolder}${groupId.toLowerCase()}.json`;
}
