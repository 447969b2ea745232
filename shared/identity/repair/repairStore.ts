import type { TableClient } from '@azure/data-tables';
import { randomUUID } from 'node:crypto';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault } from '../../errors.ts';
import { isGuid } from '../../guid.ts';
import { fromJsonParts, type JsonParts, toJsonParts } from '../../store/jsonParts.ts';
import { encodeKey } from '../../store/rowKeys.ts';
import { createStoreTable, orNull, unlessRefused } from '../../store/storeTable.ts';
import type { Tables } from '../../store/tables.ts';
import type { Repair } from './repair.ts';

/** A repair with what tells its holder that nobody else has gone on with it. */
export interface StoredRepair {
  readonly repair: Repair;
  readonly etag: string;
}

export type NewRepair = Omit<Repair, 'repairId' | 'createdAtMs' | 'updatedAtMs'>;
export type RepairChange = Partial<Omit<Repair, 'repairId' | 'userId' | 'createdAtMs' | 'updatedAtMs'>>;

/** Where repairs are kept, one a user. All methods throw storage faults. */
export interface RepairStore {
  /** By object id, or by the user principal name before the repair or while it lasts, in any case. */
  find(user: string, call: Call): Promise<StoredRepair | null>;
  /** In place of the user's last one. The one that is open already is given back as it is. */
  create(repair: NewRepair, call: Call): Promise<{ type: 'created' | 'open'; stored: StoredRepair }>;
  /** @throws Fault `user_busy` when somebody else has gone on with it */
  save(stored: StoredRepair, change: RepairChange, call: Call): Promise<StoredRepair>;
  /** Repairs that are open, or are to be looked at by now. */
  pending(nowMs: number, call: Call): Promise<Repair[]>;
  /** Repairs that are over and done with, and were changed last before. */
  settledBefore(ms: number, limit: number, call: Call): Promise<Repair[]>;
  remove(repair: Repair, call: Call): Promise<void>;
}

interface Row extends JsonParts {
  readonly isOpen: boolean;
  /** ISO, for filters; empty: never. */
  readonly lookAgainAt: string;
  readonly updatedAt: string;
  /** By which a write whose answer was lost finds its own. */
  readonly saveId: string;
}

/** Leads from a user principal name to the object id. */
interface NameRow {
  readonly userId: string;
}

/** One partition for all: only within one can a repair and its names be written in one transaction. */
const partitionKey = 'repair';

