import { afterAll, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { type App, rowsOf } from '../support/world.ts';
import {
  initialDomain,
  listUsers,
  oktaPhone,
  otherPhone,
  overridden,
  readPermission,
  restore,
  rowOf,
  setBypass,
  startSetting,
  switchPermission,
} from './setting.ts';

const setting = await startSetting();
const { world, begin, sync, phoneOf, isBypassOn, switchByHand } = setting;
const { control } = world;
const { tenantId } = world.simulator;
afterAll(() => world.close());

const on = { enabled: true, confirm: initialDomain };
const off = { enabled: false, confirm: initialDomain };
/** The seed has three people from on-premises without a phone, and two of the causes with one. */
const counts = { syncedUserCount: 5, phoneCount: 2 };
const patches = () => control.calls({ upstream: 'graph', method: 'PATCH', path: 'onPremisesSynchronization' });
/** The same storage, without what the app before has learnt of throttling. */
const againWith = (app: App) => world.startApp({ AzureWebJobsStorage: app.storage });
const getDirSync = (app: App) => app.call('GET', 'dirsync');

describe('getDirSync', () => {
  test('shows the tenant, the settings and every feature with what it means', async () => {
    const app = await begin('read', [readPermission]);
    const answer = await getDirSync(app);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      requestId: answer.headers.get('x-request-id'),
      tenantId,
      displayName: 'Contoso',
      initialDomain,
      syncedFromOnPremises: true,
      lastSyncAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      bypassDirSyncOverrides: false,
      deletionPrevention: 'enabledForCount',
      deletionThreshold: 500,
      form: 'collection',
      features: expect.any(Array),
      lastSwitchId: null,
      lastSwitchAt: null,
      lastSwitchEnabled: null,
      lastSwitchState: null,
      lastSwitchRestoredAt: null,
    });
    const features = rowsOf(answer, 'features');
    expect(features).toHaveLength(20);
    expect(features.filter(({ meaning }) => String(meaning).length < 20)).toEqual([]);
    const enabled = features.filter((each) => each.enabled === true).map(({ feature }) => feature);
    expect(enabled).toEqual([
      'quarantineUponProxyAddressesConflictEnabled',
      'quarantineUponUpnConflictEnabled',
      'softMatchOnUpnEnabled',
      'synchronizeUpnForManagedUsersEnabled',
    ]);
  });

  test('reads the single form as the collection', async () => {
    const app = await begin('read', [readPermission]);
    const collection = await getDirSync(app);
    await control.tenant({ settings: { onPremisesSynchronizationForm: 'entity' } });
    await switchByHand(true);
    const single = await getDirSync(app);
    expect(single.body).toMatchObject({ form: 'single', bypassDirSyncOverrides: true, deletionThreshold: 500 });
    expect(rowsOf(single, 'features').length).toBe(rowsOf(collection, 'features').length);
  });

  test('tells a missing permission from a refusal of apps, though Microsoft answers both alike', async () => {
    const without = await getDirSync(await begin('read', []));
    expect(without).toMatchObject({ status: 403, body: { code: 'graph_permission_missing', upstream: 'graph' } });
    expect(without.body?.detail).toContain(`needs ${readPermission}`);
    const refused = await getDirSync(await begin('refused', [readPermission]));
    expect(refused).toMatchObject({ status: 403, body: { code: 'dirsync_app_refused', upstream: 'graph' } });
    for (const { body } of [without, refused]) {
      expect(body?.fix).toContain(`/v1.0/directory/onPremisesSynchronization/${tenantId}`);
    }
  });

  test.each([
    ['settings', '/onPremisesSynchronization', 'upstream_rejected'],
    ['organization', '/organization', 'upstream_failed'],
  ])('says so where Graph shows no %s at all', async (_what, path, code) => {
    const app = await begin('read', [readPermission]);
    const fault = { kind: 'status', status: 200, body: { value: [] } } as const;
    await control.fault({ upstream: 'graph', match: { path }, fault });
    expect(await getDirSync(app)).toMatchObject({ status: 502, body: { code } });
  });
});

