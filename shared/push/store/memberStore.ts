import type { TableClient } from '@azure/data-tables';
import type { Call } from '../../call.ts';
import { atOnce } from '../../store/atOnce.ts';
import { changeRows, removalOf, removePartition, type RowChange, singleWidth } from '../../store/batches.ts';
import { decodeKey, encodeKey } from '../../store/rowKeys.ts';
import { createStoreTable, orNull } from '../../store/storeTable.ts';
import type { Tables } from '../../store/tables.ts';
import type { ManagedMember, PushPerson } from '../people.ts';

export interface KnownPeople {
  /** By oktaUserId. */
  readonly people: Map<string, PushPerson>;
  /** By entraId in lower case. */
  readonly managed: Map<string, ManagedMember>;
}

/**
 * Who is known of each mapping: its people, its managed set, and an index from Okta users to mappings. All methods throw
 * storage faults. What fails half-way can be repeated.
 */
export interface PushMemberStore {
  /** Everything known of a mapping's people and managed members, in pages of the table. */
  readAll(oktaGroupId: string, call: Call): Promise<KnownPeople>;
  /** Only of these people, and of the members they are or were matched with. */
  readSome(oktaGroupId: string, oktaUserIds: readonly string[], call: Call): Promise<KnownPeople>;
  /** All people who are matched with one of these objects, whoever else is. */
  readMatched(oktaGroupId: string, entraIds: readonly string[], call: Call): Promise<PushPerson[]>;
  /**
   * To be called with new and changed people only: each costs a write of its own in the index, which is another partition
   * for everybody. Index rows first, then theirs: an orphan in the index is harmless, a missing row is not.
   */
  putPeople(oktaGroupId: string, people: readonly PushPerson[], call: Call): Promise<void>;
  /** The index alone: before these people are looked up, so that no event about them is missed meanwhile. */
  announce(oktaGroupId: string, oktaUserIds: readonly string[], call: Call): Promise<void>;
  /** Their rows first, then the index. Their managed members stay. */
  removePeople(oktaGroupId: string, oktaUserIds: readonly string[], call: Call): Promise<void>;
  putManaged(oktaGroupId: string, members: readonly ManagedMember[], call: Call): Promise<void>;
  removeManaged(oktaGroupId: string, entraIds: readonly string[], call: Call): Promise<void>;
  /** Okta group ids of the mappings that know this Okta user; perhaps of some that no longer do. */
  mappingsOf(oktaUserId: string, call: Call): Promise<string[]>;
  /** Everything of a mapping that is deleted. */
  removeAll(oktaGroupId: string, call: Call): Promise<void>;
}

const filtersAtMost = 5;

interface JsonRow {
  readonly json: string;
}

interface LinkRow {
  readonly entraId: string;
}

/**
 * Rows of `pushMembers`, by prefix. A link leads from an Okta user to a managed member: without it, finding the members of
 * a few people would be reading all rows of the mapping. One that leads to a member that is gone is harmless.
 */
const prefixes = { link: 'link:', member: 'member:', person: 'person:' } as const;

