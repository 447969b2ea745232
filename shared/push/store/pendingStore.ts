import type { TableClient } from '@azure/data-tables';
import { randomUUID } from 'node:crypto';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { atOnce } from '../../store/atOnce.ts';
import { changeRows, removePartition, type RowChange, singleWidth } from '../../store/batches.ts';
import { decodeKey, encodeKey } from '../../store/rowKeys.ts';
import { createStoreTable, orNull, unlessRefused } from '../../store/storeTable.ts';
import type { Tables } from '../../store/tables.ts';

/** The group itself, as `oktaUserId`: its name, or the membership of nobody in particular, has changed. */
export const wholeGroup = '*';
/** The group itself, as `oktaUserId`: it is told to be gone. */
export const groupDeletion = '*deleted';

/** What somebody's ping has told: that this person, or the group, is to be looked at. */
export interface Ping {
  readonly oktaGroupId: string;
  /** Also `wholeGroup` and `groupDeletion`. */
  readonly oktaUserId: string;
  readonly isMembership: boolean;
  readonly eventAtMs: number;
}

export interface PendingChange extends Ping {
  /** Whether one of its pings was about membership. */
  readonly isMembership: boolean;
  /** Of the first ping since it was last served. */
  readonly firstSeenAtMs: number;
  /** When that happened which the last ping told of. */
  readonly eventAtMs: number;
  /** How often it was put off since the last ping. */
  readonly attempts: number;
  readonly dueAtMs: number;
  /** Since when it has waited for a mailbox; null: it does not. */
  readonly waitingSinceMs: number | null;
  readonly etag: string;
}

export interface PutOff extends PendingChange {
  readonly untilMs: number;
  readonly waitingSinceMs: number | null;
}

/** What is to be looked at, by mapped Okta group. All methods throw storage faults. */
export interface PushPending {
  /**
   * A new ping makes a row due now with no `attempts`, keeps `firstSeenAtMs` and `waitingSinceMs`, never downgrades
   * `isMembership`, and always changes the ETag: whoever has read the row before can neither remove it nor put it off.
   */
  put(pings: readonly Ping[], call: Call): Promise<void>;
  /** All rows of the group, due or not. */
  list(oktaGroupId: string, call: Call): Promise<readonly PendingChange[]>;
  /** Removes exactly these as they were read: one that has changed since stays. Returns how many are gone. */
  remove(changes: readonly PendingChange[], call: Call): Promise<number>;
  /** Puts these off as they were read, with one attempt more; one that has changed since stays due. */
  putOff(changes: readonly PutOff[], call: Call): Promise<void>;
  /** Marks that a message is on its way; false when a fresh mark (younger than 2 minutes) is there already. */
  mark(oktaGroupId: string, call: Call): Promise<boolean>;
  unmark(oktaGroupId: string, call: Call): Promise<void>;
  /** Okta group ids with a row that has been due for `graceMs`: for the sweep. */
  groupsDue(graceMs: number, call: Call): Promise<string[]>;
  /** Everything of a mapping that is deleted. */
  removeAll(oktaGroupId: string, call: Call): Promise<void>;
}

/** Sorts before all others, and is nobody's id: `encodeKey` writes neither `!` nor `*`. */
const markKey = '!';
const freshMs = 2 * 60_000;
/** Of different partitions. */
const groupsAtOnce = 4;

/** Times in ISO 8601: they compare as texts, and a number of this size is no integer to Azure Tables. */
interface PendingRow {
  /** Absent while it is not: a merge must not take it away. */
  readonly isMembership?: true;
  readonly firstSeenAt: string;
  readonly eventAt: string;
  readonly attempts: number;
  readonly dueAt: string;
  readonly waitingSince?: string;
}

interface MarkRow {
  readonly markedAt: string;
  /** By which a mark whose answer was lost is found to be one's own. */
  readonly markId: string;
}

