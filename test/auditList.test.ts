import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connectionString } from '../local/processes/azurite.ts';
import { createAudit, type Intent, type Written } from '../shared/audit/audit.ts';
import { Fault } from '../shared/errors.ts';
import { createTables } from '../shared/store/tables.ts';
import { takeNumber } from './support/counter.ts';
import { testAzurite } from './support/environment.ts';
import { createFakeClock, type FakeClock } from './support/fakeClock.ts';
import { type Proxy, startProxy } from './support/proxy.ts';
import { testCall } from './support/rooms.ts';
import { type Answer, type App, type JsonObject, rowsOf, startWorld, type World } from './support/world.ts';

const startMs = Date.parse('2026-11-20T12:00:00Z');
const dayMs = 86_400_000;

let world: World;
let app: App;
let clock: FakeClock;
let proxy: Proxy;

beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  const { endpoints, accounts, counter } = testAzurite();
  proxy = await startProxy(endpoints.table);
  clock = createFakeClock(startMs);
  const storage = connectionString({ ...endpoints, table: proxy.url }, accounts, await takeNumber(counter));
  app = await world.startApp({ AzureWebJobsStorage: storage }, { clock });
});
afterEach(() => proxy.close());
afterAll(() => world.close());

interface Wrote {
  at?: string;
  action?: string;
  operationId?: string;
  requestId?: string;
  intent?: Partial<Intent>;
  write?: () => Promise<Written<null>>;
}

const succeeded = (): Promise<Written<null>> =>
  Promise.resolve({ result: null, after: { alias: 'new' }, upstreamRequestId: 'their-id' });

/** Puts a write on record as the app does, at any time. */
async function wrote({ at, action = 'test', operationId, requestId = 'r', intent, write = succeeded }: Wrote) {
  const then = createFakeClock(at === undefined ? clock.now() : Date.parse(at));
  const audit = createAudit(createTables({ type: 'connectionString', connectionString: app.storage }), then);
  const call = testCall();
  const whole: Intent = {
    operation: 'Set-DistributionGroup',
    targetType: 'group',
    targetId: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    targetName: 'team@contoso.com',
    before: { alias: 'old' },
    planned: { alias: 'new' },
    ...intent,
  };
  const asked = { ...call, action, requestId, operationId: operationId ?? null };
  await audit.record(whole, asked, write).catch(() => null);
  call.end();
}

const list = (query: Record<string, string> = {}): Promise<Answer> => app.call('GET', 'audit', { query });
const namesIn = (answer: Answer) => rowsOf(answer, 'entries').map(({ targetName }) => targetName);

/** Every page of a list, one after the other. */
async function allPages(query: Record<string, string>, between: () => Promise<void> = () => Promise.resolve()) {
  const pages: JsonObject[][] = [];
  let cursor: string | null = null;
  do {
    const answer = await list({ ...query, ...(cursor !== null && { cursor }) });
    expect(answer.status).toBe(200);
    pages.push(rowsOf(answer, 'entries'));
    expect(answer.body).toMatchObject({ count: pages.at(-1)?.length, hasMore: answer.body?.nextCursor !== null });
    cursor = answer.body?.nextCursor as string | null;
    await between();
  } while (cursor !== null);
  return pages;
}

describe('an entry', () => {
  test('says who changed what, what was there, what was planned and what came of it', async () => {
    await wrote({ action: 'updateGroup', requestId: 'my-request', operationId: 'my-operation' });
    expect((await list()).body).toEqual({
      requestId: expect.any(String),
      count: 1,
      hasMore: false,
      nextCursor: null,
      entries: [
        {
          at: '2026-11-20T12:00:00.000Z',
          finishedAt: '2026-11-20T12:00:00.000Z',
          requestId: 'my-request',
          operationId: 'my-operation',
          action: 'updateGroup',
          operation: 'Set-DistributionGroup',
          targetType: 'group',
          targetId: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
          targetName: 'team@contoso.com',
          state: 'succeeded',
          before: '{"alias":"old"}',
          planned: '{"alias":"new"}',
          after: '{"alias":"new"}',
          code: null,
          message: null,
          upstreamRequestId: 'their-id',
        },
      ],
    });
  });

  test('of a write that is under way has null for what is not known yet', async () => {
    let during: Answer | null = null;
    const write = async () => {
      during = await list();
      return succeeded();
    };
    await wrote({ write });
    const unknown = { finishedAt: null, operationId: null, after: null, code: null, upstreamRequestId: null };
    expect(during).toMatchObject({ body: { entries: [{ state: 'intent', ...unknown }] } });
  });

  test('of a write that failed has the code and the words of its fault', async () => {
    await wrote({ write: () => Promise.reject(new Fault('address_in_use', { detail: 'It is taken.', fix: '-' })) });
    expect((await list()).body).toMatchObject({
      entries: [{ state: 'failed', code: 'address_in_use', message: 'It is taken.', after: 'null' }],
    });
  });

  test('is there for what a request has written, under its id', async () => {
    const body = {
      kind: 'distributionList',
      displayName: 'Audited',
      alias: 'audited',
      primarySmtpAddress: 'audited@contoso.com',
      owners: ['amara.osei@contoso.com'],
    };
    const made = await app.call('POST', 'groups', { body });
    expect(made.status).toBe(201);
    const entries = rowsOf(await list({ target: 'audited@contoso.com' }), 'entries');
    expect(entries).toMatchObject([
      {
        requestId: made.body?.requestId,
        action: 'createGroup',
        operation: 'New-DistributionGroup',
        state: 'succeeded',
      },
    ]);
  });
});

