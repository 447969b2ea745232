import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { apiTokenOf, createMovedClock } from '../push/movedClock.ts';
import { auditRows } from '../support/auditRows.ts';
import { type Answer, type App, rowsOf } from '../support/world.ts';
import { startOktaRepairs, stepsOf } from './oktaRepairs.ts';

const repairs = await startOktaRepairs();
const { world, control, repair, the, user, appUser, feature, send } = repairs;
const clock = createMovedClock();
const [late, alone, asServiceApp, readingOnly] = await Promise.all([
  world.startApp(apiTokenOf(world.simulator), { clock }),
  world.startApp({ OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' }),
  world.startApp(),
  world.startApp(
    apiTokenOf({ okta: { ...world.simulator.okta, apiToken: `${world.simulator.okta.apiToken}-help-desk` } }),
  ),
]);

beforeEach(() => repairs.reset());
afterAll(() => world.close());

const managed = 'managed';
const login = (): string => the(managed).userPrincipalName;
const paths = async (): Promise<string[]> =>
  (await control.writes()).map(({ method, path }) => `${method} ${/(features|users)(?=\/|$)/.exec(path)?.[1] ?? path}`);
const wholeWay = ['PUT features', 'DELETE users', 'PATCH users', 'POST users', 'PUT features'];
const wholeSteps = [
  ['turnOffDeactivateUsers', 'done'],
  ['unassignFromOkta', 'done'],
  ['setImmutableId', 'done'],
  ['assignInOkta', 'done'],
  ['turnOnDeactivateUsers', 'done'],
];
const repaired = { status: 200, body: { ok: true, outcome: 'repaired', done: true } };

/** What became of the user on both sides, when all is as it should be. */
async function expectWell(former: Awaited<ReturnType<typeof appUser>>): Promise<void> {
  const { id, expected } = the(managed);
  expect(await user(id)).toMatchObject({ onPremisesImmutableId: expected, accountEnabled: true });
  const { userName, profile, scope, id: oktaUserId } = former ?? {};
  expect(await appUser(login())).toMatchObject({ id: oktaUserId, userName, profile, scope });
  expect(await feature()).toBe('ENABLED');
}

async function endOf(answer: Answer, app: App): Promise<Answer> {
  for (;;) {
    const operation = await app.call('GET', `operations/${String(answer.body?.operationId)}`);
    if (operation.body?.done === true) return operation;
    clock.advance(60_000);
    await app.fire('runOperation', { operationId: answer.body?.operationId });
  }
}

describe('a repair that takes care of Okta', () => {
  test('unassigns while "Deactivate Users" is off, and leaves everything as it was', async () => {
    const former = await appUser(login());
    const answer = await repair(managed);
    expect(answer).toMatchObject(repaired);
    expect(stepsOf(answer)).toEqual(wholeSteps);
    expect(await paths()).toEqual(wholeWay);
    await expectWell(former);
    const rows = await auditRows(repairs.app.storage, String(answer.body?.requestId));
    expect(rows.map(({ operation, state, targetType }) => [operation.split('/api')[0], state, targetType])).toEqual([
      ['PUT ', 'succeeded', 'tenant'],
      ['DELETE ', 'succeeded', 'user'],
      [expect.stringMatching(/^PATCH/), 'succeeded', 'user'],
      ['POST ', 'succeeded', 'user'],
      ['PUT ', 'succeeded', 'tenant'],
    ]);
    expect(rows[1]?.before).toMatchObject({ userName: login(), profile: { immutableId: the(managed).expected } });
  });

  test('repeated, touches nothing', async () => {
    await repair(managed);
    await control.clearCalls();
    expect(await repair(managed)).toMatchObject({ status: 200, body: { outcome: 'unchanged' } });
    expect(await paths()).toEqual([]);
  });

  test('works with the scopes of a service app', async () => {
    expect(await repair(managed, {}, asServiceApp)).toMatchObject(repaired);
    const asked = (await control.calls({ path: '/oauth2/v1/token' })).map(({ requestBody }) =>
      JSON.stringify(requestBody),
    );
    expect(asked.filter((body) => body.includes('okta.apps.manage'))).toHaveLength(1);
    expect(asked.filter((body) => body.includes('.read') && body.includes('.manage'))).toEqual([]);
  });

  test('brings the user back to its own user principal name before it is assigned', async () => {
    const former = await appUser(the('free').userPrincipalName);
    expect(await repair('free')).toMatchObject(repaired);
    expect(await paths()).toEqual([
      ...['PUT features', 'DELETE users'],
      ...['PATCH users', 'PATCH users', 'PATCH users', 'PATCH users'],
      ...['POST users', 'PUT features'],
    ]);
    expect(await appUser(the('free').userPrincipalName)).toMatchObject({ profile: former?.profile });
    expect(await user(the('free').id)).toMatchObject({ accountEnabled: true });
  });

  test('leaves "Deactivate Users" alone where it is off', async () => {
    await repairs.setFeature('DISABLED');
    await control.clearCalls();
    expect(await repair(managed)).toMatchObject(repaired);
    expect(await paths()).toEqual(['DELETE users', 'PATCH users', 'POST users']);
    expect(await feature()).toBe('DISABLED');
  });

  test('leaves Okta alone where the user is not assigned', async () => {
    await repairs.okta('DELETE', `apps/${(await repairs.office()).id}/users/${(await appUser(login()))?.id ?? ''}`);
    await control.clearCalls();
    const answer = await repair(managed, { immutableId: the(managed).expected });
    expect(answer).toMatchObject(repaired);
    expect(await paths()).toEqual(['PATCH users']);
    expect(await appUser(login())).toBeNull();
  });

  test('plans its steps without writing', async () => {
    const answer = await repair(managed, { dryRun: true });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'planned' } });
    expect(rowsOf(answer, 'plan').map(({ step }) => step)).toEqual(wholeSteps.map(([step]) => step));
    expect(await paths()).toEqual([]);
  });
});

