import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { facts } from '../../simulator/facts.ts';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

test('the tenant is the same for the same seed, and another for another', async () => {
  const [same, other] = [await Bench.start(), await Bench.start({ seed: 2 })];
  expect((await same.state()).groups).toEqual((await bench.state()).groups);
  expect(other.sim.tenantId).not.toBe(bench.sim.tenantId);
  await Promise.all([same.sim.close(), other.sim.close()]);
});

test('reset brings back the tenant, the clock, and empty journal and faults', async () => {
  const before = await bench.state();
  await bench.createGroup('Badge Holders');
  await bench.control('POST', 'faults', { upstream: 'graph', fault: { kind: 'reset' } });
  await bench.control('POST', 'clock', { now: '2030-01-01T00:00:00Z' });
  await bench.control('PUT', 'tenant', { settings: { namingPolicy: 'X_<GroupName>' } });
  expect((await bench.control('POST', 'reset')).status).toBe(204);
  const { now, ...after } = (await bench.control('GET', 'state')).body as unknown as { now: string };
  expect(after).toMatchObject({ groups: before.groups, settings: { namingPolicy: null } });
  expect(new Date(now).getFullYear()).toBeLessThan(2030);
  expect((await bench.control('GET', 'calls')).body).toEqual([]);
  expect((await bench.control('GET', 'faults')).body).toEqual([]);
});

test('the clock is moved by a span or to a time, and dates the answers', async () => {
  await bench.control('POST', 'clock', { now: '2030-01-01T00:00:00Z' });
  await bench.control('POST', 'clock', { advanceMs: 3_600_000 });
  const { now } = (await bench.control('GET', 'state')).body as unknown as { now: string };
  expect(now).toMatch(/^2030-01-01T01:00:0/);
  const answer = await bench.request(`${bench.sim.urls.graph}/v1.0/users`);
  expect(answer.headers.get('date')).toContain('01 Jan 2030');
  expect((await bench.control('POST', 'clock', { advanceMs: 1, now: 1 })).status).toBe(400);
  expect((await bench.control('POST', 'clock', {})).status).toBe(400);
});

test('objects are merged in, by the references people use', async () => {
  const merged = await bench.control('PUT', 'tenant', {
    users: [
      { userPrincipalName: 'paula.noor@contoso.com', displayName: 'Paula Noor', mail: 'paula.noor@contoso.com' },
      { userPrincipalName: 'amara.osei@contoso.com', jobTitle: 'Chief' },
    ],
    contacts: [{ mail: 'lee.partner@example.com', displayName: 'Lee Partner' }],
    domains: [{ id: 'fabrikam.com' }],
    groups: [
      {
        displayName: 'Partners',
        mailEnabled: true,
        securityEnabled: false,
        mail: 'partners@fabrikam.com',
        members: ['paula.noor@contoso.com', 'lee.partner@example.com', 'Sales Nordics'],
        owners: [await bench.userId('amara.osei@contoso.com')],
        exchange: { Name: 'Partner List', HiddenFromAddressListsEnabled: true },
      },
    ],
  });
  expect(merged.status).toBe(200);
  const row = (await bench.invoke('Get-DistributionGroup', { Identity: 'Partner List' })).body.value[0];
  expect(row).toMatchObject({
    DisplayName: 'Partners',
    HiddenFromAddressListsEnabled: true,
    RecipientTypeDetails: 'MailUniversalDistributionGroup',
  });
  expect((await bench.group('Partners')).members).toHaveLength(3);
  expect((await bench.graph('GET', '/users/amara.osei@contoso.com')).body).toMatchObject({
    jobTitle: 'Chief',
    displayName: 'Amara Osei',
  });
});

