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

const club = {
  displayName: 'Other Club',
  mailNickname: 'social-club',
  mailEnabled: true,
  securityEnabled: false,
  groupTypes: ['Unified'],
};
const restore = (id: string, body?: unknown) => bench.graph('POST', `/directory/deletedItems/${id}/restore`, { body });

test('a deleted Microsoft 365 group is gone from both sides, kept aside, and comes back whole', async () => {
  const before = await bench.group('Project Aurora');
  expect((await bench.graph('DELETE', `/groups/${before.id}`)).status).toBe(204);
  expect((await bench.graph('GET', `/groups/${before.id}`)).status).toBe(404);
  expect((await bench.invoke('Get-Recipient', { Identity: 'project-aurora@contoso.com' })).status).toBe(404);
  for (const path of [before.id, `${before.id}/microsoft.graph.group`]) {
    const { body } = await bench.graph('GET', `/directory/deletedItems/${path}`);
    expect(body).toMatchObject({ id: before.id, '@odata.type': '#microsoft.graph.group', mail: before.mail });
    expect(body).toHaveProperty('deletedDateTime', expect.stringMatching(/Z$/));
  }
  const list = await bench.graph('GET', '/directory/deletedItems/microsoft.graph.group?$select=id,displayName');
  expect(list.body.value).toEqual([{ id: before.id, displayName: 'Project Aurora' }]);
  expect(await restore(before.id)).toMatchObject({ status: 200, body: { id: before.id, deletedDateTime: null } });
  expect(await bench.group('Project Aurora')).toEqual(before);
  expect((await bench.invoke('Get-Recipient', { Identity: 'project-aurora@contoso.com' })).status).toBe(200);
  expect((await restore(before.id)).status).toBe(404);
});

test('after 30 days, or once purged, it is gone for good', async () => {
  const [aurora, social] = [await bench.group('Project Aurora'), await bench.group('Social Club')];
  await bench.graph('DELETE', `/groups/${aurora.id}`);
  await bench.graph('DELETE', `/groups/${social.id}`);
  expect((await bench.graph('DELETE', `/directory/deletedItems/${social.id}`)).status).toBe(204);
  expect((await restore(social.id)).status).toBe(404);
  await bench.control('POST', 'clock', { advanceMs: 29 * 24 * 3_600_000 });
  const token = await bench.token('graph');
  expect((await bench.graph('GET', `/directory/deletedItems/${aurora.id}`, { token })).status).toBe(200);
  await bench.control('POST', 'clock', { advanceMs: 24 * 3_600_000 });
  const later = await bench.token('graph');
  expect((await bench.graph('GET', `/directory/deletedItems/${aurora.id}`, { token: later })).status).toBe(404);
});

test('its nickname and address are free meanwhile, and a restore onto them is refused', async () => {
  const { id } = await bench.group('Social Club');
  await bench.graph('DELETE', `/groups/${id}`);
  const other = await bench.graph('POST', '/groups', { body: club });
  expect(other.status).toBe(201);
  const refused = await restore(id);
  expect(refused).toMatchObject({ status: 400, body: { error: { code: 'Request_BadRequest' } } });
  expect(refused.body.error.message).toContain('mailNickname already exists');
  await bench.graph('DELETE', `/groups/${other.body.id}`);
  await bench.invoke('New-DistributionGroup', {
    Name: 'List Of The Club',
    ManagedBy: ['amara.osei@contoso.com'],
    PrimarySmtpAddress: 'social-club@contoso.com',
  });
  expect((await restore(id)).body.error.message).toContain('proxyAddresses already exists');
  expect((await bench.graph('POST', '/groups', { body: club })).status).toBe(400);
});

test('a security group is gone for good, unless the tenant keeps those too', async () => {
  const { id } = await bench.group('Engineering Access');
  await bench.control('PUT', 'tenant', { settings: { softDeleteSecurityGroups: true } });
  await bench.graph('DELETE', `/groups/${id}`);
  expect((await restore(id, {})).status).toBe(200);
  await bench.control('PUT', 'tenant', { settings: { softDeleteSecurityGroups: false } });
  await bench.graph('DELETE', `/groups/${id}`);
  expect((await restore(id)).status).toBe(404);
});

test('a restore with options is not modelled, and needs more than a permission to read', async () => {
  const { id } = await bench.group('Social Club');
  await bench.graph('DELETE', `/groups/${id}`);
  expect((await restore(id, { autoReconcileProxyConflict: true })).status).toBe(501);
  await bench.control('PUT', 'tenant', {
    servicePrincipals: [{ appId: bench.sim.clientId, roles: { graph: ['Group.Read.All'] } }],
  });
  const token = await bench.token('graph');
  expect((await bench.graph('GET', `/directory/deletedItems/${id}`, { token })).status).toBe(200);
  expect((await bench.graph('POST', `/directory/deletedItems/${id}/restore`, { token })).status).toBe(403);
});

test('a converted group is told by what it keeps, and by its sync behaviour where that may be read', async () => {
  const { id } = await bench.group('Converted Welders');
  const synced = await bench.group('Synced Security');
  expect((await bench.graph('GET', `/groups/${id}`)).body).toMatchObject({
    onPremisesSyncEnabled: null,
    onPremisesSecurityIdentifier: expect.stringMatching(/^S-1-5-21-/),
    onPremisesSamAccountName: 'Converted Welders',
  });
  expect((await bench.graph('GET', `/groups/${id}/onPremisesSyncBehavior`)).status).toBe(403);
  const graph = ['Group.ReadWrite.All', 'Group-OnPremisesSyncBehavior.ReadWrite.All'];
  await bench.control('PUT', 'tenant', { servicePrincipals: [{ appId: bench.sim.clientId, roles: { graph } }] });
  const token = await bench.token('graph');
  const behaviour = async (group: string) =>
    (await bench.graph('GET', `/groups/${group}/onPremisesSyncBehavior`, { token })).body;
  expect(await behaviour(id)).toMatchObject({ id, isCloudManaged: true });
  expect(await behaviour(synced.id)).toMatchObject({ isCloudManaged: false });
  expect((await bench.graph('PATCH', `/groups/${id}`, { token, body: { description: 'ours now' } })).status).toBe(204);
});
