import { createAuditReader } from '../audit/auditReader.ts';
import { createAuditExpiry, createAuditRetention } from '../audit/retention.ts';
import type { Config } from '../config.ts';
import { createOperationRetention } from '../operations/operationRetention.ts';
import { createOperations } from '../operations/operations.ts';
import { createSweeper } from '../operations/sweeper.ts';
import type { Ground } from './ground.ts';
import type { MembersRoom } from './membersRoom.ts';

export function openOperationsRoom(config: Config, ground: Ground, { operationWorker }: MembersRoom) {
  const { clock, tables, snapshots } = ground;
  const auditRetention = createAuditRetention({ tables, clock });
  return {
    operations: createOperations({ ...ground, operationWorker }),
    operationWorker,
    sweeper: createSweeper({
      operationWorker,
      retentions: [
        createOperationRetention(ground, config.operationRetentionDays),
        {
          name: 'snapshot retention',
          removeExpired: async (call) => (await snapshots.removeExpired(call)).removedCount,
        },
        createAuditExpiry({ auditRetention, clock }, config.auditRetentionDays),
      ],
    }),
    auditReader: createAuditReader({ tables, clock, retentionDays: config.auditRetentionDays }),
  };
}
