import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { nextOf, OktaBench, type Row } from './oktaBench.ts';

let okta: OktaBench;
beforeAll(async () => {
  okta = await OktaBench.start();
});
beforeEach(async () => {
  await okta.bench.control('POST', 'reset');
});
afterAll(() => okta.bench.sim.close());

const names = (rows: Row[]): string[] => rows.map(({ profile }) => profile.name);
const logins = (rows: Row[]): string[] => rows.map(({ profile }) => profile.login.split('@')[0] ?? '');
const query = (parameters: Record<string, string>): string => new URLSearchParams(parameters).toString();

test('a group is shown as Okta shows it, of its three types', async () => {
  const { row } = await okta.get(`/groups/${await okta.groupId('Field Engineers')}`);
  expect(row).toMatchObject({
    type: 'OKTA_GROUP',
    objectClass: ['okta:user_group'],
    profile: { name: 'Field Engineers', description: null },
    _links: { users: { href: `${okta.origin}/api/v1/groups/${row.id}/users` } },
  });
  expect(row.id).toMatch(/^00g\w{17}$/);
  const everyone = await okta.get(`/groups/${await okta.groupId('Everyone')}`);
  expect(everyone.row.type).toBe('BUILT_IN');
  const plant = await okta.get(`/groups/${await okta.groupId('Plant Staff')}`);
  expect(plant.row).toMatchObject({
    type: 'APP_GROUP',
    objectClass: ['okta:windows_security_principal'],
    _links: { source: { href: `${okta.origin}/api/v1/apps/${await okta.appId('active_directory')}` } },
  });
});

test('what is not there is 404 in the words of Okta', async () => {
  const app = await okta.appId();
  for (const [path, kind] of [
    ['/groups/00gNobody', 'UserGroup'],
    ['/groups/00gNobody/users', 'UserGroup'],
    ['/groups/rules/0prNobody', 'GroupRule'],
    ['/users/nobody@contoso.com', 'User'],
    ['/apps/0oaNobody', 'AppInstance'],
    ['/apps/0oaNobody/users', 'AppInstance'],
    [`/apps/${app}/users/00uNobody`, 'AppUser'],
    [`/apps/${app}/features/NONSENSE`, 'ApplicationFeature'],
    [`/apps/${app}/group-push/mappings/gPmNobody`, 'GroupPushMapping'],
    ['/eventHooks/whoNobody', 'EventHook'],
  ] as const) {
    const { status, error } = await okta.get(path);
    expect({ status, ...error }).toMatchObject({ status: 404, errorCode: 'E0000007', errorCauses: [] });
    expect(error.errorSummary).toMatch(new RegExp(`^Not found: Resource not found: .*\\(${kind}\\)$`));
    expect(error.errorId).toMatch(/^oae/);
  }
});

test('the org is the people of the tenant, by the same logins, with every status and groups of every kind', async () => {
  const upns = (await okta.bench.state()).users.map(({ userPrincipalName }) => userPrincipalName);
  const { users } = await okta.state();
  const inOktaOnly = users.filter(({ profile }) => !upns.includes(profile.login));
  expect(logins(inOktaOnly)).toEqual(['okta.only']);
  expect(new Set(users.map(({ status }) => status))).toEqual(
    new Set([
      'STAGED',
      'PROVISIONED',
      'ACTIVE',
      'RECOVERY',
      'PASSWORD_EXPIRED',
      'LOCKED_OUT',
      'SUSPENDED',
      'DEPROVISIONED',
    ]),
  );
  const members = async (name: string) => okta.all(`/groups/${await okta.groupId(name)}/users`);
  expect(logins(await members('Field Engineers'))).toContain('kaya.demir');
  expect(await members('Future Hires')).toEqual([]);
  expect((await members('Alumni')).map(({ status }) => status)).toEqual(['DEPROVISIONED', 'SUSPENDED', 'ACTIVE']);
  expect(logins(await members('New Starters'))).toContain('new.hire');
  expect(new Set((await members('Every Status')).map(({ status }) => status)).size).toBe(8);
});