export function createPushMemberStore(dependencies: { tables: Tables }): PushMemberStore {
  const members = createStoreTable(dependencies.tables, 'pushMembers');
  const users = createStoreTable(dependencies.tables, 'pushUsers');

  async function removeIndex(oktaGroupId: string, userKeys: readonly string[], call: Call): Promise<void> {
    await users.use('storing who is in a push mapping', call, (client, abortSignal) =>
      atOnce(singleWidth, userKeys, (userKey) =>
        orNull(client.deleteEntity(userKey, encodeKey(oktaGroupId), { abortSignal })),
      ),
    );
  }

  async function announce(oktaGroupId: string, oktaUserIds: readonly string[], call: Call): Promise<void> {
    await users.use('storing who is in a push mapping', call, (client, abortSignal) =>
      atOnce(singleWidth, [...new Set(oktaUserIds)], (oktaUserId) => {
        const row = { partitionKey: encodeKey(oktaUserId), rowKey: encodeKey(oktaGroupId) };
        return client.upsertEntity(row, 'Replace', { abortSignal });
      }),
    );
  }

  return {
    announce,

    readAll: (oktaGroupId, call) =>
      members.use('reading who is in a push mapping', call, async (client, abortSignal) => {
        const known = nobody();
        const read = async (prefix: string, take: (json: string) => void) => {
          const queryOptions = { filter: rowsOf(oktaGroupId, prefix) };
          for await (const { json } of client.listEntities<JsonRow>({ queryOptions, abortSignal })) take(json);
        };
        await Promise.all([
          read(prefixes.person, (json) => addPerson(known, json)),
          read(prefixes.member, (json) => addMember(known, json)),
        ]);
        return known;
      }),

    readSome: (oktaGroupId, oktaUserIds, call) =>
      members.use('reading who is in a push mapping', call, async (client, abortSignal) => {
        const known = nobody();
        const entraIds = new Set<string>();
        const readJson = async (rowKey: string) =>
          (await orNull(client.getEntity<JsonRow>(encodeKey(oktaGroupId), rowKey, { abortSignal })))?.json ?? null;
        await atOnce(singleWidth, [...new Set(oktaUserIds)], async (oktaUserId) => {
          const json = await readJson(personKey(oktaUserId));
          const entraId = json === null ? null : addPerson(known, json).entraId;
          if (entraId !== null) entraIds.add(entraId.toLowerCase());
          const queryOptions = { filter: rowsOf(oktaGroupId, `${prefixes.link}${encodeKey(oktaUserId)}:`) };
          for await (const link of client.listEntities<LinkRow>({ queryOptions, abortSignal }))
            entraIds.add(link.entraId);
        });
        await atOnce(singleWidth, [...entraIds], async (entraId) => {
          const json = await readJson(memberKey(entraId));
          if (json !== null) addMember(known, json);
        });
        return known;
      }),

    readMatched: (oktaGroupId, entraIds, call) =>
      members.use('reading who is in a push mapping', call, async (client, abortSignal) => {
        const wanted = new Set(entraIds.map((id) => id.toLowerCase()));
        const found: PushPerson[] = [];
        const read = async (filter: string) => {
          for await (const { json } of client.listEntities<JsonRow>({ queryOptions: { filter }, abortSignal })) {
            const person = JSON.parse(json) as PushPerson;
            if (wanted.has(person.entraId?.toLowerCase() ?? '')) found.push(person);
          }
        };
        const all = rowsOf(oktaGroupId, prefixes.person);
        // Each filter looks through all rows of the mapping; for many, one look at all is less.
        if (wanted.size > filtersAtMost) await read(all);
        else await atOnce(singleWidth, [...wanted], (id) => read(`${all} and entraId eq '${encodeKey(id)}'`));
        return found;
      }),

    putPeople: async (oktaGroupId, people, call) => {
      const unique = [...new Map(people.map((person) => [person.oktaUserId, person])).values()];
      const ids = unique.map(({ oktaUserId }) => oktaUserId);
      await announce(oktaGroupId, ids, call);
      await members.use('storing who is in a push mapping', call, (client, abortSignal) =>
        changeRows(
          client,
          unique.map((person) => putting(client, [personRow(oktaGroupId, person)], abortSignal)),
          abortSignal,
        ),
      );
    },

    removePeople: async (oktaGroupId, oktaUserIds, call) => {
      const unique = [...new Set(oktaUserIds)];
      await members.use('storing who is in a push mapping', call, (client, abortSignal) => {
        const removals = unique.map((oktaUserId) => {
          const keys = { partitionKey: encodeKey(oktaGroupId), rowKey: personKey(oktaUserId) };
          return removalOf(client, keys, abortSignal);
        });
        return changeRows(client, removals, abortSignal);
      });
      await removeIndex(oktaGroupId, unique.map(encodeKey), call);
    },

    putManaged: (oktaGroupId, managed, call) =>
      members.use('storing what a push mapping has added', call, (client, abortSignal) => {
        const unique = [...new Map(managed.map((member) => [member.entraId.toLowerCase(), member])).values()];
        const changes = unique.map((member) => {
          const links = linkRows(oktaGroupId, member);
          return putting(client, [...links, rowOf(oktaGroupId, memberKey(member.entraId), member)], abortSignal);
        });
        return changeRows(client, changes, abortSignal);
      }),

    removeManaged: (oktaGroupId, entraIds, call) =>
      members.use('storing what a push mapping has added', call, async (client, abortSignal) => {
        const partitionKey = encodeKey(oktaGroupId);
        const rowKeys: string[] = [];
        await atOnce(singleWidth, [...new Set(entraIds.map((id) => id.toLowerCase()))], async (entraId) => {
          const rowKey = memberKey(entraId);
          const row = await orNull(client.getEntity<JsonRow>(partitionKey, rowKey, { abortSignal }));
          if (row === null) return;
          const links = linkRows(oktaGroupId, JSON.parse(row.json) as ManagedMember);
          rowKeys.push(rowKey, ...links.map((link) => link.rowKey));
        });
        const removals = rowKeys.map((rowKey) => removalOf(client, { partitionKey, rowKey }, abortSignal));
        await changeRows(client, removals, abortSignal);
      }),

    mappingsOf: (oktaUserId, call) =>
      users.use('reading which push mappings know a user', call, async (client, abortSignal) => {
        const queryOptions = { filter: `PartitionKey eq '${encodeKey(oktaUserId)}'` };
        const oktaGroupIds: string[] = [];
        for await (const { rowKey = '' } of client.listEntities({ queryOptions, abortSignal })) {
          oktaGroupIds.push(decodeKey(rowKey));
        }
        return oktaGroupIds;
      }),

    removeAll: (oktaGroupId, call) =>
      members.use('removing what is known of a push mapping', call, (client, abortSignal) =>
        removePartition(client, encodeKey(oktaGroupId), abortSignal, (rowKeys) => {
          const people = rowKeys.filter((rowKey) => rowKey.startsWith(prefixes.person));
          return removeIndex(
            oktaGroupId,
            people.map((rowKey) => rowKey.slice(prefixes.person.length)),
            call,
          );
        }),
      ),
  };
}

