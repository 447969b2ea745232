import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createGraph } from '../../shared/graph/client.ts';
import { createGraphIdentityReads, type GraphIdentityReads } from '../../shared/graph/identityReads.ts';
import { createOktaSideReader } from '../../shared/identity/oktaSide.ts';
import { createPrivilegeReader } from '../../shared/identity/privilege.ts';
import { createImmutableIdReader } from '../../shared/identity/readImmutableId.ts';
import type { OktaApp, OktaAppUser } from '../../shared/okta/apps.ts';
import { faultOf, type TestCall, testCall, testTokens, testUpstream } from '../support/rooms.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';
import { factsOf, immutableId, objectGuid, oktaUserId, otherGuid, upn, userId } from './facts.ts';

let server: ScriptedServer;
let reads: GraphIdentityReads;
let call: TestCall;

beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => {
  reads = createGraphIdentityReads(createGraph(testUpstream('graph', server.url)));
  server.heard.length = 0;
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => server.close());

const queryOf = (index: number): URLSearchParams => new URL(server.heard[index]?.path ?? '', server.url).searchParams;
const { user: namesake } = factsOf();
const refusal = { status: 400, body: { error: { code: 'Request_UnsupportedQuery', message: 'Unsupported Query.' } } };

describe('a read of Graph', () => {
  test('of a user gives null and no for what is not said', async () => {
    server.script({ body: { id: userId, userPrincipalName: upn } });
    expect(await reads.user(upn, call)).toEqual({
      id: userId,
      userPrincipalName: upn,
      displayName: null,
      immutableId: null,
      accountEnabled: false,
      isSynced: false,
      isManagementRestricted: false,
      mail: null,
      mailNickname: null,
      proxyAddresses: [],
    });
  });

  test('of a user whose name Graph cannot read finds nobody', async () => {
    server.script({ status: 400, body: { error: { code: 'Request_BadRequest', message: 'Bad.' } } });
    expect(await reads.user('$x@contoso.com', call)).toBeNull();
  });

  test('asks for holders with the value encoded, over all pages', async () => {
    const nextLink = `${server.url}/v1.0/users?$skiptoken=2`;
    server.script(
      { body: { value: [{ id: 'a', userPrincipalName: 'a@contoso.com' }], '@odata.nextLink': nextLink } },
      { body: { value: [{ id: 'b', userPrincipalName: 'b@contoso.com', displayName: 'B' }] } },
    );
    expect(await reads.holders("ab+c/d'==", call)).toEqual([
      { id: 'a', userPrincipalName: 'a@contoso.com', displayName: null },
      { id: 'b', userPrincipalName: 'b@contoso.com', displayName: 'B' },
    ]);
    expect(queryOf(0).get('$filter')).toBe("onPremisesImmutableId eq 'ab+c/d''=='");
  });

  test('asks for deleted users by the value and by what the user goes by, and takes the id off their names', async () => {
    const id = 'B0000000-0000-4000-8000-000000000002';
    const names = [`b0000000000040008000000000000002${upn}`, upn];
    server.script({
      body: { value: names.map((userPrincipalName) => ({ id, userPrincipalName, onPremisesImmutableId: 'x' })) },
    });
    const deleted = { id, userPrincipalName: upn, displayName: null, immutableId: 'x' };
    expect(await reads.deletedUsers({ immutableId, namesake }, call)).toEqual([deleted, deleted]);
    expect(queryOf(0).get('$filter')).toBe(
      `onPremisesImmutableId eq '${immutableId}' or mail eq '${upn}' or mailNickname eq 'amara.osei' or displayName eq 'Amara Osei'`,
    );
  });

  test('leaves out of the filter what the user does not have', async () => {
    server.script({ body: { value: [] } });
    const bare = { userPrincipalName: upn, displayName: null, mail: 'a.osei@contoso.com', mailNickname: null };
    await reads.deletedUsers({ immutableId: null, namesake: bare }, call);
    expect(queryOf(0).get('$filter')).toBe(`mail eq '${upn}' or mail eq 'a.osei@contoso.com'`);
  });

  test('looks at five pages of deleted users where they cannot be filtered, and at no more', async () => {
    const page = (next: boolean) => ({
      body: {
        value: [{ id: 'a', userPrincipalName: upn }],
        ...(next && { '@odata.nextLink': `${server.url}/v1.0/x` }),
      },
    });
    server.script(refusal, page(true), page(true), page(true), page(true), page(false));
    expect(await reads.deletedUsers({ immutableId, namesake }, call)).toHaveLength(5);
    expect(queryOf(1).has('$filter')).toBe(false);
    expect(queryOf(1).get('$top')).toBe('999');
    server.script(refusal, ...Array.from({ length: 5 }, () => page(true)));
    expect(await reads.deletedUsers({ immutableId, namesake }, call)).toBeNull();
    expect(server.heard).toHaveLength(12);
  });

  test('of deleted users that is forbidden is a fault', async () => {
    server.script({ status: 403, body: { error: { code: 'Authorization_RequestDenied', message: 'No.' } } });
    const fault = await faultOf(reads.deletedUsers({ immutableId, namesake }, call));
    expect(fault.code).toBe('graph_permission_missing');
  });

  test('of domains, roles and groups gives what is named', async () => {
    server.script({
      body: { value: [{ id: 'contoso.com', authenticationType: 'Federated', isVerified: true, isInitial: false }, {}] },
    });
    expect(await reads.domains(call)).toEqual([
      { name: 'contoso.com', isFederated: true, isVerified: true, isInitial: false },
      { name: '', isFederated: false, isVerified: false, isInitial: false },
    ]);
    const scopes = ['/', '/administrativeUnits/x'];
    server.script({ body: { value: scopes.map((directoryScopeId) => ({ roleDefinitionId: 'r', directoryScopeId })) } });
    expect(await reads.roleAssignments("o'id", call)).toEqual([
      { roleId: 'r', isTenantWide: true, unitId: null },
      { roleId: 'r', isTenantWide: false, unitId: 'x' },
    ]);
    expect(queryOf(1).get('$filter')).toBe("principalId eq 'o''id'");
    server.script({ body: { value: [{ roleDefinitionId: 'r' }] } });
    expect(await reads.eligibleRoles('x', call)).toEqual(['r']);
    const group = { id: 'g', displayName: null };
    server.script({ body: { value: [group, { id: 'h', displayName: 'Keepers' }] } }, { body: { value: [group] } });
    expect(await reads.roleAssignableGroups(userId, call)).toEqual([
      { id: 'g', name: 'g', isMember: true },
      { id: 'h', name: 'Keepers', isMember: true },
    ]);
    expect(queryOf(3).get('$filter')).toBe('isAssignableToRole eq true');
    expect(server.heard[3]?.headers).toMatchObject({ consistencylevel: 'eventual' });
  });
});

