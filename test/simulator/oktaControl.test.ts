import { readFileSync } from 'node:fs';
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

test('the org is the same for the same seed, and another for another', async () => {
  const same = await OktaBench.start();
  expect(await same.state()).toEqual(await okta.state());
  await same.bench.sim.close();
});

test('objects are merged into the org by the names people use, silently', async () => {
  const merged = await okta.control('PUT', 'org', {
    users: [
      { login: 'paula.noor@contoso.com', status: 'STAGED', profile: { firstName: 'Paula', employeeNumber: '7' } },
      { login: 'vera.kovac@contoso.com', status: 'ACTIVE' },
    ],
    groups: [
      {
        name: 'Partners',
        members: ['paula.noor@contoso.com', 'vera.kovac'],
        profile: { email: 'partners@contoso.com' },
      },
      { name: 'Imported', type: 'APP_GROUP', sourceApp: 'office365' },
      { name: 'Alumni', members: ['vera.kovac@contoso.com'] },
    ],
    appUsers: [
      {
        user: 'paula.noor@contoso.com',
        externalId: 'abc',
        status: 'ACTIVE',
        syncState: 'ERROR',
        profile: { immutableId: 'x' },
      },
    ],
    rules: [{ name: 'By title', expression: 'user.title == "Chief"', groups: ['Partners'] }],
    pushMappings: [{ source: 'Partners', target: 'Imported', status: 'ERROR', errorSummary: 'gone' }],
    settings: { rateLimits: { default: 50 } },
  });
  expect(merged).toMatchObject({ status: 200 });
  const { row } = await okta.get('/users/paula.noor');
  expect(row).toMatchObject({ status: 'STAGED', profile: { firstName: 'Paula', employeeNumber: '7' } });
  expect((await okta.get('/users/vera.kovac')).row.status).toBe('ACTIVE');
  expect((await okta.all(`/groups/${await okta.groupId('Partners')}/users`)).map(({ id }) => id)).toContain(row.id);
  expect(await okta.all(`/groups/${await okta.groupId('Alumni')}/users`)).toHaveLength(1);
  const app = await okta.appId();
  expect((await okta.get(`/apps/${app}/users/${row.id}`)).row).toMatchObject({
    externalId: 'abc',
    syncState: 'ERROR',
    credentials: { userName: 'paula.noor@contoso.com' },
  });
  const { rows } = await okta.get(`/apps/${app}/group-push/mappings?status=ERROR`);
  expect(rows).toContainEqual(
    expect.objectContaining({ sourceGroupId: await okta.groupId('Partners'), errorSummary: 'gone' }),
  );
  expect((await okta.get('/groups')).headers.get('x-rate-limit-limit')).toBe('50');
  await okta.control('PATCH', 'users/vera.kovac@contoso.com', { profile: { title: 'Chief' } });
  await okta.control('PATCH', 'users/paula.noor@contoso.com', { profile: { title: 'Chief' } });
  expect(await okta.all(`/groups/${await okta.groupId('Partners')}/users`)).toHaveLength(2);
});

test.each([
  [{ people: [] }, 'people is not known'],
  [{ users: {} }, 'users is not a list'],
  [{ users: [{ status: 'ACTIVE' }] }, 'users[0].login is missing'],
  [{ users: [{ login: 'x@contoso.com', status: 'ASLEEP' }] }, 'users[0].status has a wrong value'],
  [{ groups: [{ name: 'x', members: ['nobody@contoso.com'] }] }, 'nobody@contoso.com is no user of the org'],
  [{ groups: [{ profile: {} }] }, 'groups[0].name is missing'],
  [{ groups: [{ name: 'x', sourceApp: 'slack' }] }, 'slack is no app of the org'],
  [{ appUsers: [{ app: 'slack', user: 'vera.kovac' }] }, 'slack is no app of the org'],
  [{ appUsers: [{ user: 'nobody@contoso.com' }] }, 'nobody@contoso.com is no user of the org'],
  [{ rules: [{ name: 'x', expression: 'isMemberOfGroup("y")' }] }, 'user.attribute=="value"'],
  [{ pushMappings: [{ source: 'nobody' }] }, 'nobody is no group of the org'],
  [{ serviceApps: [{ label: 'nobody' }] }, 'nobody is no service app of the org'],
  [{ serviceApps: [{ label: 'okta-read-only', adminRoles: ['KING'] }] }, 'adminRoles has a wrong value'],
  [{ settings: { rateLimits: { default: 0 } } }, 'settings.rateLimits has a wrong value'],
])('what cannot be merged is refused by name and changes nothing: %j', async (body, words) => {
  const before = await okta.state();
  const refused = await okta.control('PUT', 'org', { groups: [{ name: 'Left Over' }], ...body });
  expect(refused.status).toBe(400);
  expect(refused.text.replaceAll('\\"', '"')).toContain(words);
  expect(await okta.state()).toEqual(before);
});

