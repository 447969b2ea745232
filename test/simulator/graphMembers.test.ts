import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

const ABSENT = 'f0000000-0000-4000-8000-000000000000';
const url = (id: string): string => `https://graph.microsoft.com/v1.0/directoryObjects/${id}`;
const bind = (group: string, ids: string[], link = 'members') =>
  bench.graph('PATCH', `/groups/${group}`, { body: { [`${link}@odata.bind`]: ids.map(url) } });

test('a bind that names one missing object adds nobody, and names that object', async () => {
  const { id } = await bench.group('Engineering Access');
  const fresh = await bench.userId('vera.kovac@contoso.com');
  const refused = await bind(id, [fresh, ABSENT]);
  expect(refused).toMatchObject({ status: 404, body: { error: { code: 'Request_ResourceNotFound' } } });
  expect(refused.body.error.message).toContain(ABSENT);
  expect((await bench.group('Engineering Access')).members).not.toContain(fresh);
});

test('over 100 owners are refused before those already there are seen', async () => {
  const users = Array.from({ length: 110 }, (_, index) => ({
    userPrincipalName: `owner${String(index)}@contoso.com`,
  }));
  await bench.control('PUT', 'tenant', { users });
  const upns = users.map(({ userPrincipalName }) => userPrincipalName);
  await bench.control('PUT', 'tenant', { groups: [{ displayName: 'Engineering Access', owners: upns.slice(0, 95) }] });
  const { id, owners } = await bench.group('Engineering Access');
  const refused = await bind(id, owners.slice(0, 20), 'owners');
  expect(refused.status).toBe(403);
  expect(refused.body.error.message).toMatch(/would exceed the maximum quota count '100' for forward-link .*owners/);
  expect((await bind(id, owners.slice(0, 2), 'owners')).status).toBe(400);
});

test('the removal of one who is no member is 404, or 400 where the tenant is set so', async () => {
  const { id } = await bench.group('Engineering Access');
  const stranger = await bench.userId('vera.kovac@contoso.com');
  const remove = () => bench.graph('DELETE', `/groups/${id}/members/${stranger}/$ref`);
  expect((await remove()).status).toBe(404);
  await bench.control('PUT', 'tenant', { settings: { nonMemberRemovalStatus: 400 } });
  const refused = await remove();
  expect(refused.status).toBe(400);
  expect(refused.body.error.message).toBe(
    "One or more removed object references do not exist for the following modified properties: 'members'.",
  );
});

test('members and owners are counted as plain text, for those who accept a lag', async () => {
  const { id } = await bench.group('Sales Nordics');
  const headers = { ConsistencyLevel: 'eventual' };
  const members = await bench.graph('GET', `/groups/${id}/members/$count`, { headers });
  expect(members).toMatchObject({ status: 200, text: '4' });
  expect(members.headers.get('content-type')).toContain('text/plain');
  expect((await bench.graph('GET', `/groups/${id}/owners/$count`, { headers })).text).toBe('1');
  expect(await bench.graph('GET', `/groups/${id}/members/$count`)).toMatchObject({
    status: 400,
    body: { error: { code: 'Request_UnsupportedQuery' } },
  });
});

test('a mixed list of members brings the addresses of users, contacts and groups', async () => {
  await bench.createGroup('Inner');
  await bench.invoke('Add-DistributionGroupMember', { Identity: 'Sales Nordics', Member: 'Inner' });
  const { id } = await bench.group('Sales Nordics');
  const { body } = await bench.graph('GET', `/groups/${id}/members?$select=id,proxyAddresses`);
  expect(body.value).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        '@odata.type': '#microsoft.graph.orgContact',
        proxyAddresses: ['SMTP:pat.supplier@example.com'],
      }),
      expect.objectContaining({ '@odata.type': '#microsoft.graph.group', proxyAddresses: ['SMTP:Inner@contoso.com'] }),
    ]),
  );
  for (const row of body.value) expect(row.proxyAddresses).not.toHaveLength(0);
});
