import type { Call } from '../call.ts';
import { Fault, isFault } from '../errors.ts';
import { isGraphFault } from '../graph/errors.ts';
import type { GraphSyncedUsers } from '../graph/syncedUsers.ts';
import { cursorFault, decodeCursor, encodeCursor } from '../groups/cursor.ts';
import type { OktaPhones } from './oktaPhones.ts';
import type { UserRow } from './standing.ts';
import type { SwitchRecords } from './switchRecords.ts';
import { type Step, type UserSource, usersOfSwitch, usersOfTenant } from './userSources.ts';

/** `touch`: whom to change in Okta, so that it pushes again. `overwritten`: whose phone is another than before the switch. */
export const userFilters = ['all', 'touch', 'overwritten'] as const;
export type UserFilter = (typeof userFilters)[number];

export interface UserListRequest {
  /** null: whoever is mastered on-premises now, with nothing remembered. */
  readonly switchId: string | null;
  readonly only: UserFilter;
  /** null: found for each user. */
  readonly oktaAppId: string | null;
  readonly limit: number;
  readonly cursor: string | null;
}

export interface UserPage {
  readonly users: readonly UserRow[];
  /** Hand it back to get the next page; null at the end. */
  readonly nextCursor: string | null;
}

export interface DirSyncUserLister {
  /**
   * One page of the users that were mastered on-premises at a switch, or are now. A page has fewer rows than `limit` when
   * it is the last, or when time is short.
   * @throws Fault `switch_not_found`, `invalid_request` for a foreign cursor, or for `overwritten` without a switch;
   *   upstream faults where nothing could be listed
   */
  list(request: UserListRequest, call: Call): Promise<UserPage>;
}

/** What of the deadline may be gone before another step is begun. */
const readingShare = 0.6;

export function createDirSyncUserLister(dependencies: {
  syncedUsers: GraphSyncedUsers;
  switchRecords: SwitchRecords;
  oktaPhones: OktaPhones;
}): DirSyncUserLister {
  const { syncedUsers, switchRecords, oktaPhones } = dependencies;

  async function listFrom<Position>(
    source: UserSource<Position>,
    { switchId, only, oktaAppId, limit, cursor }: UserListRequest,
    call: Call,
  ): Promise<UserPage> {
    const name = `users from on-premises ${JSON.stringify([switchId, only])}`;
    const from = cursor === null ? source.first : decodeCursor(cursor, name, (value) => source.read(value));
    const stopAtMs = call.deadline.remainingMs() * (1 - readingShare);
    const rows: UserRow[] = [];
    let position = from;
    try {
      for await (const { candidates, next } of walk(source, from, () => limit - rows.length, call)) {
        const compared = await oktaPhones.compare(candidates, oktaAppId, call);
        rows.push(...compared.filter((row) => isAskedFor(row, only)));
        position = next;
        if (rows.length === limit || call.deadline.remainingMs() <= stopAtMs) break;
      }
    } catch (error) {
      const isExpired = isGraphFault(error, 'rejected') && cursor !== null && position === from;
      if (isExpired) throw cursorFault(error);
      // How far it came is good, be it without a row to show, and the next page meets the same limit again.
      if (position === from || !isFault(error, 'throttled', 'deadline_exceeded')) throw error;
    }
    return { users: rows, nextCursor: position === null ? null : encodeCursor(name, position) };
  }

  return {
    list: async (request, call) => {
      const { switchId, only } = request;
      if (switchId !== null) {
        const record = await switchRecords.get(switchId, call);
        return listFrom(usersOfSwitch(record, { syncedUsers, switchRecords }), request, call);
      }
      if (only === 'overwritten') throw nothingRemembered();
      return listFrom(usersOfTenant(syncedUsers), request, call);
    },
  };
}

async function* walk<Position>(
  source: UserSource<Position>,
  from: Position | null,
  room: () => number,
  call: Call,
): AsyncGenerator<Step<Position>> {
  let position = from;
  while (position !== null) {
    for await (const step of source.steps(position, room, call)) {
      yield step;
      position = step.next;
    }
  }
}

function isAskedFor({ touch, overwritten }: UserRow, only: UserFilter): boolean {
  return only === 'all' || (only === 'touch' ? touch : overwritten === true);
}

function nothingRemembered(): Fault {
  const fix = 'Give the switchId of a switch, or leave only=overwritten out.';
  return new Fault('invalid_request', {
    detail: 'Which phones were overwritten is known of a switch alone, under which the former ones are remembered.',
    fix,
    errors: [{ pointer: '/query/switchId', message: 'is needed by only=overwritten', fix }],
  });
}
