import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Tables } from '../store/tables.ts';
import { type AuditTable, createAuditTable, type StoredRow } from './auditTable.ts';
import { auditUnavailable } from './faults.ts';
import { dayOf } from './rows.ts';

export interface AuditRetention {
  /**
   * Deletes the rows of all UTC days that had ended by `timeMs`, oldest first, until the call's deadline ends it. May be
   * repeated, and run twice at once: a row that is gone already is what was wanted.
   * @returns isDone: whether nothing is left of those days
   * @throws Fault `audit_unavailable`
   */
  removeAuditBefore(timeMs: number, call: Call): Promise<{ removedCount: number; isDone: boolean }>;
}

const dayMs = 24 * 3_600_000;

/** The same for whoever sweeps: rows older than so many days. */
export function createAuditExpiry(
  dependencies: { auditRetention: AuditRetention; clock: Clock },
  retentionDays: number,
): { readonly name: string; removeExpired(call: Call): Promise<number> } {
  const { auditRetention, clock } = dependencies;
  return {
    name: 'audit retention',
    removeExpired: async (call) => {
      const { removedCount } = await auditRetention.removeAuditBefore(clock.now() - retentionDays * dayMs, call);
      return removedCount;
    },
  };
}

/** What one transaction of Azure Tables may hold, all in one partition. */
const batchSize = 100;

export function createAuditRetention(dependencies: { tables: Tables; clock: Clock }): AuditRetention {
  const table = createAuditTable(dependencies.tables, dependencies.clock);
  return {
    removeAuditBefore: async (timeMs, call) => {
      let removedCount = 0;
      try {
        for (;;) {
          const oldest = await oldestRows(table, dayOf(timeMs), call);
          const [first] = oldest;
          if (first === undefined) return { removedCount, isDone: true };
          const batch = oldest.filter(({ partitionKey }) => partitionKey === first.partitionKey);
          removedCount += await remove(table, batch, call);
        }
      } catch (error) {
        if (call.deadline.signal.aborted) return { removedCount, isDone: false };
        table.forget();
        throw auditUnavailable('cleared', 'its old rows stay until the next sweep', error);
      }
    },
  };
}

async function oldestRows(table: AuditTable, day: string, call: Call): Promise<readonly StoredRow[]> {
  const query = { filter: `PartitionKey lt '${day}'`, select: ['PartitionKey', 'RowKey'], pageSize: batchSize };
  for await (const rows of table.pages(query, call)) {
    if (rows.length > 0) return rows;
  }
  return [];
}

/** @returns how many there were */
async function remove(table: AuditTable, rows: readonly StoredRow[], call: Call): Promise<number> {
  return table.use(call, async (client, abortSignal) => {
    const actions = rows.map(
      ({ partitionKey, rowKey }) => ['delete', { partitionKey, rowKey }] as ['delete', StoredRow],
    );
    try {
      await client.submitTransaction(actions, { abortSignal });
      return rows.length;
    } catch (error) {
      // One row that another instance has removed meanwhile refuses the whole transaction.
      if (!isGone(error)) throw error;
    }
    let removed = 0;
    for (const { partitionKey, rowKey } of rows) {
      try {
        await client.deleteEntity(partitionKey, rowKey, { abortSignal });
        removed += 1;
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
    return removed;
  });
}

function isGone(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 404;
}
