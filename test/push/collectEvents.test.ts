import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { collectEvents } from '../../functions/workers/collectEvents.ts';
import { collectEventsPoison } from '../../functions/workers/collectEventsPoison.ts';
import { startLocalHost } from '../../local/host/host.ts';
import { registerWorkers, type Worker } from '../../shared/action/worker.ts';
import { systemClock } from '../../shared/clock.ts';
import { Fault } from '../../shared/errors.ts';
import {
  createEventCollector,
  type EventCollector,
  type EventCollectorDependencies,
} from '../../shared/push/hooks/collector.ts';
import { type HookEvent, readEnvelope } from '../../shared/push/hooks/envelope.ts';
import type { MappingStatus } from '../../shared/push/mapping.ts';
import { createPushMappingStore, type PushMappingStore } from '../../shared/push/store/mappingStore.ts';
import { createPushMemberStore, type PushMemberStore } from '../../shared/push/store/memberStore.ts';
import { createPushPending, type PushPending } from '../../shared/push/store/pendingStore.ts';
import type { Services } from '../../shared/services.ts';
import { createQueues } from '../../shared/store/queues.ts';
import { createTables } from '../../shared/store/tables.ts';
import { linesOf } from '../action/actionHost.ts';
import { ownStorage } from '../support/environment.ts';
import { createFakeClock, type FakeClock } from '../support/fakeClock.ts';
import { preload } from '../support/preload.ts';
import { faultOf, type TestCall, testCall } from '../support/rooms.ts';
import { type App, startWorld, type World } from '../support/world.ts';

await preload();

const sales = '00gGroup000000000001';
const product = '00gGroup000000000002';
const ada = '00uUser0000000000001';
const ben = '00uUser0000000000002';
const office = '0oaO3650000000000000';

let clock: FakeClock;
let call: TestCall;
let storage = '';
let pushMappings: PushMappingStore;
let pushMembers: PushMemberStore;
let pushPending: PushPending;
let collector: EventCollector;
let sent: { queue: string; message: object; inMs: number | null }[];
/** Thrown by the next sends. */
let sendFault: Fault | null;
/** What the source knows, by login. */
let logins: Record<string, string | Error>;
let isConfigured: boolean;

beforeEach(async () => {
  clock = createFakeClock();
  call = testCall();
  storage = await ownStorage();
  const tables = createTables({ type: 'connectionString', connectionString: storage });
  pushMappings = createPushMappingStore({ tables, clock });
  pushMembers = createPushMemberStore({ tables });
  pushPending = createPushPending({ tables, clock });
  sent = [];
  sendFault = null;
  logins = {};
  isConfigured = true;
  collector = collectorWith({});
});
afterEach(() => call.end());

function collectorWith(change: Partial<EventCollectorDependencies>): EventCollector {
  return createEventCollector({
    pushMappings,
    pushMembers,
    pushPending,
    pushSource: {
      get isConfigured() {
        return isConfigured;
      },
      person: (login) => {
        const found = logins[login];
        if (found instanceof Error) return Promise.reject(found);
        return Promise.resolve(found === undefined ? null : { id: found, login, status: 'ACTIVE' });
      },
    },
    queues: {
      send: (queue, message, _, dueAtMs) => {
        if (sendFault !== null) return Promise.reject(sendFault);
        sent.push({ queue, message, inMs: dueAtMs === undefined ? null : dueAtMs - clock.now() });
        return Promise.resolve();
      },
    },
    clock,
    ...change,
  });
}

async function map(oktaGroupId: string, status: MappingStatus = 'ACTIVE', oktaAppId: string | null = office) {
  const { type } = await pushMappings.create(
    {
      oktaGroupId,
      oktaGroupName: 'A group',
      targetId: crypto.randomUUID(),
      targetName: 'team@contoso.com',
      targetKind: 'distributionList',
      settings: {
        authority: 'managed',
        desiredStatuses: ['ACTIVE'],
        oktaAppId,
        neverRemove: [],
        maxAdditions: null,
        adoptMembers: false,
        renameTarget: false,
        reportOnly: false,
      },
      status,
      reason: null,
      approvedAtMs: 1,
    },
    call,
  );
  expect(type).toBe('created');
}

const know = (oktaGroupId: string, ...oktaUserIds: string[]) =>
  pushMembers.putPeople(
    oktaGroupId,
    oktaUserIds.map((oktaUserId) => ({
      oktaUserId,
      login: 'somebody@example.com',
      entraId: null,
      label: '',
      matchedBy: null,
      problem: null,
    })),
    call,
  );

const event = (change: Partial<HookEvent> = {}): HookEvent => ({
  type: 'group.user_membership.add',
  uuid: crypto.randomUUID(),
  atMs: 1_000,
  outcome: 'SUCCESS',
  groupIds: [sales],
  userIds: [ada],
  appIds: [],
  appUserIds: [],
  login: null,
  ...change,
});
const profile = (change: Partial<HookEvent> = {}) =>
  event({ type: 'user.account.update_profile', groupIds: [], ...change });

