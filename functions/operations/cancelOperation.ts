import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, operationParams, writeReply } from '../../shared/action/schemas.ts';
import { cancellationOutcomes } from '../../shared/operations/operations.ts';
import { operationFields, showOperation } from './operationReply.ts';

export const cancelOperation = action({
  name: 'cancelOperation',
  room: 'operations',
  method: 'POST',
  route: 'operations/{operationId}/cancel',
  summary: 'End an operation before its next slice; what is done stays done',
  authLevel: 'function',
  writes: true,
  params: operationParams,
  query: Type.Object({ dryRun: dryRunField }, { additionalProperties: false }),
  successes: { 200: 'How the operation stands' },
  reply: writeReply(cancellationOutcomes, operationFields),
  run: async ({ params, isDryRun, call }, { operations }) => {
    const { outcome, operation } = await operations.cancel(params.operationId, isDryRun, call);
    return {
      ...showOperation(operation),
      ok: outcome !== 'already_ended',
      outcome,
      changed: outcome === 'cancelling' || outcome === 'cancelled',
    };
  },
});
