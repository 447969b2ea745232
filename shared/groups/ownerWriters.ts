import { type GraphLinks, linkBatchSize } from '../graph/links.ts';
import { answerOfGraph, type MemberWriters } from './membership/memberWriters.ts';

/** Owners of security and Microsoft 365 groups are written as their members are, under another link. */
export function createOwnerWriters(graphLinks: GraphLinks): MemberWriters {
  return {
    of: () => ({
      batchSize: linkBatchSize,
      operations: { add: 'PATCH /groups/{id} owners', remove: 'DELETE /groups/{id}/owners/{id}/$ref' },
      send: async (change, group, targets, call) => {
        const ownerIds = targets.map(({ memberId }) => memberId);
        const parts = await graphLinks.change('owners', change, group.id ?? '', ownerIds, call);
        return parts.map((part) => answerOfGraph(change, part));
      },
    }),
  };
}