const appOf = (id: string, more: Partial<OktaApp> = {}): OktaApp => ({
  id,
  name: 'office365',
  label: id,
  status: 'ACTIVE',
  msftTenant: null,
  domain: null,
  ...more,
});
const appUserOf = (more: Partial<OktaAppUser>): OktaAppUser => ({
  id: oktaUserId,
  externalId: null,
  status: 'ACTIVE',
  syncState: null,
  lastSync: null,
  scope: 'USER',
  group: null,
  userName: null,
  profile: {},
  ...more,
});

/** Okta with one user, its apps and its app users by app. */
function oktaWith(apps: readonly OktaApp[], appUsers: Readonly<Record<string, OktaAppUser>>) {
  const user = { id: oktaUserId, status: 'ACTIVE', login: upn, email: null, profile: {} };
  const none = () => Promise.reject(new Error('not asked for'));
  return createOktaSideReader({
    oktaUsers: {
      find: (name) => Promise.resolve([upn, oktaUserId].includes(name) ? user : null),
      groupIds: none,
    },
    oktaApps: {
      get: (id) => Promise.resolve(apps.find((app) => app.id === id) ?? null),
      ofUser: () => Promise.resolve([...apps]),
      appUser: (id) => Promise.resolve(appUsers[id] ?? null),
      groupIds: none,
      appUserPages: () => {
        throw new Error('not asked for');
      },
    },
  });
}

