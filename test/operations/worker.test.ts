import { beforeEach, describe, expect, test } from '@jest/globals';
import { Fault, type FaultCode } from '../../shared/errors.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import { createOperationRetention } from '../../shared/operations/operationRetention.ts';
import { createOperations } from '../../shared/operations/operations.ts';
import { createOperationSender, type OperationSender } from '../../shared/operations/operationSender.ts';
import { createOperationStore, type OperationStore } from '../../shared/operations/operationStore.ts';
import { createOperationWorker, type OperationWorker } from '../../shared/operations/operationWorker.ts';
import type { HeldOperation, OperationRunner, Step } from '../../shared/operations/runner.ts';
import { createSweeper } from '../../shared/operations/sweeper.ts';
import { createBlobs } from '../../shared/store/blobs.ts';
import { createTables } from '../../shared/store/tables.ts';
import { ownStorage } from '../support/environment.ts';
import { createFakeClock, type FakeClock } from '../support/fakeClock.ts';
import { preload } from '../support/preload.ts';
import { faultOf, type TestCall, testCall } from '../support/rooms.ts';

await preload();

type Message = Readonly<Record<string, string>>;
type Next = HeldOperation['next'];

const minuteMs = 60_000;
const more = (change: Partial<Operation> = {}): Step => ({ type: 'more', change });
const succeeded: Step = { type: 'ended', change: {}, state: 'succeeded', fault: null };
const fault = (code: FaultCode, retryAfterSeconds?: number): Fault =>
  new Fault(code, {
    detail: `It is ${code}.`,
    fix: `Mend ${code}.`,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });

let clock: FakeClock;
let store: OperationStore;
let worker: OperationWorker;
let sender: OperationSender;
/** On the queue, oldest first; `atMs` is when they can be seen. */
let queued: { atMs: number; message: Message }[];
let isQueueDown: boolean;
/** What the runner does, slice by slice. */
let next: Next;
let hold: { busy: boolean; lost: AbortController; lettingGo: number; turns: number };
let call: TestCall;

beforeEach(async () => {
  clock = createFakeClock();
  call = testCall();
  const storage = { type: 'connectionString', connectionString: await ownStorage() } as const;
  store = createOperationStore({ tables: createTables(storage), blobs: createBlobs(storage), clock });
  queued = [];
  isQueueDown = false;
  next = () => Promise.resolve(succeeded);
  hold = { busy: false, lost: new AbortController(), lettingGo: 0, turns: 0 };
  const runner: OperationRunner = {
    type: 'setMembers',
    hold: async (_, within, work) => {
      if (hold.busy) throw fault('group_busy');
      hold.turns += 1;
      const letGo = () => {
        hold.lettingGo += 1;
        return Promise.resolve();
      };
      await work({ call: within, lost: hold.lost.signal, next: (operation, save) => next(operation, save), letGo });
    },
    settle: ({ isUnderway, counts }) =>
      Promise.resolve(isUnderway ? { isUnderway: false, counts: { ...counts, doneCount: counts.doneCount + 1 } } : {}),
    summary: ({ counts }) => `${counts.doneCount} done.`,
  };
  const queues = {
    send: (_: string, message: Message, __: unknown, dueAtMs?: number) => {
      if (isQueueDown) return Promise.reject(fault('storage_unavailable'));
      const due = dueAtMs === undefined ? {} : { dueAt: new Date(dueAtMs).toISOString() };
      queued.push({ atMs: dueAtMs ?? clock.now(), message: { ...message, ...due } });
      return Promise.resolve();
    },
  };
  sender = createOperationSender({ queues });
  worker = createOperationWorker({ operations: store, operationSender: sender, runners: [runner], clock });
});

async function create(change: Partial<Operation> = { state: 'queued' }): Promise<string> {
  const { operationId } = await store.create(
    {
      type: 'setMembers',
      targetId: 'a-group',
      targetName: 'team@contoso.com',
      requestId: 'a-request',
      isDryRun: false,
      fingerprint: 'a-fingerprint',
      message: 'Being made exact.',
    },
    call,
  );
  await store.update(operationId, change, call);
  return operationId;
}

async function stored(operationId: string): Promise<Operation> {
  const operation = await store.get(operationId, call);
  if (operation === null) throw new Error('the operation is gone');
  return operation;
}

