import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, type Answer } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

const federated = 'amara.osei@contoso.com';
const managed = 'wade.barton@corp.contoso.com';
const atInitial = 'amara.osei@contoso.onmicrosoft.com';
const anchor = '1MOyofbliUerzRI0VniQqw==';

const patch = (key: string, body: unknown, token?: string): Promise<Answer> =>
  bench.graph('PATCH', `/users/${encodeURIComponent(key)}`, { body, ...(token === undefined ? {} : { token }) });
const properties = 'id,userPrincipalName,onPremisesImmutableId,mail,proxyAddresses,mobilePhone,accountEnabled';
const read = async (key: string): Promise<Record<string, unknown>> =>
  (await bench.graph('GET', `/users/${encodeURIComponent(key)}?$select=${properties}`)).body as unknown as Record<
    string,
    unknown
  >;
const set = (userWrites: object) => bench.control('PUT', 'tenant', { settings: { userWrites } });
const refusal = (message: string | RegExp, status = 400) => ({
  status,
  body: { error: { code: 'Request_BadRequest', message: expect.stringMatching(message) } },
});

describe('PATCH of a user', () => {
  test('changes what it says and nothing else, by id or by name, without an answer', async () => {
    const before = await read(managed);
    const changed = await patch(managed, { mobilePhone: '+47 22 00 00 00', onPremisesImmutableId: anchor });
    expect(changed).toMatchObject({ status: 204, text: '' });
    expect(await read(managed)).toEqual({
      ...before,
      mobilePhone: '+47 22 00 00 00',
      onPremisesImmutableId: anchor,
    });
    expect((await patch(String(before.id), { onPremisesImmutableId: null })).status).toBe(204);
    expect((await read(managed)).onPremisesImmutableId).toBeNull();
  });

  test('is all or nothing', async () => {
    const before = await read(federated);
    expect((await patch(federated, { mobilePhone: '+47', onPremisesImmutableId: anchor })).status).toBe(400);
    expect(await read(federated)).toEqual(before);
  });

  test.each([
    [{ proxyAddresses: [] }, "Property 'proxyAddresses' is read-only and cannot be set."],
    [{ onPremisesSyncEnabled: null }, "Property 'onPremisesSyncEnabled' is read-only and cannot be set."],
    [{ onPremisesImmutableId: '' }, "Invalid value specified for property 'onPremisesImmutableId'"],
    [{ onPremisesImmutableId: 'a_b' }, "Invalid value specified for property 'onPremisesImmutableId'"],
    [{ onPremisesImmutableId: 'a$b' }, "Invalid value specified for property 'onPremisesImmutableId'"],
    [{ onPremisesImmutableId: 7 }, "Invalid value specified for property 'onPremisesImmutableId'"],
    [{ displayName: null }, "Invalid value specified for property 'displayName'"],
    [{ mailNickname: '' }, "Invalid value specified for property 'mailNickname'"],
    [{ accountEnabled: 'yes' }, "Invalid value specified for property 'accountEnabled'"],
    [{ businessPhones: ['1', '2'] }, "Invalid value specified for property 'businessPhones'"],
    [{ userPrincipalName: 'a b@contoso.com' }, "Invalid value specified for property 'userPrincipalName'"],
    [{ userPrincipalName: 'wade' }, "Invalid value specified for property 'userPrincipalName'"],
  ])('refuses %j', async (body, message) => {
    expect(await patch(managed, body)).toMatchObject(refusal(message.replace(/[.*$]/g, '.')));
  });

  test('knows what Graph has and is not modelled from what Graph does not have', async () => {
    for (const body of [{ mail: 'x@contoso.com' }, { userType: 'Guest' }])
      expect((await patch(managed, body)).status).toBe(501);
    const unknown = await patch(managed, { onPremisesObjectIdentifier: null });
    expect(unknown).toMatchObject({ status: 400, body: { error: { code: 'BadRequest' } } });
    expect((await patch('nobody@contoso.com', { jobTitle: 'x' })).status).toBe(404);
  });

  test('needs a permission to write users', async () => {
    const graph = ['User.Read.All', 'Group.ReadWrite.All'];
    await bench.control('PUT', 'tenant', { servicePrincipals: [{ appId: bench.sim.clientId, roles: { graph } }] });
    const token = await bench.token('graph');
    for (const method of ['PATCH', 'DELETE'])
      expect(await bench.graph(method, `/users/${managed}`, { token, body: {} })).toMatchObject({
        status: 403,
        body: { error: { code: 'Authorization_RequestDenied' } },
      });
  });

  test('is refused for who is synced, but for what the cloud masters', async () => {
    const message = /^Unable to update the specified properties for on-premises mastered Directory Sync objects/;
    expect(await patch('anton.berg@contoso.com', { onPremisesImmutableId: anchor })).toMatchObject(refusal(message));
    expect((await patch('anton.berg@contoso.com', { otherMails: ['a@example.com'] })).status).toBe(204);
  });

  test('is refused for who is in a restricted management unit', async () => {
    await bench.control('PUT', 'tenant', { users: [{ userPrincipalName: managed, isManagementRestricted: true }] });
    expect((await patch(managed, { jobTitle: 'x' })).status).toBe(403);
  });
});

