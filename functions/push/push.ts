import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, oneOf, writeReply } from '../../shared/action/schemas.ts';
import { textListKeyword } from '../../shared/action/textLists.ts';
import { mappingStatuses } from '../../shared/push/mapping.ts';
import { pushOutcomes } from '../../shared/push/pushReply.ts';
import { mappingParams, planIdField, pushFields, removalFields } from './mappingReply.ts';

export const push = action({
  name: 'push',
  room: 'push',
  method: 'POST',
  route: 'push-mappings/{oktaGroupId}/push',
  summary: 'Make the members of the target what the Okta group says, as far as the authority of the mapping goes',
  authLevel: 'function',
  writes: true,
  params: mappingParams,
  body: Type.Object(
    {
      planId: planIdField,
      ...removalFields,
      repin: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 320, description: 'an id or login of an Okta user' }), {
          maxItems: 500,
          description: 'Okta users whose match in Entra may be found anew',
          [textListKeyword]: true,
        }),
      ),
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'What became of each member that is not as it was', 202: 'The push goes on as an operation' },
  reply: writeReply(pushOutcomes, {
    oktaGroupId: Type.String(),
    targetId: Type.String({ description: "the target's Entra object id" }),
    status: oneOf(mappingStatuses, 'of the mapping, after this'),
    ...pushFields,
  }),
  statusOf: ({ done }) => (done ? 200 : 202),
  run: ({ params, body, isDryRun, call }, { mappingPusher }) => {
    const { planId = null, maxRemovals = null, allowEmpty = false, repin = [] } = body;
    return mappingPusher.push(params.oktaGroupId, { isDryRun, planId, maxRemovals, allowEmpty, repin }, call);
  },
});
