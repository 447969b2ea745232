import type { Call } from '../call.ts';
import { type GraphSyncedUsers, syncedUserListPrefix } from '../graph/syncedUsers.ts';
import type { Candidate } from './standing.ts';
import type { SwitchRecord } from './switchRecord.ts';
import type { SwitchRecords } from './switchRecords.ts';

/** Candidates with the place where to go on once they are dealt with; null: at the end. */
export interface Step<Position> {
  readonly candidates: readonly Candidate[];
  readonly next: Position | null;
}

/** Users in an order that can be gone on with from a position, which is anything that JSON can hold. */
export interface UserSource<Position> {
  /** null: there is nobody. */
  readonly first: Position | null;
  /** The position that a cursor holds; null: none of this source. */
  read(value: unknown): Position | null;
  /** From there to the end of its page, never more than `room()` at a time. */
  steps(position: Position, room: () => number, call: Call): AsyncGenerator<Step<Position>>;
}

/** On Graph's page at `path` (null: the first), after the user `after` of it (null: at its beginning). */
export interface TenantPosition {
  readonly path: string | null;
  readonly after: string | null;
}

/** On a remembered page, which counts from 1, at this place, which counts from 0. */
export interface RememberedPosition {
  readonly page: number;
  readonly index: number;
}

/** Users that are looked up at a time: one `$batch`, and some calls to Okta each. */
const stepSize = 20;
/** Graph's own default (graph.md §9). */
const tenantPageSize = 100;

/** Whoever is mastered on-premises now. */
export function usersOfTenant(syncedUsers: GraphSyncedUsers): UserSource<TenantPosition> {
  return {
    first: { path: null, after: null },

    read: (value) => {
      const { path, after } = fieldsOf(value);
      // It opens no other path.
      const isPage = path === null || (typeof path === 'string' && path.startsWith(syncedUserListPrefix));
      return isPage && (after === null || typeof after === 'string') ? { path, after } : null;
    },

    steps: async function* ({ path, after }, room, call) {
      const { users, nextPath } = await syncedUsers.page({ size: tenantPageSize, from: path }, call);
      // Where that user is gone since, the page is shown once more: rather twice than not at all.
      let done = users.findIndex(({ id }) => id === after) + 1;
      do {
        const some = users.slice(done, done + Math.min(room(), stepSize));
        done += some.length;
        const candidates = some.map((user) => ({ ...user, former: undefined, now: user }));
        const onPage = { path, after: some.at(-1)?.id ?? null };
        const beyond = nextPath === null ? null : { path: nextPath, after: null };
        yield { candidates, next: done < users.length ? onPage : beyond };
      } while (done < users.length);
    },
  };
}

/** Whoever was mastered on-premises at a switch. */
export function usersOfSwitch(
  { switchId, pages }: Pick<SwitchRecord, 'switchId' | 'pages'>,
  { syncedUsers, switchRecords }: { syncedUsers: GraphSyncedUsers; switchRecords: SwitchRecords },
): UserSource<RememberedPosition> {
  return {
    first: pages === 0 ? null : { page: 1, index: 0 },

    read: (value) => {
      const { page, index } = fieldsOf(value);
      return isCount(page) && isCount(index) && page >= 1 && page <= pages ? { page, index } : null;
    },

    steps: async function* ({ page, index }, room, call) {
      const users = await switchRecords.users(switchId, page, call);
      let done = index;
      do {
        const some = users.slice(done, done + Math.min(room(), stepSize));
        done += some.length;
        const found = await syncedUsers.byIds(
          some.map(({ id }) => id),
          call,
        );
        const candidates = some.map(({ mobilePhone: former, ...who }, at) => ({
          ...who,
          former,
          now: found[at] ?? null,
        }));
        const beyond = page < pages ? { page: page + 1, index: 0 } : null;
        yield { candidates, next: done < users.length ? { page, index: done } : beyond };
      } while (done < users.length);
    },
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return (value ?? {}) as Readonly<Record<string, unknown>>;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}
