import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, nullable, oneOf, writeReply } from '../../shared/action/schemas.ts';
import { repairStepNames, repairStepOutcomes } from '../../shared/identity/repair/repair.ts';
import { repairAnswerOutcomes } from '../../shared/identity/repair/repairAnswer.ts';
import { expectedBody, findingRows, oktaAppIdField, planRows, readGiven, userParams } from './identityFields.ts';

export const repairImmutableId = action({
  name: 'repairImmutableId',
  room: 'users',
  method: 'POST',
  route: 'users/{user}/immutable-id/repair',
  summary: "Make a user's immutable ID what it should be, whatever happens in the middle",
  authLevel: 'function',
  writes: true,
  params: userParams,
  body: Type.Object(
    {
      ...expectedBody,
      oktaAppId: oktaAppIdField,
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'How the repair ended, or what it would do', 202: 'The repair goes on by itself' },
  reply: writeReply(repairAnswerOutcomes, {
    userId: Type.String({ description: 'Entra object id' }),
    userPrincipalName: Type.String({ description: 'as it was read last' }),
    immutableId: nullable(Type.String({ description: 'as it was read last; null: none' })),
    formerImmutableId: nullable(Type.String({ description: 'before the repair' })),
    desiredImmutableId: nullable(Type.String({ description: 'what it should be; null: none' })),
    code: nullable(Type.String({ description: 'why it is not as asked for; null: it is, or may still become so' })),
    fix: nullable(Type.String()),
    operationId: nullable(Type.String({ description: 'of the repair; null: none was begun' })),
    done: Type.Boolean({ description: 'whether nothing is left to be waited for' }),
    retryAfterSeconds: nullable(Type.Integer({ description: 'when to ask for the operation; null when done' })),
    steps: Type.Array(
      Type.Object(
        {
          step: oneOf(repairStepNames, 'what was written'),
          outcome: oneOf(repairStepOutcomes, 'what came of it; unknown: it is read back'),
          code: Type.String({ description: 'the outcome where all is well, else why not' }),
          message: Type.String({ description: 'one sentence for a person' }),
        },
        { additionalProperties: false },
      ),
      { description: 'what was done, in order' },
    ),
    plan: Type.Array(planRows.items, { description: 'what a dry run would do; else what in Okta is left to others' }),
    undo: Type.Array(
      Type.Object(
        {
          request: Type.String({ description: 'method and path in Graph' }),
          body: Type.String({ description: 'as JSON text' }),
        },
        { additionalProperties: false },
      ),
      { description: 'what a person would send to have the user as before, in order' },
    ),
    addedAddresses: Type.Array(Type.String(), { description: 'addresses that came since the repair began' }),
    removedAddresses: Type.Array(Type.String(), { description: 'addresses that went since the repair began' }),
    findings: findingRows,
  }),
  statusOf: ({ done }) => (done ? 200 : 202),
  run: ({ params, body, isDryRun, call }, { immutableIdRepairer }) => {
    const { oktaAppId = null, ...expected } = body;
    return immutableIdRepairer.repair({ user: params.user, given: readGiven(expected, ''), oktaAppId }, isDryRun, call);
  },
});