describe('a list', () => {
  test('of an audit that holds nothing is empty, and has been looked for in a few steps', async () => {
    proxy.seen.length = 0;
    expect((await list({ from: '2016-01-01' })).body).toMatchObject({ entries: [], count: 0, hasMore: false });
    // Ten years: the table, the day itself, and stretches of 8, 32, 128, 512, 2,048 days and the rest.
    expect(proxy.seen.length).toBeLessThanOrEqual(8);
  });

  test('begins with the newest, over days with and without rows', async () => {
    const days = [
      '2026-11-20T11:59:59.999Z',
      '2026-11-20T00:00:00Z',
      '2026-11-19T23:59:59.999Z',
      '2026-11-12T08:00:00Z',
    ];
    const old = ['2026-11-11T08:00:00Z', '2026-10-01T08:00:00Z', '2026-09-30T08:00:00Z', '2026-01-02T08:00:00Z'];
    const newestFirst = [...days, ...old];
    for (const at of newestFirst.toReversed()) await wrote({ at, intent: { targetName: at } });
    expect(namesIn(await list())).toEqual(newestFirst);
    for (const limit of [1, 2, 3, 7, 8]) {
      const pages = await allPages({ limit: String(limit) });
      expect(pages.flat().map(({ targetName }) => targetName)).toEqual(newestFirst);
      expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
      // The last page says that it is the last.
      expect(pages).toHaveLength(Math.ceil(newestFirst.length / limit));
    }
  });

  test('loses and doubles nothing while rows are added, though each page takes a moment', async () => {
    const names: string[] = [];
    for (let number = 0; number < 24; number += 1) {
      const targetName = `before ${number}`;
      names.unshift(targetName);
      await wrote({ at: new Date(startMs - (24 - number) * (dayMs / 5)).toISOString(), intent: { targetName } });
    }
    const pages = await allPages({ limit: '5' }, async () => {
      clock.advance(dayMs / 3);
      await wrote({ intent: { targetName: 'meanwhile' } });
    });
    expect(pages.flat().map(({ targetName }) => targetName)).toEqual(names);
  });

  test('has 50 entries a page unless told, and never more than 200', async () => {
    for (let number = 0; number < 52; number += 1) await wrote({});
    expect(rowsOf(await list(), 'entries')).toHaveLength(50);
    expect((await list({ limit: '201' })).body).toMatchObject({ errors: [{ pointer: '/query/limit' }] });
    expect(rowsOf(await list({ limit: '52' }), 'entries')).toHaveLength(52);
  });

  test('goes back as far as the audit is kept, and further when asked', async () => {
    const short = await world.startApp({ AzureWebJobsStorage: app.storage, AUDIT_RETENTION_DAYS: '10' }, { clock });
    await wrote({ at: '2026-11-10T12:00:00Z', intent: { targetName: 'just in' } });
    await wrote({ at: '2026-11-10T11:59:59.999Z', intent: { targetName: 'just out' } });
    expect(namesIn(await short.call('GET', 'audit'))).toEqual(['just in']);
    expect(namesIn(await short.call('GET', 'audit', { query: { from: '2026-11-01' } }))).toHaveLength(2);
    const past = await short.call('GET', 'audit', { query: { to: '2026-11-10T11:59:59.999Z' } });
    expect(namesIn(past)).toEqual(['just out']);
  });
});