/** As the queue brings it: through JSON. */
const messageOf = (...events: HookEvent[]): unknown => JSON.parse(JSON.stringify({ eventId: 'an-event', events }));
const collect = (...events: HookEvent[]) => collector.collect(messageOf(...events), 1, call);

/** Group, user, whether membership, time. */
async function pending(...groups: string[]) {
  const rows = await Promise.all(groups.map((group) => pushPending.list(group, call)));
  return rows
    .flat()
    .map(({ oktaGroupId, oktaUserId, isMembership, eventAtMs }) => [oktaGroupId, oktaUserId, isMembership, eventAtMs]);
}

const push = (oktaGroupId: string) => ({ queue: 'pushes', message: { oktaGroupId }, inMs: 1_000 });

describe('events of a group', () => {
  test('become one pending row for each person, and one message a group that is due a second later', async () => {
    await map(sales);
    await map(product);
    await collect(
      event({ atMs: 5_000 }),
      event({ type: 'group.user_membership.remove', atMs: 3_000 }),
      event({ userIds: [ben] }),
      event({ groupIds: [product] }),
    );
    expect((await pending(sales, product)).sort()).toEqual([
      [sales, ada, true, 5_000],
      [sales, ben, true, 1_000],
      [product, ada, true, 1_000],
    ]);
    expect(sent).toEqual([push(sales), push(product)]);
  });

  test('that come twice, and later ones, leave it at one message while that is on its way', async () => {
    await map(sales);
    await collect(event());
    await collect(event());
    await collect(event({ userIds: [ben] }));
    expect(sent).toEqual([push(sales)]);
    expect(await pending(sales)).toHaveLength(2);
    await pushPending.unmark(sales, call);
    await collect(event());
    expect(sent).toHaveLength(2);
  });

  test('of its name or its end concern the group itself', async () => {
    await map(sales);
    await map(product);
    await collect(event({ type: 'group.profile.update', userIds: [] }));
    await collect(event({ type: 'group.lifecycle.delete', groupIds: [product], userIds: [] }));
    expect(await pending(sales, product)).toEqual([
      [sales, '*', false, 1_000],
      [product, '*deleted', false, 1_000],
    ]);
  });

  test('that do not say who has moved concern the membership of all', async () => {
    await map(sales);
    await collect(event({ type: 'app.user_management', userIds: [], appUserIds: ['0uaAppUser0000000001'] }));
    expect(await pending(sales)).toEqual([[sales, '*', true, 1_000]]);
  });

  test('are heard by mappings in ERROR, and by none that are INACTIVE', async () => {
    await map(sales, 'ERROR');
    await map(product, 'INACTIVE');
    await collect(event({ groupIds: [sales, product] }));
    expect(await pending(sales, product)).toEqual([[sales, ada, true, 1_000]]);
    expect(sent).toEqual([push(sales)]);
  });

  test('without a mapping leave nothing', async () => {
    await collect(event(), event({ type: 'group.profile.update' }));
    expect(await pending(sales)).toEqual([]);
    expect(sent).toEqual([]);
    expect(await pushPending.mark(sales, call)).toBe(true);
  });

  test.each(['FAILURE', 'SKIPPED', 'DEFERRED', 'UNKNOWN', 'success'])(
    'that were no success (%s) leave nothing',
    async (outcome) => {
      await map(sales);
      await collect(event({ outcome }));
      expect(await pending(sales)).toEqual([]);
      expect(sent).toEqual([]);
    },
  );
});

