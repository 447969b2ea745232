import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { groupAt, readCast, type TenantGroup } from '../support/directory.ts';
import { type Answer, type App, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
const crew = {
  mail: address,
  displayName: 'Harbour Crew',
  mailEnabled: true,
  securityEnabled: true,
  owners: [owner],
  members: [ada],
};

beforeEach(async () => {
  await control.reset();
  await control.tenant({ groups: [crew] });
});
afterAll(() => world.close());

/** Every write to one group that exists. */
const writes = {
  addMembers: (from: App, group: string) =>
    from.call('POST', `groups/${encodeURIComponent(group)}/members`, { body: { members: [ben] } }),
  removeMembers: (from: App, group: string) =>
    from.call('POST', `groups/${encodeURIComponent(group)}/members/remove`, { body: { members: [ada] } }),
  setMembers: (from: App, group: string) =>
    from.call('PUT', `groups/${encodeURIComponent(group)}/members`, { body: { members: [ada, ben] } }),
  updateGroup: (from: App, group: string) =>
    from.call('PATCH', `groups/${encodeURIComponent(group)}`, { body: { description: 'Everyone on the quay' } }),
  deleteGroup: (from: App, group: string, confirm = group) =>
    from.call('DELETE', `groups/${encodeURIComponent(group)}`, { query: { confirm } }),
};
const names = Object.keys(writes) as (keyof typeof writes)[];

/** A request for the very group that is there already, but for one setting that would have to be completed. */
const createLike = (from: App, group: TenantGroup): Promise<Answer> =>
  from.call('POST', 'groups', {
    body: {
      kind: group.securityEnabled ? 'mailEnabledSecurity' : 'distributionList',
      displayName: group.displayName,
      alias: group.mailNickname,
      primarySmtpAddress: group.mail,
      owners: group.owners,
      hideFromAddressLists: true,
    },
  });

async function refused(answer: Answer, status: number, code: string): Promise<void> {
  expect(answer).toMatchObject({ status, body: { code, status } });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.body?.fix).toMatch(/\.$/);
  expect(await control.writes()).toEqual([]);
  expect(await auditRows(app.storage, String(answer.body?.requestId))).toEqual([]);
}

describe.each(names)('%s is refused before any write', (name) => {
  const write = (from: App, group: string) => writes[name](from, group);

  test.each([
    ['dynamic', 'dynamic_membership'],
    ['roleAssignable', 'role_assignable'],
    ['restricted', 'management_restricted'],
    ['roomList', 'unknown_kind'],
    ['syncedList', 'on_premises_synced'],
    ['syncedSecurity', 'on_premises_synced'],
  ] as const)('for a group that is %s: %s', async (role, code) => {
    await refused(await write(app, cast[role].id), 403, code);
    await refused(await write(app, cast[role].displayName), 403, code);
  });

  test.each([
    ['isAssignableToRole', 'role_assignable'],
    ['isManagementRestricted', 'management_restricted'],
    ['onPremisesSyncEnabled', 'on_premises_synced'],
  ])('for a mail group with %s: %s', async (flag, code) => {
    await control.tenant({ groups: [{ mail: address, [flag]: true }] });
    await refused(await write(app, address), 403, code);
  });

  test('for a group whose members a rule decides: dynamic_membership', async () => {
    await control.tenant({ groups: [{ mail: address, groupTypes: ['DynamicMembership'] }] });
    await refused(await write(app, address), 403, 'dynamic_membership');
  });

  test('for an unknown group and an ambiguous name', async () => {
    await refused(await write(app, 'nobody@contoso.com'), 404, 'group_not_found');
    await refused(await write(app, cast.twins[0].displayName), 409, 'ambiguous_group');
  });

  test('for a dynamic distribution group, under its address and its name', async () => {
    await refused(await write(app, String(cast.dynamicDistribution.mail)), 403, 'dynamic_membership');
    await refused(await write(app, cast.dynamicDistribution.displayName), 403, 'dynamic_membership');
  });

  test('for a group on PROTECTED_GROUPS, whichever way it is named', async () => {
    const guarded = await world.startApp({ PROTECTED_GROUPS: 'vip*, harbour-*' });
    await refused(await write(guarded, address), 403, 'protected_object');
    await refused(await write(guarded, 'Harbour Crew'), 403, 'protected_object');
    await refused(await write(guarded, (await groupAt(control, address)).id), 403, 'protected_object');
  });

  test('for a group outside MANAGED_GROUPS', async () => {
    const guarded = await world.startApp({ MANAGED_GROUPS: 'okta-*' });
    await refused(await write(guarded, address), 403, 'outside_managed_groups');
  });

  test('and a flow gets the refusal as an outcome', async () => {
    const flow: App = {
      ...app,
      call: (method, path, options) => app.call(method, path, { ...options, headers: { 'x-outcome-mode': 'flow' } }),
    };
    const answer = await write(flow, cast.syncedList.id);
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: false, outcome: 'refused', changed: false, code: 'on_premises_synced' },
    });
  });
});

