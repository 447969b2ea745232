import type { TableClient } from '@azure/data-tables';
import { abortable } from '../abort.ts';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Tables } from '../store/tables.ts';
import { auditTable } from './rows.ts';

export type StoredRow = Readonly<Record<string, unknown>> & {
  readonly partitionKey: string;
  readonly rowKey: string;
};

export interface RowQuery {
  readonly filter: string;
  /** Columns; all when absent. */
  readonly select?: readonly string[];
  readonly pageSize: number;
}

/** The audit's table, each use of it bounded by the call's deadline and by a time-out of its own. */
export interface AuditTable {
  use<Result>(call: Call, work: (table: TableClient, abortSignal: AbortSignal) => Promise<Result>): Promise<Result>;
  /** Pages in ascending order of their keys, by `query.pageSize` rows at most; a page may be empty and not the last. */
  pages(query: RowQuery, call: Call): AsyncGenerator<readonly StoredRow[], void>;
  /** After a failure: the next use creates the table again. */
  forget(): void;
}

const storeTimeoutMs = 6_000;

export function createAuditTable(tables: Tables, clock: Clock): AuditTable {
  /** The two bounds are joined by hand: on Node.js 20 a signal of AbortSignal.any may be collected before it fires. */
  async function use<Result>(
    call: Call,
    work: (table: TableClient, abortSignal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const controller = new AbortController();
    const abort = () => controller.abort();
    const cancel = clock.after(storeTimeoutMs, abort);
    const { signal } = call.deadline;
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    const begin = async () => work(await tables.open(auditTable, controller.signal), controller.signal);
    try {
      return await abortable(controller.signal, begin(), 'the audit store did not answer in time');
    } finally {
      cancel();
      signal.removeEventListener('abort', abort);
    }
  }

  async function* pages(
    { filter, select, pageSize }: RowQuery,
    call: Call,
  ): AsyncGenerator<readonly StoredRow[], void> {
    let continuationToken: string | undefined;
    do {
      const token = continuationToken;
      // Each page has its own time-out: one signal holds for all pages of an iterator.
      const page = await use(call, async (table, abortSignal) => {
        const queryOptions = { filter, ...(select && { select: [...select] }) };
        const iterator = table
          .listEntities<StoredRow>({ queryOptions, abortSignal })
          .byPage({ maxPageSize: pageSize, ...(token !== undefined && { continuationToken: token }) });
        const next = await iterator.next();
        return next.done === true ? null : next.value;
      });
      if (page === null) return;
      yield page;
      continuationToken = page.continuationToken;
    } while (continuationToken !== undefined);
  }

  return { use, pages, forget: () => tables.forget(auditTable) };
}