describe('before the first write', () => {
  const refused = {
    status: 409,
    body: { code: 'assigned_by_group', detail: expect.stringContaining('Office 365 By Group') },
  };

  test('whom a group assigns is refused, naming the group', async () => {
    expect(await repair('bygroup')).toMatchObject(refused);
    expect(await paths()).toEqual([]);
  });

  test('so is who has an assignment beside that of a group', async () => {
    await send('PUT', `okta/groups/${encodeURIComponent('Office 365 By Group')}/members/${login()}`);
    expect(await appUser(login())).toMatchObject({ scope: 'USER' });
    await control.clearCalls();
    expect(await repair(managed)).toMatchObject(refused);
    expect(await paths()).toEqual([]);
  });

  test('nobody is repaired whom Okta does not know, or whom it does not let us look at', async () => {
    const body = { immutableId: the(managed).expected };
    const stranger = await repairs.app.call('POST', 'users/wade.barton@corp.contoso.com/immutable-id/repair', {
      body: { ...body, oktaAppId: '0oaNoSuchApp000000' },
    });
    expect(stranger).toMatchObject({ status: 404, body: { code: 'okta_object_not_found' } });
    const name = 'nobody.in.okta@corp.contoso.com';
    await control.tenant({ users: [{ userPrincipalName: name, displayName: name }] });
    const oktaAppId = (await repairs.office()).id;
    const unknown = await repairs.app.call('POST', `users/${name}/immutable-id/repair`, {
      body: { ...body, oktaAppId },
    });
    expect(unknown).toMatchObject({
      status: 404,
      body: { code: 'okta_object_not_found', detail: expect.stringContaining(name) },
    });
    expect(await repair(managed, body, readingOnly)).toMatchObject({ status: 403, body: { code: 'okta_forbidden' } });
    expect(await paths()).toEqual([]);
  });
});

