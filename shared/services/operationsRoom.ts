import { createAuditReader } from '../audit/auditReader.ts';
import { createAuditExpiry, createAuditRetention } from '../audit/retention.ts';
import type { Config } from '../config.ts';
import { createOperationRetention } from '../operations/operationRetention.ts';
import { createOperations } from '../operations/operations.ts';
import { createOperationWorker } from '../operations/operationWorker.ts';
import type { OperationRunner } from '../operations/runner.ts';
import { createSweeper, type Retention, type Revival } from '../operations/sweeper.ts';
import type { Ground } from './ground.ts';

/** @param work what goes on as operations, and what else has to be revived or removed */
export function openOperationsRoom(
  config: Config,
  ground: Ground,
  work: {
    readonly runners: readonly OperationRunner[];
    readonly revivals: readonly Revival[];
    readonly retentions: readonly Retention[];
  },
) {
  const { clock, tables, snapshots } = ground;
  const operationWorker = createOperationWorker({ ...ground, runners: work.runners });
  const auditRetention = createAuditRetention({ tables, clock });
  return {
    operations: createOperations(ground),
    operationWorker,
    sweeper: createSweeper({
      revivals: [{ name: 'operations', revive: (call) => operationWorker.revive(call) }, ...work.revivals],
      retentions: [
        createOperationRetention(ground, config.operationRetentionDays),
        {
          name: 'snapshot retention',
          removeExpired: async (call) => (await snapshots.removeExpired(call)).removedCount,
        },
        createAuditExpiry({ auditRetention, clock }, config.auditRetentionDays),
        ...work.retentions,
      ],
    }),
    auditReader: createAuditReader({ tables, clock, retentionDays: config.auditRetentionDays }),
  };
}