describe('a filter', () => {
  const id = '9b2d0a4e-7f7c-4a55-8d7b-6a0f3f1d2c11';
  beforeEach(async () => {
    const mine = { targetId: id, targetName: "O'Brien@Contoso.com" };
    const refused = () => Promise.reject(new Fault('no_mailbox', { detail: 'none', fix: '-' }));
    await wrote({ at: '2026-11-20T09:00:00Z', intent: { ...mine, operation: 'one' }, action: 'addMembers' });
    await wrote({
      at: '2026-11-19T09:00:00Z',
      intent: { operation: 'two' },
      action: 'addMembers',
      operationId: 'long',
    });
    await wrote({ at: '2026-11-18T09:00:00Z', intent: { ...mine, operation: 'three' }, write: refused });
    await wrote({ at: '2026-11-01T09:00:00Z', intent: { targetId: 'crew', targetName: id, operation: 'four' } });
  });
  const operationsIn = (answer: Answer) => rowsOf(answer, 'entries').map(({ operation }) => operation);

  test.each([
    ['the Entra id', { target: id }, ['one', 'three', 'four']],
    ['the Entra id in capitals', { target: id.toUpperCase() }, ['one', 'three', 'four']],
    ['the address in another case', { target: "o'brien@contoso.com" }, ['one', 'three']],
    ['a part of the address', { target: 'contoso.com' }, []],
    ['the action', { action: 'addMembers' }, ['one', 'two']],
    ['the operation', { operationId: 'long' }, ['two']],
    ['the state', { state: 'failed' }, ['three']],
    ['all of them', { target: id, action: 'addMembers', state: 'succeeded' }, ['one']],
    ['the first moment', { from: '2026-11-19T09:00:00Z' }, ['one', 'two']],
    ['a moment after it', { from: '2026-11-19T09:00:00.001Z' }, ['one']],
    ['a first day', { from: '2026-11-18' }, ['one', 'two', 'three']],
    ['the last moment', { to: '2026-11-19T09:00:00Z' }, ['two', 'three', 'four']],
    ['a moment before it', { to: '2026-11-19T08:59:59.999Z' }, ['three', 'four']],
    ['both, in another zone', { from: '2026-11-18T10:00:00+01:00', to: '2026-11-19T10:00:00+01:00' }, ['two', 'three']],
    ['a time without rows', { from: '2026-11-02', to: '2026-11-17T00:00:00Z' }, []],
    ['what would be a filter of its own', { target: "x' or state eq 'failed" }, []],
  ] as [string, Record<string, string>, string[]][])('by %s finds just that', async (_, query, operations) => {
    expect(operationsIn(await list(query))).toEqual(operations);
    expect((await allPages({ ...query, limit: '1' })).flat().map(({ operation }) => operation)).toEqual(operations);
  });

  test.each([
    ['from', '2026-02-30T99:00:00Z'],
    ['to', '2026-13-01'],
    ['from', 'yesterday'],
    ['to', '2026-11-20T08:00:00'],
    ['state', 'done'],
    ['limit', '0'],
    ['target', ''],
    ['from', '2026-11-21'],
  ])('that cannot be meant is refused by name: %s=%s', async (name, value) => {
    const answer = await list({ [name]: value });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ pointer: `/query/${name}` }] },
    });
    expect(answer.body?.fix).not.toBe('');
  });
});

describe('a cursor', () => {
  beforeEach(async () => {
    for (let number = 0; number < 3; number += 1) await wrote({});
  });
  const refused = { status: 400, body: { code: 'invalid_request', errors: [{ pointer: '/query/cursor' }] } };

  test('goes with any page size', async () => {
    const cursor = String((await list({ limit: '1' })).body?.nextCursor);
    expect(rowsOf(await list({ limit: '200', cursor }), 'entries')).toHaveLength(2);
  });

  test('is refused by a list with other filters', async () => {
    const cursor = String((await list({ limit: '1' })).body?.nextCursor);
    expect(await list({ limit: '1', cursor, action: 'test' })).toMatchObject(refused);
    expect(await list({ limit: '1', cursor, to: '2026-11-20' })).toMatchObject(refused);
  });

  test('that is none of ours is refused', async () => {
    const cursor = String((await list({ limit: '1' })).body?.nextCursor);
    const text = Buffer.from(cursor, 'base64url').toString();
    const forged = [text.replace(/^1/, '2'), text.replace('2026-11-20', '2026-11-99'), `${text}'`, 'x', ''];
    for (const each of forged) {
      const sent = each === '' ? '!' : Buffer.from(each).toString('base64url');
      expect(await list({ limit: '1', cursor: sent })).toMatchObject(refused);
    }
  });
});

describe('a store that fails', () => {
  test('is told as such, and works again without a restart', async () => {
    await wrote({});
    proxy.mode = 'refuse';
    const answer = await list();
    expect(answer).toMatchObject({ status: 503, body: { code: 'audit_unavailable', upstream: 'storage' } });
    expect(answer.body?.detail).toContain('cannot be read');
    expect(answer.body?.detail).not.toContain('changed');
    proxy.mode = 'forward';
    expect(rowsOf(await list(), 'entries')).toHaveLength(1);
  });

  test('when time runs out after some pages gives what was found, and the cursor to go on from', async () => {
    for (const at of ['2026-11-20T09:00:00Z', '2026-11-19T09:00:00Z', '2026-10-19T09:00:00Z']) {
      await wrote({ at, intent: { targetName: at } });
    }
    proxy.onRequest = (line) => {
      // The empty 18th is read and the time is up.
      if (line.startsWith('GET') && line.includes('2026-11-18')) clock.advance(30_000);
    };
    const first = await list();
    expect(namesIn(first)).toEqual(['2026-11-20T09:00:00Z', '2026-11-19T09:00:00Z']);
    expect(first.body?.hasMore).toBe(true);
    proxy.onRequest = () => undefined;
    const next = await list({ cursor: String(first.body?.nextCursor) });
    expect(namesIn(next)).toEqual(['2026-10-19T09:00:00Z']);
    expect(next.body?.hasMore).toBe(false);
  });

  test('when there is not even time for a page says how to ask for less', async () => {
    await wrote({});
    proxy.onRequest = () => clock.advance(30_000);
    const answer = await list();
    expect(answer).toMatchObject({ status: 504, body: { code: 'deadline_exceeded', upstream: 'storage' } });
    expect(answer.body?.fix).toContain('/query/from');
  });
});
