import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Fault, type FaultCode } from '../../shared/errors.ts';
import { createBatchOperations } from '../../shared/identity/batch/batchOperation.ts';
import { createBatchPages } from '../../shared/identity/batch/batchPages.ts';
import { type BatchTask, createBatchRepairer } from '../../shared/identity/batch/batchRepairer.ts';
import { createBatchStarter } from '../../shared/identity/batch/repairImmutableIds.ts';
import type { HeldUser, RepairEngine } from '../../shared/identity/repair/engine.ts';
import { noCounts, type Operation } from '../../shared/operations/operation.ts';
import { faultOf, quickClock, type TestCall, testCall } from '../support/rooms.ts';

let call: TestCall;
beforeEach(() => {
  call = testCall();
});
afterEach(() => call.end());

const fault = (code: FaultCode, retryAfterSeconds: number | null = null) =>
  new Fault(code, { detail: `It is ${code}.`, fix: 'Wait.', ...(retryAfterSeconds !== null && { retryAfterSeconds }) });
const none = () => Promise.reject(new Error('not asked for'));
const request = {
  entries: [{ user: 'a', given: null }],
  oktaAppId: '0oa1',
  maxFailures: 0,
  planId: null,
  isDryRun: false,
};
const planned = {
  type: 'repair',
  userId: 'u',
  userPrincipalName: 'a@contoso.com',
  desired: 'right',
  hasOktaPart: true,
} as const;

describe('one user of a list', () => {
  const clock = quickClock();
  const task: BatchTask = {
    operationId: 'op',
    oktaAppId: null,
    entry: { user: 'a', given: null },
    planned,
    openSinceMs: null,
  };

  function repairerOver(check: RepairEngine['check'], resume: HeldUser['resume'] = none) {
    const held: HeldUser = {
      call,
      lost: new AbortController().signal,
      begin: () => Promise.resolve({ repairId: 'r1' } as never),
      resume,
    };
    const repairEngine: RepairEngine = {
      findOpen: none,
      last: () => Promise.resolve(null),
      check,
      hold: (_, __, ___, work) => work(held),
    };
    return createBatchRepairer({ repairEngine, clock });
  }
  const goal = (desired: string | null) => () => Promise.resolve({ goal: { desired }, okta: null } as never);

  test('who is well by now is told so', async () => {
    const repairer = repairerOver(() => Promise.resolve({ goal: null, okta: null } as never));
    expect(await repairer.repair(task, call)).toMatchObject({
      type: 'settled',
      row: { outcome: 'unchanged' },
      isUnexpected: false,
    });
  });

  test.each(['other', null])('who should have another value by now is left alone', async (desired) => {
    const repairer = repairerOver(goal(desired));
    expect(await repairer.repair(task, call)).toMatchObject({
      type: 'settled',
      row: {
        outcome: 'failed',
        code: 'plan_changed',
        message: expect.stringContaining(`should be ${desired ?? 'none'} by now`),
      },
      isUnexpected: true,
    });
  });

  test('is begun anew where somebody else has taken its place', async () => {
    let tries = 0;
    const ended = {
      type: 'ended',
      repair: { record: { ended: 'gone', before: { userPrincipalName: 'a' } }, addresses: null },
    };
    const repairer = repairerOver(goal('right'), () => {
      tries += 1;
      return Promise.resolve(tries === 1 ? null : (ended as never));
    });
    expect(await repairer.repair(task, call)).toMatchObject({ row: { outcome: 'failed', code: 'user_deleted' } });
    expect(tries).toBe(2);
  });

  test('waits for what may pass, as long as is asked for, but not for ever', async () => {
    const repairer = repairerOver(() => Promise.reject(fault('throttled', 40)));
    const open = await repairer.repair(task, call);
    expect(open).toMatchObject({ type: 'open', entry: { code: 'throttled', needsAttention: false } });
    expect(open.type === 'open' ? open.entry.untilMs - clock.now() : 0).toBeGreaterThan(39_000);
    const old = { ...task, openSinceMs: clock.now() - 31 * 60_000 };
    expect(await repairer.repair(old, call)).toMatchObject({
      type: 'settled',
      row: { code: 'throttled' },
      isUnexpected: true,
    });
  });

  test.each<FaultCode>(['storage_unavailable', 'audit_unavailable', 'internal_error'])(
    'is not blamed for %s',
    async (code) => {
      const repairer = repairerOver(() => Promise.reject(fault(code)));
      expect((await faultOf(repairer.repair(task, call))).code).toBe(code);
    },
  );

  test('is not blamed for a defect, nor for the end of the call', async () => {
    await expect(repairerOver(() => Promise.reject(new TypeError('broken'))).repair(task, call)).rejects.toThrow(
      TypeError,
    );
    const ended = testCall({ times: { totalMs: 0, proofMs: 0 } });
    const repairer = repairerOver(() => Promise.reject(fault('deadline_exceeded')));
    expect((await faultOf(repairer.repair(task, ended))).code).toBe('deadline_exceeded');
    ended.end();
  });
});

