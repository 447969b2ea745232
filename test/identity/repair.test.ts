import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { directoryOf } from '../support/directory.ts';
import { type Answer, rowsOf } from '../support/world.ts';
import {
  forbidden,
  refusedForNoReason,
  repairOf,
  startRepairWorld,
  stepsOf,
  swingPatches,
  swingSteps,
} from './repairSetting.ts';

const setting = await startRepairWorld();
const { world, the, seen, patches, fault } = setting;
const { control } = world;
const noServiceApp = { OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' };
// An access token would be forgotten by the org with each new seed.
const app = await world.startApp({ ...noServiceApp, OKTA_API_TOKEN: world.simulator.okta.apiToken });
const alone = await world.startApp({ ...noServiceApp, OKTA_ORG_URL: '' });

beforeEach(() => setting.seed());
afterAll(() => world.close());

const repair = (name: string, body: object = {}): Promise<Answer> => repairOf(app, the(name).userPrincipalName, body);
const federated = ['free', 'missing', 'swapped', 'consistency', 'oktaid', 'cloud', 'twin', 'bare', 'crowded'];
const userWrites = (switches: object) => control.tenant({ settings: { userWrites: switches } });
const globalAdministrator = '62e90394-69f5-4237-9190-012177145e10';

describe('a repair', () => {
  test('in a federated domain takes one refused and three accepted PATCHes, and tells all of it', async () => {
    const { id, userPrincipalName, actual, expected } = the('free');
    const answer = await repair('free');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      requestId: answer.headers.get('x-request-id'),
      ok: true,
      outcome: 'repaired',
      changed: true,
      dryRun: false,
      message: `The immutable ID of ${userPrincipalName} is ${expected}.`,
      warnings: [],
      userId: id,
      userPrincipalName,
      immutableId: expected,
      formerImmutableId: actual,
      desiredImmutableId: expected,
      code: null,
      fix: null,
      operationId: expect.stringMatching(/^\d{16}-/),
      done: true,
      retryAfterSeconds: null,
      steps: [
        { step: 'setImmutableId', outcome: 'refused', code: 'other', message: expect.stringContaining('IMMUTABLEID') },
        { step: 'moveUpn', outcome: 'done', code: 'done', message: expect.stringContaining('onmicrosoft.com') },
        { step: 'setImmutableId', outcome: 'done', code: 'done', message: expect.stringContaining(expected) },
        { step: 'restoreUpn', outcome: 'done', code: 'done', message: expect.stringContaining(userPrincipalName) },
      ],
      plan: [],
      undo: [
        { request: `PATCH /users/${id}`, body: '{"userPrincipalName":"anchor.free@contoso.onmicrosoft.com"}' },
        { request: `PATCH /users/${id}`, body: JSON.stringify({ onPremisesImmutableId: actual }) },
        { request: `PATCH /users/${id}`, body: JSON.stringify({ userPrincipalName }) },
      ],
      addedAddresses: [],
      removedAddresses: [],
      findings: expect.arrayContaining([expect.objectContaining({ code: 'federated_domain' })]),
    });
    expect(await patches()).toEqual(swingPatches);
    // Each is proven: before, after and between them the user is read by its id.
    const calls = await control.calls({ upstream: 'graph', path: `/users/${id}` });
    const driven = calls.slice(calls.findIndex(({ method }) => method === 'PATCH') - 1);
    expect(driven.map(({ method }) => method)).toEqual([...Array<string[]>(4).fill(['GET', 'PATCH']).flat(), 'GET']);
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: expected });
  });

  test('in a managed domain takes one PATCH', async () => {
    const { userPrincipalName, expected } = the('managed');
    expect((await repair('managed')).body).toMatchObject({ ok: true, outcome: 'repaired' });
    expect(await patches()).toEqual(['onPremisesImmutableId 204']);
    expect(await seen('managed')).toEqual({ userPrincipalName, immutableId: expected });
  });

  test('that is repeated writes nothing', async () => {
    await repair('free');
    await control.clearCalls();
    const again = await repair('free');
    expect(again.body).toMatchObject({ ok: true, outcome: 'unchanged', changed: false, operationId: null, done: true });
    expect(await control.writes()).toEqual([]);
  });

  test('brings everybody the value they should have, and the name they had', async () => {
    const answers = await Promise.all(federated.map((name) => repair(name)));
    for (const [index, name] of federated.entries()) {
      const { userPrincipalName, expected } = the(name);
      const answer = answers[index];
      expect(answer?.body).toMatchObject({ outcome: 'repaired', immutableId: expected });
      expect(answer && stepsOf(answer)).toEqual(swingSteps);
      expect(await seen(name)).toEqual({ userPrincipalName, immutableId: expected });
    }
  });

  test('takes what it should be in any of its forms, without Okta, and the object id in any case', async () => {
    const given = {
      free: { objectGuid: the('free').objectGuid },
      missing: { externalId: the('missing').expected },
      swapped: { consistencyGuid: the('swapped').expected },
      cloud: { oktaUserId: the('cloud').expected },
      bare: { immutableId: the('bare').expected },
    };
    const names = Object.entries(given);
    const answers = await Promise.all(names.map(([name, body]) => repairOf(alone, the(name).id.toUpperCase(), body)));
    expect(answers.map(({ body }) => [body?.outcome, body?.immutableId])).toEqual(
      names.map(([name]) => ['repaired', the(name).expected]),
    );
  });

  test('is a part of its operation, which has ended, and cannot be cancelled any more', async () => {
    const { body } = await repair('free');
    const { userPrincipalName, id } = the('free');
    const operationId = String(body?.operationId);
    expect((await app.call('GET', `operations/${operationId}`)).body).toMatchObject({
      ok: true,
      type: 'repairImmutableId',
      state: 'succeeded',
      done: true,
      targetId: id,
      targetName: userPrincipalName,
      message: body?.message,
      startedByRequestId: body?.requestId,
    });
    expect((await app.call('POST', `operations/${operationId}/cancel`)).body).toMatchObject({
      outcome: 'already_ended',
    });
    const listed = await app.call('GET', 'operations', { query: { targetId: id, limit: '1' } });
    expect(rowsOf(listed, 'operations')).toMatchObject([{ operationId }]);
  });

  test('leaves one row in the audit for each write, with its request and its operation', async () => {
    const { body } = await repair('free');
    const { id, userPrincipalName, actual, expected } = the('free');
    const rows = await auditRows(app.storage, String(body?.requestId));
    expect(rows.map(({ state }) => state)).toEqual(['failed', 'succeeded', 'succeeded', 'succeeded']);
    expect(rows[1]).toMatchObject({
      action: 'repairImmutableId',
      operation: 'PATCH /users/{id}',
      operationId: body?.operationId,
      targetType: 'user',
      targetId: id,
      targetName: userPrincipalName,
      before: { userPrincipalName, immutableId: actual },
      planned: { userPrincipalName: 'anchor.free@contoso.onmicrosoft.com' },
      upstreamRequestId: expect.stringMatching(/./),
    });
    expect(rows[2]?.after).toEqual({ onPremisesImmutableId: expected });
  });

  test('waits for what replication has not brought yet', async () => {
    await control.tenant({ settings: { replicationLagMs: { entraReads: 700, entraChecks: 900 } } });
    const { userPrincipalName, expected } = the('free');
    const answer = await repair('free');
    expect(answer.body).toMatchObject({ outcome: 'repaired', userPrincipalName, immutableId: expected });
    await control.tenant({ settings: { replicationLagMs: { entraReads: 0, entraChecks: 0 } } });
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: expected });
  });

  test('asked for twice at once is done once', async () => {
    const answers = await Promise.all([repair('free'), repair('free')]);
    const outcomes = answers.map(({ body }) => String(body?.outcome));
    expect(outcomes).toContain('repaired');
    expect(outcomes.filter((each) => !['repaired', 'running', 'unchanged'].includes(each))).toEqual([]);
    expect(await patches()).toEqual(swingPatches);
    await app.idle();
    expect(await patches()).toEqual(swingPatches);
  });
});