describe('a dry run', () => {
  test('lists whose phones would give way, beside what Okta has, and writes nothing', async () => {
    const app = await begin('readWrite');
    const answer = await setBypass(app, { enabled: true, dryRun: true });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      ...counts,
      ok: true,
      outcome: 'planned',
      changed: false,
      dryRun: true,
      tenantId,
      initialDomain,
      enabled: true,
      former: false,
      switchId: null,
      planId: expect.stringMatching(/^[0-9a-f]{32}$/),
      warnings: [expect.stringContaining('every mobile phone of the 2 users')],
    });
    const rows = rowsOf(answer, 'users');
    expect(rows.map(({ userPrincipalName }) => userPrincipalName).sort()).toEqual([
      overridden,
      'cause.synced@contoso.com',
    ]);
    expect(rowOf(answer, overridden)).toMatchObject({
      mobilePhone: otherPhone,
      formerPhone: null,
      overwritten: null,
      oktaPhone,
      oktaUserId: expect.stringMatching(/^00u/),
      oktaAppId: expect.stringMatching(/^0oa/),
      code: 'differs',
      touch: true,
    });
    expect(await control.writes()).toEqual([]);
    expect(await auditRows(app.storage, String(answer.body?.requestId))).toEqual([]);
    expect((await getDirSync(app)).body).toMatchObject({ lastSwitchId: null });
  });

  test('is what WRITE_MODE reportOnly makes of every switch', async () => {
    const app = await begin('readWrite', [switchPermission], { WRITE_MODE: 'reportOnly' });
    expect((await setBypass(app, on)).body).toMatchObject({ outcome: 'planned', dryRun: true });
    expect(await isBypassOn()).toBe(false);
  });

  test('does without Okta where that is not configured, or does not answer', async () => {
    const noOkta = { OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' };
    const alone = await begin('readWrite', [switchPermission], noOkta);
    const without = await setBypass(alone, { enabled: true, dryRun: true });
    expect(rowOf(without, overridden)).toMatchObject({ code: 'not_compared', touch: true, oktaPhone: null });
    expect(without.body?.warnings).toHaveLength(1);

    const app = await begin('readWrite');
    const status = { kind: 'status', status: 403 } as const;
    await control.fault({ upstream: 'okta', match: { path: '/api/v1/' }, fault: status, times: 99 });
    const refused = await setBypass(app, { enabled: true, dryRun: true });
    expect(rowOf(refused, overridden)).toMatchObject({ code: 'not_compared', touch: true });
    expect(refused.body?.warnings).toContainEqual(expect.stringContaining('could not be compared'));
  });

  test('says that no phone changes where the switch goes off, and that a tenant is not synced', async () => {
    const app = await begin('readWrite');
    await switchByHand(true);
    const answer = await setBypass(app, { enabled: false, dryRun: true });
    expect(answer.body).toMatchObject({ outcome: 'planned', former: true, phoneCount: 0, users: [], warnings: [] });
    expect(answer.body?.message).toContain('no phone changes');
    await control.tenant({ syncState: { onPremisesSyncEnabled: null, onPremisesLastSyncDateTime: null } });
    const unsynced = await setBypass(app, { enabled: false, dryRun: true });
    expect(unsynced.body?.warnings).toEqual([expect.stringContaining('not synced from on-premises')]);
  });

  test('of what is there already plans nothing', async () => {
    const app = await begin('readWrite');
    const answer = await setBypass(app, { enabled: false, dryRun: true });
    expect(answer.body).toMatchObject({ outcome: 'unchanged', planId: null, switchId: null, former: false });
  });
});