describe('the immutable id in a federated domain', () => {
  test('is neither changed nor cleared, but may be said again', async () => {
    const { onPremisesImmutableId } = await read(federated);
    expect(await patch(federated, { onPremisesImmutableId: anchor })).toMatchObject(refusal(/IMMUTABLEID/));
    expect(await patch(federated, { onPremisesImmutableId: null })).toMatchObject(refusal(/SourceAnchor/));
    expect((await patch(federated, { onPremisesImmutableId })).status).toBe(204);
    expect((await patch('mail.user@contoso.com', { onPremisesImmutableId: anchor })).status).toBe(400);
  });

  test('changes by a swing through a managed domain', async () => {
    const { id, mail } = await read(federated);
    for (const body of [
      { userPrincipalName: atInitial },
      { onPremisesImmutableId: anchor },
      { userPrincipalName: federated },
    ])
      expect((await patch(String(id), body)).status).toBe(204);
    expect(await read(federated)).toMatchObject({ id, mail, onPremisesImmutableId: anchor });
  });

  test('may be refused only once it is set, or never, by a switch', async () => {
    await set({ federatedImmutableId: 'refusedOnceSet' });
    expect((await patch('mail.user@contoso.com', { onPremisesImmutableId: anchor })).status).toBe(204);
    expect((await patch('mail.user@contoso.com', { onPremisesImmutableId: 'other' })).status).toBe(400);
    await set({ federatedImmutableId: 'accepted' });
    expect((await patch('mail.user@contoso.com', { onPremisesImmutableId: 'other' })).status).toBe(204);
  });

  test('is needed to get there, unless a switch says not', async () => {
    const moved = { userPrincipalName: 'wade.barton@contoso.com' };
    expect(await patch(managed, moved)).toMatchObject(refusal(/SourceAnchor/));
    expect((await patch(managed, { ...moved, onPremisesImmutableId: anchor })).status).toBe(204);
    await bench.control('POST', 'reset');
    await set({ federatedNeedsImmutableId: false });
    expect((await patch(managed, moved)).status).toBe(204);
  });

  test('is not left for another federated domain, and for a managed one, by a switch, only with a password', async () => {
    await bench.control('PUT', 'tenant', { domains: [{ id: 'fabrikam.com', authenticationType: 'Federated' }] });
    const moved = { userPrincipalName: 'amara.osei@fabrikam.com' };
    expect(await patch(federated, moved)).toMatchObject(refusal(/FederatedUser.UserPrincipalName/));
    await set({ betweenFederatedDomains: 'accepted', leavingFederation: 'needsPassword' });
    expect((await patch(federated, moved)).status).toBe(204);
    expect(await patch('amara.osei@fabrikam.com', { userPrincipalName: atInitial })).toMatchObject(
      refusal(/PasswordProfile/),
    );
  });
});

