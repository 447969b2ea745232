import type { Call } from '../call.ts';
import { isFault } from '../errors.ts';
import { type GraphBatchRequest, type GraphPart, maxGraphBatch } from './batch.ts';
import type { Graph } from './client.ts';
import { type GraphErrorKind, isGraphFault } from './errors.ts';
import { segment } from './odata.ts';

export type GroupLink = 'members' | 'owners';
export type LinkChange = 'add' | 'remove';

/** How many objects one change names (graph.md §1.5). */
export const linkBatchSize = maxGraphBatch;

export interface GraphLinks {
  /**
   * Links up to `linkBatchSize` objects to a group, or unlinks them; one part each, in order. Being linked (or not)
   * already is a part with a GraphFault `alreadyLinked` or `notLinked`.
   * @throws what holds for the whole group or call, such as GraphFault `groupMissing`
   */
  change(
    link: GroupLink,
    change: LinkChange,
    groupId: string,
    objectIds: readonly string[],
    call: Call,
  ): Promise<GraphPart[]>;
}

/** Refusals of a PATCH that may be about one of its objects: alone, the others may pass. */
const aboutOneObject: readonly GraphErrorKind[] = [
  'alreadyLinked',
  'quotaExceeded',
  'objectMissing',
  'objectKindNotAllowed',
  'notReplicated',
  'notFound',
  'rejected',
];

export function createGraphLinks(graph: Graph): GraphLinks {
  /**
   * All or nothing: what is refused has added nobody, so that each may be tried alone (graph.md §1.5). The quota is
   * judged before duplicates are, so even a full group may take what is asked for (graph.md §1.4).
   */
  async function addTogether(
    link: GroupLink,
    groupId: string,
    objectIds: readonly string[],
    call: Call,
  ): Promise<GraphPart[] | null> {
    const body = { [`${link}@odata.bind`]: objectIds.map((id) => graph.reference(id)) };
    const path = `/groups/${segment(groupId)}`;
    try {
      const output = await graph.write('PATCH', path, body, `PATCH /groups/{id} ${link}@odata.bind`, call);
      return objectIds.map(() => ({ ok: true, ...output }));
    } catch (error) {
      if (isGraphFault(error, ...aboutOneObject)) return null;
      if (isFault(error, 'outcome_unknown')) return objectIds.map(() => ({ ok: false, fault: error }));
      throw error;
    }
  }

  function addAlone(link: GroupLink, groupId: string, objectId: string): GraphBatchRequest {
    return {
      method: 'POST',
      path: `/groups/${segment(groupId)}/${link}/$ref`,
      body: { '@odata.id': graph.reference(objectId) },
      label: `POST /groups/{id}/${link}/$ref`,
    };
  }

  /** Without `/$ref` Graph deletes the user itself (graph.md §1.5, CAUTION). */
  function remove(link: GroupLink, groupId: string, objectId: string): GraphBatchRequest {
    return {
      method: 'DELETE',
      path: `/groups/${segment(groupId)}/${link}/${segment(objectId)}/$ref`,
      label: `DELETE /groups/{id}/${link}/{id}/$ref`,
    };
  }

  return {
    change: async (link, change, groupId, objectIds, call) => {
      if (objectIds.length === 0) return [];
      if (objectIds.length > linkBatchSize) throw new RangeError(`a change names at most ${linkBatchSize} objects`);
      if (change === 'add') {
        const added = await addTogether(link, groupId, objectIds, call);
        if (added !== null) return added;
      }
      const requestOf = change === 'add' ? addAlone : remove;
      return graph.batch(
        objectIds.map((id) => requestOf(link, groupId, id)),
        'write',
        call,
      );
    },
  };
}
