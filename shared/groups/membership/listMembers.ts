import type { Call } from '../../call.ts';
import { Fault } from '../../errors.ts';
import type { GraphGroups, GraphMember } from '../../graph/groups.ts';
import { GraphFault } from '../../graph/errors.ts';
import { cursorFault, decodeCursor, encodeCursor } from '../cursor.ts';
import { type Group, labelOf } from '../group.ts';
import { groupNotReady, type GroupResolver } from '../resolve.ts';

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
   * @throws Fault `group_not_found`, `ambiguous_group`, `group_not_ready`, `kind_not_supported`, `invalid_request` for a foreign cursor
   */
  list(identity: string, page: { limit: number; cursor: string | null }, call: Call): Promise<MemberPage>;
}

export function createMemberLister(dependencies: { groups: GroupResolver; graphGroups: GraphGroups }): MemberLister {
  const { groups, graphGroups } = dependencies;
  return {
    list: async (identity, { limit, cursor }, call) => {
      const group = await groups.resolve(identity, call);
      if (group.kind === 'dynamicDistribution') throw membersNotKept(group);
      if (group.id === null || group.graph === null) throw groupNotReady(group);
      const name = `members of ${group.id.toLowerCase()}`;
      const from = cursor === null ? null : decodeCursor(cursor, name, pathOfPage(group.id));
      try {
        const { members, nextPath } = await graphGroups.members(group.id, { size: limit, from }, call);
        return { groupId: group.id, members, nextCursor: nextPath === null ? null : encodeCursor(name, nextPath) };
      } catch (error) {
        if (error instanceof GraphFault && error.kind === 'rejected' && cursor !== null) throw cursorFault(error);
        throw error;
      }
    },
  };
}

function membersNotKept(group: Group): Fault {
  return new Fault('kind_not_supported', {
    detail: `${labelOf(group)} is a dynamic distribution group: Exchange looks its members up by a filter whenever a message comes.`,
    fix: 'Get-Recipient -RecipientPreviewFilter with the RecipientFilter of the group shows whom it reaches now.',
  });
}

/** Nothing but a further page of this very group: it opens no other path. */
function pathOfPage(groupId: string): (position: unknown) => string | null {
  const prefix = `/groups/${groupId.toLowerCase()}/members?`;
  return (position) => (typeof position === 'string' && position.toLowerCase().startsWith(prefix) ? position : null);
}
