import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Bench, type Answer } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

const filter = (text: string): string => `$filter=${encodeURIComponent(text)}`;
const names = ({ body }: Answer): string[] =>
  (body as unknown as { value: { displayName: string }[] }).value.map(({ displayName }) => displayName);
const reference = (id: string) => ({ '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` });
const REFUSED = 'Cannot Update a mail-enabled security groups and or distribution list.';

test('a user is found by id and by UPN, and brings only what was selected', async () => {
  const byUpn = await bench.graph('GET', '/users/amara.osei@contoso.com?$select=id,onPremisesImmutableId');
  const byId = await bench.graph('GET', `/users/${byUpn.body.id}`);
  expect(Object.keys(byUpn.body as object).sort()).toEqual(['@odata.context', 'id', 'onPremisesImmutableId']);
  expect(byId.body).toMatchObject({ userPrincipalName: 'amara.osei@contoso.com' });
  expect(byId.body).not.toHaveProperty('onPremisesImmutableId');
});

test('a guest is found by a UPN whose # is encoded', async () => {
  const upn = encodeURIComponent('guest.partner_example.com#EXT#@contoso.onmicrosoft.com');
  expect((await bench.graph('GET', `/users/${upn}`)).body).toMatchObject({ displayName: 'Guest Partner' });
});

test('a plus sign in a query is a space, as on the real server', async () => {
  const id = 'ab+c/d==';
  await bench.control('PUT', 'tenant', {
    users: [{ userPrincipalName: 'amara.osei@contoso.com', onPremisesImmutableId: id }],
  });
  const encoded = await bench.graph('GET', `/users?${filter(`onPremisesImmutableId eq '${id}'`)}`);
  const raw = await bench.graph('GET', `/users?$filter=onPremisesImmutableId%20eq%20'ab+c/d=='`);
  expect(names(encoded)).toEqual(['Amara Osei']);
  expect(names(raw)).toEqual([]);
});

test('filters find by address, prefix and type', async () => {
  expect(
    names(
      await bench.graph(
        'GET',
        `/groups?${filter("proxyAddresses/any(p:p eq 'smtp:Sales-Nordics@contoso.onmicrosoft.com')")}`,
      ),
    ),
  ).toEqual(['Sales Nordics']);
  expect(names(await bench.graph('GET', `/groups?${filter("startswith(displayName,'Announce')")}`))).toEqual([
    'Announcements',
    'Announcements',
  ]);
  expect(names(await bench.graph('GET', `/groups?${filter("groupTypes/any(c:c eq 'Unified')")}`))).toEqual([
    'Project Aurora',
    'Social Club',
  ]);
  expect(
    names(await bench.graph('GET', `/groups?${filter('mailEnabled eq true and securityEnabled eq true')}`)),
  ).toEqual(['Finance Approvers', 'Plant Safety']);
});

test('a dynamic distribution group is invisible', async () => {
  const { id } = await bench.group('Everyone In Support');
  expect((await bench.graph('GET', `/groups/${id}`)).status).toBe(404);
  expect(names(await bench.graph('GET', '/groups'))).not.toContain('Everyone In Support');
});

test('isManagementRestricted comes only when selected', async () => {
  const { id } = await bench.group('Restricted Unit Group');
  expect((await bench.graph('GET', `/groups/${id}`)).body).not.toHaveProperty('isManagementRestricted');
  expect((await bench.graph('GET', `/groups/${id}?$select=isManagementRestricted`)).body).toMatchObject({
    isManagementRestricted: true,
  });
});

test('pages follow links on the simulator itself until the last', async () => {
  const seen: string[] = [];
  let url: string | undefined = `${bench.sim.urls.graph}/v1.0/users?$top=15&$select=id`;
  let pages = 0;
  while (url !== undefined) {
    expect(url.startsWith(bench.sim.urls.graph)).toBe(true);
    const page = await bench.request(url, { token: await bench.token('graph') });
    const { value, '@odata.nextLink': next } = page.body as unknown as {
      value: { id: string }[];
      '@odata.nextLink'?: string;
    };
    seen.push(...value.map(({ id }) => id));
    url = next;
    pages += 1;
  }
  expect(pages).toBe(3);
  expect(new Set(seen).size).toBe(40);
});

test('a page token that was never given is refused', async () => {
  const refused = await bench.graph('GET', '/users?$skiptoken=bm9uc2Vuc2U');
  expect(refused).toMatchObject({ status: 400, body: { error: { code: 'Directory_ExpiredPageToken' } } });
});

test('members come with their type, and the count only under ConsistencyLevel', async () => {
  const { id } = await bench.group('Sales Nordics');
  const counted = await bench.graph('GET', `/groups/${id}/members?$count=true&$top=2`, {
    headers: { ConsistencyLevel: 'eventual' },
  });
  expect(counted.body).toMatchObject({ '@odata.count': 4, value: [{ '@odata.type': '#microsoft.graph.user' }, {}] });
  expect((await bench.graph('GET', `/groups/${id}/members?$count=true`)).status).toBe(400);
  const contacts = await bench.graph('GET', `/groups/${id}/members/microsoft.graph.orgContact`);
  expect(names(contacts)).toEqual(['Pat Supplier']);
});

test.each([
  ['an unknown option', '/users?$foo=1', 400, 'BadRequest'],
  ['an unknown property in $select', '/users?$select=favouriteColour', 400, 'BadRequest'],
  ['an unknown property in $filter', `/users?${filter("favouriteColour eq 'x'")}`, 400, 'BadRequest'],
  ['a property that cannot be filtered', `/users?${filter("mobilePhone eq 'x'")}`, 400, 'Request_UnsupportedQuery'],
  ['an advanced query without its header', `/users?${filter("displayName ne 'x'")}`, 400, 'Request_UnsupportedQuery'],
  ['a page size beyond 999', '/users?$top=1000', 400, 'Request_UnsupportedQuery'],
  ['an option not modelled', '/users?$expand=manager', 501, 'NotImplemented'],
  ['a property not modelled', '/users?$select=signInActivity', 501, 'NotImplemented'],
  ['a path not modelled', '/users/delta', 501, 'NotImplemented'],
  ['another unmodelled path', '/me', 501, 'NotImplemented'],
])('%s is refused', async (_what, path, status, code) => {
  expect(await bench.graph('GET', path)).toMatchObject({ status, body: { error: { code } } });
});

test('an unknown property is named with its type', async () => {
  const refused = await bench.graph('GET', '/users?$select=favouriteColour');
  expect(refused.body.error.message).toContain(
    "Could not find a property named 'favouriteColour' on type 'microsoft.graph.user'.",
  );
});

test.each(['Finance Approvers', 'Sales Nordics'])("writes on %s are refused with Microsoft's words", async (name) => {
  const { id } = await bench.group(name);
  const member = await bench.userId('vera.kovac@contoso.com');
  const attempts = [
    await bench.graph('PATCH', `/groups/${id}`, { body: { displayName: 'x' } }),
    await bench.graph('PATCH', `/groups/${id}`, { body: { 'members@odata.bind': [reference(member)['@odata.id']] } }),
    await bench.graph('POST', `/groups/${id}/members/$ref`, { body: reference(member) }),
    await bench.graph('DELETE', `/groups/${id}/members/${member}/$ref`),
    await bench.graph('DELETE', `/groups/${id}`),
  ];
  for (const attempt of attempts)
    expect(attempt).toMatchObject({ status: 400, body: { error: { code: 'Request_BadRequest', message: REFUSED } } });
  expect((await bench.group(name)).members).not.toContain(member);
});

test("creating a mail-enabled group is refused with Microsoft's words", async () => {
  const refused = await bench.graph('POST', '/groups', {
    body: { displayName: 'x', mailNickname: 'x', mailEnabled: true, securityEnabled: true },
  });
  expect(refused.status).toBe(400);
  expect(refused.body.error.message).toMatch(/^The service does not currently support writes of mail-enabled groups\./);
});

test('security and Microsoft 365 groups are created, changed and deleted', async () => {
  const security = {
    displayName: 'Badge Holders',
    mailNickname: 'badge-holders',
    mailEnabled: false,
    securityEnabled: true,
  };
  const created = await bench.graph('POST', '/groups', { body: security });
  const unified = await bench.graph('POST', '/groups', {
    body: {
      ...security,
      displayName: 'Badge Team',
      mailNickname: 'badge-team',
      mailEnabled: true,
      groupTypes: ['Unified'],
    },
  });
  expect(created.status).toBe(201);
  expect(unified.body).toMatchObject({ mail: 'badge-team@contoso.com', visibility: 'Public' });
  expect((await bench.graph('PATCH', `/groups/${created.body.id}`, { body: { description: 'Doors' } })).status).toBe(
    204,
  );
  expect((await bench.group('Badge Holders')).description).toBe('Doors');
  expect((await bench.graph('DELETE', `/groups/${created.body.id}`)).status).toBe(204);
  await expect(bench.group('Badge Holders')).rejects.toThrow();
});

test('a member is added once, removed once, and told apart when missing', async () => {
  const { id } = await bench.group('Engineering Access');
  const member = await bench.userId('vera.kovac@contoso.com');
  const add = () => bench.graph('POST', `/groups/${id}/members/$ref`, { body: reference(member) });
  const remove = () => bench.graph('DELETE', `/groups/${id}/members/${member}/$ref`);
  expect((await add()).status).toBe(204);
  expect(await add()).toMatchObject({
    status: 400,
    body: {
      error: {
        message: "One or more added object references already exist for the following modified properties: 'members'.",
      },
    },
  });
  expect((await remove()).status).toBe(204);
  expect(await remove()).toMatchObject({ status: 404, body: { error: { code: 'Request_ResourceNotFound' } } });
  const unknown = 'f0000000-0000-4000-8000-000000000000';
  const missing = await bench.graph('POST', `/groups/${id}/members/$ref`, { body: reference(unknown) });
  expect(missing.status).toBe(404);
  expect(missing.body.error.message).toContain(unknown);
});

test('binding members is all or nothing, and at most 20', async () => {
  const { id } = await bench.group('Engineering Access');
  const [fresh, present] = [await bench.userId('vera.kovac@contoso.com'), await bench.userId('mina.sato@contoso.com')];
  const bind = (ids: string[]) =>
    bench.graph('PATCH', `/groups/${id}`, {
      body: { 'members@odata.bind': ids.map((each) => reference(each)['@odata.id']) },
    });
  expect((await bind([fresh, present])).status).toBe(400);
  expect((await bench.group('Engineering Access')).members).not.toContain(fresh);
  const everyone = (await bench.state()).users.map(({ id: each }) => each);
  const outside = everyone.filter((each) => each !== present).slice(0, 25);
  const tooMany = await bind(outside.slice(0, 21));
  expect(tooMany.status).toBe(400);
  expect(tooMany.body.error.message).toContain('maximum of 20');
  expect((await bind([fresh])).status).toBe(204);
  expect((await bench.group('Engineering Access')).members).toContain(fresh);
});

test('a Microsoft 365 group takes users only, keeps its last owner and its nickname', async () => {
  const { id, owners } = await bench.group('Social Club');
  const inner = await bench.group('Engineering Access');
  const asMember = await bench.graph('POST', `/groups/${id}/members/$ref`, { body: reference(inner.id) });
  expect(asMember.status).toBe(400);
  const lastOwner = await bench.graph('DELETE', `/groups/${id}/owners/${owners[0] ?? ''}/$ref`);
  expect(lastOwner.status).toBe(400);
  expect(lastOwner.body.error.message).toContain('must have at least one owner');
  const twin = { displayName: 'Twin', mailNickname: 'social-club', mailEnabled: true, securityEnabled: false };
  expect((await bench.graph('POST', '/groups', { body: { ...twin, groupTypes: ['Unified'] } })).status).toBe(400);
  const rename = (mailNickname: string) => bench.graph('PATCH', `/groups/${id}`, { body: { mailNickname } });
  expect((await rename('project-aurora')).body.error.message).toContain('mailNickname already exists');
  expect((await rename('social-circle')).status).toBe(204);
});

test('a permission for members opens the members and nothing else', async () => {
  const { id } = await bench.group('Engineering Access');
  await bench.control('PUT', 'tenant', {
    servicePrincipals: [{ appId: bench.sim.clientId, roles: { graph: ['GroupMember.ReadWrite.All'] } }],
  });
  const token = await bench.token('graph');
  const member = reference(await bench.userId('vera.kovac@contoso.com'));
  const bind = { 'members@odata.bind': [member['@odata.id']] };
  expect((await bench.graph('PATCH', `/groups/${id}`, { token, body: { description: 'x' } })).status).toBe(403);
  expect((await bench.graph('PATCH', `/groups/${id}`, { token, body: bind })).status).toBe(204);
});

test('without /$ref a user who is no member is not deleted', async () => {
  const { id } = await bench.group('Engineering Access');
  const stranger = await bench.userId('vera.kovac@contoso.com');
  expect((await bench.graph('DELETE', `/groups/${id}/members/${stranger}`)).status).toBe(404);
  await expect(bench.userId('vera.kovac@contoso.com')).resolves.toBe(stranger);
});

test('without /$ref the DELETE removes the user from the tenant', async () => {
  const { id } = await bench.group('Engineering Access');
  const member = await bench.userId('mina.sato@contoso.com');
  expect((await bench.graph('DELETE', `/groups/${id}/members/${member}`)).status).toBe(204);
  await expect(bench.userId('mina.sato@contoso.com')).rejects.toThrow();
  expect((await bench.group('Engineering Access')).members).not.toContain(member);
});

test.each([
  ['Synced Security', 400, 'Request_BadRequest', 'on-premises mastered'],
  ['All Engineers Dynamic', 400, 'Request_BadRequest', 'dynamic'],
  ['Tier Zero Operators', 403, 'Authorization_RequestDenied', 'Insufficient privileges'],
  ['Restricted Unit Group', 403, 'Authorization_RequestDenied', 'restricted management'],
])('a member write on %s is refused', async (name, status, code, words) => {
  const { id } = await bench.group(name);
  const member = await bench.userId('vera.kovac@contoso.com');
  const refused = await bench.graph('POST', `/groups/${id}/members/$ref`, { body: reference(member) });
  expect(refused).toMatchObject({ status, body: { error: { code } } });
  expect(refused.body.error.message).toContain(words);
});

test('a read-only property is refused by name, an unknown one too', async () => {
  const { id } = await bench.group('Engineering Access');
  const readOnly = await bench.graph('PATCH', `/groups/${id}`, { body: { onPremisesSyncEnabled: false } });
  expect(readOnly.body.error.message).toBe("Property 'onPremisesSyncEnabled' is read-only and cannot be set.");
  expect((await bench.graph('PATCH', `/groups/${id}`, { body: { colour: 'red' } })).status).toBe(400);
});

test('permissions in the token decide, operation by operation', async () => {
  const { id } = await bench.group('Engineering Access');
  await bench.control('PUT', 'tenant', {
    servicePrincipals: [{ appId: bench.sim.clientId, roles: { graph: ['Group.Read.All'] } }],
  });
  const token = await bench.token('graph');
  const denied = {
    status: 403,
    body: {
      error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges to complete the operation.' },
    },
  };
  expect((await bench.graph('GET', `/groups/${id}`, { token })).status).toBe(200);
  expect(await bench.graph('GET', '/users', { token })).toMatchObject(denied);
  expect(await bench.graph('GET', '/domains', { token })).toMatchObject(denied);
  expect(await bench.graph('GET', '/organization', { token })).toMatchObject(denied);
  expect(await bench.graph('GET', `/servicePrincipals(appId='${bench.sim.clientId}')`, { token })).toMatchObject(
    denied,
  );
  expect(await bench.graph('PATCH', `/groups/${id}`, { token, body: { description: 'x' } })).toMatchObject(denied);
  expect(await bench.graph('DELETE', `/groups/${id}`, { token })).toMatchObject(denied);
  const members = (await bench.graph('GET', `/groups/${id}/members`, { token })).body as unknown as {
    value: { id: string; displayName: null }[];
  };
  expect(members.value[0]).toMatchObject({ displayName: null });
  expect(members.value[0]?.id).toBe(await bench.userId('kaya.demir@contoso.com'));
});

test('a token is refused when missing, forged, for another audience, or expired by the simulated clock', async () => {
  const token = await bench.token('graph');
  const [head, payload] = token.split('.');
  const refused = { status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } };
  expect(await bench.request(`${bench.sim.urls.graph}/v1.0/organization`)).toMatchObject(refused);
  expect(await bench.graph('GET', '/organization', { token: `${head ?? ''}.${payload ?? ''}.AAAA` })).toMatchObject(
    refused,
  );
  expect(await bench.graph('GET', '/organization', { token: await bench.token('exchange') })).toMatchObject(refused);
  expect((await bench.graph('GET', '/organization', { token })).status).toBe(200);
  await bench.control('POST', 'clock', { advanceMs: 25 * 3_600_000 });
  const expired = await bench.graph('GET', '/organization', { token });
  expect(expired).toMatchObject(refused);
  expect(expired.body.error.message).toContain('expired');
});

test('grants and directory roles of the app can be read', async () => {
  const assignments = await bench.graph('GET', `/servicePrincipals(appId='${bench.sim.clientId}')/appRoleAssignments`);
  const ids = (assignments.body as unknown as { value: { appRoleId: string; principalId: string }[] }).value;
  expect(ids.map(({ appRoleId }) => appRoleId)).toContain('dc50a0fb-09a3-484d-be87-e023b12c6440');
  const principalId = ids[0]?.principalId ?? '';
  const roles = await bench.graph(
    'GET',
    `/roleManagement/directory/roleAssignments?${filter(`principalId eq '${principalId}'`)}`,
  );
  expect(roles.body).toMatchObject({ value: [{ roleDefinitionId: '29232cdf-9323-42fd-ade2-1d097af3e4de' }] });
  expect((await bench.graph('GET', '/roleManagement/directory/roleAssignments')).status).toBe(400);
});

test('errors and answers carry the ids that support asks for', async () => {
  const sent = 'd1b8f0a2-0000-4000-8000-000000000001';
  const refused = await bench.graph('GET', '/users/nobody@contoso.com', { headers: { 'client-request-id': sent } });
  expect(refused).toMatchObject({ status: 404, body: { error: { innerError: { 'client-request-id': sent } } } });
  expect(refused.headers.get('client-request-id')).toBe(sent);
  expect(refused.headers.get('request-id')).toBe(refused.body.error.innerError['request-id']);
});
