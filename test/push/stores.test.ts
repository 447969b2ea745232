import type { TableClient } from '@azure/data-tables';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { MappingStatus } from '../../shared/push/mapping.ts';
import type { ManagedMember, PushPerson } from '../../shared/push/people.ts';
import {
  createPushMappingStore,
  type NewPushMapping,
  type PushMappingStore,
} from '../../shared/push/store/mappingStore.ts';
import { createPushMemberStore, type PushMemberStore } from '../../shared/push/store/memberStore.ts';
import {
  createPushPending,
  type PendingChange,
  type Ping,
  type PushPending,
} from '../../shared/push/store/pendingStore.ts';
import { atOnce } from '../../shared/store/atOnce.ts';
import { decodeKey, encodeKey } from '../../shared/store/rowKeys.ts';
import { createTables, type Tables } from '../../shared/store/tables.ts';
import { ownStorage } from '../support/environment.ts';
import { createFakeClock, type FakeClock } from '../support/fakeClock.ts';
import { preload } from '../support/preload.ts';
import { faultOf, type TestCall, testCall } from '../support/rooms.ts';

await preload();

let clock: FakeClock;
let tables: Tables;
let call: TestCall;
beforeEach(async () => {
  clock = createFakeClock();
  call = testCall();
  tables = createTables({ type: 'connectionString', connectionString: await ownStorage() });
});
afterEach(() => call.end());

/** The client that the stores use themselves: what is put in its place happens to them. */
const clientOf = (table: string): Promise<TableClient> => tables.open(table, call.deadline.signal);

/** `instead` is what the next call of a method does; those after it are the client's own again. */
function once<Name extends 'createEntity' | 'getEntity' | 'submitTransaction' | 'updateEntity'>(
  client: TableClient,
  name: Name,
  instead: (own: TableClient[Name]) => TableClient[Name],
): void {
  const own = client[name].bind(client) as TableClient[Name];
  client[name] = ((...args: never[]) => {
    client[name] = own;
    return (instead(own) as (...given: never[]) => unknown)(...args);
  }) as never;
}

/** Does it, loses the answer, and does it again: as the SDK does by itself. */
const twice =
  <Args extends unknown[], Result>(own: (...args: Args) => Promise<Result>) =>
  async (...args: Args): Promise<Result> => {
    await own(...args);
    return own(...args);
  };

const failure = (statusCode: number): Error => Object.assign(new Error('as told'), { statusCode });