describe('what is unique', () => {
  const details = (property: string, id: unknown) => [
    { code: 'ObjectConflict', target: property, message: expect.stringContaining(property) },
    { code: 'ConflictingObjects', target: `User_${String(id)}`, message: expect.stringContaining(property) },
  ];

  test('an immutable id that another holds is refused by naming the other, unless a switch keeps quiet', async () => {
    const holder = await read(federated);
    const wanted = { onPremisesImmutableId: holder.onPremisesImmutableId };
    const refused = await patch(managed, wanted);
    expect(refused).toMatchObject(
      refusal(/^Another object with the same value for property onPremisesImmutableId already exists.$/),
    );
    expect(refused.body.error.details).toEqual(details('onPremisesImmutableId', holder.id));
    await set({ conflictDetails: false });
    expect((await patch(managed, wanted)).body.error.details).toBeUndefined();
  });

  test('a user principal name is nobody else’s, nor an address of anybody or of a group', async () => {
    const taken = await patch(managed, { userPrincipalName: 'xenia.roth@corp.contoso.com' });
    expect(taken.body.error.details).toEqual(
      details('userPrincipalName', (await read('xenia.roth@corp.contoso.com')).id),
    );
    const address = await patch('zoe.linden@corp.contoso.com', { userPrincipalName: atInitial });
    expect(address.body.error.details).toEqual(details('proxyAddresses', (await read(federated)).id));
    const ofGroup = await patch('zoe.linden@corp.contoso.com', {
      userPrincipalName: 'sales-nordics@contoso.onmicrosoft.com',
    });
    expect(ofGroup).toMatchObject(refusal(/proxyAddresses/));
    expect(ofGroup.body.error.details[1]?.target).toBe(`Group_${(await bench.group('Sales Nordics')).id}`);
  });

  test('a user principal name is in a verified domain', async () => {
    await bench.control('PUT', 'tenant', { domains: [{ id: 'fabrikam.com', isVerified: false }] });
    for (const domain of ['fabrikam.com', 'example.org']) {
      const refused = await patch(managed, { userPrincipalName: `wade.barton@${domain}` });
      expect(refused).toMatchObject(refusal(/verified domain names/));
      expect(refused.body.error.details).toMatchObject([{ code: 'InvalidValue' }]);
    }
  });

  test('null is refused where a switch says so', async () => {
    await patch(managed, { onPremisesImmutableId: anchor });
    await set({ clearing: 'refused' });
    expect(await patch(managed, { onPremisesImmutableId: null })).toMatchObject(refusal(/onPremisesImmutableId/));
  });
});

describe('a new user principal name', () => {
  const elsewhere = 'amara.temporary@contoso.onmicrosoft.com';
  const swing = async (): Promise<Record<string, unknown>> => {
    const { id } = await read(federated);
    for (const userPrincipalName of [elsewhere, federated]) await patch(String(id), { userPrincipalName });
    return read(federated);
  };

  test('is a further address of who has a mailbox from then on', async () => {
    const before = await read(federated);
    expect(await swing()).toEqual({
      ...before,
      proxyAddresses: [...(before.proxyAddresses as string[]), `smtp:${elsewhere}`],
    });
  });

  test('is the primary address, by a switch', async () => {
    await set({ upnInAddresses: 'primary' });
    await patch(federated, { userPrincipalName: elsewhere });
    expect(await read(elsewhere)).toMatchObject({
      mail: elsewhere,
      proxyAddresses: [`SMTP:${elsewhere}`, `smtp:${federated}`, `smtp:${atInitial}`],
    });
    await patch(elsewhere, { userPrincipalName: federated });
    expect(await read(federated)).toMatchObject({
      mail: federated,
      proxyAddresses: [`SMTP:${federated}`, `smtp:${elsewhere}`, `smtp:${atInitial}`],
    });
  });

  test('leaves the addresses alone by a switch, and for who has no mailbox', async () => {
    await set({ upnInAddresses: 'kept' });
    const before = await read(federated);
    expect(await swing()).toEqual(before);
    await set({ upnInAddresses: 'added' });
    await patch('new.hire@contoso.com', { userPrincipalName: 'new.hire@contoso.onmicrosoft.com' });
    expect((await read('new.hire@contoso.onmicrosoft.com')).proxyAddresses).toEqual([]);
  });
});