test("a group's members come by pages, whole users, and whoever stays throughout comes exactly once", async () => {
  await okta.control('POST', 'seed', { users: 25, members: { 'Future Hires': 25 } });
  const path = `/groups/${await okta.groupId('Future Hires')}/users?limit=10`;
  const first = await okta.get(path);
  expect(first.rows).toHaveLength(10);
  expect(first.headers.get('link')).toContain(`<${okta.origin}/api/v1${path}>; rel="self"`);
  expect(first.rows[0]).toMatchObject({ status: 'ACTIVE', profile: { login: 'person000001@contoso.com' } });
  // Two that were listed already leave meanwhile.
  await okta.control('POST', 'groups/Future%20Hires/members', {
    remove: ['person000001@contoso.com', 'person000005@contoso.com'],
  });
  const second = await okta.fetch(nextOf(first) ?? '', 'GET', {});
  const third = await okta.fetch(nextOf(second) ?? '', 'GET', {});
  expect(nextOf(third)).toBeUndefined();
  const all = [...first.rows, ...second.rows, ...third.rows].map(({ id }) => id);
  expect(new Set(all).size).toBe(25);
  expect(all).toHaveLength(25);
});

test.each(['limit=0', 'limit=1001', 'limit=many', 'after=nonsense'])(
  'a page of members asked for by %s is refused',
  async (asked) => {
    const refused = await okta.get(`/groups/${await okta.groupId('Alumni')}/users?${asked}`);
    expect(refused).toMatchObject({ status: 400, error: { errorCode: 'E0000001' } });
    expect(refused.error.errorCauses).toHaveLength(1);
  },
);

test.each([
  [{ search: 'profile.name eq "FIELD ENGINEERS"' }, ['Field Engineers']],
  [{ search: 'type eq "APP_GROUP" and profile.name sw "Plant"' }, ['Plant Staff']],
  [{ search: '(profile.name eq "Alumni" or profile.name eq "Everyone") and type eq "BUILT_IN"' }, ['Everyone']],
  [{ search: 'profile.samAccountName pr' }, ['Plant Staff']],
  [{ search: 'lastMembershipUpdated gt "2030-01-01T00:00:00.000Z"' }, []],
  [{ filter: 'type eq "BUILT_IN"' }, ['Everyone']],
  [{ filter: 'lastUpdated lt "2000-01-01T00:00:00.000Z"' }, []],
  [{ filter: 'lastUpdated le "2030-01-01T00:00:00.000Z" and type eq "BUILT_IN"' }, ['Everyone']],
  [{ q: 'field' }, ['Field Engineers']],
])('groups are found by %j', async (asked, found) => {
  const { status, rows } = await okta.get(`/groups?${query(asked)}`);
  expect(status).toBe(200);
  expect(names(rows)).toEqual(found);
});

test('a search that Okta does not understand is refused, one that is not modelled is 501', async () => {
  for (const filter of [
    'profile.name eq "x"',
    'type eq',
    'type is "x"',
    '(type eq "x"',
    'type eq "x" and',
    'type eq x',
    '"',
  ])
    expect(await okta.get(`/groups?${query({ filter })}`)).toMatchObject({
      status: 400,
      error: { errorCode: 'E0000031' },
    });
  expect((await okta.get(`/groups?${query({ search: 'type ne "x"' })}`)).status).toBe(501);
  expect((await okta.get('/groups?expand=app')).status).toBe(501);
});

test('groups come with their numbers where these are asked for', async () => {
  const { rows } = await okta.get(`/groups?${query({ q: 'Field', expand: 'stats' })}`);
  expect(rows[0]).toMatchObject({ _embedded: { stats: { usersCount: 5, appsCount: 0, groupPushMappingsCount: 1 } } });
});