const run = (message: unknown): Promise<void> => worker.run(message, call);

/** All messages that can be seen, one after the other, until there is none. */
async function drain(): Promise<void> {
  for (;;) {
    const index = queued.findIndex(({ atMs }) => atMs <= clock.now());
    if (index === -1) return;
    const [taken] = queued.splice(index, 1);
    await run(taken?.message);
  }
}

describe('a turn', () => {
  test('goes on slice by slice to the end, and lets the target go', async () => {
    const operationId = await create();
    let slices = 0;
    next = () => Promise.resolve(++slices < 3 ? more({ donePages: slices }) : succeeded);
    await run({ operationId });
    expect(await stored(operationId)).toMatchObject({
      state: 'succeeded',
      donePages: 2,
      endedAtMs: clock.now(),
      code: null,
      fix: null,
      message: '0 done.',
      tries: 0,
    });
    expect(hold).toMatchObject({ turns: 1, lettingGo: 1 });
    expect(queued).toEqual([]);
  });

  test('leaves the rest to another message when it has had its time', async () => {
    const operationId = await create();
    next = () => {
      clock.advance(3 * minuteMs);
      return Promise.resolve(more());
    };
    await run({ operationId });
    expect(await stored(operationId)).toMatchObject({ state: 'running', endedAtMs: null });
    expect(queued).toEqual([{ atMs: clock.now(), message: { operationId } }]);
    expect(hold.lettingGo).toBe(0);
  });

  test('that has to wait says until when and for what, and forgets it when it goes on', async () => {
    const operationId = await create();
    const untilMs = clock.now() + 10 * minuteMs;
    let slices = 0;
    next = () =>
      Promise.resolve(
        ++slices > 1 ? more() : { type: 'wait', change: {}, untilMs, code: 'throttled', why: 'Exchange asks to wait.' },
      );
    await run({ operationId });
    expect(await stored(operationId)).toMatchObject({
      state: 'running',
      dueAtMs: untilMs,
      code: 'throttled',
      message: 'Exchange asks to wait.',
    });
    expect(queued).toEqual([{ atMs: untilMs, message: { operationId, dueAt: new Date(untilMs).toISOString() } }]);
    clock.advance(10 * minuteMs);
    let during: Operation | undefined;
    next = async () => {
      during = await stored(operationId);
      return succeeded;
    };
    await drain();
    expect(during).toMatchObject({ dueAtMs: null, code: null, message: 'Being made exact.' });
    expect(await stored(operationId)).toMatchObject({ state: 'succeeded' });
  });

  test('gives signs of life while one slice takes long, and none afterwards', async () => {
    const operationId = await create();
    const seen: number[] = [];
    next = async () => {
      for (let minute = 0; minute < 4; minute += 1) {
        clock.advance(minuteMs);
        // The sign is on its way to the storage, in real time.
        while ((await stored(operationId)).updatedAtMs < clock.now()) await Promise.resolve();
        seen.push(await worker.revive(call));
      }
      return succeeded;
    };
    await run({ operationId });
    expect(seen).toEqual([0, 0, 0, 0]);
    expect(queued).toEqual([]);
    expect((await stored(operationId)).state).toBe('succeeded');
    expect(call.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('goes on from what is stored now, not from when it began to wait for the target', async () => {
    const operationId = await create();
    next = () => Promise.reject(new Error('must not be called'));
    const waiting = { ...(await stored(operationId)) };
    await store.update(operationId, { state: 'succeeded' }, call);
    // The message was read before the end.
    const get = store.get.bind(store);
    let reads = 0;
    Object.assign(store, {
      get: (...args: Parameters<OperationStore['get']>) => (++reads === 1 ? Promise.resolve(waiting) : get(...args)),
    });
    await run({ operationId });
    expect([hold.turns, reads]).toEqual([1, 2]);
  });

  test('tells the warnings of all turns, each once', async () => {
    const operationId = await create();
    next = () => {
      call.warn('Mind this.');
      return Promise.resolve(more());
    };
    const { next: once } = { next };
    let slices = 0;
    next = (...args) => (++slices > 2 ? Promise.resolve(succeeded) : once(...args));
    await run({ operationId });
    expect((await stored(operationId)).warnings).toEqual(['Mind this.']);
  });
});

describe('a message', () => {
  test.each([
    'no json',
    null,
    42,
    {},
    { operationId: 7 },
    { operationId: "x' or true" },
    { operationId: '0000000000000000-00000000' },
  ])('that names no operation (%j) is worked off', async (message) => {
    await run(message);
    await worker.giveUp(message, call);
    expect([hold.turns, queued]).toEqual([0, []]);
  });

  test.each(['preparing', 'succeeded', 'failed'] as const)('for what is %s is worked off', async (state) => {
    const operationId = await create({ state });
    await run({ operationId });
    expect(hold.turns).toBe(0);
    expect((await stored(operationId)).state).toBe(state);
  });

  test('that is seen early goes back until it is due', async () => {
    const dueAtMs = clock.now() + minuteMs;
    const operationId = await create({ state: 'running', dueAtMs });
    await run({ operationId, dueAt: new Date(dueAtMs).toISOString() });
    expect(hold.turns).toBe(0);
    expect(queued).toEqual([{ atMs: dueAtMs, message: { operationId, dueAt: new Date(dueAtMs).toISOString() } }]);
    clock.advance(minuteMs);
    await drain();
    expect((await stored(operationId)).state).toBe('succeeded');
  });

  test('that is one too many for what waits is worked off: another is on its way', async () => {
    const operationId = await create({ state: 'running', dueAtMs: clock.now() + minuteMs });
    await run({ operationId });
    await run({ operationId, dueAt: new Date(clock.now() + 1).toISOString() });
    expect([hold.turns, queued]).toEqual([0, []]);
  });

  test('for what another worker has is worked off', async () => {
    const operationId = await create({ state: 'running' });
    hold.busy = true;
    await run({ operationId });
    expect(queued).toEqual([]);
    expect(await stored(operationId)).toMatchObject({ state: 'running', failures: 0, code: null });
  });
});

describe('a fault', () => {
  test('that may pass is waited out, longer each time, and told meanwhile', async () => {
    const operationId = await create();
    next = () => Promise.reject(fault('upstream_failed'));
    const waitsMs: number[] = [];
    for (let tries = 0; tries < 12; tries += 1) {
      const atMs = clock.now();
      await run({ operationId });
      const { dueAtMs, ...rest } = await stored(operationId);
      expect(rest).toMatchObject({ state: 'running', code: 'upstream_failed', message: 'It is upstream_failed.' });
      expect(queued.splice(0)).toMatchObject([{ atMs: dueAtMs }]);
      waitsMs.push((dueAtMs ?? 0) - atMs);
      clock.advance(waitsMs.at(-1) ?? 0);
    }
    expect(waitsMs.slice(0, 3)).toEqual([5_000, 10_000, 20_000]);
    expect(Math.max(...waitsMs)).toBe(30 * minuteMs);
    next = () => Promise.resolve(succeeded);
    await run({ operationId });
    expect(await stored(operationId)).toMatchObject({ state: 'succeeded', code: null, fix: null });
  });

  test('that says how long to wait is waited for that long', async () => {
    const operationId = await create();
    next = () => Promise.reject(fault('throttled', 3_600));
    await run({ operationId });
    expect((await stored(operationId)).dueAtMs).toBe(clock.now() + 3_600_000);
  });

  test('that does not pass for half a day ends it, with what was done', async () => {
    const operationId = await create();
    await store.update(operationId, { isUnderway: true, failures: 29 }, call);
    next = () => Promise.reject(fault('throttled'));
    await run({ operationId });
    expect(await stored(operationId)).toMatchObject({ state: 'running', failures: 30 });
    clock.advance(30 * minuteMs);
    await run({ operationId });
    expect(await stored(operationId)).toMatchObject({
      state: 'failed',
      endedAtMs: clock.now(),
      code: 'throttled',
      fix: 'Mend throttled.',
      message: 'It is throttled. 1 done.',
      isUnderway: false,
    });
  });

  test('that stays ends it at once, with code and fix', async () => {
    const operationId = await create();
    next = () => Promise.reject(fault('exchange_forbidden'));
    await run({ operationId });
    expect(await stored(operationId)).toMatchObject({
      state: 'failed',
      code: 'exchange_forbidden',
      message: 'It is exchange_forbidden.',
      fix: 'Mend exchange_forbidden.',
    });
    expect(queued).toEqual([]);
  });

  test('after progress counts anew', async () => {
    const operationId = await create({ state: 'running', failures: 20 });
    let slices = 0;
    next = () => (++slices === 1 ? Promise.resolve(more({ failures: 0 })) : Promise.reject(fault('throttled')));
    await run({ operationId });
    expect((await stored(operationId)).failures).toBe(1);
  });

  test('of the queue itself leaves the message to the host', async () => {
    const operationId = await create();
    next = () => Promise.reject(fault('throttled'));
    isQueueDown = true;
    expect((await faultOf(run({ operationId }))).code).toBe('storage_unavailable');
    isQueueDown = false;
    await worker.giveUp({ operationId }, call);
    expect(queued).toMatchObject([{ message: { operationId } }]);
    expect((await stored(operationId)).state).toBe('running');
  });
});

describe('a hold that is lost', () => {
  test('stops the turn, counts as no failure, and the next worker carries on', async () => {
    const operationId = await create();
    next = () => {
      hold.lost.abort();
      return Promise.reject(fault('deadline_exceeded'));
    };
    await run({ operationId });
    expect(await stored(operationId)).toMatchObject({ state: 'running', failures: 0, code: null, dueAtMs: null });
    expect(queued).toMatchObject([{ atMs: clock.now() + 15_000 }]);
    hold.lost = new AbortController();
    next = () => Promise.resolve(succeeded);
    clock.advance(15_000);
    await drain();
    expect((await stored(operationId)).state).toBe('succeeded');
  });
});

describe('a defect', () => {
  test('goes to the host each time, and ends the operation when its message is given up', async () => {
    const operationId = await create();
    next = () => Promise.reject(new TypeError('secret details'));
    for (let tries = 0; tries < 5; tries += 1) await expect(run({ operationId })).rejects.toThrow(TypeError);
    expect(await stored(operationId)).toMatchObject({ state: 'running', tries: 5, defect: 'test-request' });
    await worker.giveUp({ operationId }, call);
    const ended = await stored(operationId);
    expect(ended).toMatchObject({ state: 'failed', code: 'internal_error', endedAtMs: clock.now() });
    expect(ended.fix).toContain('test-request');
    expect(JSON.stringify(ended)).not.toContain('secret details');
    expect(call.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ event: 'operation_poisoned' }) }),
    );
    await worker.giveUp({ operationId }, call);
    expect(queued).toEqual([]);
  });

  test('is thrown even where it cannot be stored', async () => {
    const operationId = await create();
    next = () => Promise.reject(new TypeError('a defect'));
    const update = store.update.bind(store);
    Object.assign(store, {
      update: (...args: Parameters<OperationStore['update']>) =>
        'defect' in args[1] ? Promise.reject(fault('storage_unavailable')) : update(...args),
    });
    await expect(run({ operationId })).rejects.toThrow('a defect');
    expect(call.lines).toMatchObject([{ fields: { event: 'defect_not_stored', code: 'storage_unavailable' } }]);
  });

  test('that was followed by progress is forgotten: a message that was given up is put on its way again', async () => {
    const operationId = await create();
    next = () => Promise.reject(new TypeError('a defect'));
    await expect(run({ operationId })).rejects.toThrow();
    let slices = 0;
    next = () => (++slices === 1 ? Promise.resolve(more()) : Promise.reject(fault('throttled')));
    await run({ operationId });
    queued = [];
    await worker.giveUp({ operationId }, call);
    expect(queued).toMatchObject([{ message: { operationId } }]);
    expect((await stored(operationId)).state).toBe('running');
  });

  test('of a type that nobody carries out ends as poison', async () => {
    const operationId = await create({ state: 'queued' });
    const nobody = createOperationWorker({
      operations: store,
      operationSender: { enqueue: () => Promise.resolve() },
      runners: [],
      clock,
    });
    await expect(nobody.run({ operationId }, call)).rejects.toThrow('no runner');
  });
});

