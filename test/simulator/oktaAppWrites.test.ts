import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { OktaBench, type OktaAnswer } from './oktaBench.ts';

let okta: OktaBench;
beforeAll(async () => {
  okta = await OktaBench.start();
});
beforeEach(async () => {
  await okta.bench.control('POST', 'reset');
});
afterAll(() => okta.bench.sim.close());

const amara = 'amara.osei@contoso.com';
const anchor = '1MOyofbliUerzRI0VniQqw==';

const account = async (upn: string) =>
  (await okta.bench.graph('GET', `/users/${upn}?$select=id,accountEnabled,onPremisesImmutableId`)).body as unknown as {
    id: string;
    accountEnabled: boolean;
    onPremisesImmutableId: string | null;
  };
const appUserPath = async (login: string, app = 'office365') =>
  `/apps/${await okta.appId(app)}/users/${await okta.userId(login)}`;
const assign = async (login: string, body: object = {}): Promise<OktaAnswer> =>
  okta.call('POST', `/apps/${await okta.appId()}/users`, { body: { id: await okta.userId(login), ...body } });
const deactivateUsers = async (status: string): Promise<OktaAnswer> =>
  okta.call('PUT', `/apps/${await okta.appId()}/features/USER_PROVISIONING`, {
    body: { update: { lifecycleDeactivate: { status } } },
  });

describe('the steps of a repair on Okta’s side', () => {
  test('an unassignment with "Deactivate Users" off leaves the account alone, and the former profile comes back', async () => {
    const path = await appUserPath(amara);
    const before = (await okta.get(path)).row;
    const scopes = await okta.bearer('okta.apps.manage');
    const off = await okta.call('PUT', `/apps/${await okta.appId()}/features/USER_PROVISIONING`, {
      authorization: scopes,
      body: { update: { lifecycleDeactivate: { status: 'DISABLED' } } },
    });
    expect(off).toMatchObject({
      status: 200,
      row: {
        name: 'USER_PROVISIONING',
        status: 'ENABLED',
        capabilities: { update: { lifecycleDeactivate: { status: 'DISABLED' }, profile: { status: 'ENABLED' } } },
      },
    });
    expect((await okta.call('DELETE', path, { authorization: scopes })).status).toBe(204);
    expect((await account(amara)).accountEnabled).toBe(true);
    const profile = { ...before.profile, immutableId: anchor };
    const again = await assign(amara, { scope: 'USER', profile, credentials: { userName: amara } });
    expect(again.row).toMatchObject({
      scope: 'USER',
      status: 'PROVISIONED',
      externalId: before.externalId,
      profile,
      credentials: { userName: amara },
    });
    expect((await deactivateUsers('ENABLED')).status).toBe(200);
    expect((await account(amara)).accountEnabled).toBe(true);
  });

  test('with "Deactivate Users" on, the account is disabled meanwhile', async () => {
    await okta.call('DELETE', await appUserPath(amara));
    expect((await account(amara)).accountEnabled).toBe(false);
    await assign(amara);
    expect((await account(amara)).accountEnabled).toBe(true);
  });

  test('who is assigned while the account has another name is not linked to it', async () => {
    await deactivateUsers('DISABLED');
    await okta.call('DELETE', await appUserPath(amara));
    const { id } = await account(amara);
    await okta.bench.graph('PATCH', `/users/${id}`, { body: { userPrincipalName: 'amara.x@contoso.onmicrosoft.com' } });
    expect((await assign(amara)).row).toMatchObject({ status: 'STAGED', externalId: null });
  });

  test('scopes to read change nothing', async () => {
    const authorization = await okta.bearer('okta.apps.read');
    const app = await okta.appId();
    const path = await appUserPath(amara);
    for (const [method, at, body] of [
      ['DELETE', path, undefined],
      ['POST', `/apps/${app}/users`, { id: await okta.userId(amara) }],
      ['PUT', `/apps/${app}/features/USER_PROVISIONING`, {}],
    ] as const)
      expect((await okta.call(method, at, { authorization, body })).status).toBe(403);
    expect((await okta.get(path, { authorization })).status).toBe(200);
  });

  test('an app without provisioning has no features', async () => {
    const directory = await okta.appId('active_directory');
    for (const method of ['GET', 'PUT'])
      expect(
        await okta.call(method, `/apps/${directory}/features/USER_PROVISIONING`, {
          ...(method === 'PUT' ? { body: {} } : {}),
        }),
      ).toMatchObject({ status: 400, error: { errorCode: 'E0000001' } });
  });
});

