import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { OktaBench } from './oktaBench.ts';

let okta: OktaBench;
beforeAll(async () => {
  okta = await OktaBench.start();
});
beforeEach(async () => {
  await okta.bench.control('POST', 'reset');
});
afterAll(() => okta.bench.sim.close());

const members = async (name: string): Promise<string[]> =>
  (await okta.all(`/groups/${await okta.groupId(name)}/users`)).map(({ profile }) => profile.login.split('@')[0] ?? '');

test('a member is put in and out, and done before is done', async () => {
  const group = await okta.groupId('Future Hires');
  const path = `/groups/${group}/users/${await okta.userId('vera.kovac@contoso.com')}`;
  const before = (await okta.get(`/groups/${group}`)).row.lastMembershipUpdated;
  for (const method of ['PUT', 'PUT']) expect((await okta.call(method, path)).status).toBe(204);
  expect(await members('Future Hires')).toEqual(['vera.kovac']);
  expect((await okta.get(`/groups/${group}`)).row.lastMembershipUpdated).not.toBe(before);
  for (const method of ['DELETE', 'DELETE']) expect((await okta.call(method, path)).status).toBe(204);
  expect(await members('Future Hires')).toEqual([]);
});

test('who is deprovisioned joins nothing; groups of an app and built-in ones are not edited', async () => {
  const leaver = await okta.userId('former.colleague@contoso.com');
  const refused = await okta.call('PUT', `/groups/${await okta.groupId('Future Hires')}/users/${leaver}`);
  expect(refused).toMatchObject({
    status: 403,
    error: { errorCode: 'E0000038', errorSummary: "This operation is not allowed in the user's current status." },
  });
  const user = await okta.userId('vera.kovac@contoso.com');
  for (const name of ['Plant Staff', 'Everyone']) {
    const group = await okta.groupId(name);
    for (const [method, path] of [
      ['PUT', `/groups/${group}/users/${user}`],
      ['DELETE', `/groups/${group}/users/${user}`],
      ['DELETE', `/groups/${group}`],
    ] as const)
      expect(await okta.call(method, path)).toMatchObject({ status: 403, error: { errorCode: 'E0000006' } });
  }
});

test('a group is made, its profile replaced whole, and deleted', async () => {
  const made = await okta.call('POST', '/groups', { body: { profile: { name: 'Welders', office_365_ID: 'x' } } });
  expect(made).toMatchObject({ status: 200, row: { type: 'OKTA_GROUP', profile: { office_365_ID: 'x' } } });
  const path = `/groups/${made.row.id}`;
  const put = await okta.call('PUT', path, { body: { profile: { name: 'Welders North', description: 'd' } } });
  expect(put.row.profile).toEqual({ name: 'Welders North', description: 'd' });
  expect((await okta.call('DELETE', path)).status).toBe(204);
  expect((await okta.get(path)).status).toBe(404);
});

test.each([
  ['{', 400, 'E0000003'],
  [{}, 400, 'E0000001'],
  [{ profile: {} }, 400, 'E0000001'],
  [{ profile: { name: 'Alumni' } }, 400, 'E0000001'],
  [{ profile: { name: 'New' }, type: 'APP_GROUP' }, 501, 'E0000060'],
])('a group like %j is refused', async (body, status, errorCode) => {
  expect(await okta.call('POST', '/groups', { body })).toMatchObject({ status, error: { errorCode } });
});

test('who is assigned Office 365 is linked to the account of the same name, or waits for one', async () => {
  const app = await okta.appId();
  const assign = async (login: string, more: object = {}) =>
    okta.call('POST', `/apps/${app}/users`, { body: { id: await okta.userId(login), ...more } });
  expect(await assign('moments.ago@corp.contoso.com', { profile: { immutableId: 'abc' } })).toMatchObject({
    status: 200,
    row: {
      scope: 'USER',
      status: 'PROVISIONED',
      externalId: await okta.bench.userId('moments.ago@corp.contoso.com'),
      profile: { immutableId: 'abc' },
    },
  });
  expect((await assign('okta.only@example.com')).row).toMatchObject({ status: 'STAGED', externalId: null });
  expect((await assign('former.colleague@contoso.com')).error.errorCode).toBe('E0000038');
  const byGroup = await assign('rosa.delgado@contoso.com', { scope: 'USER' });
  expect(byGroup.row).toMatchObject({ scope: 'USER', externalId: await okta.bench.userId('rosa.delgado@contoso.com') });
  expect((await assign('amara.osei@contoso.com', { scope: 'GROUP' })).status).toBe(501);
});

test('an app user is updated, and unassigned but where a group assigns it', async () => {
  const app = await okta.appId();
  const path = `/apps/${app}/users/${await okta.userId('amara.osei@contoso.com')}`;
  const body = { profile: { mobilePhone: '+47 22 00 00 00' }, credentials: { userName: 'amara@contoso.com' } };
  const updated = await okta.call('POST', path, { body });
  expect(updated.row).toMatchObject({
    profile: { mobilePhone: '+47 22 00 00 00', firstName: 'Amara' },
    credentials: { userName: 'amara@contoso.com' },
  });
  expect((await okta.call('POST', path, { body: { profile: 'x' } })).status).toBe(400);
  expect((await okta.call('POST', path, { body: { status: 'ACTIVE' } })).status).toBe(501);
  expect((await okta.call('DELETE', path)).status).toBe(204);
  expect((await okta.get(path)).status).toBe(404);
  const byGroup = `/apps/${app}/users/${await okta.userId('rosa.delgado@contoso.com')}`;
  expect(await okta.call('DELETE', byGroup)).toMatchObject({ status: 403, error: { errorCode: 'E0000006' } });
});