export function createRepairStore(dependencies: { tables: Tables; clock: Clock }): RepairStore {
  const { clock } = dependencies;
  const table = createStoreTable(dependencies.tables, 'repairs');

  async function read(client: TableClient, userId: string, abortSignal: AbortSignal) {
    const row = await orNull(client.getEntity<Row>(partitionKey, userKey(userId), { abortSignal }));
    return row === null ? null : { repair: fromRow(row), etag: row.etag, saveId: row.saveId };
  }

  async function list(client: TableClient, condition: string, limit: number, abortSignal: AbortSignal) {
    const filter = `PartitionKey eq '${partitionKey}' and RowKey ge 'user:' and RowKey lt 'user;' and (${condition})`;
    const repairs: Repair[] = [];
    for await (const row of client.listEntities<Row>({ queryOptions: { filter }, abortSignal })) {
      repairs.push(fromRow(row));
      if (repairs.length === limit) break;
    }
    return repairs;
  }

  return {
    find: (user, call) =>
      table.use('reading a repair', call, async (client, signal) => {
        if (isGuid(user)) return read(client, user, signal);
        const name = await orNull(client.getEntity<NameRow>(partitionKey, nameKey(user), { abortSignal: signal }));
        const found = name === null ? null : await read(client, name.userId, signal);
        // A name stays behind when another repair takes the row over.
        return found !== null && namesOf(found.repair).some((each) => nameKey(each) === nameKey(user)) ? found : null;
      }),

    create: (repair, call) =>
      table.use('storing a repair', call, async (client, signal) => {
        const repairId = randomUUID();
        for (;;) {
          const last = await read(client, repair.userId, signal);
          if (last?.repair.repairId === repairId) return { type: 'created', stored: last };
          if (last !== null && last.repair.phase !== 'ended') return { type: 'open', stored: last };
          const nowMs = clock.now();
          const created: Repair = { ...repair, repairId, createdAtMs: nowMs, updatedAtMs: nowMs };
          const entity = toEntity(created, repairId);
          const names = namesOf(created).map((name) => ({
            partitionKey,
            rowKey: nameKey(name),
            userId: repair.userId,
          }));
          const write = client.submitTransaction(
            [
              last === null ? ['create', entity] : ['update', entity, 'Replace', { etag: last.etag }],
              ...names.map((row) => ['upsert', row, 'Replace'] as ['upsert', typeof row, 'Replace']),
            ],
            { abortSignal: signal },
          );
          await unlessRefused(write, 404, 409, 412);
        }
      }),

    save: (stored, change, call) =>
      table.use('storing a repair', call, async (client, abortSignal) => {
        const repair: Repair = { ...stored.repair, ...change, updatedAtMs: clock.now() };
        const saveId = randomUUID();
        const write = client.updateEntity(toEntity(repair, saveId), 'Replace', { etag: stored.etag, abortSignal });
        if (await unlessRefused(write, 404, 412)) return { repair, etag: (await write).etag ?? '' };
        const found = await read(client, repair.userId, abortSignal);
        if (found?.saveId === saveId) return found;
        throw userBusy();
      }),

    pending: (nowMs, call) =>
      table.use('listing repairs', call, (client, signal) => {
        const due = `lookAgainAt gt '' and lookAgainAt le '${new Date(nowMs).toISOString()}'`;
        return list(client, `isOpen eq true or (${due})`, Infinity, signal);
      }),

    settledBefore: (ms, limit, call) =>
      table.use('listing repairs', call, (client, signal) => {
        const old = `updatedAt lt '${new Date(ms).toISOString()}'`;
        return list(client, `isOpen eq false and lookAgainAt eq '' and ${old}`, limit, signal);
      }),

    remove: (repair, call) =>
      table.use('removing a repair', call, async (client, abortSignal) => {
        for (const name of namesOf(repair)) {
          const row = await orNull(client.getEntity<NameRow>(partitionKey, nameKey(name), { abortSignal }));
          // The name may lead to somebody else by now.
          if (row?.userId === repair.userId)
            await orNull(client.deleteEntity(partitionKey, nameKey(name), { abortSignal }));
        }
        await orNull(client.deleteEntity(partitionKey, userKey(repair.userId), { abortSignal }));
      }),
  };
}

export function userBusy(): Fault {
  return new Fault('user_busy', {
    detail: 'Somebody else is at work on this user right now.',
    fix: 'Repeat the request in some seconds.',
  });
}

function namesOf({ record }: Pick<Repair, 'record'>): string[] {
  const { before, temporaryUpn } = record;
  const names = [before.userPrincipalName, ...(temporaryUpn === null ? [] : [temporaryUpn])];
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

/** Entra ids and user principal names are the same in either case. */
function userKey(userId: string): string {
  return `user:${encodeKey(userId.toLowerCase())}`;
}

function nameKey(userPrincipalName: string): string {
  return `name:${encodeKey(userPrincipalName.toLowerCase())}`;
}

function toEntity(repair: Repair, saveId: string) {
  const { userId, phase, lookAgainAtMs, updatedAtMs } = repair;
  return {
    partitionKey,
    rowKey: userKey(userId),
    isOpen: phase !== 'ended',
    lookAgainAt: lookAgainAtMs === null ? '' : new Date(lookAgainAtMs).toISOString(),
    updatedAt: new Date(updatedAtMs).toISOString(),
    saveId,
    ...toJsonParts(repair),
  };
}

function fromRow(row: JsonParts): Repair {
  return fromJsonParts(row) as Repair;
}