describe('the immutable id of an app user', () => {
  const settings = (org: object) => okta.control('PUT', 'org', { settings: org });
  const managed = 'wade.barton@corp.contoso.com';

  test('stays in Okta unless the org pushes it', async () => {
    await okta.call('POST', await appUserPath(managed), { body: { profile: { immutableId: anchor } } });
    expect((await account(managed)).onPremisesImmutableId).toBeNull();
    await settings({ pushesImmutableId: true });
    const pushed = await okta.call('POST', await appUserPath(managed), { body: { profile: { immutableId: anchor } } });
    expect(pushed.row.syncState).toBe('SYNCHRONIZED');
    expect((await account(managed)).onPremisesImmutableId).toBe(anchor);
  });

  test('is an error of the app user where Entra refuses it', async () => {
    await settings({ pushesImmutableId: true });
    const before = await account(amara);
    await okta.call('DELETE', await appUserPath(amara));
    const again = await assign(amara, { profile: { immutableId: anchor } });
    expect(again.row.syncState).toBe('ERROR');
    expect((await account(amara)).onPremisesImmutableId).toBe(before.onPremisesImmutableId);
    const held = await okta.call('POST', await appUserPath(managed), {
      body: { profile: { immutableId: before.onPremisesImmutableId } },
    });
    expect(held.row.syncState).toBe('ERROR');
    await okta.bench.control('PUT', 'tenant', { settings: { userWrites: { federatedImmutableId: 'accepted' } } });
    const taken = await okta.call('POST', await appUserPath(amara), { body: { profile: { immutableId: anchor } } });
    expect(taken.row.syncState).toBe('SYNCHRONIZED');
  });
});

describe('the apps of a user', () => {
  const apps = (query: string) => okta.get(`/apps?${new URLSearchParams(query).toString()}`);

  test('are found with the app user of each', async () => {
    const id = await okta.userId(amara);
    const { rows } = await apps(`filter=user.id eq "${id}"&expand=user/${id}`);
    const { onPremisesImmutableId, id: objectId } = await account(amara);
    expect(rows).toMatchObject([
      { name: 'office365', _embedded: { user: { id, externalId: objectId } } },
      { name: 'active_directory', _embedded: { user: { id, externalId: onPremisesImmutableId } } },
    ]);
    const cloud = await okta.userId('wade.barton@corp.contoso.com');
    expect((await apps(`filter=user.id eq "${cloud}"`)).rows.map(({ name }) => name)).toEqual(['office365']);
    expect((await apps('filter=name eq "active_directory"')).rows.map(({ name }) => name)).toEqual([
      'active_directory',
    ]);
  });

  test('may be several of a kind, put in by the control API', async () => {
    const label = 'fabrikam.com';
    const put = await okta.control('PUT', 'org', {
      apps: [
        { label, name: 'active_directory' },
        { label: 'Office of Fabrikam', settings: { domain: label } },
      ],
      appUsers: [{ app: label, user: amara, externalId: anchor }],
    });
    expect(put.status).toBe(200);
    const id = await okta.userId(amara);
    const { rows } = await apps(`filter=user.id eq "${id}"&expand=user/${id}`);
    expect(rows[2]).toMatchObject({ name: 'active_directory', label, _embedded: { user: { externalId: anchor } } });
    const offices = await apps('filter=name eq "office365"');
    expect(offices.rows[1]).toMatchObject({ label: 'Office of Fabrikam', settings: { app: { domain: label } } });
    await okta.control('PUT', 'org', { apps: [{ label, settings: { forest: label } }] });
    expect((await okta.get(`/apps/${rows[2]?.id ?? ''}/users/${id}`)).status).toBe(200);
    for (const app of [{}, { label, name: 'google' }])
      expect((await okta.control('PUT', 'org', { apps: [app] })).status).toBe(400);
  });

  test('are embedded for the user of the filter only, and other filters are not modelled', async () => {
    const id = await okta.userId(amara);
    expect((await apps(`expand=user/${id}`)).status).toBe(400);
    expect((await apps(`filter=user.id eq "${id}"&expand=user/other`)).status).toBe(400);
    expect((await apps('filter=status eq "ACTIVE"')).status).toBe(501);
    expect((await apps('filter=label eq "x"')).status).toBe(400);
  });
});

