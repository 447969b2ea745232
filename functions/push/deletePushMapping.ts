import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, writeReply } from '../../shared/action/schemas.ts';
import { mappingDeletionOutcomes } from '../../shared/push/mappings/deleteMapping.ts';
import { mappingParams } from './mappingReply.ts';

export const deletePushMapping = action({
  name: 'deletePushMapping',
  room: 'push',
  method: 'DELETE',
  route: 'push-mappings/{oktaGroupId}',
  summary: 'Forget an INACTIVE push mapping; no member is touched',
  authLevel: 'function',
  writes: true,
  params: mappingParams,
  query: Type.Object({ dryRun: dryRunField }, { additionalProperties: false }),
  successes: { 200: 'The mapping is gone, or this was a dry run' },
  reply: writeReply(mappingDeletionOutcomes, {
    oktaGroupId: Type.String(),
    oktaGroupName: Type.String(),
    targetId: Type.String({ description: "the target's Entra object id" }),
    targetName: Type.String(),
    managedCount: Type.Integer({ description: 'members that the mapping had added, all of whom stay' }),
  }),
  run: async ({ params, isDryRun, call }, { mappingDeleter }) => {
    const { outcome, message, mapping, managedCount } = await mappingDeleter.delete(params.oktaGroupId, isDryRun, call);
    const { oktaGroupId, oktaGroupName, targetId, targetName } = mapping;
    const changed = outcome === 'deleted';
    return { ok: true, outcome, changed, message, oktaGroupId, oktaGroupName, targetId, targetName, managedCount };
  },
});