describe('the switch', () => {
  test.each([[undefined], ['fabrikam.onmicrosoft.com'], ['contoso.com']])(
    'is not made with confirm %s, whatever the tenant',
    async (confirm) => {
      const app = await begin('readWrite');
      const answer = await setBypass(app, { enabled: true, ...(confirm !== undefined && { confirm }) });
      expect(answer).toMatchObject({ status: 409, body: { code: 'confirm_mismatch' } });
      expect(answer.body?.fix).toContain(`"confirm": "${initialDomain}"`);
      expect(await control.writes()).toEqual([]);
      expect(await isBypassOn()).toBe(false);
    },
  );

  test('is made, recorded and remembered; a repeat changes nothing', async () => {
    const app = await begin('readWrite');
    const plan = await setBypass(app, { enabled: true, dryRun: true });
    const answer = await setBypass(app, { ...on, confirm: 'Contoso.OnMicrosoft.com', planId: plan.body?.planId });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      ...counts,
      ok: true,
      outcome: 'switched',
      changed: true,
      dryRun: false,
      enabled: true,
      former: false,
      switchId: expect.any(String),
      users: [],
    });
    const { switchId, requestId } = answer.body ?? {};
    expect(answer.body?.message).toContain(`GET dirsync/users?switchId=${String(switchId)}&only=touch`);
    expect(await isBypassOn()).toBe(true);
    expect((await patches()).map(({ path, requestBody }) => [path, requestBody])).toEqual([
      [`/v1.0/directory/onPremisesSynchronization/${tenantId}`, { features: { bypassDirSyncOverridesEnabled: true } }],
    ]);
    expect(await auditRows(app.storage, String(requestId))).toEqual([
      expect.objectContaining({
        action: 'setBypassDirSyncOverrides',
        operation: 'PATCH /directory/onPremisesSynchronization/{id}',
        targetType: 'tenant',
        targetId: tenantId,
        targetName: initialDomain,
        state: 'succeeded',
        before: { bypassDirSyncOverridesEnabled: false, switchId, phoneCount: 2 },
        planned: true,
        after: { bypassDirSyncOverridesEnabled: true, switchId, phoneCount: 2 },
      }),
    ]);
    expect((await getDirSync(app)).body).toMatchObject({
      bypassDirSyncOverrides: true,
      lastSwitchId: switchId,
      lastSwitchEnabled: true,
      lastSwitchState: 'switched',
      lastSwitchRestoredAt: null,
    });

    // What is remembered outlives the sweep.
    await app.fire('sweep');
    const again = await setBypass(app, on);
    expect(again.body).toMatchObject({ ...counts, outcome: 'unchanged', changed: false, switchId, former: true });
    expect(await patches()).toHaveLength(1);
  });

  test('is not made when other phones would be overwritten than planned', async () => {
    const app = await begin('readWrite');
    const { body } = await setBypass(app, { enabled: true, dryRun: true });
    await control.tenant({ users: [{ userPrincipalName: overridden, mobilePhone: '+1 555 010 0111' }] });
    const answer = await setBypass(app, { ...on, planId: body?.planId });
    expect(answer).toMatchObject({ status: 409, body: { code: 'plan_changed' } });
    expect(await isBypassOn()).toBe(false);
  });

  test('whose answer was lost is read back, and sent again only where it was not carried out', async () => {
    const app = await begin('readWrite');
    const match = { method: 'PATCH', path: 'onPremisesSynchronization' };
    await control.fault({ upstream: 'graph', match, fault: { kind: 'commitThenReset' } });
    expect((await setBypass(app, on)).body).toMatchObject({ outcome: 'switched', changed: true });
    expect(await patches()).toHaveLength(1);
    await control.fault({ upstream: 'graph', match, fault: { kind: 'reset' } });
    expect((await setBypass(app, off)).body).toMatchObject({ outcome: 'switched', changed: true });
    expect(await patches()).toHaveLength(3);
  });

  test('whose outcome is not known stays open until the request is repeated', async () => {
    const app = await begin('readWrite');
    const match = { path: 'onPremisesSynchronization' };
    // Not read back either.
    await control.fault({
      upstream: 'graph',
      match: { ...match, method: 'PATCH' },
      fault: { kind: 'commitThenReset' },
    });
    await control.fault({
      upstream: 'graph',
      match: { ...match, method: 'GET' },
      fault: { kind: 'throttle', seconds: 60 },
      skip: 1,
    });
    await control.fault({ upstream: 'graph', match: { ...match, method: 'PATCH' }, fault: { kind: 'reset' } });
    const lost = await setBypass(app, on);
    expect(lost).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } });
    await control.clearFaults();
    await control.clock({ advanceMs: 120_000 });
    const second = await againWith(app);
    expect((await getDirSync(second)).body).toMatchObject({ bypassDirSyncOverrides: true, lastSwitchState: 'open' });
    expect((await setBypass(second, on)).body).toMatchObject({ outcome: 'unchanged', switchId: expect.any(String) });
    expect((await getDirSync(second)).body).toMatchObject({ lastSwitchState: 'switched' });
  });

  test('that Graph turns down for another reason leaves no way back to what never was', async () => {
    const app = await begin('readWrite');
    const match = { method: 'PATCH', path: 'onPremisesSynchronization' };
    await control.fault({ upstream: 'graph', match, fault: { kind: 'status', status: 400 } });
    expect((await setBypass(app, on)).status).toBe(502);
    expect((await getDirSync(app)).body).toMatchObject({ lastSwitchId: null });
  });

  test('is refused by WRITE_MODE off', async () => {
    const app = await begin('readWrite', [switchPermission], { WRITE_MODE: 'off' });
    expect(await setBypass(app, on)).toMatchObject({ status: 403, body: { code: 'writes_disabled' } });
  });
});

