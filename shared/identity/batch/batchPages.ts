import type { Call } from '../../call.ts';
import type { OperationStore } from '../../operations/operationStore.ts';
import type { PlannedEntry } from './batchPlan.ts';
import { type BatchProgress, noProgress } from './batchProgress.ts';
import type { BatchRequest } from './batchRequest.ts';
import type { BatchRow } from './batchRows.ts';

/** What a batch keeps in the pages of its operation. All methods throw storage faults. */
export interface BatchPages {
  readRequest(operationId: string, call: Call): Promise<BatchRequest>;
  writeRequest(operationId: string, request: BatchRequest, call: Call): Promise<void>;
  /** What each entry turned out to be alone, page by page; null: there is no such page. */
  readChecked(operationId: string, page: number, call: Call): Promise<readonly PlannedEntry[] | null>;
  writeChecked(operationId: string, page: number, checked: readonly PlannedEntry[], call: Call): Promise<void>;
  /** Of all entries. */
  readPlan(operationId: string, call: Call): Promise<readonly PlannedEntry[]>;
  writePlan(operationId: string, planned: readonly PlannedEntry[], call: Call): Promise<void>;
  readProgress(operationId: string, call: Call): Promise<BatchProgress>;
  writeProgress(operationId: string, progress: BatchProgress, call: Call): Promise<void>;
  /** @returns how many pages */
  writeResults(operationId: string, rows: readonly BatchRow[], call: Call): Promise<number>;
}

/** So many fit into a reply that a flow reads. */
const rowsPerPage = 500;

export function createBatchPages(operations: Pick<OperationStore, 'readPage' | 'writePage'>): BatchPages {
  const { readPage, writePage } = operations;
  return {
    readRequest: async (id, call) => (await readPage(id, 'input/1', call)) as BatchRequest,
    writeRequest: (id, request, call) => writePage(id, 'input/1', request, call),
    readChecked: async (id, page, call) => (await readPage(id, `resolved/${page}`, call)) as PlannedEntry[] | null,
    writeChecked: (id, page, checked, call) => writePage(id, `resolved/${page}`, checked, call),
    readPlan: async (id, call) => (await readPage(id, 'plan/1', call)) as PlannedEntry[],
    writePlan: (id, planned, call) => writePage(id, 'plan/1', planned, call),
    readProgress: async (id, call) => ((await readPage(id, 'draft/1', call)) as BatchProgress | null) ?? noProgress,
    writeProgress: (id, progress, call) => writePage(id, 'draft/1', progress, call),
    writeResults: async (id, rows, call) => {
      const pages = Math.ceil(rows.length / rowsPerPage);
      for (let page = 1; page <= pages; page += 1) {
        const some = rows.slice((page - 1) * rowsPerPage, page * rowsPerPage);
        await writePage(id, `results/${page}`, some, call);
      }
      return pages;
    },
  };
}