test('a user is found by id, login and short login', async () => {
  const { row } = await okta.get('/users/vera.kovac%40contoso.com');
  expect(row).toMatchObject({ status: 'SUSPENDED', profile: { login: 'vera.kovac@contoso.com', lastName: 'Kovac' } });
  expect(row.id).toMatch(/^00u\w{17}$/);
  for (const ref of [row.id, 'VERA.KOVAC@contoso.com', 'vera.kovac'])
    expect((await okta.get(`/users/${ref}`)).row).toEqual(row);
  const groups = (await okta.get(`/users/${row.id}/groups`)).rows;
  expect(names(groups)).toEqual(['Everyone', 'Alumni', 'Every Status']);
});

test('a short login that two have finds neither', async () => {
  await okta.control('PUT', 'org', { users: [{ login: 'vera.kovac@example.com' }] });
  expect((await okta.get('/users/vera.kovac')).status).toBe(404);
});

test('who is deprovisioned is found by a filter or a search only', async () => {
  expect(logins(await okta.all('/users?limit=10'))).not.toContain('former.colleague');
  expect(logins((await okta.get('/users?q=former')).rows)).toEqual([]);
  const filter = query({ filter: 'status eq "DEPROVISIONED"' });
  expect(logins((await okta.get(`/users?${filter}`)).rows)).toEqual(['former.colleague']);
  const search = query({ search: 'profile.login eq "FORMER.COLLEAGUE@contoso.com"' });
  expect(logins((await okta.get(`/users?${search}`)).rows)).toEqual(['former.colleague']);
});

test('a filter on users knows few properties and eq, and minds the case', async () => {
  const ask = (filter: string) => okta.get(`/users?${query({ filter })}`);
  expect((await ask('profile.login eq "vera.kovac@contoso.com"')).rows).toHaveLength(1);
  expect((await ask('profile.login eq "Vera.Kovac@contoso.com"')).rows).toEqual([]);
  expect((await ask('lastUpdated ge "2000-01-01T00:00:00.000Z"')).rows.length).toBeGreaterThan(10);
  for (const filter of ['profile.department eq "Legal"', 'profile.login sw "vera"', 'lastUpdated sw "2"'])
    expect((await ask(filter)).status).toBe(400);
  const custom = query({ search: 'profile.department eq "legal"' });
  expect(logins((await okta.get(`/users?${custom}`)).rows)).toEqual(['vera.kovac']);
});

test("an Office 365 app user's external id is the object id in Entra, one of Active Directory the object GUID in Base64", async () => {
  const [office, directory] = [await okta.appId(), await okta.appId('active_directory')];
  const user = await okta.userId('amara.osei@contoso.com');
  const entraId = await okta.bench.userId('amara.osei@contoso.com');
  const { row } = await okta.get(`/apps/${office}/users/${user}`);
  expect(row).toMatchObject({
    id: user,
    externalId: entraId,
    scope: 'USER',
    status: 'PROVISIONED',
    syncState: 'SYNCHRONIZED',
    credentials: { userName: 'amara.osei@contoso.com' },
    _links: { user: { href: `${okta.origin}/api/v1/users/${user}` } },
  });
  expect(row.lastSync).not.toBeNull();
  const inDirectory = (await okta.get(`/apps/${directory}/users/${user}`)).row;
  expect(inDirectory.externalId).toBe(row.profile.immutableId);
  expect(Buffer.from(inDirectory.externalId ?? '', 'base64')).toHaveLength(16);
  const contractor = await okta.get(`/apps/${office}/users/${await okta.userId('okta.only@example.com')}`);
  expect(contractor.status).toBe(404);
});

test('app users come by pages, by a beginning of their names, and with the user where that is asked for', async () => {
  const app = await okta.appId();
  const all = await okta.all(`/apps/${app}/users?limit=7`);
  expect((await okta.get(`/apps/${app}/users`)).rows).toHaveLength(all.length);
  expect(all.length).toBeGreaterThan(20);
  const [found, ...others] = (await okta.get(`/apps/${app}/users?q=kaya&expand=user`)).rows;
  expect(others).toEqual([]);
  expect(found).toMatchObject({ _embedded: { user: { profile: { login: 'kaya.demir@contoso.com' } } } });
  expect((await okta.get(`/apps/${app}/users?expand=group`)).status).toBe(501);
  const byGroup = await okta.get(`/apps/${app}/users/${await okta.userId('rosa.delgado@contoso.com')}`);
  expect(byGroup.row).toMatchObject({ scope: 'GROUP', _links: { group: { name: 'Office 365 By Group' } } });
});

