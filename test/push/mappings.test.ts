import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { groupAt, groupsNamed, isGone, readCast } from '../support/directory.ts';
import { rowsOf, startWorld } from '../support/world.ts';
import {
  activeMapping,
  crew,
  deleteMapping,
  newPair,
  pushMapping,
  putMapping,
  readMapping,
  setStatus,
  settingsOf,
  targetKinds,
} from './mappingWorld.ts';
import { orgOf } from './oktaWorld.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const org = orgOf(world);
const cast = await readCast(control);
const [kaya, liam, mina, noel, olga, amara, bruno] = crew;
const planPattern = expect.stringMatching(/^[0-9a-f]{32}$/);

// The world is not reset: that would take Okta's token from the app.
beforeEach(async () => {
  await control.clearFaults();
  await control.clearCalls();
});
afterAll(() => world.close());

const pointersOf = (body: unknown) => (body as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer);

describe.each(targetKinds)('mapping an Okta group to a group of kind %s', (kind) => {
  test('stores it INACTIVE with its plan, and writes to nobody', async () => {
    const pair = await newPair(world, { kind, inTarget: [amara] });
    const answer = await putMapping(app, pair);
    expect(answer).toMatchObject({
      status: 201,
      body: {
        ok: true,
        outcome: 'created',
        changed: true,
        isNew: true,
        dryRun: false,
        oktaGroupId: pair.oktaGroupId,
        oktaGroupName: pair.oktaName,
        targetId: pair.targetId,
        targetName: pair.target,
        targetKind: kind,
        status: 'INACTIVE',
        reasonCode: 'awaiting_approval',
        approvedAt: null,
        lastReconcileAt: null,
        planId: planPattern,
        done: true,
        desiredCount: 3,
        actualCount: 1,
        plannedCount: 3,
        addedOutsideCount: 1,
        exclusiveWouldRemoveCount: 1,
        exclusiveWouldRemove: [amara],
      },
    });
    expect(rowsOf(answer, 'results').filter(({ outcome }) => outcome === 'would_add')).toHaveLength(3);
    expect(await control.writes()).toEqual([]);
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'INACTIVE', targetId: pair.targetId });
  });
});

