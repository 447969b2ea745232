import type { TableClient, TableServiceClientOptions } from '@azure/data-tables';
import type { Storage } from '../config.ts';
import { loadStorageCredential } from './connect.ts';

export interface Tables {
  /** The client of a table that exists; created with the first use. @throws the SDK's errors */
  open(name: string, abortSignal: AbortSignal): Promise<TableClient>;
  /** After a failure: the table may be gone, so the next use creates it again. */
  forget(name: string): void;
}

/** Few and short: a request has 25 s in all, and an unreachable store must be told from a slow one (design §6.4). */
const clientOptions: TableServiceClientOptions = {
  retryOptions: { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 },
};

/** Azure Tables; the SDK is loaded when a table is first opened. */
export function createTables(storage: Storage): Tables {
  const opened = new Map<string, Promise<TableClient>>();

  async function create(name: string, abortSignal: AbortSignal): Promise<TableClient> {
    const client = await connect(storage, name);
    await client.createTable({ abortSignal });
    return client;
  }

  return {
    open: (name, abortSignal) => {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const table = create(name, abortSignal);
      opened.set(name, table);
      // A failure is not remembered: the next request tries again.
      table.catch(() => {
        if (opened.get(name) === table) opened.delete(name);
      });
      return table;
    },
    forget: (name) => void opened.delete(name),
  };
}

async function connect(storage: Storage, name: string): Promise<TableClient> {
  const { TableClient } = await import('@azure/data-tables');
  if (storage.type === 'connectionString') {
    // Plain http is what Azurite speaks, on this machine only.
    const allowInsecureConnection = /http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(storage.connectionString);
    return TableClient.fromConnectionString(storage.connectionString, name, {
      ...clientOptions,
      allowInsecureConnection,
    });
  }
  return new TableClient(storage.tableServiceUri, name, await loadStorageCredential(storage), clientOptions);
}