describe('what was written', () => {
  const lag = (replicationLagMs: object) => bench.control('PUT', 'tenant', { settings: { replicationLagMs } });

  test('is read after the lag of reads, by id, by name and by filter', async () => {
    await lag({ entraReads: 60_000 });
    const { id } = await read(managed);
    await patch(managed, { onPremisesImmutableId: anchor, userPrincipalName: 'wade.new@corp.contoso.com' });
    const found = async () =>
      (await bench.graph('GET', `/users?$filter=onPremisesImmutableId eq '${encodeURIComponent(anchor)}'`)).body.value
        .length;
    expect(await read(String(id))).toMatchObject({ onPremisesImmutableId: null, userPrincipalName: managed });
    expect([(await read(managed)).id, await found()]).toEqual([id, 0]);
    await bench.control('POST', 'clock', { advanceMs: 60_000 });
    expect(await read(String(id))).toMatchObject({ onPremisesImmutableId: anchor });
    expect((await bench.graph('GET', `/users/${managed}`)).status).toBe(404);
    expect(await found()).toBe(1);
  });

  test('is known to the checks of the next write after the lag of those', async () => {
    await lag({ entraChecks: 30_000 });
    const { id } = await read(federated);
    expect((await patch(String(id), { userPrincipalName: atInitial })).status).toBe(204);
    expect((await read(String(id))).userPrincipalName).toBe(atInitial);
    expect(await patch(String(id), { onPremisesImmutableId: anchor })).toMatchObject(refusal(/IMMUTABLEID/));
    await bench.control('POST', 'clock', { advanceMs: 30_000 });
    expect((await patch(String(id), { onPremisesImmutableId: anchor })).status).toBe(204);
  });

  test('lags by several writes as each was made', async () => {
    await lag({ entraReads: 10_000 });
    const phone = async () => (await read(managed)).mobilePhone;
    await patch(managed, { mobilePhone: '1' });
    await bench.control('POST', 'clock', { advanceMs: 6_000 });
    await patch(managed, { mobilePhone: '2' });
    expect(await phone()).toBeNull();
    await bench.control('POST', 'clock', { advanceMs: 5_000 });
    expect(await phone()).toBe('1');
    await bench.control('POST', 'clock', { advanceMs: 6_000 });
    expect(await phone()).toBe('2');
  });
});

