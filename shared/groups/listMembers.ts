import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import type { GraphGroups, GraphMember } from '../graph/groups.ts';
import { GraphFault } from '../graph/errors.ts';
import { groupNotReady, type GroupResolver } from './resolve.ts';

export interface MemberPage {
  readonly groupId: string;
  readonly members: readonly GraphMember[];
  /** Hand it back to get the next page; null at the end. */
  readonly nextCursor: string | null;
}

export interface MemberLister {
  /**
   * One page of members as Graph shows them: it pages well where Exchange's own list breaks (exchange.md §1.5). What
   * was written to Exchange a moment ago may take some seconds to show.
   * @throws Fault `group_not_found`, `ambiguous_group`, `group_not_ready`, `invalid_request` for a foreign cursor
   */
  list(identity: string, page: { limit: number; cursor: string | null }, call: Call): Promise<MemberPage>;
}

export function createMemberLister(dependencies: { groups: GroupResolver; graphGroups: GraphGroups }): MemberLister {
  const { groups, graphGroups } = dependencies;
  return {
    list: async (identity, { limit, cursor }, call) => {
      const group = await groups.resolve(identity, call);
      if (group.id === null || group.graph === null) throw groupNotReady(group);
      const from = cursor === null ? null : decodeCursor(cursor, group.id);
      try {
        const { members, nextPath } = await graphGroups.members(group.id, { size: limit, from }, call);
        return { groupId: group.id, members, nextCursor: nextPath === null ? null : encodeCursor(nextPath) };
      } catch (error) {
        if (error instanceof GraphFault && error.kind === 'rejected' && cursor !== null) throw cursorFault(error);
        throw error;
      }
    },
  };
}

function encodeCursor(path: string): string {
  return Buffer.from(path, 'utf8').toString('base64url');
}

/** A cursor is a path that we made; anything but this group's next page is refused, so that it opens no other path. */
function decodeCursor(cursor: string, groupId: string): string {
  const path = Buffer.from(cursor, 'base64url').toString('utf8');
  if (path.toLowerCase().startsWith(`/groups/${groupId.toLowerCase()}/members?`)) return path;
  throw cursorFault();
}

function cursorFault(cause?: unknown): Fault {
  const fix = 'Use nextCursor of the page before, unchanged, with the same group; or start again without cursor.';
  return new Fault('invalid_request', {
    detail: 'The cursor is not one of this list, or has expired.',
    fix,
    errors: [{ pointer: '/query/cursor', message: 'is not a cursor of this list', fix }],
    cause,
  });
}
