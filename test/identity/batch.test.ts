import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { apiTokenOf } from '../push/movedClock.ts';
import { type Answer, type App, type JsonObject, rowsOf } from '../support/world.ts';
import { type Crew, seedCrew, startOktaRepairs } from './oktaRepairs.ts';
import { createHurriedClock } from './repairSetting.ts';

const repairs = await startOktaRepairs();
const { world, control, app, feature, appUser, send } = repairs;
const clock = createHurriedClock();
const [late, alone] = await Promise.all([
  world.startApp(apiTokenOf(world.simulator), { clock }),
  world.startApp({ OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' }),
]);
const managedDomain = 'corp.contoso.com';

let crew: Crew;
let oktaAppId: string;
const seed = async (count: number, domain = managedDomain): Promise<void> => {
  crew = await seedCrew(repairs, count, domain);
  oktaAppId = (await repairs.office()).id;
  await control.clearCalls();
};

beforeEach(() => repairs.reset());
afterAll(() => world.close());

const start = (body: object, from: App = app): Promise<Answer> =>
  from.call('POST', 'users/immutable-id/repairs', { body: { users: crew.wanted, oktaAppId, ...body } });
const look = ({ body }: Answer, from: App = app): Promise<Answer> =>
  from.call('GET', `operations/${String(body?.operationId)}`, { query: { waitSeconds: '20' } });

async function endOf(answer: Answer, from: App = app): Promise<Answer> {
  expect(answer).toMatchObject({ status: 202, body: { outcome: 'running', done: false } });
  for (;;) {
    const operation = await look(answer, from);
    if (operation.body?.done === true) return operation;
  }
}
const run = async (body: object = {}, from: App = app): Promise<Answer> => endOf(await start(body, from), from);
const outcomes = (operation: Answer): unknown[] => rowsOf(operation, 'results').map(({ outcome }) => outcome);
const rowOf = (operation: Answer, index: number): JsonObject => rowsOf(operation, 'results')[index] ?? {};
const immutableIds = async (): Promise<(string | null | undefined)[]> => {
  const users = new Map((await repairs.users()).map((user) => [user.userPrincipalName, user.onPremisesImmutableId]));
  return crew.names.map((name) => users.get(name));
};
const right = (count: number): string[] => Array.from({ length: count }, (_, index) => `right-${index}`);
const forbidPatch = (index: number, times = 1_000): Promise<void> =>
  control.fault({
    upstream: 'graph',
    match: { method: 'PATCH', path: `/users/${crew.idOf(crew.names[index] ?? '')}` },
    fault: {
      kind: 'status',
      status: 403,
      body: { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges.' } },
    },
    times,
  });
const toggles = async (): Promise<unknown[]> =>
  (await control.calls({ upstream: 'okta', method: 'PUT' })).map(
    ({ requestBody }) => /ENABLED|DISABLED/.exec(JSON.stringify(requestBody))?.[0],
  );

describe('a dry run', () => {
  test('tells one row for each user, in the order of the request, and writes nothing', async () => {
    await seed(3);
    const [first = { user: '', immutableId: '' }] = crew.wanted;
    const users = [
      ...crew.wanted,
      { user: 'nobody@contoso.com', immutableId: 'x' },
      { user: repairs.the('equal').userPrincipalName },
      { user: repairs.the('bygroup').userPrincipalName },
      { user: repairs.the('synced').id, immutableId: 'y' },
    ];
    const operation = await run({ users, dryRun: true });
    expect(operation.body).toMatchObject({
      type: 'repairImmutableIds',
      state: 'partial',
      planOnly: true,
      planId: expect.stringMatching(/^[0-9a-f]{32}$/),
      totalCount: 3,
      repairedCount: 0,
      unchangedCount: 1,
      failedCount: 3,
      firstError: expect.stringContaining('nobody@contoso.com'),
      message: 'The immutable IDs of 7 users: 3 would be repaired, 1 already as asked, 3 not done.',
    });
    expect(rowsOf(operation, 'results').map(({ member, code }) => [member, code])).toEqual([
      [first.user, 'would_repair'],
      [crew.names[1], 'would_repair'],
      [crew.names[2], 'would_repair'],
      ['nobody@contoso.com', 'member_not_found'],
      [repairs.the('equal').userPrincipalName, 'unchanged'],
      [repairs.the('bygroup').userPrincipalName, 'assigned_by_group'],
      [repairs.the('synced').id, 'on_premises_synced'],
    ]);
    expect(await control.writes()).toEqual([]);
  });

  test('refuses who is named twice, and users who would get the same value', async () => {
    await seed(4);
    const [a = '', b = '', c = '', d = ''] = crew.names;
    const users = [
      { user: a, immutableId: 'one' },
      { user: crew.idOf(a), immutableId: 'two' },
      { user: b, immutableId: 'same' },
      { user: c, immutableId: 'same' },
      { user: d, immutableId: null },
    ];
    const operation = await run({ users, dryRun: true });
    expect(rowsOf(operation, 'results').map(({ code }) => code)).toEqual([
      ...['invalid_request', 'invalid_request'],
      ...['immutable_id_in_use', 'immutable_id_in_use'],
      'would_repair',
    ]);
    expect(rowOf(operation, 0).message).toContain(a);
    expect(rowOf(operation, 2).message).toContain('same');
  });

  test('gives a planId, which holds the repair to this plan', async () => {
    await seed(2);
    const { body } = await run({ dryRun: true });
    const other = await run({ users: crew.wanted.slice(0, 1), planId: body?.planId });
    expect(other.body).toMatchObject({ state: 'failed', code: 'plan_changed' });
    expect(await control.writes()).toEqual([]);
    const same = await run({ users: crew.wanted.toReversed(), planId: body?.planId });
    expect(same.body).toMatchObject({ state: 'succeeded', planId: body?.planId, repairedCount: 2 });
  });
});

describe('a list', () => {
  test('is repaired with one toggle for all, and the first user alone', async () => {
    await seed(12);
    const operation = await run();
    expect(operation.body).toMatchObject({
      ok: true,
      state: 'succeeded',
      progressPercent: 100,
      totalCount: 12,
      doneCount: 12,
      repairedCount: 12,
      failedCount: 0,
      firstError: null,
      message: 'The immutable IDs of 12 users: 12 repaired.',
    });
    expect(outcomes(operation)).toEqual(Array.from({ length: 12 }, () => 'repaired'));
    expect(await immutableIds()).toEqual(right(12));
    expect(await toggles()).toEqual(['DISABLED', 'ENABLED']);
    const writes = (await control.writes()).map(({ method }) => method);
    expect(writes.slice(0, 5)).toEqual(['PUT', 'DELETE', 'PATCH', 'POST', 'DELETE']);
    for (const name of crew.names) {
      expect(await appUser(name)).toMatchObject({ profile: { department: 'Crew' }, scope: 'USER' });
      expect(await repairs.user(crew.idOf(name))).toMatchObject({ accountEnabled: true });
    }
    await control.clearCalls();
    const again = await run();
    expect(again.body).toMatchObject({ state: 'succeeded', totalCount: 0, repairedCount: 0, unchangedCount: 12 });
    expect(await control.writes()).toEqual([]);
  });

  test('leaves Okta alone without its app, and lists what is to be done there without its credentials', async () => {
    await seed(2);
    expect((await run({ oktaAppId: undefined })).body).toMatchObject({ repairedCount: 2 });
    expect(await control.calls({ upstream: 'okta', method: 'DELETE' })).toEqual([]);
    const answer = await start({}, alone);
    expect(answer.body?.warnings).toEqual([expect.stringContaining('getImmutableId, under plan')]);
    expect((await endOf(answer, alone)).body).toMatchObject({ unchangedCount: 2 });
  });

  test('is left alone when the first repair fails', async () => {
    await seed(8);
    await forbidPatch(0);
    const operation = await run();
    expect(operation.body).toMatchObject({
      ok: false,
      state: 'failed',
      code: 'too_many_failures',
      fix: expect.stringContaining('maxFailures'),
      repairedCount: 0,
      failedCount: 8,
    });
    expect(rowOf(operation, 0)).toMatchObject({ outcome: 'failed', code: 'graph_permission_missing' });
    expect(rowOf(operation, 7)).toMatchObject({ outcome: 'not_attempted', code: 'too_many_failures' });
    expect(await immutableIds()).toEqual(right(8).map((value) => value.replace('right', 'wrong')));
    expect(new Set((await control.calls({ upstream: 'graph', method: 'PATCH' })).map(({ path }) => path)).size).toBe(1);
    expect(await toggles()).toEqual(['DISABLED', 'ENABLED']);
  });

  test('is left alone when more repairs fail than it may have', async () => {
    await seed(12);
    await forbidPatch(1);
    await forbidPatch(4);
    const operation = await run({ maxFailures: 1 });
    const told = outcomes(operation);
    expect(operation.body).toMatchObject({ state: 'partial', code: 'too_many_failures' });
    expect([told[0], told[1], told[4], told.at(-1)]).toEqual(['repaired', 'failed', 'failed', 'not_attempted']);
    expect(operation.body?.repairedCount).toBe(told.filter((outcome) => outcome === 'repaired').length);
    expect(await feature()).toBe('ENABLED');
  });

  test('goes on past repairs that fail, as long as they are few', async () => {
    await seed(8);
    await forbidPatch(2);
    const operation = await run({ maxFailures: 1 });
    expect(operation.body).toMatchObject({ state: 'partial', code: null, repairedCount: 7, failedCount: 1 });
    expect(operation.body?.firstError).toContain(crew.names[2]);
  });

  test('sent again while it runs is the same operation', async () => {
    await seed(6);
    await control.tenant({ settings: { latencyMs: { graph: 60, exchange: 0 } } });
    const answer = await start({});
    const again = await start({ users: crew.wanted.toReversed() });
    expect(again.body?.operationId).toBe(answer.body?.operationId);
    const other = await start({ maxFailures: 2 });
    expect(other.body?.operationId).not.toBe(answer.body?.operationId);
    await Promise.all([endOf(answer), endOf(other)]);
    expect(await immutableIds()).toEqual(right(6));
    expect(await feature()).toBe('ENABLED');
  });

  test('ends where it is cancelled, with every user whole', async () => {
    await seed(40);
    await control.tenant({ settings: { latencyMs: { graph: 40, exchange: 0 } } });
    const answer = await start({});
    for (;;) {
      const { body } = await app.call('GET', `operations/${String(answer.body?.operationId)}`);
      if (Number(body?.repairedCount) > 0) break;
      await delay(50);
    }
    await app.call('POST', `operations/${String(answer.body?.operationId)}/cancel`);
    const operation = await endOf(answer);
    const told = outcomes(operation);
    expect(operation.body).toMatchObject({
      state: 'cancelled',
      failedCount: told.filter((each) => each === 'not_attempted').length,
    });
    expect(told).toHaveLength(40);
    expect(told.at(-1)).toBe('not_attempted');
    const values = await immutableIds();
    told.forEach((outcome, index) => {
      expect(values[index]).toBe(outcome === 'repaired' ? `right-${index}` : `wrong-${index}`);
    });
    expect(await feature()).toBe('ENABLED');
    for (const name of crew.names) expect(await appUser(name)).not.toBeNull();
  });
});

describe('what stands in the way in the middle', () => {
  /** The one at home, the move and the one away go through; the way home is refused. */
  const keepAway = (name: string): Promise<void> =>
    control.fault({
      upstream: 'graph',
      match: { method: 'PATCH', path: `/users/${crew.idOf(name)}` },
      skip: 3,
      times: 1_000,
      fault: {
        kind: 'status',
        status: 403,
        body: { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges.' } },
      },
    });

  /** Lets time go by until it has ended. */
  async function hurry(answer: Answer): Promise<Answer> {
    for (;;) {
      const operation = await late.call('GET', `operations/${String(answer.body?.operationId)}`);
      if (operation.body?.done === true) return operation;
      clock.advance(11 * 60_000);
      await late.fire('runOperation', { operationId: answer.body?.operationId });
      await late.idle();
    }
  }

  test('somebody who cannot be brought home does not keep the others waiting, and calls a person', async () => {
    await seed(4, 'contoso.com');
    const [, second = ''] = crew.names;
    await keepAway(second);
    const answer = await start({}, late);
    await late.idle();
    const waiting = await late.call('GET', `operations/${String(answer.body?.operationId)}`);
    expect(waiting.body).toMatchObject({
      state: 'needs_attention',
      done: false,
      code: 'needs_attention',
      repairedCount: 3,
    });
    expect(waiting.body?.message).toContain(second);
    // Nobody is unassigned any more but the one, for whom it does not matter.
    expect(await feature()).toBe('ENABLED');
    await control.clearFaults();
    const operation = await hurry(answer);
    expect(operation.body).toMatchObject({ state: 'succeeded', repairedCount: 4, failedCount: 0 });
    expect(await immutableIds()).toEqual(right(4));
    expect(await appUser(second)).toMatchObject({ scope: 'USER' });
  });

  test('a user whom somebody else repairs is waited for, though not for ever', async () => {
    await seed(3, 'contoso.com');
    const [first = ''] = crew.names;
    await keepAway(first);
    const own = await late.call('POST', `users/${first}/immutable-id/repair`, { body: { immutableId: 'own' } });
    expect(own.body).toMatchObject({ outcome: 'needs_attention' });
    const answer = await start({ maxFailures: 5 }, late);
    await late.idle();
    const waiting = await late.call('GET', `operations/${String(answer.body?.operationId)}`);
    // The latter where the worker of that repair is just at it.
    const underWay = expect.stringMatching(/^(repair_running|user_busy)$/);
    expect(waiting.body).toMatchObject({ state: 'running', done: false, code: underWay, repairedCount: 0 });
    const operation = await hurry(answer);
    expect(rowOf(operation, 0)).toMatchObject({ outcome: 'failed', code: underWay });
    expect(operation.body).toMatchObject({ code: 'too_many_failures' });
    expect(await feature()).toBe('ENABLED');
  });

  test('a throttle and lost answers are waited out', async () => {
    await seed(6);
    const patch = { method: 'PATCH', path: '/users/' };
    await control.fault({ upstream: 'graph', match: patch, fault: { kind: 'commitThenReset' }, times: 1, skip: 1 });
    await control.fault({
      upstream: 'graph',
      match: patch,
      fault: { kind: 'throttle', seconds: 1 },
      times: 1,
      skip: 2,
    });
    await control.fault({ upstream: 'okta', match: { method: 'PUT' }, fault: { kind: 'commitThenReset' }, times: 2 });
    expect((await run()).body).toMatchObject({ state: 'succeeded', repairedCount: 6 });
    expect(await feature()).toBe('ENABLED');
  });

  test('"Deactivate Users" that is not to be turned on again is told, and turned on by the sweep', async () => {
    await seed(2);
    const no = { errorCode: 'E0000006', errorSummary: 'No.', errorLink: '', errorId: '', errorCauses: [] };
    await control.fault({
      upstream: 'okta',
      match: { method: 'PUT' },
      skip: 1,
      times: 2,
      fault: { kind: 'status', status: 403, body: no },
    });
    const operation = await run();
    expect(operation.body).toMatchObject({ state: 'succeeded', repairedCount: 2 });
    expect(operation.body?.warnings).toEqual([expect.stringContaining('"Deactivate Users" is not on as before')]);
    expect(await feature()).toBe('DISABLED');
    // The sweep is refused once, and survives it.
    await app.fire('sweep');
    expect(await feature()).toBe('DISABLED');
    await app.fire('sweep');
    expect(await feature()).toBe('ENABLED');
  });

  test('one that is turned off late is turned on by the sweep, within an hour', async () => {
    await seed(2);
    await control.fault({
      upstream: 'okta',
      match: { method: 'PUT' },
      times: 1,
      fault: { kind: 'landsLate', afterMs: 3_600_000, reset: true },
    });
    const operation = await endOf(await start({}, late), late);
    expect(operation.body).toMatchObject({ state: 'succeeded', repairedCount: 2 });
    expect(await feature()).toBe('ENABLED');
    await late.fire('sweep');
    await send('POST', 'late');
    expect(await feature()).toBe('DISABLED');
    await late.fire('sweep');
    expect(await feature()).toBe('ENABLED');
    clock.advance(61 * 60_000);
    await late.fire('sweep');
    await control.clearCalls();
    await late.fire('sweep');
    expect(await control.calls({ upstream: 'okta' })).toEqual([]);
  });
});

describe('a request', () => {
  test('is told every fault of every user', async () => {
    await seed(1);
    const users = [
      { user: 'a@contoso.com', objectGuid: 'x' },
      { user: 'b@contoso.com' },
      { user: 'c', immutableId: 'a', oktaUserId: 'b' },
    ];
    const answer = await start({ users });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors').map(({ pointer }) => pointer)).toEqual([
      '/users/0/objectGuid',
      '/users/2/immutableId',
      '/users/2/oktaUserId',
    ]);
  });

  test.each([[[]], [Array.from({ length: 1_001 }, () => ({ user: 'a@contoso.com' }))]])(
    'names 1 to 1,000 users',
    async (users) => {
      await seed(1);
      expect(await start({ users })).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    },
  );
});