describe('a deleted user', () => {
  const deletedUsers = '/directory/deletedItems/microsoft.graph.user';
  const holding = (value: unknown) =>
    bench.graph(
      'GET',
      `${deletedUsers}?$select=id,userPrincipalName&$filter=onPremisesImmutableId eq '${encodeURIComponent(String(value))}'`,
    );

  test('is gone from the users and the groups, and found among the deleted items under a changed name', async () => {
    const { id, onPremisesImmutableId } = await read(federated);
    expect((await bench.graph('DELETE', `/users/${federated}`)).status).toBe(204);
    expect((await bench.graph('GET', `/users/${String(id)}`)).status).toBe(404);
    expect((await bench.group('Sales Nordics')).members).not.toContain(id);
    const found = await holding(onPremisesImmutableId);
    expect(found.body.value).toEqual([{ id, userPrincipalName: `${String(id).replaceAll('-', '')}${federated}` }]);
    for (const path of [String(id), `${String(id)}/microsoft.graph.user`])
      expect((await bench.graph('GET', `/directory/deletedItems/${path}`)).body).toMatchObject({
        id,
        '@odata.type': '#microsoft.graph.user',
      });
    expect((await bench.graph('GET', `/directory/deletedItems/${String(id)}/microsoft.graph.group`)).status).toBe(404);
    const bare = await bench.graph('GET', `${deletedUsers}?$select=id,deletedDateTime`);
    expect(bare.body.value).toEqual([{ id, deletedDateTime: expect.stringMatching(/Z$/) }]);
    await set({ deletedUsersFilter: 'refused' });
    expect(await holding(onPremisesImmutableId)).toMatchObject({
      status: 400,
      body: { error: { code: 'Request_UnsupportedQuery' } },
    });
  });

  test('holds the immutable id until purged, and by a switch the name and the addresses', async () => {
    const { id, onPremisesImmutableId } = await read(federated);
    await bench.graph('DELETE', `/users/${federated}`);
    const wanted = { onPremisesImmutableId };
    expect((await patch(managed, wanted)).body.error.details[1]?.target).toBe(`User_${String(id)}`);
    expect((await patch('zoe.linden@corp.contoso.com', { userPrincipalName: atInitial })).status).toBe(204);
    await set({ deletedUsersHold: ['proxyAddresses', 'userPrincipalName'], federatedNeedsImmutableId: false });
    const service = (userPrincipalName: string) => patch('yusuf.amin@corp.contoso.com', { userPrincipalName });
    await patch(atInitial, { userPrincipalName: 'zoe.linden@corp.contoso.com' });
    await bench.control('PUT', 'tenant', {
      users: [{ userPrincipalName: 'zoe.linden@corp.contoso.com', proxyAddresses: [] }],
    });
    expect(await service(atInitial)).toMatchObject(refusal(/proxyAddresses/));
    expect(await service(federated)).toMatchObject(refusal(/userPrincipalName/));
    expect((await patch(managed, wanted)).status).toBe(204);
    await set({ deletedUsersHold: ['onPremisesImmutableId'] });
    expect((await patch('xenia.roth@corp.contoso.com', wanted)).status).toBe(400);
    expect((await bench.graph('DELETE', `/directory/deletedItems/${String(id)}`)).status).toBe(204);
    expect((await bench.graph('GET', deletedUsers)).body.value).toEqual([]);
    await patch(managed, { onPremisesImmutableId: null });
    expect((await patch('xenia.roth@corp.contoso.com', wanted)).status).toBe(204);
  });

  test('comes back as it was, in no group, unless what it had is another’s', async () => {
    const before = await read(federated);
    const restore = () => bench.graph('POST', `/directory/deletedItems/${String(before.id)}/restore`);
    await bench.graph('DELETE', `/users/${federated}`);
    await set({ deletedUsersHold: [] });
    await patch(managed, { onPremisesImmutableId: before.onPremisesImmutableId });
    expect(await restore()).toMatchObject(refusal(/onPremisesImmutableId/));
    await patch(managed, { onPremisesImmutableId: null });
    await patch('zoe.linden@corp.contoso.com', { userPrincipalName: atInitial });
    expect(await restore()).toMatchObject(refusal(/proxyAddresses/));
    await bench.control('PUT', 'tenant', { users: [{ userPrincipalName: atInitial, proxyAddresses: [] }] });
    expect((await restore()).status).toBe(200);
    expect(await read(federated)).toEqual(before);
    expect((await bench.group('Sales Nordics')).members).not.toContain(before.id);
  });

  test('is read and restored by who may users, not groups', async () => {
    const { id } = await read(federated);
    await bench.graph('DELETE', `/users/${federated}`);
    const graph = ['Group.ReadWrite.All'];
    await bench.control('PUT', 'tenant', { servicePrincipals: [{ appId: bench.sim.clientId, roles: { graph } }] });
    const token = await bench.token('graph');
    const one = `/directory/deletedItems/${String(id)}`;
    for (const [method, path] of [
      ['GET', deletedUsers],
      ['GET', one],
      ['POST', `${one}/restore`],
      ['DELETE', one],
    ] as const)
      expect((await bench.graph(method, path, { token })).status).toBe(403);
  });

  test('is put in by the control API, and told by its state', async () => {
    const put = await bench.control('PUT', 'tenant', {
      deletedUsers: [{ userPrincipalName: 'gone@contoso.com', onPremisesImmutableId: anchor }],
    });
    expect(put.status).toBe(200);
    expect((await bench.control('PUT', 'tenant', { deletedUsers: [{ displayName: 'Nobody' }] })).status).toBe(400);
    expect((await holding(anchor)).body.value).toHaveLength(1);
    const state = (await bench.control('GET', 'state')).body as unknown as { deletedUsers: unknown[] };
    expect(state.deletedUsers).toMatchObject([{ userPrincipalName: 'gone@contoso.com' }]);
  });
});

test('domains tell what is federated, initial and root', async () => {
  const { body } = await bench.graph(
    'GET',
    '/domains?$select=id,authenticationType,isInitial,isDefault,isRoot,isVerified',
  );
  expect(body.value).toEqual([
    {
      id: 'contoso.onmicrosoft.com',
      authenticationType: 'Managed',
      isInitial: true,
      isDefault: false,
      isRoot: true,
      isVerified: true,
    },
    {
      id: 'contoso.com',
      authenticationType: 'Federated',
      isInitial: false,
      isDefault: true,
      isRoot: true,
      isVerified: true,
    },
    {
      id: 'corp.contoso.com',
      authenticationType: 'Managed',
      isInitial: false,
      isDefault: false,
      isRoot: false,
      isVerified: true,
    },
  ]);
});