describe('a dry run', () => {
  test('changes nothing, and tells what would be done', async () => {
    const before = await control.state();
    const { userPrincipalName, actual, expected } = the('free');
    const answer = await repair('free', { dryRun: true });
    expect(answer.body).toMatchObject({
      ok: true,
      outcome: 'planned',
      changed: false,
      dryRun: true,
      immutableId: actual,
      desiredImmutableId: expected,
      operationId: null,
      done: true,
      steps: [],
      message: expect.stringContaining(userPrincipalName),
    });
    expect(rowsOf(answer, 'plan').map(({ step }) => step)).toEqual([
      'setImmutableId',
      'moveUpn',
      'setImmutableIdAgain',
      'restoreUpn',
    ]);
    expect(await control.writes()).toEqual([]);
    expect((await control.state()).users).toEqual(before.users);
    expect(await auditRows(app.storage, String(answer.body?.requestId))).toEqual([]);
  });

  test('is what every repair is where WRITE_MODE says so, and none is taken where it is off', async () => {
    const { userPrincipalName } = the('free');
    const reporting = await world.startApp({ WRITE_MODE: 'reportOnly' });
    expect((await repairOf(reporting, userPrincipalName)).body).toMatchObject({ outcome: 'planned', dryRun: true });
    const off = await world.startApp({ WRITE_MODE: 'off' });
    expect(await repairOf(off, userPrincipalName)).toMatchObject({ status: 403, body: { code: 'writes_disabled' } });
    expect(await control.writes()).toEqual([]);
  });

  test('of who is as asked for is unchanged', async () => {
    expect((await repair('equal', { dryRun: true })).body).toMatchObject({ outcome: 'unchanged', plan: [] });
  });
});