describe('a tenant where Microsoft refuses apps', () => {
  test.each(['read', 'refused'] as const)('(%s) is told how to switch by hand, with its id', async (appOnly) => {
    const app = await begin(appOnly);
    const plan = await setBypass(app, { enabled: true, dryRun: true });
    expect(plan.body).toMatchObject({ ...counts, outcome: 'planned', former: appOnly === 'read' ? false : null });
    const answer = await setBypass(app, on);
    expect(answer).toMatchObject({ status: 403, body: { code: 'dirsync_app_refused', upstream: 'graph' } });
    const fix = String(answer.body?.fix);
    expect(fix).toContain(`as a Global Administrator of the tenant ${tenantId} with consent to ${switchPermission}`);
    expect(fix).toContain(`/v1.0/directory/onPremisesSynchronization/${tenantId} with the body {"features":`);
    expect(fix).toContain(`Connect-MgGraph -TenantId ${tenantId} -Scopes ${switchPermission}`);
    expect(fix).toContain(
      `-OnPremisesDirectorySynchronizationId ${tenantId} -Features @{ BypassDirSyncOverridesEnabled = $true }`,
    );
    expect(fix).toContain('Start-ADSyncSyncCycle -PolicyType Initial');
    expect(await isBypassOn()).toBe(false);
  });

  test('finds its phones remembered once somebody has switched by hand', async () => {
    const app = await begin('read');
    const { body } = await setBypass(app, on);
    const [, switchId = ''] = /switchId=([\da-f-]+)/.exec(String(body?.fix)) ?? [];
    expect((await getDirSync(app)).body).toMatchObject({ lastSwitchId: switchId, lastSwitchState: 'refused' });
    await switchByHand(true);
    await sync('initial');
    expect(rowOf(await listUsers(app, { switchId }), overridden)).toMatchObject({
      formerPhone: otherPhone,
      mobilePhone: oktaPhone,
      overwritten: true,
    });
    expect((await setBypass(app, on)).body).toMatchObject({ outcome: 'unchanged', switchId, ...counts });
    expect((await getDirSync(app)).body).toMatchObject({ lastSwitchState: 'switched' });
  });

  test('is told how to switch off by hand as well, without a word of phones', async () => {
    const app = await begin('read');
    await switchByHand(true);
    const { body } = await setBypass(app, off);
    expect(body).toMatchObject({ code: 'dirsync_app_refused' });
    expect(body?.fix).toMatch(/BypassDirSyncOverridesEnabled = \$false \}$/);
  });

  test('comes to a flow as an outcome', async () => {
    const app = await begin('read');
    const answer = await setBypass(app, on, { 'x-outcome-mode': 'flow' });
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'refused', code: 'dirsync_app_refused' } });
  });

  test('is told first of a permission that the app lacks', async () => {
    const app = await begin('readWrite', [readPermission]);
    const answer = await setBypass(app, on);
    expect(answer).toMatchObject({ status: 403, body: { code: 'graph_permission_missing' } });
    expect(answer.body?.fix).toMatch(/^Grant it with admin consent\./);
    expect(answer.body?.fix).toContain(tenantId);
  });
});

describe('a sync cycle', () => {
  test('leaves what was edited in the cloud while the switch is off, and overwrites it once it is on', async () => {
    const app = await begin('readWrite');
    const kept = await sync('initial');
    expect(kept.kept).toContainEqual(expect.objectContaining({ userPrincipalName: overridden }));
    expect(await phoneOf(overridden)).toBe(otherPhone);
    const { body } = await setBypass(app, on);
    await sync('delta');
    expect(await phoneOf(overridden)).toBe(otherPhone);
    const cycle = await sync('initial');
    expect(cycle.overwritten).toContainEqual(expect.objectContaining({ userPrincipalName: overridden }));
    expect(await phoneOf(overridden)).toBe(oktaPhone);
    const switchId = String(body?.switchId);
    const overwritten = await listUsers(app, { switchId, only: 'overwritten' });
    expect(rowsOf(overwritten, 'users').map(({ formerPhone, mobilePhone }) => [formerPhone, mobilePhone])).toEqual([
      [otherPhone, oktaPhone],
    ]);
  });
});

