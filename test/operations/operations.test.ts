import { BlobServiceClient } from '@azure/storage-blob';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../shared/clock.ts';
import { endOf, newId, putGroup, setMembers, settableKinds } from '../members/setting.ts';
import { ownStorage } from '../support/environment.ts';
import { startHostProcess } from '../support/hostProcess.ts';
import { type Answer, type App, type JsonObject, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const { name: address } = settableKinds.distributionList;
const cmdlet = 'Add-DistributionGroupMember';
const minuteMs = 60_000;

/** Hours may pass between two lines of a test. */
let aheadMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
let storage: string;
let app: App;
let queue: QueueClient;
let group: { id: string };

beforeEach(async () => {
  await control.reset();
  await control.seed({ users: 500 });
  group = newId();
  await putGroup(control, 'distributionList', { owners: ['amara.osei@contoso.com'], members: [] }, group);
  aheadMs = 0;
  storage = await ownStorage();
  app = await world.startApp({ AzureWebJobsStorage: storage }, { clock });
  queue = QueueServiceClient.fromConnectionString(storage).getQueueClient('operations');
});
afterAll(() => world.close());

const person = (number: number): string => `person${String(number).padStart(6, '0')}@contoso.com`;
const people = (count: number, from = 1): string[] => Array.from({ length: count }, (_, index) => person(from + index));
const set = (members: readonly string[], more: object = {}): Promise<Answer> => setMembers(app, address, members, more);
/** Of work that has been accepted. */
function idOf({ status, body, text }: Answer): string {
  if (status !== 202) throw new Error(`It was not accepted: ${status} ${text}`);
  return String(body?.operationId);
}
const look = async (operationId: string, query: Record<string, string> = {}): Promise<JsonObject> =>
  (await app.call('GET', `operations/${operationId}`, { query })).body ?? {};
const memberCount = async (): Promise<number> => (await control.membersOf(address)).length;
const batches = async (): Promise<number> =>
  (await control.calls({ path: '/$batch' })).filter(({ requestBody }) => JSON.stringify(requestBody).includes(cmdlet))
    .length;

async function until<Value>(read: () => Promise<Value>, isSo: (value: Value) => boolean): Promise<Value> {
  for (;;) {
    const value = await read();
    if (isSo(value)) return value;
    await delay(50);
  }
}

/** Every batch takes so long, so that there is a middle to do something in. */
const slowDown = (exchange: number): Promise<void> =>
  control.tenant({ settings: { latencyMs: { exchange, graph: 0 } } });
const sweepAfter = async (minutes: number): Promise<void> => {
  aheadMs += minutes * minuteMs;
  await app.fire('sweep');
};

describe('an operation', () => {
  test('is told where to be looked at, and runs to its end by itself', async () => {
    const answer = await set(people(230));
    expect(answer).toMatchObject({
      status: 202,
      body: { outcome: 'running', done: false, plannedCount: 230, addedCount: 0, results: [] },
    });
    expect(answer.headers.get('retry-after')).toBe(String(answer.body?.retryAfterSeconds));
    const location = answer.headers.get('operation-location') ?? '';
    const told = await fetch(`${location}?waitSeconds=20`, { headers: { 'x-functions-key': app.host.functionKey } });
    expect([told.status, ((await told.json()) as JsonObject).operationId]).toEqual([200, idOf(answer)]);

    expect((await endOf(app, answer)).body).toMatchObject({
      ok: true,
      state: 'succeeded',
      done: true,
      progressPercent: 100,
      totalCount: 230,
      doneCount: 230,
      addedCount: 230,
      failedCount: 0,
      retryAfterSeconds: null,
      dueAt: null,
      code: null,
      endedAt: expect.any(String),
      startedByRequestId: answer.body?.requestId,
      message: `${address}: 230 added.`,
    });
    expect(await memberCount()).toBe(230);
    // The group is free: somebody else may write at once.
    expect((await app.call('POST', `groups/${address}/members`, { body: { members: [person(300)] } })).status).toBe(
      200,
    );
  });

  test('shows its results page by page, each row once', async () => {
    const operationId = idOf(await set(people(230)));
    await look(operationId, { waitSeconds: '20' });
    const first = await app.call('GET', `operations/${operationId}`);
    expect(first.body).toMatchObject({ hasMore: true, nextCursor: '2' });
    const second = await app.call('GET', `operations/${operationId}`, { query: { cursor: '2' } });
    expect(second.body).toMatchObject({ hasMore: false, nextCursor: null });
    const rows = [...rowsOf(first, 'results'), ...rowsOf(second, 'results')];
    expect(rows.map(({ member }) => member)).toEqual(people(230));
    expect(new Set(rows.map(({ outcome }) => outcome))).toEqual(new Set(['added']));
    expect((await look(operationId, { cursor: '99' })).results).toEqual([]);
  });

  test('is waited for no longer than it lasts, and shows how far it is meanwhile', async () => {
    await slowDown(40);
    const operationId = idOf(await set(people(320)));
    const during = await until(
      () => look(operationId),
      ({ donePages, doneCount, done }) => donePages === 1 || Number(doneCount) > 0 || done === true,
    );
    expect(during).toMatchObject({ state: 'running', doneCount: 200, addedCount: 200, ok: false, endedAt: null });
    expect(during.progressPercent).toBe(52);
    expect(during.retryAfterSeconds).toBeGreaterThanOrEqual(2);
    const startedAtMs = Date.now();
    expect(await look(operationId, { waitSeconds: '20' })).toMatchObject({ done: true, doneCount: 320 });
    expect(Date.now() - startedAtMs).toBeLessThan(12_000);
  });

  test.each(['nobody', '1234567890123456-0a1b2c3d'])(
    'that does not exist (%s) is a 404, to all that ask',
    async (id) => {
      for (const [method, path] of [
        ['GET', `operations/${id}`],
        ['POST', `operations/${id}/cancel`],
      ] as const) {
        expect(await app.call(method, path)).toMatchObject({ status: 404, body: { code: 'operation_not_found' } });
      }
    },
  );

  test('is removed with all its blobs once its time is over', async () => {
    const operationId = idOf(await set(people(120)));
    await look(operationId, { waitSeconds: '20' });
    const container = BlobServiceClient.fromConnectionString(storage).getContainerClient('okta-m365-actions');
    const names = async () => {
      const found: string[] = [];
      for await (const { name } of container.listBlobsFlat({ prefix: 'operations/' })) found.push(name);
      return found;
    };
    expect((await names()).length).toBeGreaterThan(2);
    await sweepAfter(29 * 24 * 60);
    expect((await app.call('GET', `operations/${operationId}`)).status).toBe(200);
    await sweepAfter(366 * 24 * 60);
    expect((await app.call('GET', `operations/${operationId}`)).status).toBe(404);
    expect(await names()).toEqual([]);
  });
});

describe('the list', () => {
  test('is newest first, filtered by state and target, and paged without a gap or a double', async () => {
    const made: string[] = [];
    for (let count = 101; count < 106; count += 1) {
      const answer = await set(people(count, 100 * (count - 101) + 1), { maxRemovals: 500 });
      if (answer.status !== 202) continue;
      made.push(idOf(answer));
      await endOf(app, answer);
    }
    expect(made.length).toBeGreaterThan(3);
    const newestFirst = [...made].reverse();
    const list = async (query: Record<string, string>) => {
      const answer = await app.call('GET', 'operations', { query });
      return { ...answer.body, ids: rowsOf(answer, 'operations').map(({ operationId }) => operationId) };
    };
    expect((await list({})).ids).toEqual(newestFirst);
    expect((await list({ state: 'succeeded', targetId: group.id.toUpperCase() })).ids).toEqual(newestFirst);
    for (const query of [{ state: 'running' }, { state: 'cancelling' }, { targetId: newId().id }] as const) {
      expect(await list(query)).toMatchObject({ ids: [], count: 0, hasMore: false, nextCursor: null });
    }
    const seen: unknown[] = [];
    for (let cursor: string | null = null; ;) {
      const page: JsonObject & { ids: unknown[] } = await list({ limit: '2', ...(cursor !== null && { cursor }) });
      seen.push(...page.ids);
      if (page.hasMore !== true) break;
      expect(page.ids).toHaveLength(2);
      cursor = String(page.nextCursor);
      // What is begun meanwhile is newer, and shifts nothing.
      await endOf(app, await set(people(150, 300), { maxRemovals: 500, dryRun: true }).then(asOperation));
    }
    expect(seen).toEqual(newestFirst);

    function asOperation(answer: Answer): Answer {
      return answer.status === 202 ? answer : { ...answer, body: { operationId: made[0] } };
    }
  });
});

describe('cancelling', () => {
  test('ends what runs before its next slice; what is done stays, and the group is free', async () => {
    await slowDown(60);
    const operationId = idOf(await set(people(450)));
    await until(
      () => look(operationId),
      ({ doneCount }) => Number(doneCount) > 0,
    );
    const dryRun = await app.call('POST', `operations/${operationId}/cancel`, { query: { dryRun: 'true' } });
    expect(dryRun).toMatchObject({ status: 200, body: { ok: true, outcome: 'planned', changed: false, done: false } });
    const answer = await app.call('POST', `operations/${operationId}/cancel`);
    expect(answer).toMatchObject({ status: 200, body: { ok: true, changed: true } });
    expect(['cancelling', 'cancelled']).toContain(answer.body?.outcome);
    const end = await look(operationId, { waitSeconds: '20' });
    expect(end).toMatchObject({ state: 'cancelled', ok: false, code: null, failedCount: 0 });
    expect(end.message).toBe(`Cancelled. ${address}: ${String(end.addedCount)} added.`);
    expect(await memberCount()).toBe(end.addedCount);
    expect(Number(end.addedCount)).toBeLessThan(450);
    expect(await app.call('POST', `operations/${operationId}/cancel`)).toMatchObject({
      status: 200,
      body: { ok: false, outcome: 'already_ended', changed: false, state: 'cancelled' },
    });
    await slowDown(0);
    expect((await set(people(10), { maxRemovals: 500 })).status).not.toBe(409);
  });
});

describe('an upstream', () => {
  test('that throttles for long is waited for, which the operation says, and all is done afterwards', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet },
      fault: { kind: 'throttle', seconds: 1_500 },
      skip: 3,
    });
    const operationId = idOf(await set(people(120)));
    const waiting = await until(
      () => look(operationId),
      ({ dueAt, done }) => dueAt !== null || done === true,
    );
    expect(waiting).toMatchObject({ state: 'running', done: false, code: 'throttled' });
    expect(waiting.message).toContain('throttling');
    expect(Date.parse(String(waiting.dueAt))).toBeGreaterThan(Date.now() + 1_400_000);
    expect(waiting.retryAfterSeconds).toBe(60);
    // What waits can be ended at once; here it is let go on.
    await control.clock({ advanceMs: 1_600_000 });
    // The message is hidden that long by the queue's clock: the sweep, two minutes after it was due, finds it first.
    await sweepAfter(30);
    expect(await look(operationId, { waitSeconds: '20' })).toMatchObject({
      state: 'succeeded',
      addedCount: 120,
      failedCount: 0,
      code: null,
    });
    expect(await memberCount()).toBe(120);
  });

  test('that throttles for long keeps nobody from cancelling, and what was done is told', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet },
      fault: { kind: 'throttle', seconds: 1_500 },
      skip: 3,
    });
    const operationId = idOf(await set(people(120)));
    await until(
      () => look(operationId),
      ({ dueAt }) => dueAt !== null,
    );
    await app.call('POST', `operations/${operationId}/cancel`);
    app.host.lookIntoQueues();
    expect(await look(operationId, { waitSeconds: '20' })).toMatchObject({
      state: 'cancelled',
      addedCount: 30,
      failedCount: 90,
      doneCount: 120,
      message: `Cancelled. ${address}: 30 added, 90 not done.`,
    });
    expect(await memberCount()).toBe(30);
  });

  test('whose answers are lost and which is down for a while costs nothing but time', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet },
      fault: { kind: 'commitThenReset' },
      times: 1,
      skip: 2,
    });
    await control.fault({ upstream: 'exchange', match: { cmdlet }, fault: { kind: 'status', status: 503 }, times: 40 });
    const operationId = idOf(await set(people(120)));
    for (;;) {
      const { done, dueAt } = await look(operationId, { waitSeconds: '1' });
      if (done === true) break;
      if (dueAt !== null) await sweepAfter(10);
      app.host.lookIntoQueues();
    }
    expect(await look(operationId)).toMatchObject({ state: 'succeeded', addedCount: 120, failedCount: 0 });
    expect(await memberCount()).toBe(120);
  });

  test('that refuses for good ends the operation with code and fix, and what was done is told', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet },
      fault: { kind: 'nul', status: 403 },
      times: 100,
      skip: 4,
    });
    const operationId = idOf(await set(people(230)));
    const end = await until(
      async () => {
        const operation = await look(operationId);
        if (operation.dueAt !== null) await sweepAfter(10);
        app.host.lookIntoQueues();
        return operation;
      },
      ({ done }) => done === true,
    );
    expect(end).toMatchObject({ state: 'failed', ok: false, addedCount: 40, code: 'exchange_forbidden' });
    expect(end.fix).not.toBe('');
    expect(String(end.message)).toContain('40 added');
    expect(await memberCount()).toBe(40);
    await control.clearFaults();
    expect((await app.call('POST', `groups/${address}/members`, { body: { members: [person(300)] } })).status).toBe(
      200,
    );
  });
});