describe('before its first write a repair is refused', () => {
  const refused = async (name: string, status: number, code: string, body: object = {}, from = app) => {
    for (const dryRun of [true, false]) {
      const answer = await repairOf(from, the(name).userPrincipalName, { ...body, dryRun });
      expect(answer).toMatchObject({ status, body: { code } });
    }
    expect(await control.writes()).toEqual([]);
    return (await repairOf(from, the(name).userPrincipalName, body)).body ?? {};
  };

  test('where another user holds the value, by name and id', async () => {
    const body = await refused('wanted', 409, 'immutable_id_in_use');
    const holder = 'anchor.holder@contoso.com';
    const { users } = await directoryOf(control);
    expect(body.detail).toContain(holder);
    expect(body.detail).toContain(users.find(({ userPrincipalName }) => userPrincipalName === holder)?.id);
  });

  test('where a deleted user holds it, by name', async () => {
    expect((await refused('reborn', 409, 'immutable_id_in_use')).detail).toContain('anchor.former@contoso.com');
  });

  test('where the user is privileged and our service principal is not, by role and id', async () => {
    const body = await refused('admin', 403, 'role_missing');
    const principals = (await control.state()).servicePrincipals as { displayName: string; id: string }[];
    const own = principals.find(({ displayName }) => displayName === 'okta-m365-actions');
    expect(body.detail).toContain(own?.id);
    expect(body.detail).toContain('Privileged Authentication Administrator');
    expect(body.fix).toContain('Privileged Authentication Administrator');
  });

  test('where the user is synced, saying where to change it', async () => {
    expect((await refused('synced', 403, 'on_premises_synced')).fix).toContain('Entra Connect');
  });

  test('where PROTECTED_USERS lists the user', async () => {
    const guarded = await world.startApp({ PROTECTED_USERS: 'anchor.free@*' });
    await refused('free', 403, 'protected_object', {}, guarded);
  });

  test('where a restricted unit keeps the user', async () => {
    const { userPrincipalName } = the('free');
    await control.tenant({
      administrativeUnits: [
        { displayName: 'Board of anchors', isMemberManagementRestricted: true, members: [userPrincipalName] },
      ],
    });
    await refused('free', 403, 'management_restricted');
  });

  test('where nobody says what it should be', async () => {
    const body = await refused('free', 409, 'immutable_id_unknown', {}, alone);
    expect(body.fix).toContain('objectGuid');
  });

  test('where a federated user would be left without one', async () => {
    await refused('free', 409, 'immutable_id_required', { immutableId: null });
  });

  test('where the temporary name is an address of another user, by name and id', async () => {
    const { id } = the('bare');
    const holder = the('equal');
    const proxyAddresses = [`SMTP:repair-${id.replaceAll('-', '')}@contoso.onmicrosoft.com`];
    await control.tenant({ users: [{ userPrincipalName: holder.userPrincipalName, proxyAddresses }] });
    const body = await refused('bare', 409, 'address_in_use');
    expect(body.detail).toContain(holder.id);
    expect(body.detail).toContain(holder.userPrincipalName);
  });

  test('where there is no such user, or more than one value', async () => {
    expect(await repairOf(app, 'nobody@contoso.com')).toMatchObject({
      status: 404,
      body: { code: 'member_not_found' },
    });
    const { objectGuid, expected } = the('free');
    expect(await repair('free', { objectGuid, externalId: expected })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/objectGuid' }, { pointer: '/externalId' }] },
    });
  });

  test('as an outcome to a flow', async () => {
    const answer = await repairOf(app, the('wanted').userPrincipalName, {}, { 'x-outcome-mode': 'flow' });
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'refused', code: 'immutable_id_in_use' } });
  });
});

