import { randomUUID } from 'node:crypto';
import type { TableClient } from '@azure/data-tables';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault } from '../errors.ts';
import type { Blobs } from '../store/blobs.ts';
import { invertedTime } from '../store/invertedTime.ts';
import { createStoreTable, orNull, unlessRefused } from '../store/storeTable.ts';
import type { Tables } from '../store/tables.ts';
import { isEnded, noCounts, type Operation, type OperationState, shownState } from './operation.ts';

export type NewOperation = Pick<
  Operation,
  'type' | 'targetId' | 'targetName' | 'requestId' | 'isDryRun' | 'fingerprint' | 'message'
>;

/** What may be changed of an operation. */
export type OperationChange = Partial<
  Omit<Operation, 'operationId' | 'type' | 'purpose' | 'createdAtMs' | 'updatedAtMs'>
>;

export interface OperationFilter {
  /** As callers see them. */
  readonly states: readonly OperationState[] | null;
  /** Entra id. */
  readonly targetId: string | null;
}

/** Where operations are kept: the row in Azure Tables, what is large in Blob storage. All methods throw storage faults. */
export interface OperationStore {
  /** Begins as `preparing`. */
  create(operation: NewOperation, call: Call): Promise<Operation>;
  get(operationId: string, call: Call): Promise<Operation | null>;
  /**
   * Changes what is named and nothing else: who changes an operation at the same time (its worker, and whoever
   * cancels it) changes other properties. What has ended stays as it is.
   * @throws Fault also `operation_not_found`
   */
  update(operationId: string, change: OperationChange, call: Call): Promise<Operation>;
  /** Newest first; `after` is the id of the last one seen. */
  list(
    filter: OperationFilter,
    page: { limit: number; after: string | null },
    call: Call,
  ): Promise<{ operations: readonly Operation[]; hasMore: boolean }>;
  /** The row and everything that belongs to it. */
  remove(operationId: string, call: Call): Promise<void>;
  /** Its pages: `input/1`, `plan/7`, `results/7`. */
  readPage(operationId: string, page: PageName, call: Call): Promise<unknown>;
  writePage(operationId: string, page: PageName, value: unknown, call: Call): Promise<void>;
}

/**
 * `resolved/7`: who entries of the input turned out to be. `draft/7`: what of the seventh page of the plan is settled while
 * the rest is not.
 */
export type PageName = `${'input' | 'resolved' | 'plan' | 'draft' | 'results'}/${number}`;

const partitionKey = 'operation';

interface Row {
  /** As shown, for filters. */
  readonly state: string;
  readonly targetId: string;
  /** All of it: a table knows no nested values. */
  readonly json: string;
}

export function createOperationStore(dependencies: { tables: Tables; blobs: Blobs; clock: Clock }): OperationStore {
  const { blobs, clock } = dependencies;
  const table = createStoreTable(dependencies.tables, 'operations');

  async function read(client: TableClient, operationId: string, call: Call) {
    const { signal: abortSignal } = call.deadline;
    const entity = await orNull(client.getEntity<Row>(partitionKey, operationId, { abortSignal }));
    return entity === null ? null : { operation: fromRow(entity), etag: entity.etag };
  }

  return {
    create: (operation, call) =>
      table.use('storing an operation', call, async (client) => {
        const nowMs = clock.now();
        const created: Operation = {
          ...operation,
          operationId: `${invertedTime(nowMs)}-${randomUUID().slice(0, 8)}`,
          state: 'preparing',
          cancelRequested: false,
          planId: null,
          createdAtMs: nowMs,
          updatedAtMs: nowMs,
          endedAtMs: null,
          dueAtMs: null,
          failures: 0,
          tries: 0,
          defect: null,
          revivals: 0,
          planPages: null,
          donePages: 0,
          begunPages: 0,
          isUnderway: false,
          resultPages: 0,
          counts: noCounts,
          firstError: null,
          purpose: operation.message,
          code: null,
          fix: null,
          warnings: [],
        };
        await client.createEntity(toEntity(created), { abortSignal: call.deadline.signal });
        return created;
      }),

    get: (operationId, call) =>
      table.use(
        'reading an operation',
        call,
        async (client) => (await read(client, operationId, call))?.operation ?? null,
      ),

    update: (operationId, change, call) =>
      table.use('storing an operation', call, async (client) => {
        for (;;) {
          const found = await read(client, operationId, call);
          if (found === null) throw operationNotFound(operationId);
          if (isEnded(found.operation)) return found.operation;
          const changed = { ...found.operation, ...change, updatedAtMs: clock.now() };
          const { signal: abortSignal } = call.deadline;
          const write = client.updateEntity(toEntity(changed), 'Replace', { etag: found.etag, abortSignal });
          if (await unlessRefused(write, 412)) return changed;
        }
      }),

    list: (filter, page, call) =>
      table.use('listing operations', call, async (client) => {
        const conditions = [
          `PartitionKey eq '${partitionKey}'`,
          ...(page.after === null ? [] : [`RowKey gt '${page.after}'`]),
          ...(filter.targetId === null ? [] : [`targetId eq '${filter.targetId}'`]),
          ...(filter.states === null ? [] : [`(${filter.states.map((state) => `state eq '${state}'`).join(' or ')})`]),
        ];
        const { signal: abortSignal } = call.deadline;
        const queryOptions = { filter: conditions.join(' and ') };
        const operations: Operation[] = [];
        for await (const entity of client.listEntities<Row>({ queryOptions, abortSignal })) {
          if (operations.length === page.limit) return { operations, hasMore: true };
          operations.push(fromRow(entity));
        }
        return { operations, hasMore: false };
      }),

    remove: async (operationId, call) => {
      await blobs.removeAll(`operations/${operationId}/`, call);
      await table.use('removing an operation', call, async (client) => {
        // Gone already: an answer was lost, or two sweeps have met.
        await orNull(client.deleteEntity(partitionKey, operationId, { abortSignal: call.deadline.signal }));
      });
    },

    readPage: (operationId, page, call) => blobs.read(blobName(operationId, page), call),
    writePage: (operationId, page, value, call) => blobs.write(blobName(operationId, page), value, call),
  };
}

/** Whether a text can be the id of an operation: nothing else is put into a filter or a path. */
export function isOperationId(text: string): boolean {
  return /^\d{16}-[0-9a-f]{8}$/.test(text);
}

/** The id that an operation of that time would have: those created earlier come after it. */
export function operationIdAt(ms: number): string {
  return invertedTime(ms);
}

export function operationNotFound(operationId: string): Fault {
  return new Fault('operation_not_found', {
    detail: `There is no operation ${operationId}.`,
    fix: 'Give the operationId of a reply; GET operations lists those that are kept.',
  });
}

function blobName(operationId: string, page: PageName): string {
  return `operations/${operationId}/${page}.json`;
}

function toEntity(operation: Operation): Row & { partitionKey: string; rowKey: string } {
  const { operationId, targetId } = operation;
  return { partitionKey, rowKey: operationId, state: shownState(operation), targetId, json: JSON.stringify(operation) };
}

function fromRow({ json }: Row): Operation {
  return JSON.parse(json) as Operation;
}