describe('a restore', () => {
  test('sets the switch back, says what does not come back, and may be repeated', async () => {
    const app = await begin('readWrite');
    const { switchId } = (await setBypass(app, on)).body ?? {};
    await sync('initial');
    const planned = await restore(app, switchId, { dryRun: true });
    expect(planned.body).toMatchObject({ outcome: 'planned', enabled: false, former: true });
    expect(await restore(app, switchId, { confirm: 'contoso.com' })).toMatchObject({
      status: 409,
      body: { code: 'confirm_mismatch' },
    });
    expect(await isBypassOn()).toBe(true);
    const answer = await restore(app, switchId, { confirm: initialDomain });
    expect(answer.body).toMatchObject({ outcome: 'switched', changed: true, enabled: false, former: true });
    expect(answer.body?.message).toContain(`dirsync/users?switchId=${String(switchId)}&only=overwritten`);
    expect(await isBypassOn()).toBe(false);
    expect(await phoneOf(overridden)).toBe(oktaPhone);
    expect(await auditRows(app.storage, String(answer.body?.requestId))).toMatchObject([
      { action: 'restoreBypassDirSyncOverrides', state: 'succeeded', planned: false },
    ]);
    const again = await restore(app, switchId, { confirm: initialDomain });
    expect(again.body).toMatchObject({ outcome: 'unchanged', changed: false });
    expect(await patches()).toHaveLength(2);
  });

  test('of a switch to off remembers the phones that give way again', async () => {
    const app = await begin('readWrite');
    await switchByHand(true);
    const { switchId } = (await setBypass(app, off)).body ?? {};
    expect((await getDirSync(app)).body).toMatchObject({ lastSwitchEnabled: false, lastSwitchState: 'switched' });
    const answer = await restore(app, switchId, { confirm: initialDomain });
    expect(answer.body).toMatchObject({ ...counts, outcome: 'switched', enabled: true });
    expect(answer.body?.message).not.toContain('only=overwritten');
    expect(await isBypassOn()).toBe(true);
    expect(rowsOf(await listUsers(app, { switchId: String(answer.body?.switchId) }), 'users')).toHaveLength(5);
    expect(rowsOf(await listUsers(app, { switchId: String(switchId) }), 'users')).toEqual([]);
  });

  test('of what somebody has set back by hand is noted', async () => {
    const app = await begin('readWrite');
    const { switchId } = (await setBypass(app, on)).body ?? {};
    await switchByHand(false);
    expect((await restore(app, switchId, { confirm: initialDomain, dryRun: true })).body).toMatchObject({
      outcome: 'unchanged',
    });
    expect((await getDirSync(app)).body).toMatchObject({ lastSwitchId: switchId, lastSwitchRestoredAt: null });
    expect((await restore(app, switchId, { confirm: initialDomain })).body).toMatchObject({ outcome: 'unchanged' });
    const { lastSwitchRestoredAt } = (await getDirSync(app)).body ?? {};
    expect(lastSwitchRestoredAt).toMatch(/^\d{4}-\d\d-\d\dT/);
    // Once more changes nothing of it.
    await restore(app, switchId, { confirm: initialDomain });
    expect((await getDirSync(app)).body).toMatchObject({ lastSwitchRestoredAt });
    // The phones before a switch by hand after it are not those that were remembered.
    await switchByHand(true);
    expect((await setBypass(app, on)).body).toMatchObject({ outcome: 'unchanged', switchId: null, phoneCount: 0 });
  });

  test('where the former value was never shown is to the other one', async () => {
    const app = await begin('refused');
    await setBypass(app, on);
    await control.tenant({ settings: { onPremisesSynchronizationAppOnly: 'readWrite' } });
    await switchByHand(true);
    const { lastSwitchId } = (await getDirSync(app)).body ?? {};
    expect((await restore(app, lastSwitchId, { confirm: initialDomain })).body).toMatchObject({
      enabled: false,
      warnings: [expect.stringContaining('did not show what it was before')],
    });
    expect(await isBypassOn()).toBe(false);
  });

  test('of a switch that nobody knows is refused', async () => {
    const app = await begin('readWrite');
    const switchId = `${'9'.repeat(15)}1-${'0'.repeat(16)}`;
    for (const id of ['8638236000000000-0123456789abcdef', switchId]) {
      expect(await restore(app, id, { confirm: initialDomain })).toMatchObject({
        status: 404,
        body: { code: 'switch_not_found' },
      });
    }
    expect(await restore(app, 'latest', {})).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});
