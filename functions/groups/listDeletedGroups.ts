import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { groupKinds } from '../../shared/groups/kinds.ts';

export const listDeletedGroups = action({
  name: 'listDeletedGroups',
  room: 'groups',
  method: 'GET',
  route: 'deleted-groups',
  summary: 'List the groups that this app has deleted and can restore, newest first',
  authLevel: 'function',
  writes: false,
  query: Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: 'a page size from 1 to 200' })),
      cursor: Type.Optional(
        Type.String({ minLength: 1, maxLength: 4096, description: 'nextCursor of the page before' }),
      ),
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'A page of deleted groups' },
  reply: readReply({
    groups: Type.Array(
      Type.Object(
        {
          deletionId: Type.String({ description: 'by which restoreGroup names it' }),
          id: Type.String({ description: 'Entra object id the group had' }),
          kind: oneOf(groupKinds, 'the kind of the group'),
          displayName: Type.String(),
          primarySmtpAddress: nullable(Type.String()),
          memberCount: Type.Integer({ description: 'members in the snapshot' }),
          state: oneOf(['deleted', 'unknown'], 'unknown where the answer to the deletion was lost'),
          deletedAt: Type.String(),
          restorableUntil: Type.String({ description: 'when the snapshot is removed' }),
          restoredAt: nullable(Type.String()),
          restoredId: nullable(Type.String({ description: 'Entra object id of the restored group' })),
        },
        { additionalProperties: false },
      ),
    ),
    count: Type.Integer({ description: 'groups on this page' }),
    hasMore: Type.Boolean(),
    nextCursor: nullable(Type.String({ description: 'the cursor of the next page; null at the end' })),
  }),
  run: async ({ query, call }, { deletedGroupLister }) => {
    const page = { limit: query.limit ?? 50, cursor: query.cursor ?? null };
    const { groups, nextCursor } = await deletedGroupLister.list(page, call);
    return { groups, count: groups.length, hasMore: nextCursor !== null, nextCursor };
  },
});