test('many are seeded at once, in both halves, linked by external id', async () => {
  const seeded = await okta.control('POST', 'seed', { users: 300, groups: 3, members: { 'Okta Group 0002': 250 } });
  expect(seeded.status).toBe(200);
  const rows = await okta.all(`/groups/${await okta.groupId('Okta Group 0002')}/users?limit=100`);
  expect(rows).toHaveLength(250);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(250);
  const { row } = await okta.get(`/apps/${await okta.appId()}/users/${rows[0]?.id ?? ''}`);
  expect(row.externalId).toBe(await okta.bench.userId('person000001@contoso.com'));
  await okta.control('POST', 'seed', { users: 301, groups: 4, members: { 'Okta Group 0002': 10 } });
  expect(await okta.all(`/groups/${await okta.groupId('Okta Group 0002')}/users`)).toHaveLength(250);
});

test.each([
  [{ users: -1 }, 'users is not a count'],
  [{ groups: 'x' }, 'groups is not a count'],
  [{ people: 1 }, 'people is not known'],
  [{ users: 1, members: { Alumni: 2 } }, 'members.Alumni'],
  [{ users: 1, members: { Nobody: 1 } }, 'Nobody is no group of the org'],
  [{ users: 1, members: { 'Okta Group 0009': 1 } }, 'Okta Group 0009 is no group of the org'],
  [{ members: [] }, 'members is not an object'],
  ['x', 'the body is not an object'],
])('a seed like %j is refused', async (body, words) => {
  const refused = await okta.control('POST', 'seed', body);
  expect(refused.status).toBe(400);
  expect(refused.text).toContain(words);
});

test.each([
  ['PUT', 'groups/Nobody/members/vera.kovac@contoso.com', undefined, 404],
  ['PUT', 'groups/Alumni/members/nobody@contoso.com', undefined, 404],
  ['POST', 'groups/Nobody/members', {}, 404],
  ['POST', 'groups/Alumni/members', { add: ['nobody@contoso.com'] }, 400],
  ['POST', 'groups/Alumni/members', { add: 'vera.kovac' }, 400],
  ['POST', 'groups/Alumni/members', { put: [] }, 400],
  ['PATCH', 'users/nobody@contoso.com', {}, 404],
  ['DELETE', 'users/nobody@contoso.com', undefined, 404],
  ['DELETE', 'users/vera.kovac', undefined, 400],
  ['PATCH', 'users/vera.kovac', { status: 'ASLEEP' }, 400],
  ['PATCH', 'users/vera.kovac', { profile: 'x' }, 400],
  ['PATCH', 'users/vera.kovac', { login: 'x' }, 400],
  ['PATCH', 'groups/Nobody', { profile: {} }, 404],
  ['DELETE', 'groups/Nobody', undefined, 404],
  ['PATCH', 'groups/Alumni', { name: 'x' }, 400],
  ['PUT', 'delivery', { loss: 2 }, 400],
  ['PUT', 'delivery', { mood: 'good' }, 400],
  ['POST', 'hooks', 'x', 400],
  ['POST', 'hooks', { url: 'nonsense' }, 400],
  ['POST', 'hooks', { url: 'https://example.com', colour: 'red' }, 400],
  ['GET', 'users/vera.kovac', undefined, 404],
])('%s %s %j is refused with %i', async (method, path, body, status) => {
  const before = await okta.state();
  expect((await okta.control(method, path, body)).status).toBe(status);
  expect(await okta.state()).toEqual(before);
});

test('docs/simulator.md lists every notable object of the org by a name that is in it', async () => {
  const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');
  const state = (await okta.control('GET', 'state')).text;
  const section = page.split('## The Okta org')[1]?.split('\n## ')[0] ?? '';
  const named = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name ?? '');
  expect(named.length).toBeGreaterThan(20);
  for (const name of named) expect(state).toContain(`"${name}"`);
});
