import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';

const states = ['intent', 'succeeded', 'partial', 'failed', 'unknown'] as const;

const time = (description: string) =>
  Type.Optional(
    Type.String({
      pattern: '^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,7})?)?(Z|[+-]\\d{2}:\\d{2}))?$',
      description: `${description}, as ISO 8601 like 2026-11-20 or 2026-11-20T08:00:00Z`,
    }),
  );

export const listAudit = action({
  name: 'listAudit',
  room: 'operations',
  method: 'GET',
  route: 'audit',
  summary: 'List what this app wrote, newest first: what was there, what was planned and what came of it',
  authLevel: 'function',
  writes: false,
  query: Type.Object(
    {
      target: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 320,
          description: 'the Entra object id, the address or the name of what was written, whole and in any case',
        }),
      ),
      action: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'the name of an action' })),
      operationId: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'the id of an operation' })),
      state: Type.Optional(oneOf(states, 'what came of the write')),
      from: time('the first moment; by default as far back as the audit is kept'),
      to: time('the last moment; by default now'),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: 'a page size from 1 to 200' })),
      cursor: Type.Optional(
        Type.String({ minLength: 1, maxLength: 4096, description: 'nextCursor of the page before' }),
      ),
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'A page of the audit' },
  reply: readReply({
    entries: Type.Array(
      Type.Object(
        {
          at: Type.String({ description: 'when the write was about to be made' }),
          finishedAt: nullable(Type.String({ description: 'when its outcome was known; null while it is not' })),
          requestId: Type.String({ description: 'of the request that wrote' }),
          operationId: nullable(Type.String({ description: 'of the operation that wrote, where it was one' })),
          action: Type.String(),
          operation: Type.String({ description: 'the cmdlet, or the method and path' }),
          targetType: Type.String({ description: 'group, user or tenant' }),
          targetId: Type.String({ description: 'Entra object id; of what was yet to be created its alias' }),
          targetName: Type.String(),
          state: oneOf(states, 'intent while it is under way; unknown where no answer came and nothing could be read'),
          before: Type.String({ description: 'what was there, as JSON text' }),
          planned: Type.String({ description: 'what was to be written, as JSON text' }),
          after: nullable(Type.String({ description: 'what is there now, as JSON text; null while it is not known' })),
          code: nullable(Type.String({ description: 'of the fault, where the write failed' })),
          message: nullable(Type.String({ description: 'of the fault, where the write failed' })),
          upstreamRequestId: nullable(Type.String({ description: "Microsoft's own id of the write" })),
        },
        { additionalProperties: false },
      ),
    ),
    count: Type.Integer({ description: 'entries on this page: fewer than the limit, even none, when time ran out' }),
    hasMore: Type.Boolean(),
    nextCursor: nullable(Type.String({ description: 'the cursor of the next page; null at the end' })),
  }),
  run: async ({ query, call }, { auditReader }) => {
    const { target = null, action = null, operationId = null, state = null, from = null, to = null } = query;
    const page = { limit: query.limit ?? 50, cursor: query.cursor ?? null };
    const { entries, nextCursor } = await auditReader.list(
      { target, action, operationId, state, from, to },
      page,
      call,
    );
    return { entries, count: entries.length, hasMore: nextCursor !== null, nextCursor };
  },
});
