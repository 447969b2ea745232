import type { TableClient } from '@azure/data-tables';
import type { Call } from '../call.ts';
import { isFault } from '../errors.ts';
import { statusOfStoreError, storeFault } from './storeFault.ts';
import type { Tables } from './tables.ts';

/** One table, opened with its first use, and made anew after it has gone. */
export interface StoreTable {
  /**
   * Works with the table until the call's deadline. `what` completes "The storage account failed: …".
   * @throws Fault `storage_unavailable`, `deadline_exceeded`, and the faults of `work`
   */
  use<Result>(
    what: string,
    call: Call,
    work: (client: TableClient, abortSignal: AbortSignal) => Promise<Result>,
  ): Promise<Result>;
}

export function createStoreTable(tables: Tables, name: string): StoreTable {
  return {
    use: async (what, call, work) => {
      const { signal } = call.deadline;
      try {
        return await work(await tables.open(name, signal), signal);
      } catch (error) {
        if (isFault(error)) throw error;
        if ([404, null].includes(statusOfStoreError(error))) tables.forget(name);
        throw storeFault(error, what, call);
      }
    },
  };
}

/** What `read` finds; null for a row that is not there. */
export async function orNull<Found>(read: Promise<Found>): Promise<Found | null> {
  try {
    return await read;
  } catch (error) {
    if (statusOfStoreError(error) === 404) return null;
    throw error;
  }
}

/** Whether `write` was done; false when the row is not as `refusals` want it: 404 gone, 409 there already, 412 changed. */
export async function unlessRefused(
  write: Promise<unknown>,
  ...refusals: readonly (404 | 409 | 412)[]
): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (refusals.some((status) => status === statusOfStoreError(error))) return false;
    throw error;
  }
}