test.each([
  [{ users: [{ userPrincipalName: 'x@contoso.com', colour: 'red' }] }, 'users[0].colour is not known'],
  [{ users: [{ displayName: 'x' }] }, 'users[0].userPrincipalName is missing'],
  [{ groups: [{ displayName: 'x', mailEnabled: 'yes' }] }, 'groups[0].mailEnabled has a wrong value'],
  [{ groups: [{ displayName: 'x', members: ['nobody@contoso.com'] }] }, 'nobody@contoso.com is not in the tenant'],
  [{ settings: { mood: 'good' } }, 'settings.mood is not known'],
  [{ mailboxes: [] }, 'mailboxes is not known'],
])('what cannot be merged is refused by name and changes nothing: %j', async (body, words) => {
  const before = await bench.state();
  const refused = await bench.control('PUT', 'tenant', { contacts: [{ mail: 'left.over@example.com' }], ...body });
  expect(refused.status).toBe(400);
  expect(refused.text).toContain(words);
  expect((await bench.state()).contacts).toEqual(before.contacts);
});

test('what Exchange writes reaches Graph after the lag', async () => {
  await bench.control('PUT', 'tenant', { settings: { replicationLagMs: { exchangeToEntra: 60_000 } } });
  await bench.createGroup('Badge Holders');
  const { id } = await bench.group('Badge Holders');
  expect((await bench.invoke('Get-DistributionGroup', { Identity: id })).status).toBe(200);
  expect((await bench.graph('GET', `/groups/${id}`)).status).toBe(404);
  await bench.control('POST', 'clock', { advanceMs: 61_000 });
  expect((await bench.graph('GET', `/groups/${id}`)).status).toBe(200);
});

test('a new person reaches Exchange after the lag', async () => {
  await bench.control('PUT', 'tenant', { settings: { replicationLagMs: { entraToExchange: 60_000 } } });
  await bench.control('PUT', 'tenant', {
    users: [{ userPrincipalName: 'paula.noor@contoso.com', mail: 'paula.noor@contoso.com' }],
  });
  const find = () => bench.invoke('Get-Recipient', { Identity: 'paula.noor@contoso.com' });
  expect((await bench.graph('GET', '/users/paula.noor@contoso.com')).status).toBe(200);
  expect((await find()).status).toBe(404);
  await bench.control('POST', 'clock', { advanceMs: 61_000 });
  expect((await find()).status).toBe(200);
});

test('the journal tells every call with its bodies, and is emptied on request', async () => {
  await bench.createGroup('Badge Holders');
  const rows = (await bench.control('GET', 'calls')).body as unknown as Record<string, unknown>[];
  expect(rows.find(({ cmdlet }) => cmdlet === 'New-DistributionGroup')).toMatchObject({
    upstream: 'exchange',
    method: 'POST',
    path: `/adminapi/beta/${bench.sim.tenantId}/InvokeCommand`,
    status: 200,
    requestBody: { CmdletInput: { Parameters: { Name: 'Badge Holders' } } },
    responseBody: { value: [{ Name: 'Badge Holders' }] },
  });
  expect((await bench.control('DELETE', 'calls')).status).toBe(204);
  expect((await bench.control('GET', 'calls')).body).toEqual([]);
});

test('the state shows no secret', async () => {
  expect((await bench.control('GET', 'state')).text).not.toContain(bench.sim.clientSecret);
});

test('an unknown control path names the known ones', async () => {
  const refused = await bench.control('GET', 'nonsense');
  expect(refused.status).toBe(404);
  expect(refused.text).toContain('/_sim/tenant');
  for (const path of ['okta/nonsense', 'okta/groups/x/members', 'okta/users/x'])
    expect((await bench.control('GET', path)).status).toBe(404);
});

test('docs/simulator.md lists every behaviour with its source and certainty', () => {
  const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  const documented = rows.map(([, behaviour, source, certainty]) => [behaviour, source, certainty]);
  for (const fact of Object.values(facts))
    expect(documented).toContainEqual([fact.behaviour, fact.source, fact.certainty]);
});

test('docs/simulator.md lists every notable object by a name that is in the tenant', async () => {
  const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');
  const state = (await bench.control('GET', 'state')).text;
  const section = page.split('## Notable objects')[1]?.split('\n## ')[0] ?? '';
  const named = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name ?? '');
  expect(named.length).toBeGreaterThan(25);
  for (const name of named) expect(state).toContain(`"${name}"`);
});