describe('the settings of a mapping', () => {
  test('have defaults when it is made, and keep their value where an update does not give them', async () => {
    const pair = await newPair(world);
    const made = await putMapping(app, pair);
    expect(settingsOf(made)).toEqual({
      authority: 'managed',
      desiredStatuses: ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT'],
      oktaAppId: null,
      neverRemove: [],
      maxAdditions: null,
      adoptMembers: false,
      renameTarget: false,
      reportOnly: false,
    });
    const given = {
      authority: 'additive',
      desiredStatuses: 'ACTIVE, SUSPENDED',
      oktaAppId: await org.appId(),
      neverRemove: 'boss@contoso.com\n*@example.com',
      maxAdditions: 10,
      adoptMembers: true,
      renameTarget: true,
      reportOnly: true,
    };
    const updated = await putMapping(app, pair, given);
    expect(updated).toMatchObject({ status: 200, body: { outcome: 'updated', changed: true, isNew: false } });
    const expected = {
      ...given,
      desiredStatuses: ['ACTIVE', 'SUSPENDED'],
      neverRemove: ['boss@contoso.com', '*@example.com'],
    };
    expect(settingsOf(updated)).toEqual(expected);
    const again = await putMapping(app, pair, { maxAdditions: null });
    expect(settingsOf(again)).toEqual({ ...expected, maxAdditions: null });
    expect(settingsOf(await readMapping(app, pair))).toEqual({ ...expected, maxAdditions: null });
  });

  test('given again change nothing, and the plan comes with the answer', async () => {
    const pair = await newPair(world);
    const settings = { neverRemove: ['b@contoso.com', 'a@contoso.com'], maxAdditions: 50 };
    const made = await putMapping(app, pair, settings);
    const again = await putMapping(app, pair, { ...settings, neverRemove: 'A@contoso.com, b@contoso.com' });
    expect(again).toMatchObject({
      status: 200,
      body: { outcome: 'already_exists', changed: false, isNew: false, planId: made.body?.planId, plannedCount: 3 },
    });
    expect(again.body?.updatedAt).toBe(made.body?.updatedAt);
    expect(await auditRows(app.storage, String(again.body?.requestId))).toEqual([]);
    const byId = await putMapping(app, { ...pair, target: pair.targetId.toUpperCase() });
    expect(byId.body).toMatchObject({ outcome: 'already_exists', changed: false });
  });

  test.each<[object, object, string[]]>([
    [{ authority: 'additive' }, { authority: 'managed' }, ['authority']],
    [{ authority: 'managed' }, { authority: 'exclusive' }, ['authority']],
    [{ desiredStatuses: ['ACTIVE', 'SUSPENDED'] }, { desiredStatuses: ['ACTIVE'] }, ['desiredStatuses']],
    [{ neverRemove: ['a@contoso.com'] }, { neverRemove: [] }, ['neverRemove']],
    [{}, { adoptMembers: true }, ['adoptMembers']],
    [{ reportOnly: true }, { reportOnly: false }, ['reportOnly']],
    [{}, { authority: 'exclusive', adoptMembers: true }, ['authority', 'adoptMembers']],
  ])('from %j to %j take the approval back', async (before, after, widened) => {
    const pair = await activeMapping(world, app, {}, before);
    const answer = await putMapping(app, pair, after);
    expect(answer.body).toMatchObject({
      outcome: 'updated',
      status: 'INACTIVE',
      reasonCode: 'awaiting_approval',
      approvedAt: null,
      planId: planPattern,
    });
    expect(answer.body?.message).toContain(`(${widened.join(', ')})`);
    expect(await setStatus(app, pair, { status: 'ACTIVE' })).toMatchObject({ body: { code: 'not_approved' } });
    const { planId } = answer.body ?? {};
    expect((await setStatus(app, pair, { status: 'ACTIVE', planId })).body).toMatchObject({ status: 'ACTIVE' });
  });

  test('take the approval back with another app to match people by', async () => {
    const pair = await activeMapping(world, app);
    const answer = await putMapping(app, pair, { oktaAppId: await org.appId() });
    expect(answer.body).toMatchObject({ outcome: 'updated', status: 'INACTIVE', approvedAt: null });
  });

  test.each<[object, object]>([
    [{ authority: 'exclusive' }, { authority: 'managed' }],
    [{ authority: 'managed' }, { authority: 'additive' }],
    [{}, { desiredStatuses: ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'SUSPENDED'] }],
    [{}, { neverRemove: ['boss@contoso.com'] }],
    [{ adoptMembers: true }, { adoptMembers: false }],
    [{}, { reportOnly: true }],
    [{}, { maxAdditions: 3, renameTarget: true }],
  ])('from %j to %j leave it ACTIVE', async (before, after) => {
    const pair = await activeMapping(world, app, {}, before);
    const answer = await putMapping(app, pair, after);
    expect(answer.body).toMatchObject({ outcome: 'updated', status: 'ACTIVE', reasonCode: null });
    expect(answer.body?.approvedAt).not.toBeNull();
  });

  test('are audited: who gave it which power, before and after', async () => {
    const pair = await newPair(world);
    const made = await putMapping(app, pair);
    expect(await auditRows(app.storage, String(made.body?.requestId))).toMatchObject([
      {
        action: 'putPushMapping',
        operation: 'PUT push-mappings/{oktaGroupId}',
        state: 'succeeded',
        targetId: pair.targetId,
        targetName: pair.target,
        before: null,
        after: { oktaGroupId: pair.oktaGroupId, authority: 'managed', status: 'INACTIVE' },
      },
    ]);
    const widened = await putMapping(app, pair, { authority: 'exclusive' });
    expect(await auditRows(app.storage, String(widened.body?.requestId))).toMatchObject([
      { before: { authority: 'managed' }, planned: { authority: 'exclusive' }, after: { authority: 'exclusive' } },
    ]);
  });
});