describe('the operation of a list', () => {
  const operation = {
    operationId: '0000000000000000-00000000',
    type: 'repairImmutableIds',
    targetName: '1 user',
    planPages: 1,
    isDryRun: false,
    counts: noCounts,
  } as unknown as Operation;

  function operationsOver(letGo: () => Promise<boolean>) {
    const pages = new Map<string, unknown>([
      ['input/1', request],
      ['plan/1', [planned]],
    ]);
    const clock = quickClock();
    const runner = createBatchOperations({
      batchPages: createBatchPages({
        readPage: (_, page) => Promise.resolve(pages.get(page) ?? null),
        writePage: (_, page, value) => {
          pages.set(page, value);
          return Promise.resolve();
        },
      }),
      planSlice: { run: none },
      batchRepairer: { repair: none },
      featureLock: { hold: none, letGo, watch: none, notes: none, appIds: none },
      leases: { acquire: () => Promise.resolve(null) },
      clock,
      random: () => 0.5,
    });
    return { runner, clock, pages };
  }

  test('is left to the worker that is at it', async () => {
    const { runner, clock } = operationsOver(none);
    const held = runner.hold(operation, call, none);
    expect((await faultOf(held)).code).toBe('user_busy');
    // Longer than the lease of one who died.
    expect(clock.waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(15_000);
  });

  test('that ends before its time tells every user, whether Okta can be reached or not', async () => {
    const { runner, pages } = operationsOver(() => Promise.reject(fault('throttled')));
    expect(await runner.settle(operation, call)).toMatchObject({ resultPages: 1, counts: { failedCount: 1 } });
    expect(pages.get('results/1')).toMatchObject([{ member: 'a', outcome: 'not_attempted' }]);
    expect(await runner.settle({ ...operation, planPages: null }, call)).toEqual({});
    const broken = operationsOver(() => Promise.reject(new TypeError('broken')));
    await expect(broken.runner.settle(operation, call)).rejects.toThrow(TypeError);
  });

  test('that cannot be queued begins with the next sweep', async () => {
    const stored = { ...operation, operationId: 'op', counts: noCounts, createdAtMs: 0, dueAtMs: null };
    const starter = (enqueue: () => Promise<void>) =>
      createBatchStarter(
        {
          operations: {
            list: () => Promise.resolve({ operations: [], hasMore: false }),
            create: () => Promise.resolve(stored),
            update: () => Promise.resolve(stored),
            get: none,
            remove: none,
            readPage: none,
            writePage: none,
          },
          operationSender: { enqueue },
          batchOperations: { ...operationsOver(none).runner, prepare: () => Promise.resolve() },
          featureLock: null,
          clock: quickClock(),
        },
        'A-Tenant',
      );
    const reply = await starter(() => Promise.reject(fault('storage_unavailable'))).start(request, call);
    expect(reply).toMatchObject({ outcome: 'running', operationId: 'op' });
    expect(call.warnings).toEqual([
      expect.stringContaining('is not configured'),
      expect.stringContaining('could not be queued'),
    ]);
    await expect(starter(() => Promise.reject(new TypeError('broken'))).start(request, call)).rejects.toThrow(
      TypeError,
    );
  });
});
