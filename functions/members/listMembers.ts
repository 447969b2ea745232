import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { groupParams, nullable, readReply } from '../../shared/action/schemas.ts';

export const listMembers = action({
  name: 'listMembers',
  room: 'members',
  method: 'GET',
  route: 'groups/{group}/members',
  summary: 'List the members of a group of any kind, a page at a time',
  authLevel: 'function',
  writes: false,
  params: groupParams,
  query: Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 999, description: 'a page size from 1 to 999' })),
      cursor: Type.Optional(
        Type.String({ minLength: 1, maxLength: 4096, description: 'nextCursor of the page before' }),
      ),
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'A page of members' },
  reply: readReply({
    groupId: Type.String({ description: 'Entra object id of the group' }),
    members: Type.Array(
      Type.Object(
        {
          id: Type.String({ description: 'Entra object id' }),
          type: Type.String({ description: 'user, group, orgContact, device or servicePrincipal' }),
          displayName: nullable(Type.String()),
          userPrincipalName: nullable(Type.String()),
          mail: nullable(Type.String()),
        },
        { additionalProperties: false },
      ),
    ),
    count: Type.Integer({ description: 'members on this page' }),
    hasMore: Type.Boolean(),
    nextCursor: nullable(Type.String({ description: 'the cursor of the next page; null at the end' })),
  }),
  run: async ({ params, query, call }, { memberLister }) => {
    const page = { limit: query.limit ?? 100, cursor: query.cursor ?? null };
    const { groupId, members: found, nextCursor } = await memberLister.list(params.group, page, call);
    const members = found.map(({ id, type, displayName, userPrincipalName, mail }) => ({
      id,
      type,
      displayName,
      userPrincipalName,
      mail,
    }));
    return { groupId, members, count: members.length, hasMore: nextCursor !== null, nextCursor };
  },
});