describe('push mappings', () => {
  let mappings: PushMappingStore;
  beforeEach(() => {
    mappings = createPushMappingStore({ tables, clock });
  });

  const newMapping = (change: Partial<NewPushMapping> = {}): NewPushMapping => ({
    oktaGroupId: '00gteam',
    oktaGroupName: 'Team',
    targetId: '0b8e0a52-0000-4000-8000-00000000000a',
    targetName: 'team@contoso.com',
    targetKind: 'distributionList',
    settings: {
      authority: 'managed',
      desiredStatuses: ['ACTIVE'],
      oktaAppId: null,
      neverRemove: [],
      maxAdditions: null,
      adoptMembers: false,
      renameTarget: false,
      reportOnly: false,
    },
    status: 'INACTIVE',
    reason: null,
    approvedAtMs: null,
    ...change,
  });

  test('are found by group and by target, however its id is written', async () => {
    const created = await mappings.create(newMapping(), call);
    const mapping = {
      ...newMapping(),
      createdAtMs: clock.now(),
      updatedAtMs: clock.now(),
      lastReconcile: null,
      defect: null,
    };
    expect(created).toEqual({ type: 'created', mapping });
    expect(await mappings.get('00gteam', call)).toEqual(mapping);
    expect(await mappings.findByTarget('0B8E0A52-0000-4000-8000-00000000000A', call)).toEqual(mapping);
    expect(await mappings.get('00GTEAM', call)).toBeNull();
    expect(await mappings.findByTarget('another', call)).toBeNull();
  });

  test('hold more text than a property does, cut between characters', async () => {
    const settings = { ...newMapping().settings, neverRemove: [`x${'😀'.repeat(40_000)}`, 'ü'.repeat(40_000)] };
    await mappings.create(newMapping({ settings }), call);
    expect((await mappings.get('00gteam', call))?.settings).toEqual(settings);
    const shorter = { ...settings, neverRemove: ['one'] };
    await mappings.update('00gteam', () => ({ settings: shorter }), call);
    expect((await mappings.get('00gteam', call))?.settings).toEqual(shorter);
  });

  test('made at once for one target: one is created, the others are told who has it', async () => {
    const ids = ['a', 'b', 'c', 'd'];
    const results = await Promise.all(
      ids.map((id) => mappings.create(newMapping({ oktaGroupId: id, targetId: 'Target' }), call)),
    );
    const created = results.flatMap((result) => (result.type === 'created' ? [result.mapping] : []));
    expect(created).toHaveLength(1);
    expect(results.flatMap((result) => (result.type === 'taken' ? [result.by] : []))).toEqual(
      Array(3).fill(created[0]),
    );
    expect(await mappings.findByTarget('target', call)).toEqual(created[0]);
    expect((await mappings.list({ status: null }, { limit: 9, after: null }, call)).mappings).toEqual(created);
  });

  test('made for a group that has one already, are told of that, and claim nothing', async () => {
    const first = await mappings.create(newMapping(), call);
    expect(await mappings.create(newMapping({ targetId: 'other' }), call)).toEqual({
      type: 'taken',
      by: first.type === 'created' && first.mapping,
    });
    expect(await mappings.findByTarget('other', call)).toBeNull();
  });

  test('whose creation was answered too late are not in their own way', async () => {
    once(await clientOf('pushMappings'), 'submitTransaction', twice);
    expect((await mappings.create(newMapping(), call)).type).toBe('created');
    expect((await mappings.create(newMapping(), call)).type).toBe('taken');
  });

  test('are created when whoever was in the way has gone meanwhile', async () => {
    once(await clientOf('pushMappings'), 'submitTransaction', () => () => Promise.reject(failure(409)));
    expect((await mappings.create(newMapping(), call)).type).toBe('created');
  });

  test('changed by many at once lose no change', async () => {
    await mappings.create(newMapping({ oktaGroupName: '' }), call);
    const letters = 'a b c d e f g h'.split(' ');
    await Promise.all(
      letters.map((letter) =>
        mappings.update('00gteam', ({ oktaGroupName }) => ({ oktaGroupName: `${oktaGroupName} ${letter}` }), call),
      ),
    );
    const { oktaGroupName = '' } = (await mappings.get('00gteam', call)) ?? {};
    expect(oktaGroupName.trim().split(' ').sort()).toEqual(letters);
  });

  test('are changed as they are then, at that time, and not when there is nothing to do', async () => {
    await mappings.create(newMapping(), call);
    clock.advance(1_000);
    const changed = await mappings.update('00gteam', () => ({ status: 'ACTIVE' }), call);
    expect(changed).toMatchObject({ status: 'ACTIVE', createdAtMs: clock.now() - 1_000, updatedAtMs: clock.now() });
    clock.advance(1_000);
    expect(await mappings.update('00gteam', () => null, call)).toEqual(changed);
    expect(await mappings.get('00gteam', call)).toEqual(changed);
    expect(await mappings.update('nobody', () => ({ status: 'ACTIVE' }), call)).toBeNull();
  });

  test('are listed in order, page by page, all or those of one status', async () => {
    const statuses: MappingStatus[] = ['ACTIVE', 'ERROR', 'ACTIVE', 'INACTIVE', 'ACTIVE'];
    for (const [index, status] of [...statuses.entries()].reverse()) {
      await mappings.create(newMapping({ oktaGroupId: `g${index}`, targetId: `t${index}`, status }), call);
    }
    const ids = async (status: MappingStatus | null, limit: number, after: string | null) => {
      const page = await mappings.list({ status }, { limit, after }, call);
      return [page.mappings.map(({ oktaGroupId }) => oktaGroupId), page.hasMore];
    };
    expect(await ids(null, 2, null)).toEqual([['g0', 'g1'], true]);
    expect(await ids(null, 3, 'g1')).toEqual([['g2', 'g3', 'g4'], false]);
    expect(await ids('ACTIVE', 2, null)).toEqual([['g0', 'g2'], true]);
    expect(await ids('ACTIVE', 2, 'g2')).toEqual([['g4'], false]);
    await mappings.update('g0', () => ({ status: 'ERROR' }), call);
    expect(await ids('ERROR', 9, null)).toEqual([['g0', 'g1'], false]);
  });

  test('that are removed free group and target, and can be removed again', async () => {
    const created = await mappings.create(newMapping(), call);
    if (created.type !== 'created') throw new Error('not created');
    await mappings.remove(created.mapping, call);
    await mappings.remove(created.mapping, call);
    expect(await mappings.get('00gteam', call)).toBeNull();
    expect(await mappings.findByTarget(created.mapping.targetId, call)).toBeNull();
    expect((await mappings.create(newMapping({ oktaGroupId: 'next' }), call)).type).toBe('created');
    expect((await mappings.create(newMapping({ targetId: 'next' }), call)).type).toBe('created');
  });

  test('tell a storage that fails as a fault, and make their table again when it has gone', async () => {
    const client = await clientOf('pushMappings');
    once(client, 'getEntity', () => () => Promise.reject(failure(503)));
    expect((await faultOf(mappings.get('00gteam', call))).code).toBe('storage_unavailable');
    await client.deleteTable();
    expect((await faultOf(mappings.create(newMapping(), call))).code).toBe('storage_unavailable');
    expect((await mappings.create(newMapping(), call)).type).toBe('created');
  });

  test('are asked for until the deadline and no longer', async () => {
    await mappings.create(newMapping(), call);
    const late = testCall({ times: { totalMs: 0, proofMs: 0 } });
    expect((await faultOf(mappings.get('00gteam', late))).code).toBe('deadline_exceeded');
    late.end();
  });
});