describe("Okta's side", () => {
  const search = { userPrincipalName: upn, oktaUserId: null, oktaAppId: null };
  const asserting = (value: string) => appUserOf({ profile: { immutableId: value } });

  test('is that of the app whose domain the user signs in at, where there are several', async () => {
    const apps = [appOf('a', { domain: 'example.com' }), appOf('b', { domain: 'Contoso.com' })];
    const okta = oktaWith(apps, { a: asserting('of a'), b: asserting('of b') });
    expect((await okta.read(search, call)).office365).toMatchObject({ appId: 'b', immutableId: 'of b' });
    expect((await okta.read({ ...search, oktaAppId: 'a' }, call)).office365).toMatchObject({ appId: 'a' });
  });

  test('is that of no app where it cannot be told of which', async () => {
    const apps = [appOf('a', { domain: 'contoso.com' }), appOf('b', { domain: 'contoso.com' })];
    expect((await oktaWith(apps, {}).read(search, call)).office365).toBeNull();
    expect((await oktaWith([], {}).read(search, call)).office365).toBeNull();
    const off = oktaWith([appOf('a', { status: 'INACTIVE' })], { a: asserting('x') });
    expect((await off.read(search, call)).office365).toBeNull();
  });

  test('is without an assignment where the user has none in the app that is named', async () => {
    const okta = oktaWith([appOf('a')], {});
    expect(await okta.read({ ...search, oktaAppId: 'a' }, call)).toMatchObject({ userId: oktaUserId, office365: null });
  });

  test('is nothing for somebody Okta does not have', async () => {
    const okta = oktaWith([appOf('a')], { a: asserting('x') });
    const nobody = { userId: null, directoryExternalId: null, consistencyGuid: null, office365: null };
    expect(await okta.read({ ...search, userPrincipalName: 'x@contoso.com' }, call)).toEqual(nobody);
    const named = { ...search, userPrincipalName: 'x@contoso.com', oktaUserId };
    expect((await okta.read(named, call)).userId).toBe(oktaUserId);
  });

  test('has what the directory says, and nothing where two directories differ', async () => {
    const directories = ['a', 'b'].map((id) => appOf(id, { name: 'active_directory' }));
    const inDirectory = (externalId: string, guid: string) =>
      appUserOf({ externalId, profile: { 'mS-DS-ConsistencyGuid': guid } });
    const read = (a: OktaAppUser, b: OktaAppUser) => oktaWith(directories, { a, b }).read(search, call);
    const same = inDirectory(immutableId, objectGuid);
    expect(await read(same, same)).toMatchObject({ directoryExternalId: immutableId, consistencyGuid: immutableId });
    const different = await read(same, inDirectory(otherGuid, otherGuid));
    expect(different).toMatchObject({ directoryExternalId: null, consistencyGuid: null });
    expect(await read(same, appUserOf({}))).toMatchObject({ directoryExternalId: immutableId });
  });
});

describe('what is read of a user', () => {
  const readerWith = (more: Partial<GraphIdentityReads>) => {
    const identityReads: GraphIdentityReads = {
      user: () => Promise.resolve(namesake),
      userById: () => Promise.resolve(namesake),
      holders: () => Promise.resolve([]),
      addressHolders: () => Promise.resolve([]),
      deletedUsers: () => Promise.resolve([]),
      domains: () => Promise.resolve([]),
      roleAssignments: () => Promise.resolve([]),
      eligibleRoles: () => Promise.resolve([]),
      roleAssignableGroups: () => Promise.resolve([]),
      ...more,
    };
    return createImmutableIdReader({
      identityReads,
      oktaSide: oktaWith([], {}),
      privileges: createPrivilegeReader({ identityReads, graphTokens: testTokens() }),
      protectedUsers: { test: () => Promise.resolve(() => false) },
    });
  };

  test('says that deleted users are too many to look at', async () => {
    const reader = readerWith({ deletedUsers: () => Promise.resolve(null) });
    const { findings } = await reader.describe({ user: upn, given: null, oktaAppId: null }, call);
    expect(findings.find(({ message }) => message.includes('deleted user'))).toMatchObject({
      code: 'not_checked',
      evidence: expect.stringContaining('too many'),
    });
  });

  test('is not known to sign in anywhere at a domain that is none of the tenant', async () => {
    const { signIn, findings } = await readerWith({}).describe({ user: upn, given: null, oktaAppId: null }, call);
    expect(signIn).toBeNull();
    expect(findings.map(({ code }) => code)).toContain('not_checked');
  });

  test('throws what is no lasting refusal', async () => {
    const reader = readerWith({ domains: () => Promise.reject(new TypeError('a defect')) });
    await expect(reader.describe({ user: upn, given: null, oktaAppId: null }, call)).rejects.toThrow('a defect');
  });
});