describe('events of a person', () => {
  test.each(['user.lifecycle.deactivate', 'user.lifecycle.suspend', 'user.account.update_profile'])(
    'concern the mappings that know the person: %s',
    async (type) => {
      await map(sales);
      await map(product);
      await know(sales, ada);
      await know(product, ada, ben);
      await collect(profile({ type, userIds: [ben] }));
      expect(await pending(sales, product)).toEqual([[product, ben, false, 1_000]]);
      await collect(profile({ type, userIds: [ada] }));
      expect(await pending(sales, product)).toHaveLength(3);
    },
  );

  test('are joined with those of membership, which they do not hide', async () => {
    await map(sales);
    await know(sales, ada);
    await collect(event({ atMs: 2_000 }), profile({ atMs: 4_000 }));
    expect(await pending(sales)).toEqual([[sales, ada, true, 4_000]]);
  });

  test('in an app concern those mappings that match people by that app', async () => {
    await map(sales);
    await map(product, 'ACTIVE', null);
    await know(sales, ada);
    await know(product, ada);
    const inApp = (appIds: string[]) => profile({ type: 'application.user_membership.update', appIds });
    await collect(inApp(['0oaSomeOtherApp00000']));
    expect(await pending(sales, product)).toEqual([]);
    await collect(inApp([office]));
    expect(await pending(sales, product)).toEqual([[sales, ada, false, 1_000]]);
    await collect(inApp([]));
    expect(await pending(sales, product)).toHaveLength(2);
  });

  test('who is named by login alone are looked up', async () => {
    await map(sales);
    await know(sales, ada);
    logins = { 'ada@example.com': ada };
    await collect(
      profile({ userIds: [], login: 'ada@example.com' }),
      profile({ userIds: [], login: 'nobody@example.com' }),
    );
    expect(await pending(sales)).toEqual([[sales, ada, false, 1_000]]);
  });

  test('who cannot be looked up hold no other event back', async () => {
    await map(sales);
    await know(sales, ada, ben);
    const throttled = new Fault('throttled', { detail: 'Slow down.', fix: 'Wait.' });
    logins = { 'ada@example.com': throttled };
    await collect(profile({ userIds: [], login: 'ada@example.com' }), profile({ userIds: [ben] }));
    expect(await pending(sales)).toEqual([[sales, ben, false, 1_000]]);
    expect(call.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ event: 'event_login_unresolved', code: 'throttled' }),
      }),
    );
    logins = { 'ada@example.com': new TypeError('a defect') };
    await expect(collect(profile({ userIds: [], login: 'ada@example.com' }))).rejects.toThrow('a defect');
    isConfigured = false;
    await collect(profile({ userIds: [], login: 'ada@example.com' }));
    expect(await pending(sales)).toHaveLength(1);
  });
});

describe('a message that comes again', () => {
  const unavailable = new Fault('storage_unavailable', { detail: 'Down.', fix: 'Wait.' });

  test('sends what its first try has marked and not sent', async () => {
    await map(sales);
    await map(product);
    const message = messageOf(event(), event({ groupIds: [product] }));
    sendFault = unavailable;
    expect((await faultOf(collector.collect(message, 1, call))).code).toBe('storage_unavailable');
    expect(sent).toEqual([]);
    sendFault = null;
    await runQueue(collectEvents, message, 2);
    expect(sent).toEqual([push(sales), push(product)]);
    expect(await pending(sales, product)).toHaveLength(2);
  });

  test('is taken as new when it is', async () => {
    await map(sales);
    await runQueue(collectEvents, messageOf(event()), 1);
    await runQueue(collectEvents, messageOf(event()), 1);
    expect(sent).toEqual([push(sales)]);
  });

  test('has its rows before its marks, and its marks before its messages', async () => {
    await map(sales);
    sendFault = unavailable;
    await faultOf(collect(event()));
    expect(await pending(sales)).toHaveLength(1);
    expect(await pushPending.mark(sales, call)).toBe(false);
  });
});

describe('a message that was given up', () => {
  test('asks for a full reconcile of each mapping that it names, and says so loudly', async () => {
    await map(sales);
    await map(product, 'ERROR');
    await know(product, ben);
    await runQueue(
      collectEventsPoison,
      messageOf(
        event(),
        event({ userIds: [ben] }),
        profile({ userIds: [ben] }),
        event({ groupIds: ['00gNoMapping00000000'] }),
      ),
      1,
    );
    expect(sent).toEqual([
      { queue: 'reconciles', message: { oktaGroupId: sales }, inMs: null },
      { queue: 'reconciles', message: { oktaGroupId: product }, inMs: null },
    ]);
    // Else the reconcile could find that nothing has moved.
    expect(await pending(sales, product)).toEqual([
      [sales, ada, true, 1_000],
      [sales, ben, true, 1_000],
      [product, ben, false, 1_000],
    ]);
    expect(call.lines).toEqual([
      {
        level: 'error',
        fields: {
          event: 'events_poisoned',
          requestId: 'test-request',
          eventCount: 4,
          reconciledCount: 2,
          failedCount: 0,
        },
        cause: undefined,
      },
    ]);
  });

  test('asks for the reconcile also where no pending row can be written', async () => {
    await map(sales);
    const down = new Fault('storage_unavailable', { detail: 'Down.', fix: 'Wait.' });
    collector = collectorWith({
      pushPending: { put: () => Promise.reject(down), mark: () => Promise.reject(down) },
    });
    await runQueue(collectEventsPoison, messageOf(event()), 1);
    expect(sent).toEqual([{ queue: 'reconciles', message: { oktaGroupId: sales }, inMs: null }]);
    expect(call.lines).toMatchObject([{ fields: { reconciledCount: 1, failedCount: 1 }, cause: down }]);
  });

  test('asks for what it can where one event breaks its reader', async () => {
    await map(product);
    collector = collectorWith({
      pushMappings: {
        get: (oktaGroupId, within) =>
          oktaGroupId === sales ? Promise.reject(new TypeError('a defect')) : pushMappings.get(oktaGroupId, within),
      },
    });
    await runQueue(collectEventsPoison, messageOf(event(), event({ groupIds: [product] })), 1);
    expect(sent).toMatchObject([{ message: { oktaGroupId: product } }]);
    expect(call.lines).toMatchObject([
      { fields: { reconciledCount: 1, failedCount: 1 }, cause: expect.any(TypeError) },
    ]);
  });

  test.each(['no JSON', null, 7, {}, { events: 'none' }, { events: [{ type: 'group.profile.update' }] }])(
    'never throws: %j',
    async (message) => {
      await runQueue(collectEventsPoison, message, 1);
      expect(call.lines).toMatchObject([{ level: 'error', fields: { event: 'events_poisoned', eventCount: 0 } }]);
    },
  );

  test('never throws where nothing can be sent', async () => {
    await map(sales);
    sendFault = new Fault('storage_unavailable', { detail: 'Down.', fix: 'Wait.' });
    await runQueue(collectEventsPoison, messageOf(event()), 1);
    expect(call.lines).toMatchObject([{ fields: { event: 'events_poisoned', reconciledCount: 0, failedCount: 1 } }]);
  });
});