describe('what is mapped already', () => {
  test('is not mapped a second time: neither the target nor the Okta group', async () => {
    const [first, second] = [await newPair(world), await newPair(world)];
    await putMapping(app, first);
    const target = await putMapping(app, { ...second, target: first.target });
    expect(target).toMatchObject({ status: 409, body: { code: 'push_mapping_exists' } });
    expect(target.body?.detail).toContain(first.oktaName);
    expect(target.body?.detail).toContain(first.oktaGroupId);
    const group = await putMapping(app, { ...first, target: second.target });
    expect(group).toMatchObject({ status: 409, body: { code: 'push_mapping_exists' } });
    expect(group.body?.detail).toContain(first.target);
    expect(await readMapping(app, second)).toMatchObject({ status: 404, body: { code: 'push_mapping_not_found' } });
    expect((await readMapping(app, first)).body).toMatchObject({ targetId: first.targetId });
  });

  test('keeps a group from being created that could not be mapped', async () => {
    const pair = await newPair(world);
    await putMapping(app, pair);
    const create = { kind: 'distributionList', displayName: 'Second Deck', owners: [olga] };
    const answer = await app.call('PUT', `push-mappings/${pair.oktaGroupId}`, { body: { create } });
    expect(answer).toMatchObject({ status: 409, body: { code: 'push_mapping_exists' } });
    expect(await groupsNamed(control, 'Second Deck')).toEqual([]);
    expect(await control.writes()).toEqual([]);
  });

  test('by the same request at the same time is made once', async () => {
    const pair = await newPair(world);
    const answers = await Promise.all(Array.from({ length: 4 }, () => putMapping(app, pair, { maxAdditions: 9 })));
    expect(answers.map(({ body }) => body?.isNew).filter(Boolean)).toEqual([true]);
    expect(answers.map(({ body }) => [body?.ok, body?.status])).toEqual(answers.map(() => [true, 'INACTIVE']));
  });

  test('by another group at the same time is told as such', async () => {
    const [first, second] = [await newPair(world), await newPair(world)];
    const target = first.target;
    const answers = await Promise.all([putMapping(app, first), putMapping(app, { ...second, target })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });
});

describe('a target that is created', () => {
  let watches = 0;
  const newWatch = () => {
    watches += 1;
    const alias = `harbour-watch-${watches}`;
    const wanted = { kind: 'distributionList', displayName: `Harbour Watch ${watches}`, owners: `${olga}, ${noel}` };
    return { create: { ...wanted, alias }, mail: `${alias}@contoso.com` };
  };
  const { create: sample } = newWatch();
  const put = (oktaGroupId: string, body: object) => app.call('PUT', `push-mappings/${oktaGroupId}`, { body });

  test.each(targetKinds)('is there once and mapped, of kind %s', async (kind) => {
    const { oktaGroupId } = await newPair(world);
    const wanted = { ...newWatch().create, kind, owners: [olga] };
    const made = await put(oktaGroupId, { create: wanted });
    expect(made).toMatchObject({
      status: 201,
      body: {
        ok: true,
        outcome: 'created',
        targetKind: kind,
        status: 'INACTIVE',
        planId: planPattern,
        plannedCount: 3,
      },
    });
    const [group] = await groupsNamed(control, wanted.displayName);
    expect(made.body?.targetId).toBe(group?.id);
    const again = await put(oktaGroupId, { create: wanted });
    expect(again).toMatchObject({ status: 200, body: { outcome: 'already_exists', changed: false } });
    expect(await groupsNamed(control, wanted.displayName)).toHaveLength(1);
  });

  test('may name its owners as one text, and is only planned by a dry run', async () => {
    const { oktaGroupId } = await newPair(world);
    const { create, mail } = newWatch();
    const planned = await put(oktaGroupId, { create, dryRun: true });
    expect(planned).toMatchObject({
      status: 200,
      body: { outcome: 'planned', changed: false, isNew: false, targetId: null, planId: null, createdAt: null },
    });
    expect(planned.body?.message).toContain('would be created');
    expect(await control.writes()).toEqual([]);
    expect(await readMapping(app, { oktaGroupId })).toMatchObject({ status: 404 });
    expect((await put(oktaGroupId, { create })).body).toMatchObject({ outcome: 'created' });
    expect((await groupAt(control, mail)).owners).toHaveLength(2);
  });

  test('and was there with other settings is a conflict that names them, below create', async () => {
    const { oktaGroupId } = await newPair(world);
    const { create } = newWatch();
    await app.call('POST', 'groups', { body: create });
    const answer = await put(oktaGroupId, { create: { ...create, requireSenderAuthentication: false } });
    expect(answer).toMatchObject({ status: 409, body: { code: 'exists_with_differences' } });
    expect(pointersOf(answer.body)).toEqual(['/create/requireSenderAuthentication']);
    expect(await readMapping(app, { oktaGroupId })).toMatchObject({ status: 404 });
  });

  test('is completed where it was made half, and then mapped', async () => {
    const { oktaGroupId } = await newPair(world);
    const { create, mail } = newWatch();
    await app.call('POST', 'groups', { body: create });
    const body = { create: { ...create, hideFromAddressLists: true } };
    expect((await put(oktaGroupId, { ...body, dryRun: true })).body).toMatchObject({ outcome: 'planned' });
    expect((await put(oktaGroupId, body)).body).toMatchObject({ ok: true, outcome: 'created' });
    const { exchange } = await groupAt(control, mail);
    expect(exchange).toMatchObject({ HiddenFromAddressListsEnabled: true });
  });

  test('with a setting that could not be set is mapped, and says what is missing', async () => {
    const { oktaGroupId } = await newPair(world);
    const { create } = newWatch();
    const match = { cmdlet: 'Set-DistributionGroup' };
    await control.fault({ upstream: 'exchange', match, fault: { kind: 'status', status: 500 }, times: 9 });
    const answer = await put(oktaGroupId, { create: { ...create, hideFromAddressLists: true } });
    expect(answer.body).toMatchObject({ ok: false, outcome: 'created', status: 'INACTIVE' });
    const warning = expect.stringContaining('Not all settings could be set');
    expect(answer.body?.warnings).toEqual(expect.arrayContaining([warning]));
  });

  test('that Entra does not show yet is mapped by the next request', async () => {
    const { oktaGroupId } = await newPair(world);
    const { create } = newWatch();
    const lagOf = (exchangeToEntra: number) =>
      control.tenant({ settings: { replicationLagMs: { entraToExchange: 0, exchangeToEntra } } });
    await lagOf(600_000);
    const answer = await put(oktaGroupId, { create });
    expect(answer).toMatchObject({ status: 429, body: { code: 'group_not_ready' } });
    await lagOf(0);
    await control.clock({ advanceMs: 600_000 });
    expect((await put(oktaGroupId, { create })).body).toMatchObject({ outcome: 'created', isNew: true });
    await control.clock({ now: Date.now() });
  });

  test.each<[object, string[]]>([
    [{ ...sample, kind: 'security', hideFromAddressLists: true }, ['/create/hideFromAddressLists']],
    [{ kind: 'security', displayName: '***', owners: [olga] }, ['/create/alias']],
    [{ ...sample, owners: 'nobody' }, ['/create/owners/0']],
    [{ ...sample, dryRun: true }, ['/create/dryRun']],
    [{ ...sample, members: [kaya] }, ['/create/members']],
    [{ kind: 'distributionList' }, ['/create/displayName', '/create/owners']],
  ])('as %j is refused with its pointers', async (wanted, pointers) => {
    const { oktaGroupId } = await newPair(world);
    const answer = await put(oktaGroupId, { create: wanted });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(pointersOf(answer.body).sort()).toEqual(pointers);
  });
});

describe('a request for a mapping is refused', () => {
  const put = (oktaGroupId: string, body: object, from = app) =>
    from.call('PUT', `push-mappings/${oktaGroupId}`, { body });

  test.each<[string, object]>([
    ['neither target nor create', {}],
    [
      'both of them',
      { target: 'x@contoso.com', create: { kind: 'security', displayName: 'Deck', owners: ['a@contoso.com'] } },
    ],
  ])('with %s', async (_what, body) => {
    const { oktaGroupId } = await newPair(world);
    expect(await put(oktaGroupId, body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test("without Okta's API, before anything is looked at or written", async () => {
    const pair = await newPair(world);
    const without = await world.startApp({
      OKTA_ORG_URL: '',
      OKTA_CLIENT_ID: '',
      OKTA_PRIVATE_KEY: '',
      OKTA_KEY_ID: '',
    });
    const create = { kind: 'distributionList', displayName: 'Never Made', owners: [olga] };
    for (const body of [{ target: pair.target }, { create }]) {
      expect(await put(pair.oktaGroupId, body, without)).toMatchObject({
        status: 409,
        body: { code: 'okta_api_required' },
      });
    }
    expect(await control.writes()).toEqual([]);
  });

  test('for a group that Okta does not have', async () => {
    const { target } = await newPair(world);
    const answer = await put('00gNoSuchGroupAtAll00', { target });
    expect(answer).toMatchObject({ status: 404, body: { code: 'okta_object_not_found', upstream: 'okta' } });
  });

  test.each([401, 403, 500])('when Okta answers %i, and nothing is stored', async (status) => {
    const pair = await newPair(world);
    await control.fault({
      upstream: 'okta',
      match: { path: '/groups/' },
      fault: { kind: 'status', status },
      times: 20,
    });
    expect((await putMapping(app, pair)).status).toBeGreaterThanOrEqual(400);
    await control.clearFaults();
    expect(await readMapping(app, pair)).toMatchObject({ status: 404 });
  });

  test('with an app that is none of Office 365', async () => {
    const pair = await newPair(world);
    for (const oktaAppId of ['0oaNoSuchApp', await org.appId('active_directory')]) {
      const answer = await putMapping(app, pair, { oktaAppId });
      expect(answer.body?.fix).toContain('oktaAppId');
    }
    expect(await readMapping(app, pair)).toMatchObject({ status: 404 });
  });

  test('for a target that cannot be managed from the cloud', async () => {
    const { oktaGroupId } = await newPair(world);
    const targets: [string, string][] = [
      [cast.syncedList.mail ?? '', 'on_premises_synced'],
      [cast.dynamicDistribution.mail ?? '', 'dynamic_membership'],
      [cast.roleAssignable.id, 'role_assignable'],
      [cast.roomList.mail ?? '', 'unknown_kind'],
    ];
    for (const [target, code] of targets) {
      expect(await put(oktaGroupId, { target })).toMatchObject({ status: 403, body: { code } });
    }
    expect(await put(oktaGroupId, { target: 'Nothing Like It' })).toMatchObject({ status: 404 });
    expect(await readMapping(app, { oktaGroupId })).toMatchObject({ status: 404 });
  });

  test('for a target that the configuration protects', async () => {
    const pair = await newPair(world);
    const guarded = await world.startApp({ PROTECTED_GROUPS: pair.target });
    expect(await putMapping(guarded, pair)).toMatchObject({ status: 403, body: { code: 'protected_object' } });
    const managing = await world.startApp({ MANAGED_GROUPS: 'okta-*' });
    expect(await putMapping(managing, pair)).toMatchObject({ status: 403, body: { code: 'outside_managed_groups' } });
  });

  test('while writes are off, and is a dry run while they are only reported', async () => {
    const pair = await newPair(world);
    const off = await world.startApp({ WRITE_MODE: 'off' });
    expect(await putMapping(off, pair)).toMatchObject({ status: 403, body: { code: 'writes_disabled' } });
    const reporting = await world.startApp({ WRITE_MODE: 'reportOnly' });
    expect((await putMapping(reporting, pair)).body).toMatchObject({
      dryRun: true,
      outcome: 'planned',
      plannedCount: 3,
    });
    expect(await readMapping(reporting, pair)).toMatchObject({ status: 404 });
  });

  test.each<[object, string]>([
    [{ authority: 'total' }, '/authority'],
    [{ desiredStatuses: ['DEPROVISIONED'] }, '/desiredStatuses/0'],
    [{ desiredStatuses: [] }, '/desiredStatuses'],
    [{ maxAdditions: -1 }, '/maxAdditions'],
    [{ neverRemove: ['two words'] }, '/neverRemove/0'],
    [{ colour: 'blue' }, '/colour'],
  ])('with %j', async (settings, pointer) => {
    const pair = await newPair(world);
    const answer = await putMapping(app, pair, settings);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(pointersOf(answer.body)).toEqual([pointer]);
  });
});

describe('a dry run', () => {
  test('of a new mapping tells its plan and stores nothing', async () => {
    const pair = await newPair(world);
    const answer = await putMapping(app, pair, { dryRun: true, authority: 'exclusive' });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        outcome: 'planned',
        changed: false,
        dryRun: true,
        authority: 'exclusive',
        createdAt: null,
        planId: planPattern,
        plannedCount: 3,
      },
    });
    expect(await readMapping(app, pair)).toMatchObject({ status: 404 });
    expect(await auditRows(app.storage, String(answer.body?.requestId))).toEqual([]);
  });

  test('of a change shows the mapping as it would be, and stores nothing', async () => {
    const pair = await activeMapping(world, app, { inTarget: [amara] });
    const answer = await putMapping(app, pair, { dryRun: true, authority: 'exclusive' });
    expect(answer.body).toMatchObject({
      outcome: 'planned',
      authority: 'exclusive',
      status: 'INACTIVE',
      plannedCount: 1,
    });
    expect((await readMapping(app, pair)).body).toMatchObject({ authority: 'managed', status: 'ACTIVE' });
    const same = await putMapping(app, pair, { dryRun: true });
    expect(same.body).toMatchObject({ outcome: 'already_exists', changed: false, status: 'ACTIVE' });
  });
});

describe('a list that people may join or leave by themselves', () => {
  const open = { exchange: { MemberJoinRestriction: 'Open', MemberDepartRestriction: 'Open' } };
  const tugOfWar = expect.stringContaining('closeMembership');

  test('is warned of under authority exclusive, and only then', async () => {
    const pair = await newPair(world, { more: open });
    expect((await putMapping(app, pair, { authority: 'exclusive' })).body?.warnings).toEqual([tugOfWar]);
    expect((await putMapping(app, pair, { authority: 'managed' })).body?.warnings).toEqual([]);
    const closed = { exchange: { MemberJoinRestriction: 'Closed', MemberDepartRestriction: 'Closed' } };
    const quiet = await newPair(world, { more: closed });
    expect((await putMapping(app, quiet, { authority: 'exclusive' })).body?.warnings).toEqual([]);
  });

  test('is closed on request, once, and a dry run closes nothing', async () => {
    const pair = await newPair(world, { more: open });
    const request = { authority: 'exclusive', closeMembership: true };
    const planned = await putMapping(app, pair, { ...request, dryRun: true });
    expect(planned.body).toMatchObject({ outcome: 'planned', warnings: [] });
    expect(await control.writes()).toEqual([]);
    expect((await putMapping(app, pair, request)).body).toMatchObject({ ok: true, outcome: 'created', warnings: [] });
    const { exchange } = await groupAt(control, pair.target);
    expect(exchange).toMatchObject({ MemberJoinRestriction: 'Closed', MemberDepartRestriction: 'Closed' });
    const before = (await control.writes()).length;
    expect((await putMapping(app, pair, request)).body).toMatchObject({ outcome: 'already_exists', changed: false });
    expect(await control.writes()).toHaveLength(before);
  });

  test('that was opened again is closed by the same request, which says that it changed something', async () => {
    const pair = await newPair(world, { more: open });
    await putMapping(app, pair);
    expect((await putMapping(app, pair, { closeMembership: true, dryRun: true })).body).toMatchObject({
      outcome: 'planned',
    });
    const answer = await putMapping(app, pair, { closeMembership: true });
    expect(answer.body).toMatchObject({ outcome: 'updated', changed: true });
  });

  test('that cannot be closed is not mapped, and the same request goes on from there', async () => {
    const pair = await newPair(world, { more: open });
    const fault = { kind: 'status' as const, status: 400 };
    await control.fault({ upstream: 'exchange', match: { cmdlet: 'Set-DistributionGroup' }, fault });
    const refused = await putMapping(app, pair, { closeMembership: true });
    expect(refused).toMatchObject({ status: 502, body: { upstream: 'exchange' } });
    expect(await readMapping(app, pair)).toMatchObject({ status: 404 });
    const again = await putMapping(app, pair, { closeMembership: true });
    expect(again.body).toMatchObject({ ok: true, outcome: 'created', changed: true });
  });

  test.each(['mailEnabledSecurity', 'security', 'microsoft365'] as const)(
    'is never a group of kind %s',
    async (kind) => {
      const pair = await newPair(world, { kind });
      const answer = await putMapping(app, pair, { closeMembership: true });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      expect(pointersOf(answer.body)).toEqual(['/closeMembership']);
      expect(await readMapping(app, pair)).toMatchObject({ status: 404 });
    },
  );
});

describe('a plan that cannot be made', () => {
  test('does not hide that the mapping is stored', async () => {
    const pair = await newPair(world);
    await control.fault({
      upstream: 'okta',
      match: { path: `/groups/${pair.oktaGroupId}/users` },
      fault: { kind: 'status', status: 500 },
      times: 50,
    });
    const answer = await putMapping(app, pair);
    expect(answer).toMatchObject({
      status: 201,
      body: {
        ok: true,
        outcome: 'created',
        planId: null,
        plannedCount: null,
        desiredCount: null,
        done: true,
        results: [],
      },
    });
    expect(answer.body?.warnings).toEqual([expect.stringContaining('upstream_failed')]);
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'INACTIVE' });
  });
});

describe('reading a mapping', () => {
  test('tells everything of it: who is no member although desired, and how many are its own', async () => {
    const pair = await activeMapping(world, app, { inOkta: [kaya, 'okta.only@example.com', 'new.hire@contoso.com'] });
    const answer = await readMapping(app, pair);
    expect(answer.body).toMatchObject({
      status: 'ACTIVE',
      reasonCode: null,
      lastReconcileAt: expect.any(String),
      lastDesiredCount: 3,
      lastAddedCount: 1,
      managedCount: 1,
      problemCount: 2,
    });
    const problems = rowsOf(answer, 'problems').map(({ login, code }) => [login, code]);
    expect(problems.sort()).toEqual([
      ['new.hire@contoso.com', 'no_mailbox'],
      ['okta.only@example.com', 'member_not_found'],
    ]);
  });

  test('that is not there is a 404 which says how to make one', async () => {
    const { oktaGroupId } = await newPair(world);
    const answer = await readMapping(app, { oktaGroupId });
    expect(answer).toMatchObject({ status: 404, body: { code: 'push_mapping_not_found' } });
    expect(answer.body?.fix).toContain('PUT push-mappings');
  });
});

describe('listing mappings', () => {
  test('goes page by page, and by status', async () => {
    const own = await world.startApp();
    const pairs = [await newPair(world), await newPair(world), await newPair(world)];
    for (const pair of pairs) await putMapping(own, pair);
    const [active] = pairs;
    if (active === undefined) throw new Error('no pair');
    const { planId } = (await putMapping(own, active)).body ?? {};
    await setStatus(own, active, { status: 'ACTIVE', planId });

    const seen: unknown[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { limit: '2', ...(cursor === null ? {} : { cursor }) };
      const page = await own.call('GET', 'push-mappings', { query });
      seen.push(...rowsOf(page, 'mappings').map(({ oktaGroupId }) => oktaGroupId));
      expect(page.body?.hasMore).toBe(page.body?.nextCursor !== null);
      cursor = page.body?.nextCursor as string | null;
    } while (cursor !== null);
    expect(seen).toEqual(pairs.map(({ oktaGroupId }) => oktaGroupId).sort());

    const listed = async (status: string) =>
      rowsOf(await own.call('GET', 'push-mappings', { query: { status } }), 'mappings');
    expect((await listed('ACTIVE')).map(({ oktaGroupId }) => oktaGroupId)).toEqual([active.oktaGroupId]);
    expect(await listed('INACTIVE')).toHaveLength(2);
    expect(await listed('ERROR')).toEqual([]);
  });

  test('takes no cursor of another list', async () => {
    const own = await world.startApp();
    for (const pair of [await newPair(world), await newPair(world)]) await putMapping(own, pair);
    const { nextCursor } = (await own.call('GET', 'push-mappings', { query: { limit: '1' } })).body ?? {};
    const query = { limit: '1', status: 'INACTIVE', cursor: String(nextCursor) };
    expect(await own.call('GET', 'push-mappings', { query })).toMatchObject({ status: 400 });
  });
});

describe('deleting a mapping', () => {
  test('wants it INACTIVE, touches no member, and says how many stay', async () => {
    const pair = await activeMapping(world, app);
    const refused = await deleteMapping(app, pair);
    expect(refused).toMatchObject({ status: 409, body: { code: 'push_mapping_active' } });
    expect(refused.body?.fix).toContain('/status');
    const members = await control.membersOf(pair.target);
    expect(members).toHaveLength(3);
    await setStatus(app, pair, { status: 'INACTIVE' });

    const planned = await deleteMapping(app, pair, { dryRun: 'true' });
    expect(planned.body).toMatchObject({ outcome: 'planned', changed: false, managedCount: 3 });
    expect((await readMapping(app, pair)).status).toBe(200);

    const deleted = await deleteMapping(app, pair);
    expect(deleted).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'deleted', changed: true, targetId: pair.targetId, managedCount: 3 },
    });
    expect(await control.writes()).toEqual([]);
    expect(await control.membersOf(pair.target)).toEqual(members);
    expect(await auditRows(app.storage, String(deleted.body?.requestId))).toMatchObject([
      { operation: 'DELETE push-mappings/{oktaGroupId}', state: 'succeeded', before: { managedCount: 3 } },
    ]);
    expect(await readMapping(app, pair)).toMatchObject({ status: 404 });
    expect(await deleteMapping(app, pair)).toMatchObject({ status: 404, body: { code: 'push_mapping_not_found' } });
  });

  test('frees the group and the target, and whoever it had added is nobody of a new mapping', async () => {
    const pair = await activeMapping(world, app);
    await setStatus(app, pair, { status: 'INACTIVE' });
    await deleteMapping(app, pair);
    const other = await newPair(world, { inOkta: [kaya] });
    const remade = await putMapping(app, { ...other, target: pair.target });
    expect(remade.body).toMatchObject({ outcome: 'created', plannedCount: 0, addedOutsideCount: 2 });
    await deleteMapping(app, other);
    const again = await putMapping(app, pair);
    expect(again.body).toMatchObject({ outcome: 'created', plannedCount: 0 });
    expect((await readMapping(app, pair)).body).toMatchObject({ managedCount: 0, pendingCount: 0 });
  });

  test('of a target that is gone goes through', async () => {
    const pair = await newPair(world);
    await putMapping(app, pair);
    await app.call('DELETE', `groups/${pair.target}`, { query: { confirm: pair.target } });
    expect(await isGone(control, pair.target)).toBe(true);
    expect((await deleteMapping(app, pair)).body).toMatchObject({ outcome: 'deleted' });
  });
});

describe('the members of a mapped group', () => {
  test('are those of the Okta group after a push, but for who was there before', async () => {
    const pair = await activeMapping(world, app, { inTarget: [bruno] });
    await org.tell('DELETE', `groups/${pair.oktaGroupId}/members/${liam}`);
    await org.tell('PUT', `groups/${pair.oktaGroupId}/members/${noel}`);
    const pushed = await pushMapping(app, pair);
    expect(pushed.body).toMatchObject({ ok: true, outcome: 'updated', addedCount: 1, removedCount: 1 });
    const ids = [kaya, mina, noel, bruno].map(cast.idOf).sort();
    expect((await control.membersOf(pair.target)).sort()).toEqual(ids);
  });
});