export function createPushPending(dependencies: { tables: Tables; clock: Clock }): PushPending {
  const { clock } = dependencies;
  const table = createStoreTable(dependencies.tables, 'pushPending');

  /** Each row by itself: it may be there, and may come and go meanwhile. */
  async function putAlone(
    client: TableClient,
    news: RowKeys & Omit<PendingRow, 'firstSeenAt'>,
    firstSeenAt: string,
    abortSignal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      if (await unlessRefused(client.createEntity({ ...news, firstSeenAt }, { abortSignal }), 409)) return;
      if (await unlessRefused(client.updateEntity(news, 'Merge', { abortSignal }), 404)) return;
    }
  }

  return {
    put: (pings, call) =>
      table.use('storing pending changes', call, async (client, abortSignal) => {
        const now = isoOf(clock.now());
        await atOnce(groupsAtOnce, [...byGroup(pings)], async ([oktaGroupId, ofGroup]) => {
          const rows = joined(ofGroup).map((ping) => ({
            ...keysOf(ping),
            ...(ping.isMembership && { isMembership: true as const }),
            eventAt: isoOf(ping.eventAtMs),
            attempts: 0,
            dueAt: now,
          }));
          // One that is pending already would refuse the creation of all.
          const known = rows.length > 1 ? await pendingKeys(client, oktaGroupId, abortSignal) : new Set<string>();
          const changes = rows.map((row): RowChange => {
            const { rowKey } = row;
            const created = { ...row, firstSeenAt: now };
            return {
              inTransaction: [known.has(rowKey) ? ['update', row, 'Merge'] : ['create', created]],
              alone: () => putAlone(client, row, now, abortSignal),
            };
          });
          await changeRows(client, changes, abortSignal);
        });
      }),

    list: (oktaGroupId, call) =>
      table.use('reading pending changes', call, async (client, abortSignal) => {
        const filter = pendingOf(oktaGroupId);
        const changes: PendingChange[] = [];
        for await (const row of client.listEntities<RowKeys & PendingRow>({ queryOptions: { filter }, abortSignal })) {
          changes.push({
            oktaGroupId,
            oktaUserId: isOfGroup(row.rowKey) ? row.rowKey : decodeKey(row.rowKey),
            isMembership: row.isMembership ?? false,
            firstSeenAtMs: Date.parse(row.firstSeenAt),
            eventAtMs: Date.parse(row.eventAt),
            attempts: row.attempts,
            dueAtMs: Date.parse(row.dueAt),
            waitingSinceMs: row.waitingSince === undefined ? null : Date.parse(row.waitingSince),
            etag: row.etag,
          });
        }
        return changes;
      }),

    remove: (changes, call) =>
      table.use('removing pending changes', call, async (client, abortSignal) => {
        let gone = 0;
        // One by one: within a transaction the SDK deletes a row whatever its ETag.
        await atOnce(singleWidth, distinct(changes), async (change) => {
          const { partitionKey, rowKey } = keysOf(change);
          const removal = client.deleteEntity(partitionKey, rowKey, { etag: change.etag, abortSignal });
          if (await unlessRefused(orNull(removal), 412)) gone += 1;
        });
        return gone;
      }),

    putOff: (changes, call) =>
      table.use('putting pending changes off', call, async (client, abortSignal) => {
        for (const ofGroup of byGroup(distinct(changes)).values()) {
          const writes = ofGroup.map((change): RowChange => {
            const row = {
              ...keysOf(change),
              ...(change.isMembership && { isMembership: true }),
              firstSeenAt: isoOf(change.firstSeenAtMs),
              eventAt: isoOf(change.eventAtMs),
              attempts: change.attempts + 1,
              dueAt: isoOf(change.untilMs),
              ...(change.waitingSinceMs !== null && { waitingSince: isoOf(change.waitingSinceMs) }),
            };
            const { etag } = change;
            return {
              inTransaction: [['update', row, 'Replace', { etag }]],
              alone: () => unlessRefused(client.updateEntity(row, 'Replace', { etag, abortSignal }), 404, 412),
            };
          });
          await changeRows(client, writes, abortSignal);
        }
      }),

    mark: (oktaGroupId, call) =>
      table.use('marking pending changes', call, async (client, abortSignal) => {
        const partitionKey = encodeKey(oktaGroupId);
        const markId = randomUUID();
        for (;;) {
          const nowMs = clock.now();
          const mark = { partitionKey, rowKey: markKey, markedAt: isoOf(nowMs), markId };
          if (await unlessRefused(client.createEntity(mark, { abortSignal }), 409)) return true;
          const found = await orNull(client.getEntity<MarkRow>(partitionKey, markKey, { abortSignal }));
          if (found === null) continue;
          if (found.markId === markId) return true;
          if (nowMs - Date.parse(found.markedAt) < freshMs) return false;
          const renewal = client.updateEntity(mark, 'Replace', { etag: found.etag, abortSignal });
          if (await unlessRefused(renewal, 404, 412)) return true;
        }
      }),

    unmark: (oktaGroupId, call) =>
      table.use('marking pending changes', call, async (client, abortSignal) => {
        await orNull(client.deleteEntity(encodeKey(oktaGroupId), markKey, { abortSignal }));
      }),

    groupsDue: (graceMs, call) =>
      table.use('looking for pending changes', call, async (client, abortSignal) => {
        const dueBy = `dueAt le '${isoOf(clock.now() - graceMs)}'`;
        const groups = new Set<string>();
        for (let last = ''; ;) {
          const keys = await firstPartitions(client, `PartitionKey gt '${last}' and ${dueBy}`, abortSignal);
          for (const key of keys) groups.add(decodeKey(key));
          const end = keys.at(-1);
          if (end === undefined) return [...groups];
          last = end;
        }
      }),

    removeAll: (oktaGroupId, call) =>
      table.use('removing pending changes', call, (client, abortSignal) =>
        removePartition(client, encodeKey(oktaGroupId), abortSignal),
      ),
  };
}