test.each(['no JSON', null, { events: [null] }, { events: [{ ...event(), groupIds: [7] }] }])(
  'a message of somebody else is told of once, and never tried again: %j',
  async (message) => {
    await runQueue(collectEvents, message, 1);
    expect(call.lines).toMatchObject([{ level: 'error', fields: { event: 'events_unreadable' } }]);
    expect(sent).toEqual([]);
  },
);

test('a batch out of order with a duplicate becomes what its last word is', async () => {
  await map(sales);
  const text = await readFile(
    new URL('samples/synthetic-eventhook-batch-out-of-order-with-duplicate.json', import.meta.url),
    'utf8',
  );
  await collect(...readEnvelope(JSON.parse(text), Date.now()).events);
  expect(await pending(sales)).toEqual([
    [sales, ada, true, Date.parse('2026-11-20T10:00:02.000Z')],
    [sales, ben, true, Date.parse('2026-11-20T10:00:03.000Z')],
  ]);
  expect(sent).toEqual([push(sales)]);
});

async function runQueue(worker: typeof collectEvents, message: unknown, count: number): Promise<void> {
  if (worker.trigger !== 'queue') throw new Error('It has no queue.');
  await worker.run(message, call, { eventCollector: collector } as Services, { count });
}

describe('in the app', () => {
  let world: World;
  let app: App;
  const secret = 'a-secret-of-the-event-hook';

  beforeAll(async () => {
    world = await startWorld();
    app = await world.startApp({ OKTA_EVENT_HOOK_SECRET: secret });
  });
  afterAll(() => world.close());

  test('what Okta delivers is collected', async () => {
    const text = await readFile(
      new URL('samples/synthetic-eventhook-group.profile.update.json', import.meta.url),
      'utf8',
    );
    const { status } = await app.call('POST', 'okta/events', {
      raw: text,
      key: null,
      headers: { authorization: secret },
    });
    expect(status).toBe(204);
    app.host.lookIntoQueues();
    await app.idle();
    expect(linesOf(app.host)).toContainEqual(
      expect.objectContaining({ event: 'events_collected', eventCount: 1, pingCount: 0, groupCount: 0 }),
    );
  });

  test('what was given up is told of', async () => {
    await app.fire('collectEventsPoison', messageOf(event()));
    expect(linesOf(app.host)).toContainEqual(expect.objectContaining({ event: 'events_poisoned', eventCount: 1 }));
  });

  test('a worker learns how often its message has come', async () => {
    const counts: number[] = [];
    const worker: Worker = {
      name: 'failing',
      rooms: ['push'],
      summary: 'Fails twice',
      trigger: 'queue',
      queue: 'failing',
      run: (_, __, ___, { count }) => (counts.push(count) < 3 ? Promise.reject(new Error('again')) : Promise.resolve()),
    };
    const runtime = { services: () => ({}) as Services, clock: systemClock };
    const host = await startLocalHost({
      load: () =>
        Promise.resolve().then(() =>
          registerWorkers([worker], { enabledRooms: new Set(['push'] as const), reconcileSchedule: '' }, runtime),
        ),
      settings: { AzureWebJobsStorage: storage },
      queues: { visibilityTimeoutMs: 0 },
      timers: false,
    });
    const queues = createQueues({ type: 'connectionString', connectionString: storage }, systemClock);
    await queues.send('failing', { n: 1 }, call);
    while (counts.length < 3) {
      host.lookIntoQueues();
      await host.idle();
    }
    await host.close();
    expect(counts).toEqual([1, 2, 3]);
  });
});