test('unassigning disables the account in Entra where "Deactivate Users" is on, and only there', async () => {
  const app = await okta.appId();
  const feature = `/apps/${app}/features/USER_PROVISIONING`;
  const enabled = async (upn: string) => (await okta.bench.graph('GET', `/users/${upn}?$select=accountEnabled`)).text;
  const unassign = async (login: string) => okta.call('DELETE', `/apps/${app}/users/${await okta.userId(login)}`);
  await unassign('amara.osei@contoso.com');
  expect(await enabled('amara.osei@contoso.com')).toContain('"accountEnabled":false');
  await okta.call('POST', `/apps/${app}/users`, { body: { id: await okta.userId('amara.osei@contoso.com') } });
  expect(await enabled('amara.osei@contoso.com')).toContain('"accountEnabled":true');
  const off = await okta.call('PUT', feature, { body: { update: { lifecycleDeactivate: { status: 'DISABLED' } } } });
  expect(off.row).toMatchObject({
    capabilities: {
      create: { lifecycleCreate: { status: 'ENABLED' } },
      update: { lifecycleDeactivate: { status: 'DISABLED' } },
    },
  });
  await unassign('bruno.keller@contoso.com');
  expect(await enabled('bruno.keller@contoso.com')).toContain('"accountEnabled":true');
  for (const body of [{ update: { lifecycleDeactivate: { status: 'SOMETIMES' } } }, { update: 'x' }])
    expect((await okta.call('PUT', feature, { body })).status).toBe(400);
  expect((await okta.call('PUT', feature, { body: { remove: {} } })).status).toBe(501);
});

test('an app assigned to a group follows its membership', async () => {
  const app = await okta.appId();
  const user = await okta.userId('okta.only@example.com');
  const appUser = () => okta.get(`/apps/${app}/users/${user}`);
  const path = `/groups/${await okta.groupId('Office 365 By Group')}/users/${user}`;
  await okta.call('PUT', path);
  expect((await appUser()).row).toMatchObject({ scope: 'GROUP', status: 'STAGED' });
  await okta.call('DELETE', path);
  expect((await appUser()).status).toBe(404);
  const own = await okta.userId('amara.osei@contoso.com');
  await okta.call('PUT', path.replace(user, own));
  await okta.call('DELETE', path.replace(user, own));
  expect((await okta.get(`/apps/${app}/users/${own}`)).row.scope).toBe('USER');
});

test('a broken push mapping is made active again by a push, which may fail again', async () => {
  const path = `/apps/${await okta.appId()}/group-push/mappings`;
  const broken = (await okta.get(`${path}?status=ERROR`)).rows[0];
  const activate = () => okta.call('PATCH', `${path}/${broken?.id ?? ''}`, { body: { status: 'ACTIVE' } });
  await okta.control('PUT', 'org', { pushMappings: [{ source: 'New Starters', failsWith: 'Still broken.' }] });
  expect(await activate()).toMatchObject({ status: 200, row: { status: 'ERROR', errorSummary: 'Still broken.' } });
  await okta.control('PUT', 'org', { pushMappings: [{ source: 'New Starters', failsWith: null }] });
  const { row } = await activate();
  expect(row).toMatchObject({ status: 'ACTIVE', errorSummary: '', sourceGroupId: broken?.sourceGroupId });
  expect(Date.parse(row.lastPush)).toBeGreaterThan(Date.parse(broken?.lastPush ?? ''));
  for (const body of [{}, { status: 'ERROR' }])
    expect((await okta.call('PATCH', `${path}/${row.id}`, { body })).status).toBe(400);
});

test('a push mapping is made on a group of the app, stopped, and deleted once it is not active', async () => {
  const path = `/apps/${await okta.appId()}/group-push/mappings`;
  const [source, target] = [await okta.groupId('Alumni'), await okta.groupId('Social Club')];
  const make = (body: object) => okta.call('POST', path, { body });
  const made = await make({ sourceGroupId: source, targetGroupId: target });
  expect(made).toMatchObject({ status: 201, row: { status: 'ACTIVE', sourceGroupId: source, targetGroupId: target } });
  expect((await make({ sourceGroupId: source, targetGroupId: target })).status).toBe(400);
  const other = await okta.groupId('Future Hires');
  for (const body of [
    { sourceGroupId: other },
    { sourceGroupId: other, targetGroupId: target, targetGroupName: 'x' },
    { sourceGroupId: other, targetGroupId: other },
  ])
    expect((await make(body)).status).toBe(400);
  expect((await make({ sourceGroupId: other, targetGroupName: 'x' })).status).toBe(501);
  const one = `${path}/${made.row.id}`;
  expect((await okta.call('DELETE', `${one}?deleteTargetGroup=false`)).status).toBe(400);
  expect((await okta.call('PATCH', one, { body: { status: 'INACTIVE' } })).row.status).toBe('INACTIVE');
  expect((await okta.call('DELETE', one)).status).toBe(400);
  expect((await okta.call('DELETE', `${one}?deleteTargetGroup=true`)).status).toBe(501);
  expect((await okta.call('DELETE', `${one}?deleteTargetGroup=false`)).status).toBe(204);
  expect((await okta.get(one)).status).toBe(404);
});