/** Of the first page with rows; whoever goes on behind its last one reads no group with many rows to its end. */
async function firstPartitions(client: TableClient, filter: string, abortSignal: AbortSignal): Promise<string[]> {
  const queryOptions = { filter, select: ['PartitionKey', 'RowKey'] };
  for await (const page of client.listEntities<RowKeys>({ queryOptions, abortSignal }).byPage()) {
    if (page.length > 0) return page.map(({ partitionKey }) => partitionKey);
  }
  return [];
}

/** Row keys of what is pending for a group. */
async function pendingKeys(
  client: TableClient,
  oktaGroupId: string,
  abortSignal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const queryOptions = { filter: pendingOf(oktaGroupId), select: ['RowKey'] };
  const keys = new Set<string>();
  for await (const { rowKey } of client.listEntities<RowKeys>({ queryOptions, abortSignal })) keys.add(rowKey);
  return keys;
}

function pendingOf(oktaGroupId: string): string {
  return `PartitionKey eq '${encodeKey(oktaGroupId)}' and RowKey gt '${markKey}'`;
}

interface RowKeys {
  readonly partitionKey: string;
  readonly rowKey: string;
}

function keysOf({ oktaGroupId, oktaUserId }: Pick<Ping, 'oktaGroupId' | 'oktaUserId'>): RowKeys {
  const rowKey = isOfGroup(oktaUserId) ? oktaUserId : encodeKey(oktaUserId);
  return { partitionKey: encodeKey(oktaGroupId), rowKey };
}

/** Nobody's id: `encodeKey` writes no `*`. */
export function isOfGroup(oktaUserId: string): boolean {
  return oktaUserId === wholeGroup || oktaUserId === groupDeletion;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function byGroup<Each extends Ping>(all: readonly Each[]): Map<string, Each[]> {
  const groups = new Map<string, Each[]>();
  for (const each of all) {
    const group = groups.get(each.oktaGroupId);
    if (group === undefined) groups.set(each.oktaGroupId, [each]);
    else group.push(each);
  }
  return groups;
}

/** One a row: the last of several. */
function distinct<Each extends Ping>(changes: readonly Each[]): Each[] {
  return [...new Map(changes.map((change) => [Object.values(keysOf(change)).join(' '), change])).values()];
}

/** One a row: several pings of the same person are one, about membership when one of them is. */
function joined(ofGroup: readonly Ping[]): Ping[] {
  const pings = new Map<string, Ping>();
  for (const ping of ofGroup) {
    const known = pings.get(ping.oktaUserId) ?? ping;
    pings.set(ping.oktaUserId, {
      ...ping,
      isMembership: known.isMembership || ping.isMembership,
      eventAtMs: Math.max(known.eventAtMs, ping.eventAtMs),
    });
  }
  return [...pings.values()];
}