describe('POST /_sim/seed/immutableIds', () => {
  interface Anchored {
    userPrincipalName: string;
    id: string;
    objectGuid: string;
    actual: string | null;
    expected: string;
  }
  const seed = async (): Promise<Record<string, Anchored>> => {
    const { body } = await okta.bench.control('POST', 'seed/immutableIds');
    const { users } = body as unknown as { users: Anchored[] };
    return Object.fromEntries(users.map((user) => [user.userPrincipalName.replace(/^anchor\.|@.*$/g, ''), user]));
  };
  const littleEndian = (guid: string): string => {
    const [a = '', b = '', c = '', d = '', e = ''] = guid.split('-');
    const swapped = [a, b, c].map((field) => (field.match(/../g) ?? []).reverse().join(''));
    return Buffer.from([...swapped, d, e].join(''), 'hex').toString('base64');
  };

  test('puts in somebody for everything that may be found, once', async () => {
    const people = await seed();
    expect(await seed()).toEqual(people);
    for (const { id, actual, userPrincipalName } of Object.values(people))
      expect(await account(userPrincipalName)).toMatchObject({ id, onPremisesImmutableId: actual });
    const { equal, swapped, oktaid, cloud, missing } = people;
    expect(equal?.actual).toBe(littleEndian(equal?.objectGuid ?? ''));
    expect(swapped?.actual).toBe(
      Buffer.from((swapped?.objectGuid ?? '').replaceAll('-', ''), 'hex').toString('base64'),
    );
    expect(oktaid?.actual).toBe(await okta.userId('anchor.oktaid@contoso.com'));
    expect(cloud?.expected).toBe(await okta.userId('anchor.cloud@contoso.com'));
    expect(missing?.actual).toBeNull();
  });

  test('what they expect is what Active Directory has in Okta, or is held by another or by a deleted one', async () => {
    const people = await seed();
    for (const name of ['equal', 'missing', 'wanted', 'synced']) {
      const { userPrincipalName = '', expected } = people[name] ?? {};
      const { row } = await okta.get(await appUserPath(userPrincipalName, 'active_directory'));
      expect(row.externalId).toBe(expected);
    }
    const consistent = (await okta.get(await appUserPath('anchor.consistency@contoso.com', 'active_directory'))).row;
    expect(consistent.profile['mS-DS-ConsistencyGuid']).toBe(people.consistency?.actual);
    const holding = async (path: string, name: string) =>
      (
        await okta.bench.graph(
          'GET',
          `${path}?$select=displayName&$filter=onPremisesImmutableId eq '${encodeURIComponent(people[name]?.expected ?? '')}'`,
        )
      ).body.value;
    expect(await holding('/users', 'wanted')).toEqual([{ displayName: 'Anchor Holder' }]);
    expect(await holding('/directory/deletedItems/microsoft.graph.user', 'reborn')).toEqual([
      { displayName: 'Anchor Former' },
    ]);
  });

  test('one is assigned by a group, one asserts another value, one is synced, one is privileged', async () => {
    const people = await seed();
    const office = async (name: string) => (await okta.get(await appUserPath(`anchor.${name}@contoso.com`))).row;
    expect((await office('bygroup')).scope).toBe('GROUP');
    expect(await okta.call('DELETE', await appUserPath('anchor.bygroup@contoso.com'))).toMatchObject({ status: 403 });
    expect((await okta.get(await appUserPath('rosa.delgado@contoso.com'))).row.scope).toBe('GROUP');
    expect((await office('asserted')).profile.immutableId).not.toBe(people.asserted?.expected);
    const token = await okta.bench.token('graph');
    for (const [name, status] of [
      ['synced', 400],
      ['admin', 403],
      ['managed', 204],
    ] as const) {
      const body = { onPremisesImmutableId: people[name]?.expected };
      expect((await okta.bench.graph('PATCH', `/users/${people[name]?.id ?? ''}`, { token, body })).status).toBe(
        status,
      );
    }
  });
});
