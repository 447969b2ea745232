import type { Call } from '../../call.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { deletionIdPattern, type Snapshot } from './snapshot.ts';
import type { Snapshots } from './snapshots.ts';

/** A deleted group that can be restored, or was. */
export interface DeletedGroup extends Pick<
  Snapshot,
  'deletionId' | 'id' | 'kind' | 'displayName' | 'primarySmtpAddress' | 'deletedAt' | 'memberCount' | 'restoredAt'
> {
  readonly restoredId: string | null;
  /** `unknown`: the deletion was sent and its outcome is not known. */
  readonly state: 'deleted' | 'unknown';
  /** ISO 8601. */
  readonly restorableUntil: string;
}

export interface DeletedGroupLister {
  /** Newest first. @throws Fault `invalid_request` for a foreign cursor, storage faults */
  list(
    page: { limit: number; cursor: string | null },
    call: Call,
  ): Promise<{ readonly groups: readonly DeletedGroup[]; readonly nextCursor: string | null }>;
}

const listName = 'deleted groups';
const deletionId = new RegExp(`^${deletionIdPattern}$`);

export function createDeletedGroupLister(snapshots: Snapshots): DeletedGroupLister {
  return {
    list: async ({ limit, cursor }, call) => {
      const readPosition = (value: unknown) => (typeof value === 'string' && deletionId.test(value) ? value : null);
      const after = cursor === null ? null : decodeCursor(cursor, listName, readPosition);
      const page = await snapshots.list({ limit, after }, call);
      const groups = page.snapshots.map((snapshot): DeletedGroup => {
        const { deletionId, id, kind, displayName, primarySmtpAddress, deletedAt, memberCount } = snapshot;
        const { restoredAt, restoredId } = snapshot;
        const state = snapshot.state === 'deleted' ? 'deleted' : 'unknown';
        const restorableUntil = snapshots.restorableUntil(snapshot);
        const group = { deletionId, id, kind, displayName, primarySmtpAddress, deletedAt, memberCount };
        return { ...group, restoredAt, restoredId, state, restorableUntil };
      });
      return { groups, nextCursor: page.next === null ? null : encodeCursor(listName, page.next) };
    },
  };
}
