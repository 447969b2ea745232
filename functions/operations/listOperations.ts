import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { guidPattern } from '../../shared/guid.ts';
import { operationStates } from '../../shared/operations/operation.ts';
import { messageField, operationFields, showOperation } from './operationReply.ts';

export const listOperations = action({
  name: 'listOperations',
  room: 'operations',
  method: 'GET',
  route: 'operations',
  summary: 'List operations, newest first',
  authLevel: 'function',
  writes: false,
  query: Type.Object(
    {
      state: Type.Optional(oneOf(operationStates, 'how the operation stands')),
      targetId: Type.Optional(
        Type.String({ pattern: `^${guidPattern}$`, description: 'the Entra object id of a group or user' }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: 'a page size from 1 to 200' })),
      cursor: Type.Optional(
        Type.String({ pattern: '^\\d{16}-[0-9a-f]{8}$', description: 'nextCursor of the page before' }),
      ),
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'A page of operations' },
  reply: readReply({
    operations: Type.Array(Type.Object({ ...operationFields, message: messageField }, { additionalProperties: false })),
    count: Type.Integer({ description: 'operations on this page' }),
    nextCursor: nullable(Type.String()),
    hasMore: Type.Boolean(),
  }),
  run: async ({ query, call }, { operations }) => {
    const { state = null, targetId = null, limit = 50, cursor = null } = query;
    const filter = { state, targetId: targetId?.toLowerCase() ?? null };
    const page = await operations.list(filter, { limit, after: cursor }, call);
    return {
      operations: page.operations.map(showOperation),
      count: page.operations.length,
      nextCursor: page.hasMore ? (page.operations.at(-1)?.operationId ?? null) : null,
      hasMore: page.hasMore,
    };
  },
});