describe('the people of a mapping', () => {
  let members: PushMemberStore;
  beforeEach(() => {
    members = createPushMemberStore({ tables });
  });

  const person = (oktaUserId: string, entraId: string | null = null): PushPerson => ({
    oktaUserId,
    login: `${oktaUserId}@contoso.com`,
    entraId,
    label: `${oktaUserId}@contoso.com`,
    matchedBy: null,
    problem: null,
  });
  const managed = (entraId: string, oktaUserId: string, state: ManagedMember['state'] = 'added'): ManagedMember => ({
    entraId,
    oktaUserId,
    login: `${oktaUserId}@contoso.com`,
    label: `${oktaUserId}@contoso.com`,
    state,
    changedAtMs: 1,
  });
  const known = async (oktaGroupId = 'group') => {
    const all = await members.readAll(oktaGroupId, call);
    return { people: [...all.people.keys()], managed: [...all.managed.keys()] };
  };

  test.each([1, 6])('are found by the object they are matched with, in any case, %d at once', async (count) => {
    const all = Array.from({ length: 8 }, (_, index) => person(`u${index}`, `E-${index % 6}`));
    await members.putPeople('group', [...all, person('nobody')], call);
    await members.putPeople('other', [person('x', 'e-0')], call);
    const ids = Array.from({ length: count }, (_, index) => `e-${index}`);
    const found = await members.readMatched('group', ids, call);
    const expected = count === 1 ? ['u0', 'u6'] : all.map(({ oktaUserId }) => oktaUserId);
    expect(found.map(({ oktaUserId }) => oktaUserId).sort()).toEqual(expected);
    expect(await members.readMatched('group', [], call)).toEqual([]);
  });

  test('and its managed members come back as they were put, in whatever letters their ids are', async () => {
    const odd = "a/b\\c#d?e%f'g!h*i:j~k\u0001ü😀";
    await members.putPeople(odd, [person(odd, 'E/1'), person('plain')], call);
    await members.putManaged(odd, [managed('E/1', odd), managed('E2', 'plain', 'removing')], call);
    expect(await members.readAll(odd, call)).toEqual({
      people: new Map([
        [odd, person(odd, 'E/1')],
        ['plain', person('plain')],
      ]),
      managed: new Map([
        ['e/1', managed('E/1', odd)],
        ['e2', managed('E2', 'plain', 'removing')],
      ]),
    });
    expect(await members.mappingsOf(odd, call)).toEqual([odd]);
    await members.removeManaged(odd, ['e/1'], call);
    await members.removePeople(odd, [odd], call);
    expect(await known(odd)).toEqual({ people: ['plain'], managed: ['e2'] });
  });

  test('are changed by what is put later, also within one put', async () => {
    await members.putPeople('group', [person('u', 'e1'), person('u', 'e2')], call);
    await members.putManaged('group', [managed('E1', 'u', 'adding'), managed('e1', 'u')], call);
    await members.putManaged('group', [managed('E2', 'u', 'adding')], call);
    await members.putManaged('group', [managed('e2', 'u', 'removed')], call);
    const all = await members.readAll('group', call);
    expect([...all.people.values()]).toEqual([person('u', 'e2')]);
    expect([...all.managed.values()]).toEqual([managed('e1', 'u'), managed('e2', 'u', 'removed')]);
  });

  test('are read in as many pages as there are', async () => {
    const many = Array.from({ length: 1_203 }, (_, index) => managed(`e${index}`, `u${index}`));
    await members.putManaged('group', many, call);
    expect((await members.readAll('group', call)).managed.size).toBe(1_203);
    await members.removeManaged(
      'group',
      many.slice(3).map(({ entraId }) => entraId),
      call,
    );
    expect((await known()).managed).toEqual(['e0', 'e1', 'e2']);
    // Each with its link; no link is left of the others.
    const rows: unknown[] = [];
    for await (const row of (await clientOf('pushMembers')).listEntities()) rows.push(row);
    expect(rows).toHaveLength(6);
  });

  test('are read for some with the members that they are or were matched with, and no others', async () => {
    await members.putPeople('group', [person('u', 'E-NOW'), person('u1', 'e-other'), person('nobody')], call);
    const all = [managed('e-now', 'somebody'), managed('E-Before', 'u', 'removing'), managed('e-other', 'u1')];
    await members.putManaged('group', [...all, managed('e-gone', 'gone')], call);
    await members.putManaged('another', [managed('e-before-there', 'u')], call);
    const some = await members.readSome('group', ['u', 'gone', 'nobody', 'unknown', 'u'], call);
    expect([...some.people.values()].sort((a, b) => (a.oktaUserId < b.oktaUserId ? -1 : 1))).toEqual([
      person('nobody'),
      person('u', 'E-NOW'),
    ]);
    expect([...some.managed.keys()].sort()).toEqual(['e-before', 'e-gone', 'e-now']);
    expect(some.managed.get('e-before')).toEqual(all[1]);
    await members.removeManaged('group', ['e-before'], call);
    expect([...(await members.readSome('group', ['u'], call)).managed.keys()]).toEqual(['e-now']);
  });

  test('are in the index of all their mappings until they are removed', async () => {
    await members.putPeople('one', [person('u'), person('v')], call);
    await members.putPeople('two', [person('u')], call);
    expect(await members.mappingsOf('u', call)).toEqual(['one', 'two']);
    await members.removePeople('one', ['u', 'u', 'unknown'], call);
    expect(await members.mappingsOf('u', call)).toEqual(['two']);
    expect(await members.mappingsOf('v', call)).toEqual(['one']);
    expect(await known('one')).toEqual({ people: ['v'], managed: [] });
    await members.removePeople('one', ['u'], call);
  });

  test('are never without an index row, whatever fails', async () => {
    const [rows, index] = await Promise.all([clientOf('pushMembers'), clientOf('pushUsers')]);
    const upsertEntity = index.upsertEntity.bind(index);
    index.upsertEntity = () => Promise.reject(failure(503));
    await faultOf(members.putPeople('group', [person('u')], call));
    expect(await known()).toEqual({ people: [], managed: [] });
    index.upsertEntity = upsertEntity;
    await members.putPeople('group', [person('u')], call);
    rows.deleteEntity = () => Promise.reject(failure(503));
    expect((await faultOf(members.removePeople('group', ['u'], call))).code).toBe('storage_unavailable');
    expect(await members.mappingsOf('u', call)).toEqual(['group']);
  });

  test('are put into the index sixteen at once', async () => {
    const index = await clientOf('pushUsers');
    const upsert = index.upsertEntity.bind(index);
    let underway = 0;
    let most = 0;
    index.upsertEntity = async (...args) => {
      most = Math.max(most, ++underway);
      const answer = await upsert(...args);
      underway -= 1;
      return answer;
    };
    const people = Array.from({ length: 120 }, (_, number) => person(`u${number}`));
    await members.putPeople('group', people, call);
    expect(most).toBe(16);
    expect((await known()).people).toHaveLength(120);
  });

  test('of a mapping that is deleted are forgotten, and those of others are not', async () => {
    const people = Array.from({ length: 130 }, (_, number) => person(`u${number}`));
    await members.putPeople('group', people, call);
    await members.putManaged('group', [managed('e1', 'u1')], call);
    await members.putPeople('other', [person('u1')], call);
    await members.removeAll('group', call);
    await members.removeAll('group', call);
    expect(await known()).toEqual({ people: [], managed: [] });
    expect((await members.readSome('group', ['u1'], call)).managed.size).toBe(0);
    expect(await members.mappingsOf('u1', call)).toEqual(['other']);
    expect(await members.mappingsOf('u129', call)).toEqual([]);
    expect(await known('other')).toEqual({ people: ['u1'], managed: [] });
  });
});