interface Keys {
  readonly partitionKey: string;
  readonly rowKey: string;
}

function putting(client: TableClient, rows: readonly Keys[], abortSignal: AbortSignal): RowChange {
  return {
    inTransaction: rows.map((row) => ['upsert', { ...row }, 'Replace']),
    alone: async () => {
      for (const row of rows) await client.upsertEntity(row, 'Replace', { abortSignal });
    },
  };
}

function rowOf(oktaGroupId: string, rowKey: string, value: PushPerson | ManagedMember): Keys & JsonRow {
  return { partitionKey: encodeKey(oktaGroupId), rowKey, json: JSON.stringify(value) };
}

/** Whom it is matched with stands beside it, to be found by. */
function personRow(oktaGroupId: string, person: PushPerson): Keys & JsonRow & LinkRow {
  const entraId = encodeKey(person.entraId?.toLowerCase() ?? '');
  return { ...rowOf(oktaGroupId, personKey(person.oktaUserId), person), entraId };
}

/** One, and none for who is a member for nobody. */
function linkRows(oktaGroupId: string, { oktaUserId, entraId }: ManagedMember): (Keys & LinkRow)[] {
  if (oktaUserId === null) return [];
  const id = entraId.toLowerCase();
  return [{ partitionKey: encodeKey(oktaGroupId), rowKey: linkKey(oktaUserId, id), entraId: id }];
}

function personKey(oktaUserId: string): string {
  return `${prefixes.person}${encodeKey(oktaUserId)}`;
}

function memberKey(entraId: string): string {
  return `${prefixes.member}${encodeKey(entraId.toLowerCase())}`;
}

function linkKey(oktaUserId: string, entraId: string): string {
  return `${prefixes.link}${encodeKey(oktaUserId)}:${encodeKey(entraId)}`;
}

/** The filter for a mapping's rows with a prefix that ends in `:`; `;` comes right after it. */
function rowsOf(oktaGroupId: string, prefix: string): string {
  return `PartitionKey eq '${encodeKey(oktaGroupId)}' and RowKey gt '${prefix}' and RowKey lt '${prefix.slice(0, -1)};'`;
}

function nobody(): KnownPeople {
  return { people: new Map(), managed: new Map() };
}

function addPerson({ people }: KnownPeople, json: string): PushPerson {
  const person = JSON.parse(json) as PushPerson;
  people.set(person.oktaUserId, person);
  return person;
}

function addMember({ managed }: KnownPeople, json: string): void {
  const member = JSON.parse(json) as ManagedMember;
  managed.set(member.entraId.toLowerCase(), member);
}