describe('createGroup is refused before any write', () => {
  test.each(['syncedList', 'syncedSecurity'] as const)('where it would complete a group that is %s', async (role) => {
    await refused(await createLike(app, cast[role]), 403, 'on_premises_synced');
  });

  test.each([
    ['isAssignableToRole', 'role_assignable'],
    ['isManagementRestricted', 'management_restricted'],
  ])('where it would complete a group with %s', async (flag, code) => {
    await control.tenant({ groups: [{ mail: address, [flag]: true }] });
    await refused(await createLike(app, await groupAt(control, address)), 403, code);
  });

  test('where it would add members to a group that is synced', async () => {
    const { displayName, mailNickname, mail, owners } = cast.syncedList;
    const body = { kind: 'distributionList', displayName, alias: mailNickname, primarySmtpAddress: mail, owners };
    const answer = await app.call('POST', 'groups', { body: { ...body, members: [ada] } });
    await refused(answer, 403, 'on_premises_synced');
  });

  test('for a dynamic distribution group, which it does not serve', async () => {
    const body = { kind: 'dynamicDistribution', displayName: 'Mooring', owners: [owner] };
    const answer = await app.call('POST', 'groups', { body });
    await refused(answer, 400, 'invalid_request');
    expect(rowsOf(answer, 'errors')).toMatchObject([{ pointer: '/kind' }]);
  });

  test.each([
    ['its name', { displayName: 'VIP Lounge' }],
    ['its alias', { displayName: 'Lounge', alias: 'vip-lounge' }],
    ['its address', { displayName: 'Lounge', primarySmtpAddress: 'vip-lounge@contoso.com' }],
    ['a further address', { displayName: 'Lounge', addresses: ['vip-lounge@contoso.com'] }],
  ])('under a name on PROTECTED_GROUPS, by %s', async (_what, body) => {
    const guarded = await world.startApp({ PROTECTED_GROUPS: 'vip*' });
    const request = { kind: 'distributionList', owners: [owner], ...body };
    await refused(await guarded.call('POST', 'groups', { body: request }), 403, 'protected_object');
    expect(await control.calls({ upstream: 'exchange' })).toEqual([]);
  });

  test('outside MANAGED_GROUPS, and not inside', async () => {
    const guarded = await world.startApp({ MANAGED_GROUPS: 'okta-*' });
    const body = { kind: 'distributionList', displayName: 'Lounge', owners: [owner] };
    await refused(await guarded.call('POST', 'groups', { body }), 403, 'outside_managed_groups');
    const managed = await guarded.call('POST', 'groups', { body: { ...body, alias: 'okta-lounge' } });
    expect(managed.status).toBe(201);
  });
});

describe('WRITE_MODE', () => {
  const newGroup = { kind: 'distributionList', displayName: 'Mooring', owners: [owner], members: [ada] };
  const all: [string, (from: App) => Promise<Answer>, string][] = [
    ['createGroup', (from) => from.call('POST', 'groups', { body: newGroup }), 'planned'],
    ['addMembers', (from) => writes.addMembers(from, address), 'planned'],
    ['removeMembers', (from) => writes.removeMembers(from, address), 'planned'],
    ['setMembers', (from) => writes.setMembers(from, address), 'planned'],
    ['updateGroup', (from) => writes.updateGroup(from, address), 'planned'],
    ['deleteGroup', (from) => writes.deleteGroup(from, address), 'planned'],
  ];

  test.each(all)('off refuses %s before anything is asked', async (_name, write) => {
    const off = await world.startApp({ WRITE_MODE: 'off' });
    await refused(await write(off), 403, 'writes_disabled');
    expect(await control.calls()).toEqual([]);
  });

  test.each(all)('reportOnly makes %s a dry run, and says so', async (_name, write, outcome) => {
    const reporting = await world.startApp({ WRITE_MODE: 'reportOnly' });
    const before = await control.state();
    const answer = await write(reporting);
    expect(answer).toMatchObject({
      status: 200,
      body: { outcome, changed: false, dryRun: true, warnings: [expect.stringContaining('reportOnly')] },
    });
    expect(await control.writes()).toEqual([]);
    expect((await control.state()).groups).toEqual(before.groups);
    expect(await auditRows(reporting.storage, String(answer.body?.requestId))).toEqual([]);
  });

  test('reportOnly refuses what would be refused', async () => {
    const reporting = await world.startApp({ WRITE_MODE: 'reportOnly' });
    await refused(await writes.addMembers(reporting, cast.syncedList.id), 403, 'on_premises_synced');
  });

  test('off and reportOnly let reading through', async () => {
    for (const WRITE_MODE of ['off', 'reportOnly']) {
      const reading = await world.startApp({ WRITE_MODE });
      expect((await reading.call('GET', `groups/${address}`)).status).toBe(200);
      expect((await reading.call('GET', `groups/${address}/members`)).status).toBe(200);
    }
  });

  test.each(all)('on, with the audit table unreachable, refuses %s', async (_name, write) => {
    // Port 9 is the discard service: nothing listens there.
    const AzureWebJobsStorage = app.storage.replace(/(TableEndpoint=\w+:\/\/127\.0\.0\.1):\d+/, '$1:9');
    expect(AzureWebJobsStorage).not.toBe(app.storage);
    const blind = await world.startApp({ AzureWebJobsStorage });
    const before = await control.state();
    const answer = await write(blind);
    expect(answer).toMatchObject({
      status: 503,
      body: { code: 'audit_unavailable', upstream: 'storage', retryable: true },
    });
    expect(answer.text).not.toContain('AccountKey');
    expect(await control.writes()).toEqual([]);
    expect((await control.state()).groups).toEqual(before.groups);
    expect((await blind.call('GET', `groups/${address}`)).status).toBe(200);
  });
});