describe('an immutable ID', () => {
  test('is taken away in a managed domain', async () => {
    const { userPrincipalName } = the('managed');
    const answer = await repair('managed', { immutableId: null });
    expect(answer.body).toMatchObject({ outcome: 'repaired', immutableId: null, desiredImmutableId: null });
    expect(await seen('managed')).toEqual({ userPrincipalName, immutableId: null });
    expect((await repair('managed', { immutableId: null })).body).toMatchObject({ outcome: 'unchanged' });
  });

  test('that Entra takes nobody away stays, and the user is told to be as before', async () => {
    await userWrites({ clearing: 'refused' });
    const { actual } = the('managed');
    const answer = await repair('managed', { immutableId: null });
    expect(answer.body).toMatchObject({ ok: false, outcome: 'refused', changed: false, code: 'upstream_rejected' });
    expect(stepsOf(answer)).toEqual(['setImmutableId refused']);
    expect(await seen('managed')).toMatchObject({ immutableId: actual });
  });
});

describe('a repair that Entra does not let pass', () => {
  test('in a managed domain ends with nothing changed, saying what is missing', async () => {
    const { actual } = the('managed');
    await fault('managed', forbidden);
    const answer = await repair('managed');
    expect(answer).toMatchObject({
      status: 200,
      body: {
        ok: false,
        outcome: 'refused',
        changed: false,
        code: 'graph_permission_missing',
        fix: expect.stringContaining('User.ReadWrite.All'),
        immutableId: actual,
        undo: [],
      },
    });
    expect((await app.call('GET', `operations/${String(answer.body?.operationId)}`)).body).toMatchObject({
      state: 'failed',
      code: 'graph_permission_missing',
      message: answer.body?.message,
    });
    expect(await patches()).toEqual(['onPremisesImmutableId 403']);
  });

  test('away from home brings the user back, with the reason', async () => {
    const { userPrincipalName, actual } = the('free');
    await fault('free', forbidden, { skip: 2 });
    const answer = await repair('free');
    expect(answer.body).toMatchObject({
      ok: false,
      outcome: 'rolled_back',
      changed: true,
      code: 'graph_permission_missing',
      undo: [],
    });
    expect(stepsOf(answer)).toEqual([
      'setImmutableId refused',
      'moveUpn done',
      'setImmutableId refused',
      'restoreUpn done',
    ]);
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: actual });
    // The reason is gone, and nothing stands in the way of another one.
    expect((await repair('free')).body).toMatchObject({ outcome: 'repaired' });
  });

  test('because somebody else got the value meanwhile is told as that', async () => {
    await fault('free', {
      kind: 'status',
      status: 400,
      body: {
        error: {
          code: 'Request_BadRequest',
          message: 'Another object with the same value for property onPremisesImmutableId already exists.',
        },
      },
    });
    const answer = await repair('free');
    expect(answer.body).toMatchObject({ outcome: 'refused', code: 'immutable_id_in_use' });
    expect(stepsOf(answer)).toEqual(['setImmutableId refused']);
  });

  test('is not taken for refused by what may be lag', async () => {
    await fault('free', refusedForNoReason, { skip: 2 });
    const answer = await repair('free');
    expect(answer.body).toMatchObject({ outcome: 'repaired' });
    expect(stepsOf(answer)).toEqual([
      'setImmutableId refused',
      'moveUpn done',
      'setImmutableId refused',
      'setImmutableId done',
      'restoreUpn done',
    ]);
  });
});

