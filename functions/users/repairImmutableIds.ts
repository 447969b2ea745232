import { type Static, Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { invalidRequest } from '../../shared/action/handler.ts';
import { dryRunField, nullable, writeReply } from '../../shared/action/schemas.ts';
import type { FieldFault } from '../../shared/errors.ts';
import type { BatchEntry } from '../../shared/identity/batch/batchRequest.ts';
import { batchOutcomes } from '../../shared/identity/batch/repairImmutableIds.ts';
import { readExpected } from '../../shared/identity/expectedValue.ts';
import { expectedBody, oktaAppIdField, userParams } from './identityFields.ts';

const entry = Type.Object({ ...userParams.properties, ...expectedBody }, { additionalProperties: false });
/** What may fail before a list is left alone, unless a request says otherwise. */
const defaultMaxFailures = 3;

export const repairImmutableIds = action({
  name: 'repairImmutableIds',
  room: 'users',
  method: 'POST',
  route: 'users/immutable-id/repairs',
  summary:
    'Make the immutable IDs of a list of users what they should be: all are planned, one is proven, the rest follows',
  authLevel: 'function',
  writes: true,
  body: Type.Object(
    {
      users: Type.Array(entry, {
        minItems: 1,
        maxItems: 1_000,
        description: 'users, each with what its immutable ID should be; without that Okta is asked',
      }),
      oktaAppId: oktaAppIdField,
      maxFailures: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 1_000,
          description: 'how many repairs may fail otherwise than planned before the rest is left alone; 3 unless given',
        }),
      ),
      planId: Type.Optional(
        Type.String({
          pattern: '^[0-9a-f]{32}$',
          description: 'the planId of a dry run, to carry out that plan alone',
        }),
      ),
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: { 202: 'The list goes on as an operation, with one row for each user' },
  reply: writeReply(batchOutcomes, {
    operationId: Type.String({ description: 'of the operation that goes on' }),
    done: Type.Boolean({ description: 'whether nothing is left to be waited for' }),
    retryAfterSeconds: Type.Integer({ description: 'when to ask for the operation' }),
    planId: nullable(Type.String({ description: 'of the plan; null while the operation is still to make it' })),
    plannedCount: Type.Integer({ description: 'users that would be, or are to be, repaired' }),
    repairedCount: Type.Integer(),
    unchangedCount: Type.Integer({ description: 'users that were as asked for already' }),
    failedCount: Type.Integer({ description: 'users that are not as asked for' }),
    firstError: nullable(Type.String({ description: 'the first user that failed, with the reason' })),
  }),
  statusOf: () => 202,
  run: ({ body, isDryRun, call }, { batchStarter }) => {
    const { users, oktaAppId = null, maxFailures = defaultMaxFailures, planId = null } = body;
    return batchStarter.start({ entries: readEntries(users), oktaAppId, maxFailures, planId, isDryRun }, call);
  },
});

/** @throws Fault `invalid_request` with the faults of all users */
function readEntries(users: readonly Static<typeof entry>[]): BatchEntry[] {
  const errors: FieldFault[] = [];
  const entries = users.map(({ user, ...fields }, index): BatchEntry => {
    const read = readExpected(fields, `/users/${index}`);
    if (read.type === 'faulty') errors.push(...read.errors);
    return { user, given: read.type === 'given' ? read.expected : null };
  });
  if (errors.length > 0) throw invalidRequest(errors);
  return entries;
}
