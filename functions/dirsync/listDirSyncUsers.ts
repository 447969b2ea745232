import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { userFilters } from '../../shared/dirsync/listUsers.ts';
import { oktaAppIdField } from '../users/identityFields.ts';
import { switchIdField, userRows } from './dirSyncFields.ts';

export const listDirSyncUsers = action({
  name: 'listDirSyncUsers',
  room: 'dirsync',
  method: 'GET',
  route: 'dirsync/users',
  summary: 'List the users from on-premises with their phones in Entra and Okta: whom to touch after a switch',
  authLevel: 'function',
  writes: false,
  query: Type.Object(
    {
      switchId: switchIdField,
      only: Type.Optional(
        oneOf(userFilters, 'touch for whom Okta should push again, overwritten for whose phone was, or all'),
      ),
      oktaAppId: oktaAppIdField,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'a page size from 1 to 100' })),
      cursor: Type.Optional(
        Type.String({ minLength: 1, maxLength: 4096, description: 'nextCursor of the page before' }),
      ),
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'A page of users' },
  reply: readReply({
    users: userRows('those of the switch, or, without one, whoever is mastered on-premises now'),
    count: Type.Integer({ description: 'users on this page' }),
    touchCount: Type.Integer({ description: 'of these, whom to touch' }),
    hasMore: Type.Boolean(),
    nextCursor: nullable(Type.String({ description: 'the cursor of the next page; null at the end' })),
  }),
  run: async ({ query, call }, { dirSyncUserLister }) => {
    const { switchId = null, only = 'all', oktaAppId = null, limit = 50, cursor = null } = query;
    const { users, nextCursor } = await dirSyncUserLister.list({ switchId, only, oktaAppId, limit, cursor }, call);
    const touchCount = users.filter(({ touch }) => touch).length;
    return { users, count: users.length, touchCount, hasMore: nextCursor !== null, nextCursor };
  },
});