describe('a message', () => {
  test('that is lost is replaced by the sweep once the operation has been silent', async () => {
    await slowDown(3_000);
    const host = await startHostProcess(world, storage, { messageLockSeconds: 60 });
    const answer = await host.call('PUT', `groups/${address}/members`, { body: { members: people(120) } });
    await host.kill();
    await queue.clearMessages();
    await slowDown(0);
    const operationId = idOf(answer);
    if ((await look(operationId)).done === true) throw new Error('it had ended before its message was lost');
    await sweepAfter(1);
    await app.idle();
    expect((await look(operationId)).done).toBe(false);
    await sweepAfter(3);
    expect(await look(operationId, { waitSeconds: '20' })).toMatchObject({ state: 'succeeded', addedCount: 120 });
  }, 60_000);

  test('that comes several times makes nobody do anything twice', async () => {
    await slowDown(50);
    const operationId = idOf(await set(people(220)));
    for (let copies = 0; copies < 5; copies += 1) {
      await queue.sendMessage(Buffer.from(JSON.stringify({ operationId })).toString('base64'));
    }
    app.host.lookIntoQueues();
    expect(await look(operationId, { waitSeconds: '20' })).toMatchObject({ state: 'succeeded', addedCount: 220 });
    await app.idle();
    expect(await batches()).toBe(22);
    expect(await look(operationId)).toMatchObject({ state: 'succeeded', addedCount: 220, doneCount: 220 });
  }, 60_000);

  test('of raw text or garbage ends nowhere, and the operations it meant or did not mean go on', async () => {
    const operationId = idOf(await set(people(120)));
    const texts = [JSON.stringify({ operationId }), operationId, 'rubbish!'];
    for (const text of texts) await queue.sendMessage(text);
    for (const text of ['"', '{}', JSON.stringify({ operationId: 'no' }), operationId]) {
      await queue.sendMessage(Buffer.from(text).toString('base64'));
    }
    app.host.lookIntoQueues();
    expect(await look(operationId, { waitSeconds: '20' })).toMatchObject({ state: 'succeeded', addedCount: 120 });
    await until(
      async () => (await queue.getProperties()).approximateMessagesCount,
      (count) => count === 0,
    );
  }, 60_000);
});

