import type { TableClient } from '@azure/data-tables';
import { randomUUID } from 'node:crypto';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { fromJsonParts, type JsonParts, toJsonParts } from '../../store/jsonParts.ts';
import { encodeKey } from '../../store/rowKeys.ts';
import { createStoreTable, orNull, unlessRefused } from '../../store/storeTable.ts';
import type { Tables } from '../../store/tables.ts';
import type { MappingStatus, PushMapping, PushMappingChange } from '../mapping.ts';

/** It begins without a reconcile and without a defect. */
export type NewPushMapping = Omit<PushMapping, 'createdAtMs' | 'updatedAtMs' | 'lastReconcile' | 'defect'>;

/**
 * Where push mappings are kept: the mapping under its Okta group, and beside it the claim of its target. All methods throw
 * storage faults. A mapping may be 400,000 characters long as JSON (a row holds 1 MiB): what takes `neverRemove` in has
 * to refuse more.
 */
export interface PushMappingStore {
  get(oktaGroupId: string, call: Call): Promise<PushMapping | null>;
  /** The mapping that has claimed this target. */
  findByTarget(targetId: string, call: Call): Promise<PushMapping | null>;
  /** One transaction: mapping and claim. Says who is in the way instead of throwing. */
  create(
    mapping: NewPushMapping,
    call: Call,
  ): Promise<{ type: 'created'; mapping: PushMapping } | { type: 'taken'; by: PushMapping }>;
  /**
   * Read-modify-write under an ETag, repeated while others change it too. `change` returns null for nothing to do.
   * @returns the mapping as it is then; null: no such mapping
   */
  update(
    oktaGroupId: string,
    change: (mapping: PushMapping) => PushMappingChange | null,
    call: Call,
  ): Promise<PushMapping | null>;
  /** In order of oktaGroupId; `after` is the oktaGroupId of the last one seen. */
  list(
    filter: { readonly status: MappingStatus | null },
    page: { readonly limit: number; readonly after: string | null },
    call: Call,
  ): Promise<{ mappings: readonly PushMapping[]; hasMore: boolean }>;
  /** Mapping and claim in one transaction; nothing to do when they are gone. */
  remove(mapping: PushMapping, call: Call): Promise<void>;
}

/** One partition for all: only within one can a mapping and its claim be written in one transaction. */
const partitionKey = 'mapping';

interface Claim {
  readonly oktaGroupId: string;
  /** By which a creation whose answer was lost finds its own. */
  readonly creationId: string;
}

export function createPushMappingStore(dependencies: { tables: Tables; clock: Clock }): PushMappingStore {
  const { clock } = dependencies;
  const table = createStoreTable(dependencies.tables, 'pushMappings');

  const readRow = (client: TableClient, oktaGroupId: string, abortSignal: AbortSignal) =>
    orNull(client.getEntity<MappingRow & JsonParts>(partitionKey, groupKey(oktaGroupId), { abortSignal }));

  async function readMapping(client: TableClient, oktaGroupId: string, abortSignal: AbortSignal) {
    const row = await readRow(client, oktaGroupId, abortSignal);
    return row === null ? null : fromRow(row);
  }

  const readClaim = (client: TableClient, targetId: string, abortSignal: AbortSignal) =>
    orNull(client.getEntity<Claim>(partitionKey, targetKey(targetId), { abortSignal }));

  return {
    get: (oktaGroupId, call) =>
      table.use('reading a push mapping', call, (client, signal) => readMapping(client, oktaGroupId, signal)),

    findByTarget: (targetId, call) =>
      table.use('reading a push mapping', call, async (client, signal) => {
        const claim = await readClaim(client, targetId, signal);
        return claim === null ? null : readMapping(client, claim.oktaGroupId, signal);
      }),

    create: (mapping, call) =>
      table.use('storing a push mapping', call, async (client, signal) => {
        const nowMs = clock.now();
        const created = { ...mapping, createdAtMs: nowMs, updatedAtMs: nowMs, lastReconcile: null, defect: null };
        const { oktaGroupId, targetId } = mapping;
        const creationId = randomUUID();
        const claim = { partitionKey, rowKey: targetKey(targetId), oktaGroupId, creationId };
        for (;;) {
          const write = client.submitTransaction(
            [
              ['create', toEntity(created)],
              ['create', claim],
            ],
            { abortSignal: signal },
          );
          if (await unlessRefused(write, 409)) return { type: 'created', mapping: created };
          const claimed = await readClaim(client, targetId, signal);
          if (claimed?.creationId === creationId) return { type: 'created', mapping: created };
          const by =
            (await readMapping(client, oktaGroupId, signal)) ??
            (claimed && (await readMapping(client, claimed.oktaGroupId, signal)));
          // Null: whoever was in the way has gone meanwhile.
          if (by !== null) return { type: 'taken', by };
        }
      }),

    update: (oktaGroupId, change, call) =>
      table.use('storing a push mapping', call, async (client, abortSignal) => {
        for (;;) {
          const row = await readRow(client, oktaGroupId, abortSignal);
          if (row === null) return null;
          const mapping = fromRow(row);
          const changes = change(mapping);
          if (changes === null) return mapping;
          const changed = { ...mapping, ...changes, updatedAtMs: clock.now() };
          const write = client.updateEntity(toEntity(changed), 'Replace', { etag: row.etag, abortSignal });
          if (await unlessRefused(write, 404, 412)) return changed;
        }
      }),

    list: ({ status }, { limit, after }, call) =>
      table.use('listing push mappings', call, async (client, abortSignal) => {
        const conditions = [
          `PartitionKey eq '${partitionKey}'`,
          `RowKey gt '${groupKey(after ?? '')}'`,
          `RowKey lt '${afterGroupKeys}'`,
          ...(status === null ? [] : [`status eq '${status}'`]),
        ];
        const queryOptions = { filter: conditions.join(' and ') };
        const mappings: PushMapping[] = [];
        for await (const row of client.listEntities<MappingRow & JsonParts>({ queryOptions, abortSignal })) {
          if (mappings.length === limit) return { mappings, hasMore: true };
          mappings.push(fromRow(row));
        }
        return { mappings, hasMore: false };
      }),

    remove: ({ oktaGroupId, targetId }, call) =>
      table.use('removing a push mapping', call, async (client, abortSignal) => {
        const rowKeys = [groupKey(oktaGroupId), targetKey(targetId)];
        const write = client.submitTransaction(
          rowKeys.map((rowKey) => ['delete', { partitionKey, rowKey }]),
          { abortSignal },
        );
        await unlessRefused(write, 404);
      }),
  };
}

interface MappingRow {
  /** For filters. */
  readonly status: MappingStatus;
}

function toEntity(mapping: PushMapping) {
  const { oktaGroupId, status } = mapping;
  return { partitionKey, rowKey: groupKey(oktaGroupId), status, ...toJsonParts(mapping) };
}

function fromRow(row: JsonParts): PushMapping {
  return fromJsonParts(row) as PushMapping;
}

function groupKey(oktaGroupId: string): string {
  return `group:${encodeKey(oktaGroupId)}`;
}

/** `;` comes right after `:`. */
const afterGroupKeys = 'group;';

/** Entra ids are the same in either case. */
function targetKey(targetId: string): string {
  return `target:${encodeKey(targetId.toLowerCase())}`;
}
