import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { mappingStatuses } from '../../shared/push/mapping.ts';
import { mappingFields, showMapping } from './mappingReply.ts';

export const listPushMappings = action({
  name: 'listPushMappings',
  room: 'push',
  method: 'GET',
  route: 'push-mappings',
  summary: 'List push mappings with how they stand',
  authLevel: 'function',
  writes: false,
  query: Type.Object(
    {
      status: Type.Optional(oneOf(mappingStatuses, 'how the mapping stands')),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: 'a page size from 1 to 200' })),
      cursor: Type.Optional(
        Type.String({ minLength: 1, maxLength: 1024, description: 'nextCursor of the page before' }),
      ),
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'A page of push mappings' },
  reply: readReply({
    mappings: Type.Array(Type.Object(mappingFields, { additionalProperties: false })),
    count: Type.Integer({ description: 'mappings on this page' }),
    hasMore: Type.Boolean(),
    nextCursor: nullable(Type.String({ description: 'the cursor of the next page; null at the end' })),
  }),
  run: async ({ query, call }, { mappingReader }) => {
    const page = { limit: query.limit ?? 50, cursor: query.cursor ?? null };
    const { mappings, nextCursor } = await mappingReader.list({ status: query.status ?? null }, page, call);
    return {
      mappings: mappings.map(showMapping),
      count: mappings.length,
      hasMore: nextCursor !== null,
      nextCursor,
    };
  },
});
