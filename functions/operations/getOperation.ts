import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, operationParams, readReply } from '../../shared/action/schemas.ts';
import { memberOutcomes } from '../../shared/groups/membership/memberRows.ts';
import { batchRowOutcomes } from '../../shared/identity/batch/batchRows.ts';
import { isEnded, retryAfterSeconds } from '../../shared/operations/operation.ts';
import { messageField, operationFields, showOperation } from './operationReply.ts';

const rowOutcomes = [...new Set([...memberOutcomes, ...batchRowOutcomes])];

export const getOperation = action({
  name: 'getOperation',
  room: 'operations',
  method: 'GET',
  route: 'operations/{operationId}',
  summary: 'Read how an operation stands, with its results page by page',
  authLevel: 'function',
  writes: false,
  params: operationParams,
  query: Type.Object(
    {
      waitSeconds: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 20, description: 'how many seconds to wait for its end, up to 20' }),
      ),
      cursor: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,5}$', description: 'nextCursor of the page before' })),
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'The operation' },
  reply: readReply({
    ok: Type.Boolean({ description: 'whether it has ended with everything as asked for' }),
    ...operationFields,
    message: messageField,
    warnings: Type.Array(Type.String()),
    retryAfterSeconds: nullable(Type.Integer({ description: 'when to ask again; null when it has ended' })),
    results: Type.Array(
      Type.Object(
        {
          member: Type.String({ description: 'the member or user as the request named it' }),
          outcome: oneOf(rowOutcomes, 'what became of the member or user'),
          code: Type.String(),
          message: Type.String(),
        },
        { additionalProperties: false },
      ),
      { description: 'one page of rows: for members that are not as they were, for each user of a list' },
    ),
    nextCursor: nullable(Type.String({ description: 'of the next page of results; null when there is none yet' })),
    hasMore: Type.Boolean(),
  }),
  run: async ({ params, query, call }, { operations, clock }) => {
    const { waitSeconds = 0, cursor = '1' } = query;
    const options = { page: Number(cursor), waitMs: waitSeconds * 1_000 };
    const { operation, results, nextPage } = await operations.view(params.operationId, options, call);
    return {
      ok: operation.state === 'succeeded',
      ...showOperation(operation),
      warnings: operation.warnings,
      retryAfterSeconds: isEnded(operation) ? null : retryAfterSeconds(operation, clock.now()),
      results: results as never,
      nextCursor: nextPage === null ? null : String(nextPage),
      hasMore: nextPage !== null,
    };
  },
});
