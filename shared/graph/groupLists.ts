import type { Call } from '../call.ts';
import type { Graph } from './client.ts';
import { type GraphGroup, groupProperties, readGraphGroup } from './groups.ts';
import { withQuery } from './odata.ts';

export interface GraphGroupPage {
  readonly groups: readonly GraphGroup[];
  readonly nextPath: string | null;
}

export interface GraphGroupLists {
  /**
   * One page of all groups that Graph shows, or of those that `filter` lets through. `from` is the nextPath of the page
   * before, and then decides alone.
   */
  page(of: { filter: string | null; size: number; from: string | null }, call: Call): Promise<GraphGroupPage>;
}

/** What each page of groups begins with. */
export const groupListPrefix = '/groups?';

export function createGraphGroupLists(graph: Graph): GraphGroupLists {
  return {
    page: async ({ filter, size, from }, call) => {
      const first = withQuery('/groups', { $select: groupProperties, $filter: filter ?? undefined, $top: size });
      const { items, nextPath } = await graph.page(from ?? first, 'GET /groups', call);
      return { groups: items.map(readGraphGroup), nextPath };
    },
  };
}
