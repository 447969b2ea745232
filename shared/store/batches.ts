import type { TableClient, TransactionAction } from '@azure/data-tables';
import { atOnce } from './atOnce.ts';
import { orNull, unlessRefused } from './storeTable.ts';

/** Azure Tables: a transaction holds 100 changes of one partition, none twice of the same row. */
const transactionSize = 100;
/** Of requests for single rows. */
export const singleWidth = 16;
const transactionWidth = 4;

/** The same change of a row, in either company. */
export interface RowChange {
  /** Several, when rows belong together. */
  readonly inTransaction: readonly TransactionAction[];
  /** Whatever the row has become meanwhile is for it to deal with. */
  alone(): Promise<unknown>;
}

/**
 * Changes rows of one partition, in transactions where that spares requests. One row that is not as expected refuses its
 * whole transaction: its rows are then changed one by one.
 */
export async function changeRows(
  client: TableClient,
  changes: readonly RowChange[],
  abortSignal: AbortSignal,
): Promise<void> {
  const single: RowChange[] = [];
  await atOnce(transactionWidth, inTransactions(changes), async (batch) => {
    const actions = batch.flatMap(({ inTransaction }) => inTransaction);
    const isDone =
      actions.length > 1 && (await unlessRefused(client.submitTransaction(actions, { abortSignal }), 404, 409, 412));
    if (!isDone) single.push(...batch);
  });
  await atOnce(singleWidth, single, (change) => change.alone());
}

/** A change that removes a row; it may be gone already. */
export function removalOf(
  client: TableClient,
  keys: { readonly partitionKey: string; readonly rowKey: string },
  abortSignal: AbortSignal,
): RowChange {
  const { partitionKey, rowKey } = keys;
  return {
    inTransaction: [['delete', { partitionKey, rowKey }]],
    alone: () => orNull(client.deleteEntity(partitionKey, rowKey, { abortSignal })),
  };
}

/** Removes all rows of a partition; `after` is done with the row keys of each page when they are gone. */
export async function removePartition(
  client: TableClient,
  partitionKey: string,
  abortSignal: AbortSignal,
  after: (rowKeys: readonly string[]) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const queryOptions = { filter: `PartitionKey eq '${partitionKey}'`, select: ['PartitionKey', 'RowKey'] };
  for await (const page of client.listEntities<{ rowKey: string }>({ queryOptions, abortSignal }).byPage()) {
    const rowKeys = page.map(({ rowKey }) => rowKey);
    const removals = rowKeys.map((rowKey) => removalOf(client, { partitionKey, rowKey }, abortSignal));
    await changeRows(client, removals, abortSignal);
    await after(rowKeys);
  }
}

function inTransactions(changes: readonly RowChange[]): RowChange[][] {
  const batches: RowChange[][] = [];
  let size = transactionSize;
  for (const change of changes) {
    size += change.inTransaction.length;
    if (size > transactionSize) {
      batches.push([]);
      size = change.inTransaction.length;
    }
    batches.at(-1)?.push(change);
  }
  return batches;
}
