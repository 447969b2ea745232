import { Type } from '@sinclair/typebox';
import { nullable, oneOf } from '../../shared/action/schemas.ts';
import {
  isEnded,
  noCounts,
  type Operation,
  operationStates,
  progressPercent,
  shownState,
} from '../../shared/operations/operation.ts';

export const messageField = Type.String({ description: 'one sentence for a person' });

/** An operation as every action shows it, beside its `message`: flat, with counts that a flow can branch on. */
export const operationFields = {
  operationId: Type.String(),
  type: Type.String({ description: 'the action whose work it is' }),
  state: oneOf(
    operationStates,
    'how it stands; succeeded, partial, failed and cancelled are ends, needs_attention is none',
  ),
  done: Type.Boolean({ description: 'whether it has ended' }),
  progressPercent: Type.Integer({ description: '0 to 100' }),
  targetId: Type.String({
    description: 'the Entra object id of the group or user, or of the tenant for a list of users',
  }),
  targetName: Type.String(),
  planId: nullable(Type.String({ description: 'of its plan; null while there is none' })),
  planOnly: Type.Boolean({ description: 'whether it was a dry run' }),
  totalCount: Type.Integer({ description: 'changes planned' }),
  doneCount: Type.Integer({ description: 'changes settled, well or not' }),
  addedCount: Type.Integer(),
  removedCount: Type.Integer(),
  repairedCount: Type.Integer({ description: 'users whose immutable ID was repaired' }),
  unchangedCount: Type.Integer(),
  keptCount: Type.Integer(),
  failedCount: Type.Integer(),
  firstError: nullable(Type.String()),
  code: nullable(Type.String({ description: 'why it failed, or what it waits for' })),
  fix: nullable(Type.String()),
  startedByRequestId: Type.String({ description: 'of the request that began it' }),
  dueAt: nullable(Type.String({ description: 'when it goes on; null when it does not wait' })),
  createdAt: Type.String(),
  updatedAt: Type.String(),
  endedAt: nullable(Type.String()),
};

export function showOperation(operation: Operation) {
  const { operationId, type, targetId, targetName, planId, isDryRun, counts, firstError } = operation;
  const { code, message, fix, requestId, dueAtMs, createdAtMs, updatedAtMs, endedAtMs } = operation;
  return {
    operationId,
    type,
    state: shownState(operation),
    done: isEnded(operation),
    progressPercent: progressPercent(operation),
    targetId,
    targetName,
    planId,
    planOnly: isDryRun,
    // Of an operation of an earlier version some are missing.
    ...noCounts,
    ...counts,
    firstError,
    code,
    message,
    fix,
    startedByRequestId: requestId,
    dueAt: dueAtMs === null || isEnded(operation) ? null : new Date(dueAtMs).toISOString(),
    createdAt: new Date(createdAtMs).toISOString(),
    updatedAt: new Date(updatedAtMs).toISOString(),
    endedAt: endedAtMs === null ? null : new Date(endedAtMs).toISOString(),
  };
}