test('workers that die again and again without any progress do not do so for ever', async () => {
  const operationId = await create({ state: 'running', tries: 9 });
  let slices = 0;
  const update = store.update.bind(store);
  // Killed: nothing is stored any more.
  next = () => {
    slices += 1;
    Object.assign(store, { update: () => new Promise(() => undefined) });
    return new Promise(() => undefined);
  };
  void run({ operationId });
  while (slices === 0) await new Promise((resolve) => setImmediate(resolve));
  Object.assign(store, { update });
  expect((await stored(operationId)).tries).toBe(10);
  await worker.giveUp({ operationId }, call);
  await drain();
  expect(await stored(operationId)).toMatchObject({ state: 'failed', code: 'internal_error' });
  expect([slices, hold.lettingGo]).toEqual([1, 1]);
});

describe('the sweep', () => {
  const sweep = () =>
    createSweeper({
      revivals: [{ name: 'operations', revive: (reviving) => worker.revive(reviving) }],
      retentions: [],
    }).sweep(call);

  test('queues what has been silent for two minutes, and less and less often while nobody takes it', async () => {
    const operationId = await create();
    clock.advance(2 * minuteMs);
    await sweep();
    expect(queued).toEqual([]);
    const startMs = clock.now();
    const sentAfterMinutes: number[] = [];
    for (let minute = 0; minute < 300; minute += 1) {
      clock.advance(minuteMs);
      await sweep();
      sentAfterMinutes.push(...queued.splice(0).map(() => (clock.now() - startMs) / minuteMs));
    }
    expect(sentAfterMinutes).toEqual([1, 6, 15, 32, 65, 130, 195, 260]);
    await run({ operationId });
    expect(await stored(operationId)).toMatchObject({ state: 'succeeded', revivals: 0 });
  }, 60_000);

  test('leaves what waits alone until it is due, unless it shall end', async () => {
    const dueAtMs = clock.now() + 60 * minuteMs;
    const operationId = await create({ state: 'running', dueAtMs });
    clock.advance(61 * minuteMs);
    await sweep();
    expect(queued).toEqual([]);
    await store.update(operationId, { dueAtMs: clock.now() + 60 * minuteMs, cancelRequested: true }, call);
    clock.advance(3 * minuteMs);
    await sweep();
    expect(queued).toHaveLength(1);
    await drain();
    expect((await stored(operationId)).state).toBe('cancelled');
  });

  test('ends what its request never finished preparing', async () => {
    const operationId = await create({ state: 'preparing' });
    clock.advance(2 * minuteMs);
    await sweep();
    expect((await stored(operationId)).state).toBe('preparing');
    clock.advance(1);
    await sweep();
    expect(await stored(operationId)).toMatchObject({
      state: 'failed',
      code: 'not_attempted',
      endedAtMs: clock.now(),
      fix: 'Repeat the request.',
    });
    expect(queued).toEqual([]);
  });

  test('looks at all that goes on, however many', async () => {
    const many = 201;
    for (let count = 0; count < many; count += 1) {
      clock.advance(1);
      await create();
    }
    clock.advance(3 * minuteMs);
    await sweep();
    expect(new Set(queued.map(({ message }) => message.operationId)).size).toBe(many);
    expect(call.lines).toContainEqual({
      level: 'info',
      fields: expect.objectContaining({ part: 'operations', count: many }),
      cause: undefined,
    });
  }, 60_000);

  test('gives every part its turn, whatever becomes of another', async () => {
    const ran: string[] = [];
    const part = (name: string, end: Promise<number>) => {
      end.catch(() => undefined);
      return {
        name,
        removeExpired: () => {
          ran.push(name);
          return end;
        },
      };
    };
    const sweeper = createSweeper({
      revivals: [{ name: 'operations', revive: () => Promise.reject(fault('storage_unavailable')) }],
      retentions: [
        part('broken', Promise.reject(new TypeError('a defect'))),
        part('full', Promise.resolve(3)),
        part('empty', Promise.resolve(0)),
      ],
    });
    await sweeper.sweep(call);
    expect(ran).toEqual(['broken', 'full', 'empty']);
    expect(call.lines).toMatchObject([
      { level: 'error', fields: { part: 'operations', code: 'storage_unavailable' } },
      { level: 'error', fields: { part: 'broken', code: 'internal_error' } },
      { level: 'info', fields: { part: 'full', count: 3 } },
    ]);
  });

  test('removes what ended long ago with all that belongs to it, and nothing that goes on', async () => {
    const [ended, running] = [await create({ state: 'succeeded' }), await create()];
    await store.writePage(ended, 'results/1', [1], call);
    await store.writePage(ended, 'plan/1', [1], call);
    const day = 24 * 60 * minuteMs;
    clock.advance(30 * day - 1);
    const young = await create({ state: 'failed' });
    const retention = createOperationRetention({ operations: store, clock }, 30);
    expect(await retention.removeExpired(call)).toBe(0);
    clock.advance(1);
    expect(await retention.removeExpired(call)).toBe(1);
    expect(await store.get(ended, call)).toBeNull();
    expect(await store.readPage(ended, 'results/1', call)).toBeNull();
    expect(await store.readPage(ended, 'plan/1', call)).toBeNull();
    expect(await store.get(running, call)).not.toBeNull();
    expect(await store.get(young, call)).not.toBeNull();
    // Two sweeps may meet.
    await store.remove(ended, call);
  });
});