describe('pending changes', () => {
  let pending: PushPending;
  beforeEach(() => {
    pending = createPushPending({ tables, clock });
  });

  const ping = (oktaUserId: string, change: Partial<Ping> = {}): Ping => ({
    oktaGroupId: 'group',
    oktaUserId,
    isMembership: true,
    eventAtMs: 1_000,
    ...change,
  });
  const list = (oktaGroupId = 'group') => pending.list(oktaGroupId, call);
  const users = async (oktaGroupId = 'group') => (await list(oktaGroupId)).map(({ oktaUserId }) => oktaUserId);
  const only = async (): Promise<PendingChange> => {
    const [change, ...others] = await list();
    if (change === undefined || others.length > 0) throw new Error(`not one but ${others.length + 1}`);
    return change;
  };
  const putOff = (changes: readonly PendingChange[], untilMs: number, waitingSinceMs: number | null = null) =>
    pending.putOff(
      changes.map((change) => ({ ...change, untilMs, waitingSinceMs })),
      call,
    );

  test('are listed by group as they were put', async () => {
    await pending.put([ping('u', { isMembership: false }), ping('*'), ping('v', { oktaGroupId: 'other' })], call);
    await pending.mark('group', call);
    const fresh = { attempts: 0, firstSeenAtMs: clock.now(), dueAtMs: clock.now(), waitingSinceMs: null };
    const etag = expect.any(String);
    expect(await list()).toEqual([
      { ...ping('*'), ...fresh, etag },
      { ...ping('u', { isMembership: false }), ...fresh, etag },
    ]);
    expect(await list('other')).toMatchObject([ping('v', { oktaGroupId: 'other' })]);
    expect(await list('none')).toEqual([]);
  });

  test('of people with ids like the group or the mark are theirs alone', async () => {
    await pending.put([ping('!'), ping('**'), ping('a/#?\\b')], call);
    expect((await users()).sort()).toEqual(['!', '**', 'a/#?\\b']);
    expect(await pending.mark('group', call)).toBe(true);
  });

  test('that are put again are due now, since when they were and for what they were', async () => {
    await pending.put([ping('u')], call);
    const first = await only();
    await putOff([first], clock.now() + 60_000, 5_000);
    expect(await only()).toMatchObject({ attempts: 1, dueAtMs: clock.now() + 60_000, waitingSinceMs: 5_000 });
    clock.advance(1_000);
    await pending.put([ping('u', { isMembership: false, eventAtMs: 2_000 }), ping('v')], call);
    const [again] = await list();
    expect(again).toMatchObject({
      isMembership: true,
      eventAtMs: 2_000,
      attempts: 0,
      firstSeenAtMs: first.firstSeenAtMs,
      dueAtMs: clock.now(),
      waitingSinceMs: 5_000,
    });
    expect(again?.etag).not.toBe(first.etag);
    await putOff(await list(), clock.now() + 1);
    expect((await list())[0]).toMatchObject({ waitingSinceMs: null, isMembership: true, attempts: 1 });
  });

  test('become about membership with the ping that is', async () => {
    await pending.put([ping('u', { isMembership: false })], call);
    await pending.put([ping('u')], call);
    expect(await only()).toMatchObject({ isMembership: true });
  });

  test('put several times at once are one', async () => {
    await pending.put([ping('u'), ping('u', { isMembership: false, eventAtMs: 3_000 }), ping('u')], call);
    expect(await only()).toMatchObject({ isMembership: true, eventAtMs: 3_000 });
  });

  test('that go while they are put again are put anew', async () => {
    await pending.put([ping('u')], call);
    const read = await list();
    once(await clientOf('pushPending'), 'updateEntity', (own) => async (...args) => {
      await pending.remove(read, call);
      return own(...args);
    });
    await pending.put([ping('u', { eventAtMs: 9_000 })], call);
    expect(await only()).toMatchObject({ eventAtMs: 9_000 });
  });

  test('are removed as they were read: those that have changed since stay', async () => {
    await pending.put([ping('u'), ping('v'), ping('w')], call);
    const read = await list();
    await pending.put([ping('v')], call);
    expect(await pending.remove([...read, ...read], call)).toBe(2);
    expect(await users()).toEqual(['v']);
    expect(await pending.remove(await list(), call)).toBe(1);
    expect(await users()).toEqual([]);
  });

  test('are put off as they were read: those that have changed since stay due, those that are gone stay gone', async () => {
    await pending.put([ping('u'), ping('v'), ping('w')], call);
    const read = await list();
    await pending.put([ping('v')], call);
    await pending.remove(
      read.filter(({ oktaUserId }) => oktaUserId === 'w'),
      call,
    );
    await putOff([...read, ...read], clock.now() + 5);
    expect((await list()).map(({ oktaUserId, dueAtMs }) => [oktaUserId, dueAtMs - clock.now()])).toEqual([
      ['u', 5],
      ['v', 0],
    ]);
  });

  test('of many people are put, put off and removed, in transactions where they are many', async () => {
    const many = Array.from({ length: 230 }, (_, number) => ping(`u${number}`));
    const client = await clientOf('pushPending');
    const submit = client.submitTransaction.bind(client);
    const sizes: number[] = [];
    client.submitTransaction = (actions, options) => {
      sizes.push(actions.length);
      return submit(actions, options);
    };
    await pending.put(many, call);
    await putOff(await list(), clock.now() + 5);
    expect(sizes).toEqual([100, 100, 30, 100, 100, 30]);
    expect((await list()).every(({ attempts }) => attempts === 1)).toBe(true);
    expect(await pending.remove(await list(), call)).toBe(230);
    expect(await list()).toEqual([]);
  });

  test('are put in one transaction, whether they are pending already or not', async () => {
    await pending.put([ping('u')], call);
    const first = await only();
    clock.advance(1_000);
    const client = await clientOf('pushPending');
    client.createEntity = () => Promise.reject(failure(500));
    await pending.put([ping('u', { eventAtMs: 2_000 }), ping('v')], call);
    expect(await list()).toMatchObject([
      { oktaUserId: 'u', eventAtMs: 2_000, firstSeenAtMs: first.firstSeenAtMs },
      { oktaUserId: 'v', firstSeenAtMs: clock.now() },
    ]);
  });

  test('whose storage fails are a fault, and none is left out in silence', async () => {
    once(await clientOf('pushPending'), 'submitTransaction', () => () => Promise.reject(failure(500)));
    expect((await faultOf(pending.put([ping('u'), ping('v')], call))).code).toBe('storage_unavailable');
  });

  describe('a mark', () => {
    const twoMinutesMs = 2 * 60_000;

    test('is made by one of many', async () => {
      const marks = await Promise.all(Array.from({ length: 6 }, () => pending.mark('group', call)));
      expect(marks.filter((mark) => mark)).toHaveLength(1);
    });

    test('holds for two minutes, or until it is taken away', async () => {
      expect(await pending.mark('group', call)).toBe(true);
      clock.advance(twoMinutesMs - 1);
      expect(await pending.mark('group', call)).toBe(false);
      expect(await pending.mark('other', call)).toBe(true);
      await pending.unmark('group', call);
      await pending.unmark('group', call);
      expect(await pending.mark('group', call)).toBe(true);
    });

    test('that is old is renewed by one of many', async () => {
      await pending.mark('group', call);
      clock.advance(twoMinutesMs);
      const marks = await Promise.all(Array.from({ length: 6 }, () => pending.mark('group', call)));
      expect(marks.filter((mark) => mark)).toHaveLength(1);
    });

    test('whose answer was lost is known to be one’s own', async () => {
      const client = await clientOf('pushPending');
      once(client, 'createEntity', twice);
      expect(await pending.mark('group', call)).toBe(true);
      clock.advance(twoMinutesMs);
      once(client, 'updateEntity', twice);
      expect(await pending.mark('group', call)).toBe(true);
      expect(await pending.mark('group', call)).toBe(false);
    });

    test('that goes while it is looked at is made anew', async () => {
      await pending.mark('group', call);
      once(await clientOf('pushPending'), 'getEntity', (own) => async (...args: Parameters<typeof own>) => {
        await pending.unmark('group', call);
        return own(...args);
      });
      expect(await pending.mark('group', call)).toBe(true);
    });
  });

  test('that are due tell their groups, after the grace, once each', async () => {
    await pending.mark('marked', call);
    await pending.put([ping('late', { oktaGroupId: 'b/2' })], call);
    await putOff(await list('b/2'), clock.now() + 60_001);
    const many = Array.from({ length: 1_050 }, (_, number) => ping(`u${number}`, { oktaGroupId: 'a' }));
    await pending.put([...many, ping('*', { oktaGroupId: 'c' })], call);
    expect(await pending.groupsDue(1, call)).toEqual([]);
    expect(await pending.groupsDue(0, call)).toEqual(['a', 'c']);
    clock.advance(60_000);
    expect(await pending.groupsDue(60_000, call)).toEqual(['a', 'c']);
    clock.advance(1);
    expect(await pending.groupsDue(0, call)).toEqual(['a', 'b/2', 'c']);
  });

  test('of a mapping that is deleted are gone, with its mark, and those of others are not', async () => {
    await pending.put([ping('u'), ping('v'), ping('u', { oktaGroupId: 'other' })], call);
    await pending.mark('group', call);
    await pending.removeAll('group', call);
    expect(await list()).toEqual([]);
    expect(await pending.mark('group', call)).toBe(true);
    expect(await users('other')).toEqual(['u']);
  });

  type Step =
    | { readonly type: 'put'; readonly users: readonly string[] }
    | { readonly type: 'list' }
    | {
        readonly type: 'remove' | 'putOff';
        readonly users: readonly string[];
        readonly back: number;
        readonly meanwhile: readonly string[];
      };

  test('never lose a ping that came after the list which served it', async () => {
    const someUsers = fc.uniqueArray(fc.constantFrom('*', '*deleted', 'u', 'v'), { minLength: 1 });
    const meanwhile = fc.uniqueArray(fc.constantFrom('*', '*deleted', 'u', 'v'), { maxLength: 2 });
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ type: fc.constant('put' as const), users: someUsers }),
      fc.record({ type: fc.constant('list' as const) }),
      fc.record({
        type: fc.constantFrom('remove' as const, 'putOff' as const),
        users: someUsers,
        back: fc.nat({ max: 2 }),
        meanwhile,
      }),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
        const oktaGroupId = `group${++run}`;
        /** By user: the number of the last ping, and of the last one that was dealt with. */
        const last = new Map<string, number>();
        const dealtWith = new Map<string, number>();
        const lists: { changes: readonly PendingChange[]; last: Map<string, number> }[] = [];
        let number = 0;
        const put = async (oktaUserIds: readonly string[]) => {
          for (const oktaUserId of oktaUserIds) last.set(oktaUserId, ++number);
          await pending.put(
            oktaUserIds.map((oktaUserId) => ping(oktaUserId, { oktaGroupId })),
            call,
          );
        };
        for (const given of steps) {
          clock.advance(1_000);
          if (given.type === 'put') await put(given.users);
          if (given.type === 'list') lists.push({ changes: await list(oktaGroupId), last: new Map(last) });
          if (given.type === 'remove' || given.type === 'putOff') {
            const read = lists.at(-1 - given.back);
            const changes = read?.changes.filter(({ oktaUserId }) => given.users.includes(oktaUserId)) ?? [];
            for (const { oktaUserId } of changes)
              dealtWith.set(oktaUserId, Math.max(read?.last.get(oktaUserId) ?? 0, dealtWith.get(oktaUserId) ?? 0));
            const work = given.type === 'remove' ? pending.remove(changes, call) : putOff(changes, clock.now() + 1e9);
            await Promise.all([work, put(given.meanwhile)]);
          }
          const due = (await list(oktaGroupId)).filter(({ dueAtMs }) => dueAtMs <= clock.now());
          const dueUsers = due.map(({ oktaUserId }) => oktaUserId).sort();
          const owed = [...last].flatMap(([user, of]) => (of > (dealtWith.get(user) ?? 0) ? [user] : []));
          expect(dueUsers).toEqual(owed.sort());
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('keys', () => {
  test('hold any text, by nothing that Azure Tables forbid or keys are put together with', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(encodeKey(text)).toMatch(/^[A-Za-z0-9_.~-]*$/);
        expect(decodeKey(encodeKey(text))).toBe(text);
      }),
    );
    expect(encodeKey('00g1AbC-_.')).toBe('00g1AbC-_.');
  });
});

describe('much at once', () => {
  test('begins nothing more after a failure, and waits for what is underway', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const work = async (number: number) => {
      begun.push(number);
      await Promise.resolve();
      if (number === 2) throw new Error('the second');
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      ended.push(number);
    };
    await expect(atOnce(3, [1, 2, 3, 4, 5, 6], work)).rejects.toThrow('the second');
    expect(begun).toEqual([1, 2, 3]);
    expect(ended).toEqual([1, 3]);
  });
});
