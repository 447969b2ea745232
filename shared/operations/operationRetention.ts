import type { Clock } from '../clock.ts';
import { endStates } from './operation.ts';
import { operationIdAt, type OperationStore } from './operationStore.ts';
import type { Retention } from './sweeper.ts';

const removedAtOnce = 100;
const dayMs = 24 * 3_600_000;

/** Operations that ended, with their plans and results; one that goes on is kept whatever its age. */
export function createOperationRetention(
  dependencies: { operations: OperationStore; clock: Clock },
  retentionDays: number,
): Retention {
  const { operations, clock } = dependencies;
  return {
    name: 'operation retention',
    removeExpired: async (call) => {
      const after = operationIdAt(clock.now() - retentionDays * dayMs);
      const filter = { states: endStates, targetId: null };
      const { operations: ended } = await operations.list(filter, { limit: removedAtOnce, after }, call);
      for (const { operationId } of ended) await operations.remove(operationId, call);
      return ended.length;
    },
  };
}