describe('a hold that is lost in the middle', () => {
  test('stops the worker; the next one carries on, and each change is told once', async () => {
    await slowDown(300);
    const operationId = idOf(await set(people(240)));
    await until(memberCount, (count) => count > 20);
    const lock = BlobServiceClient.fromConnectionString(storage)
      .getContainerClient('okta-m365-actions')
      .getBlobClient(`groups/${group.id}.json`);
    await lock.getBlobLeaseClient().breakLease(0);
    const other = lock.getBlobLeaseClient();
    await other.acquireLease(60);
    await until(
      () => queue.getProperties(),
      // The turn is over: all that is left of it is the delayed message.
      ({ approximateMessagesCount }) => approximateMessagesCount === 1 && !isBusy(),
    );
    const sent = await batches();
    await slowDown(0);
    await delay(1_000);
    expect(await batches()).toBe(sent);
    expect(await look(operationId)).toMatchObject({ state: 'running', doneCount: 0, addedCount: 0, code: null });
    await other.releaseLease();
    await sweepAfter(5);
    expect(await look(operationId, { waitSeconds: '20' })).toMatchObject({
      state: 'succeeded',
      doneCount: 240,
      addedCount: 240,
      failedCount: 0,
    });
    expect(await memberCount()).toBe(240);

    function isBusy(): boolean {
      return !app.host.logs.some(({ message }) => message.includes('"runOperation"') && message.includes('"worker"'));
    }
  }, 60_000);
});