test('the Office 365 app shows tenant, assigned groups and provisioning', async () => {
  const app = await okta.appId();
  expect((await okta.get(`/apps/${app}`)).row).toMatchObject({
    name: 'office365',
    status: 'ACTIVE',
    settings: { app: { msftTenant: 'contoso', domain: 'contoso.com' } },
  });
  expect((await okta.get('/apps')).rows.map(({ name }) => name)).toEqual(['office365', 'active_directory']);
  expect((await okta.get(`/apps/${app}/groups`)).rows.map(({ id }) => id)).toEqual([
    await okta.groupId('Office 365 By Group'),
  ]);
  const feature = (await okta.get(`/apps/${app}/features/USER_PROVISIONING`)).row;
  expect(feature).toMatchObject({
    name: 'USER_PROVISIONING',
    status: 'ENABLED',
    capabilities: { update: { lifecycleDeactivate: { status: 'ENABLED' } } },
  });
  expect((await okta.get(`/apps/${app}/features`)).rows).toEqual([feature]);
  expect((await okta.get(`/apps/${app}/features/INBOUND_PROVISIONING`)).status).toBe(501);
  const without = await okta.get(`/apps/${await okta.appId('active_directory')}/features`);
  expect(without).toMatchObject({
    status: 400,
    error: {
      errorCode: 'E0000001',
      errorSummary: 'Api validation failed: feature',
      errorCauses: [{ errorSummary: 'Provisioning is not enabled for the app instance.' }],
    },
  });
});

test('group rules are shown with their expression and groups', async () => {
  const { rows } = await okta.get('/groups/rules');
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    type: 'group_rule',
    status: 'ACTIVE',
    conditions: { expression: { value: 'user.department=="Marketing"', type: 'urn:okta:expression:1.0' } },
    actions: { assignUserToGroups: { groupIds: [await okta.groupId('Marketing By Rule')] } },
  });
  expect((await okta.get(`/groups/rules/${rows[0]?.id ?? ''}`)).row).toEqual(rows[0]);
});

test('push mappings are listed and filtered by source, status and time', async () => {
  const path = `/apps/${await okta.appId()}/group-push/mappings`;
  const { rows } = await okta.get(path);
  expect(rows.map(({ status }) => status)).toEqual(['ACTIVE', 'INACTIVE', 'ERROR']);
  expect(rows[2]?.errorSummary).toContain('not found');
  expect(await okta.all(`${path}?limit=1`)).toEqual(rows);
  expect((await okta.get(`${path}?status=ERROR`)).rows).toEqual([rows[2]]);
  const source = await okta.groupId('Field Engineers');
  expect((await okta.get(`${path}?sourceGroupId=${source}`)).rows).toEqual([rows[1]]);
  expect((await okta.get(`${path}?lastUpdated=2030-01-01T00:00:00Z`)).rows).toEqual([]);
  expect((await okta.get(`${path}?lastUpdated=2025-01-01T00:00:00Z`)).rows).toHaveLength(3);
  for (const wrong of ['status=GONE', 'lastUpdated=yesterday', 'limit=1001'])
    expect((await okta.get(`${path}?${wrong}`)).status).toBe(400);
  expect((await okta.get(`${path}/${rows[1]?.id ?? ''}`)).row).toEqual(rows[1]);
  const ofDirectory = `/apps/${await okta.appId('active_directory')}/group-push/mappings`;
  expect((await okta.get(`${ofDirectory}/${rows[1]?.id ?? ''}`)).status).toBe(404);
  expect((await okta.get(ofDirectory)).rows).toEqual([]);
});