describe('without credentials for Okta', () => {
  test('the steps before and after are listed for a flow or a person', async () => {
    const { userPrincipalName, expected } = the(managed);
    const { id: appId } = await repairs.office();
    const answer = await repair(managed, { immutableId: expected }, alone);
    expect(answer).toMatchObject(repaired);
    expect(await paths()).toEqual(['PATCH users']);
    const plan = rowsOf(answer, 'plan');
    expect(plan.map(({ step }) => step)).toEqual([
      'turnOffDeactivateUsers',
      'readAssignment',
      'unassignFromOkta',
      'assignInOkta',
      'turnOnDeactivateUsers',
    ]);
    expect(plan[1]).toMatchObject({ request: `GET /api/v1/apps/${appId}/users/{id of the user in Okta}` });
    const dry = await alone.call('GET', `users/${userPrincipalName}/immutable-id`, {
      query: { oktaAppId: appId, oktaUserId: (await appUser(login()))?.id ?? '' },
    });
    expect(rowsOf(dry, 'plan').map(({ request }) => request)).toContain(
      `DELETE /api/v1/apps/${appId}/users/${(await appUser(login()))?.id ?? ''}`,
    );
  });
});

describe('what Okta answers in the middle', () => {
  const writes = [
    ['turning it off', { method: 'PUT', path: '/features/' }, 0],
    ['unassigning', { method: 'DELETE', path: '/users/' }, 0],
    ['assigning', { method: 'POST', path: '/users' }, 0],
    ['turning it on', { method: 'PUT', path: '/features/' }, 1],
  ] as const;
  const faults = [
    ['is lost, and it is not done', { kind: 'reset' }],
    ['is lost, and it is done', { kind: 'commitThenReset' }],
    ['is a 503', { kind: 'status', status: 503 }],
  ] as const;

  test.each([
    ...writes.flatMap(([what, match, skip]) =>
      faults.map(([how, fault]) => [what, how, { match, skip, fault }] as const),
    ),
    [
      'assigning',
      'is a throttle',
      { match: { method: 'POST', path: '/users' }, skip: 0, fault: { kind: 'throttle', seconds: 1 } },
    ] as const,
  ])('to %s %s: all ends as it should', async (_what, _how, rule) => {
    const former = await appUser(login());
    await control.fault({ upstream: 'okta', ...rule, times: 1 });
    const answer = await repair(managed, {}, late);
    if (answer.status === 202) expect(await endOf(answer, late)).toMatchObject({ body: { ok: true } });
    else expect(answer).toMatchObject(repaired);
    await expectWell(former);
  });

  const no = (path: string, method: string, more: object = {}) =>
    control.fault({
      upstream: 'okta',
      match: { method, path },
      fault: {
        kind: 'status',
        status: 403,
        body: {
          errorCode: 'E0000006',
          errorSummary: 'You do not have permission.',
          errorLink: '',
          errorId: '',
          errorCauses: [],
        },
      },
      times: 1,
      ...more,
    });

  test.each([
    ['turned off', '/features/', 'PUT', ['PUT features'], false],
    ['unassigned', '/users/', 'DELETE', ['PUT features', 'DELETE users', 'PUT features'], true],
  ])('where it is not to be %s, nothing is written in Entra', async (_what, path, method, sent, changed) => {
    const former = await appUser(login());
    await no(path, method);
    const answer = await repair(managed);
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: false, outcome: 'refused', code: 'okta_forbidden', changed },
    });
    expect(await paths()).toEqual(sent);
    expect(await user(the(managed).id)).toMatchObject({
      onPremisesImmutableId: the(managed).actual,
      accountEnabled: true,
    });
    expect(await appUser(login())).toMatchObject({ profile: former?.profile });
    expect(await feature()).toBe('ENABLED');
  });

  test('where the user is not to be assigned again a person is called, and it goes on until it is', async () => {
    const former = await appUser(login());
    await no('/users', 'POST', { times: 2 });
    const answer = await repair(managed, {}, late);
    expect(answer).toMatchObject({
      status: 202,
      body: { outcome: 'needs_attention', immutableId: the(managed).expected },
    });
    expect(answer.body?.message).toMatch(/By hand: POST \/api\/v1\/apps\/0oa\w+\/users \{.*anchor\.managed/);
    // Nobody else waits for it.
    expect(await feature()).toBe('ENABLED');
    expect(await endOf(answer, late)).toMatchObject({ body: { state: 'succeeded' } });
    await expectWell(former);
  });

  test('where it is not to be turned on again a person is called, and it goes on until it is', async () => {
    const former = await appUser(login());
    await no('/features/', 'PUT', { skip: 1 });
    const answer = await repair(managed, {}, late);
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'needs_attention' } });
    expect(answer.body?.message).toMatch(/By hand: PUT .*"lifecycleDeactivate":\{"status":"ENABLED"\}/);
    expect(await endOf(answer, late)).toMatchObject({ body: { state: 'succeeded' } });
    await expectWell(former);
  });

  const outage = (method: string, path: string) =>
    control.fault({ upstream: 'okta', match: { method, path }, fault: { kind: 'status', status: 503 }, times: 1_000 });

  test('an outage after the repair calls a person after some minutes, and ends with it', async () => {
    const former = await appUser(login());
    await outage('POST', '/users');
    const answer = await repair(managed, {}, late);
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'running', immutableId: the(managed).expected } });
    clock.advance(6 * 60_000);
    await late.fire('runOperation', { operationId: answer.body?.operationId });
    const operation = await late.call('GET', `operations/${String(answer.body?.operationId)}`);
    expect(operation.body).toMatchObject({
      state: 'needs_attention',
      message: expect.stringContaining('By hand: POST'),
    });
    await control.clearFaults();
    expect(await endOf(answer, late)).toMatchObject({ body: { state: 'succeeded' } });
    await expectWell(former);
  });

  test('an outage before it is waited out for minutes, then nothing is begun in Entra', async () => {
    const former = await appUser(login());
    await outage('DELETE', '/users/');
    const answer = await repair(managed, {}, late);
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'running' } });
    clock.advance(11 * 60_000);
    expect(await endOf(answer, late)).toMatchObject({
      body: { state: 'failed', code: expect.stringMatching(/^(outcome_unknown|upstream_failed|throttled)$/) },
    });
    expect(await control.calls({ upstream: 'graph', method: 'PATCH' })).toEqual([]);
    expect(await appUser(login())).toMatchObject({ profile: former?.profile });
    expect(await feature()).toBe('ENABLED');
  });

  test('who was deactivated meanwhile is left unassigned', async () => {
    await control.fault({
      upstream: 'okta',
      match: { method: 'POST', path: '/users' },
      fault: {
        kind: 'status',
        status: 403,
        body: {
          errorCode: 'E0000038',
          errorSummary: "This operation is not allowed in the user's current status.",
          errorLink: '',
          errorId: '',
          errorCauses: [],
        },
      },
      times: 1,
    });
    const answer = await repair(managed);
    expect(answer).toMatchObject(repaired);
    expect(stepsOf(answer)).toContainEqual(['assignInOkta', 'refused']);
    expect(answer.body?.warnings).toEqual([expect.stringContaining(`${login()} stays unassigned`)]);
    expect(await feature()).toBe('ENABLED');
  });

  test('an unassignment that lands late is taken back at the next look', async () => {
    const former = await appUser(login());
    await control.fault({
      upstream: 'okta',
      match: { method: 'DELETE', path: '/users/' },
      fault: { kind: 'landsLate', afterMs: 3_600_000, reset: true },
      times: 1,
    });
    expect(await repair(managed, {}, late)).toMatchObject(repaired);
    await expectWell(former);
    await send('POST', 'late');
    expect(await appUser(login())).toBeNull();
    clock.advance(5 * 60_000 + 1_000);
    await late.fire('sweep');
    await late.idle();
    await expectWell(former);
  });
});

describe('several repairs at one app', () => {
  test('hold "Deactivate Users" off together, and the last one turns it on', async () => {
    const names = ['managed', 'free', 'missing', 'swapped'];
    const answers = await Promise.all(names.map((name) => repair(name, {}, late)));
    for (const answer of answers) {
      if (answer.status === 202) expect(await endOf(answer, late)).toMatchObject({ body: { ok: true } });
      else expect(answer).toMatchObject(repaired);
    }
    for (const name of names) {
      expect(await user(the(name).id)).toMatchObject({
        onPremisesImmutableId: the(name).expected,
        accountEnabled: true,
      });
      expect(await appUser(the(name).userPrincipalName)).not.toBeNull();
    }
    expect(await feature()).toBe('ENABLED');
  });
});