describe('cancelling', () => {
  const cancel = (operationId: string, isDryRun = false) =>
    createOperations({ operations: store, operationSender: sender, clock }).cancel(operationId, isDryRun, call);

  test('what is queued: it ends with the next message, and nothing is done', async () => {
    const operationId = await create();
    next = () => Promise.reject(new Error('must not be called'));
    expect(await cancel(operationId)).toMatchObject({ outcome: 'cancelling', operation: { state: 'queued' } });
    expect(queued).toHaveLength(1);
    await drain();
    expect(await stored(operationId)).toMatchObject({ state: 'cancelled', message: 'Cancelled.', code: null });
    expect(hold.lettingGo).toBe(1);
  });

  test('what runs: it ends before its next slice, and tells what was done', async () => {
    const operationId = await create();
    next = async (operation) => {
      await cancel(operationId);
      return more({ counts: { ...operation.counts, doneCount: 200 } });
    };
    await run({ operationId });
    expect(await stored(operationId)).toMatchObject({ state: 'cancelled', message: 'Cancelled. 200 done.' });
    queued = [];
    expect(await cancel(operationId)).toMatchObject({ outcome: 'already_ended', operation: { state: 'cancelled' } });
    expect(queued).toEqual([]);
  });

  test('what waits for hours: it ends at once', async () => {
    const operationId = await create({ state: 'running', dueAtMs: clock.now() + 60 * minuteMs });
    await cancel(operationId);
    await drain();
    expect((await stored(operationId)).state).toBe('cancelled');
  });

  test('as a dry run changes nothing', async () => {
    const operationId = await create();
    expect(await cancel(operationId, true)).toMatchObject({ outcome: 'planned', operation: { state: 'queued' } });
    expect(await stored(operationId)).toMatchObject({ cancelRequested: false });
    expect(queued).toEqual([]);
  });

  test('what ends by itself meanwhile is told as such', async () => {
    const operationId = await create();
    const ending = { enqueue: () => store.update(operationId, { state: 'succeeded' }, call).then(() => undefined) };
    const operations = createOperations({ operations: store, operationSender: ending, clock });
    expect(await operations.cancel(operationId, false, call)).toMatchObject({
      outcome: 'already_ended',
      operation: { state: 'succeeded' },
    });
  });
});

describe('what is stored', () => {
  test('is changed by two at once without either losing anything', async () => {
    const operationId = await create();
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        store.update(operationId, index === 0 ? { cancelRequested: true } : { donePages: 5 }, call),
      ),
    );
    expect(await stored(operationId)).toMatchObject({ cancelRequested: true, donePages: 5 });
  });

  test('stays as it is once it has ended', async () => {
    const operationId = await create({ state: 'succeeded' });
    await store.update(operationId, { state: 'running', donePages: 9 }, call);
    expect(await stored(operationId)).toMatchObject({ state: 'succeeded', donePages: 0 });
  });

  test('is not found once it is gone', async () => {
    const operationId = await create();
    await store.remove(operationId, call);
    expect((await faultOf(store.update(operationId, {}, call))).code).toBe('operation_not_found');
  });
});
