import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, oneOf, writeReply } from '../../shared/action/schemas.ts';
import { settableStatuses } from '../../shared/push/mappings/setMappingStatus.ts';
import { pushOutcomes } from '../../shared/push/pushReply.ts';
import {
  mappingFields,
  mappingParams,
  planFields,
  planIdField,
  removalFields,
  showMapping,
  showPlan,
} from './mappingReply.ts';

export const setPushMappingStatus = action({
  name: 'setPushMappingStatus',
  room: 'push',
  method: 'PUT',
  route: 'push-mappings/{oktaGroupId}/status',
  summary: 'Approve the plan of a push mapping and make it ACTIVE, or make it INACTIVE',
  authLevel: 'function',
  writes: true,
  params: mappingParams,
  body: Type.Object(
    {
      status: oneOf(settableStatuses, 'ACTIVE to push now and follow the Okta group from then on, or INACTIVE'),
      planId: planIdField,
      ...removalFields,
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: {
    200: 'How the mapping stands',
    202: 'The mapping is ACTIVE, and its first push goes on as an operation',
  },
  reply: writeReply(pushOutcomes, { ...mappingFields, ...planFields }),
  statusOf: ({ done }) => (done ? 200 : 202),
  run: async ({ params, body, isDryRun, call }, { mappingStatusSetter }) => {
    const { status, planId = null, maxRemovals = null, allowEmpty = false } = body;
    const request = { status, planId, maxRemovals, allowEmpty, isDryRun };
    const { ok, outcome, changed, message, mapping, push } = await mappingStatusSetter.set(
      params.oktaGroupId,
      request,
      call,
    );
    return { ok, outcome, changed, message, ...showMapping(mapping), ...showPlan(push) };
  },
});