describe('addresses', () => {
  const onlyFederated = (name: string) =>
    control.tenant({
      users: [
        {
          userPrincipalName: the(name).userPrincipalName,
          mail: the(name).userPrincipalName,
          proxyAddresses: [`SMTP:${the(name).userPrincipalName}`],
        },
      ],
    });

  test('that the temporary name has left are told, with what takes them away', async () => {
    await onlyFederated('free');
    const temporary = `smtp:repair-${the('free').id.replaceAll('-', '')}@contoso.onmicrosoft.com`;
    const answer = await repair('free');
    expect(answer.body).toMatchObject({ outcome: 'repaired', addedAddresses: [temporary], removedAddresses: [] });
    expect(answer.body?.warnings).toEqual([expect.stringContaining(`-EmailAddresses @{Remove='${temporary}'}`)]);
  });

  test('that Entra has made another of are told', async () => {
    await userWrites({ upnInAddresses: 'primary' });
    const { userPrincipalName } = the('free');
    const other = 'somebody@contoso.com';
    await control.tenant({ users: [{ userPrincipalName, mail: other, proxyAddresses: [`SMTP:${other}`] }] });
    const answer = await repair('free');
    expect(answer.body).toMatchObject({ outcome: 'repaired', removedAddresses: [`SMTP:${other}`] });
    expect(answer.body?.warnings).toEqual([
      expect.stringContaining('temporary'),
      expect.stringContaining('New addresses'),
      expect.stringContaining('has lost'),
      expect.stringContaining(`another than before, ${other}`),
    ]);
  });
});

describe('with each switch of what Entra does the other way round, a repair ends well', () => {
  test.each([
    [{ federatedImmutableId: 'refusedOnceSet' }, 'repaired'],
    [{ federatedImmutableId: 'accepted' }, 'repaired'],
    [{ federatedNeedsImmutableId: false }, 'repaired'],
    [{ betweenFederatedDomains: 'accepted' }, 'repaired'],
    [{ clearing: 'refused' }, 'repaired'],
    [{ upnInAddresses: 'primary' }, 'repaired'],
    [{ upnInAddresses: 'kept' }, 'repaired'],
    [{ deletedUsersHold: ['onPremisesImmutableId', 'userPrincipalName', 'proxyAddresses'] }, 'repaired'],
    [{ deletedUsersHold: [] }, 'repaired'],
    [{ deletedUsersFilter: 'refused' }, 'repaired'],
    [{ conflictDetails: false }, 'repaired'],
  ])('%j', async (switches, outcome) => {
    await userWrites(switches);
    const names = ['missing', 'free', 'managed'];
    const answers = await Promise.all(names.map((name) => repair(name)));
    expect(answers.map(({ body }) => body)).toMatchObject(Array<object>(3).fill({ ok: true, outcome }));
    for (const name of names) {
      const { userPrincipalName, expected } = the(name);
      expect(await seen(name)).toEqual({ userPrincipalName, immutableId: expected });
    }
  });
});

describe("Okta's side, where Okta's API is not configured", () => {
  test('is listed for a flow or a person, before and after', async () => {
    const { userPrincipalName, expected } = the('free');
    const body = { externalId: expected, oktaAppId: '0oa1a2b3c4d5e6f7g8h9' };
    const planned = await repairOf(alone, userPrincipalName, { ...body, dryRun: true });
    const steps = (answer: Answer) => rowsOf(answer, 'plan').map(({ step }) => step);
    expect(steps(planned)).toEqual([
      'turnOffDeactivateUsers',
      'readAssignment',
      'unassignFromOkta',
      'setImmutableId',
      'moveUpn',
      'setImmutableIdAgain',
      'restoreUpn',
      'assignInOkta',
      'turnOnDeactivateUsers',
    ]);
    const answer = await repairOf(alone, userPrincipalName, body);
    expect(answer.body).toMatchObject({ outcome: 'repaired' });
    expect(steps(answer)).toEqual([
      'turnOffDeactivateUsers',
      'readAssignment',
      'unassignFromOkta',
      'assignInOkta',
      'turnOnDeactivateUsers',
    ]);
  });
});

test('who could act on a Global Administrator repairs one', async () => {
  await control.tenant({
    // The token of the app was issued before.
    settings: { callerRoles: 'directory' },
    servicePrincipals: [{ appId: world.simulator.clientId, directoryRoles: [globalAdministrator] }],
  });
  expect((await repair('admin')).body).toMatchObject({ outcome: 'repaired' });
});
