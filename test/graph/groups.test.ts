import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createGraph } from '../../shared/graph/client.ts';
import { createGraphGroups, type GraphGroup, type GraphGroups } from '../../shared/graph/groups.ts';
import { createGraphUsers, type GraphUsers } from '../../shared/graph/users.ts';
import { createTokenSource } from '../../shared/upstream/tokens.ts';
import { type TestCall, testCall, testUpstream } from '../support/rooms.ts';
import { startWorld, type World } from '../support/world.ts';

/** Against the simulated tenant, with tokens of its Entra. */

let world: World;
let groups: GraphGroups;
let users: GraphUsers;
let call: TestCall;

beforeAll(async () => {
  world = await startWorld();
  const { urls, tenantId, clientId, clientSecret } = world.simulator;
  const tokens = createTokenSource('https://graph.microsoft.com/.default', async () => {
    const { ClientSecretCredential } = await import('@azure/identity');
    const options = { authorityHost: urls.login, disableInstanceDiscovery: true };
    return new ClientSecretCredential(tenantId, clientId, clientSecret, options);
  });
  const graph = createGraph(testUpstream('graph', urls.graph, { tokens }));
  groups = createGraphGroups(graph);
  users = createGraphUsers(graph);
});
beforeEach(async () => {
  await world.control.reset();
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => world.close());

const named = async (displayName: string): Promise<GraphGroup> => {
  const [group] = await groups.find({ displayName }, call);
  if (group === undefined) throw new Error(`no group ${displayName}`);
  return group;
};

describe('a group', () => {
  const flags = {
    isUnified: false,
    isDynamic: false,
    isMailEnabled: false,
    isSecurityEnabled: false,
    isOnPremisesSynced: false,
    isAssignableToRole: false,
    isManagementRestricted: false,
  };
  const security = { ...flags, isSecurityEnabled: true };
  const list = { ...flags, isMailEnabled: true };

  test.each([
    ['Engineering Access', security],
    ['Tier Zero Operators', { ...security, isAssignableToRole: true }],
    ['All Engineers Dynamic', { ...security, isDynamic: true }],
    ['Restricted Unit Group', { ...security, isManagementRestricted: true }],
    ['Synced Security', { ...security, isOnPremisesSynced: true }],
    ['Project Aurora', { ...list, isUnified: true }],
    ['Finance Approvers', { ...list, isSecurityEnabled: true }],
    ['Plant Safety', { ...list, isSecurityEnabled: true, isOnPremisesSynced: true }],
    ['Sales Nordics', list],
    ['Plant News', { ...list, isOnPremisesSynced: true }],
    ['Meeting Rooms', list],
  ])('%s has what decides its kind, by name as by id', async (displayName, expected) => {
    const group = await named(displayName);
    expect(group).toMatchObject({ displayName, ...expected });
    expect(await groups.get(group.id, call)).toEqual(group);
  });

  test('is found by its primary and its other addresses, which come without prefix', async () => {
    const address = 'sales-nordics@contoso.onmicrosoft.com';
    const [group] = await groups.find({ address }, call);
    expect(group).toMatchObject({
      mail: 'sales-nordics@contoso.com',
      mailNickname: 'sales-nordics',
      addresses: ['sales-nordics@contoso.com', address],
    });
    expect(await groups.find({ address: 'sales-nordics@contoso.com' }, call)).toEqual([group]);
    expect(await groups.find({ address: 'nobody@contoso.com' }, call)).toEqual([]);
  });

  test.each([
    ['Synced Security', false],
    ['Converted Welders', true],
    ['Engineering Access', false],
  ])('%s was synced once and is not any more: %s', async (displayName, wasSynced) => {
    expect(await named(displayName)).toMatchObject({ wasSynced });
  });

  test('comes with all that share its display name', async () => {
    expect(await groups.find({ displayName: 'Announcements' }, call)).toHaveLength(2);
  });

  test.each(["O'Neil's #1 + 50% & more", 'Ünïcödé'])('called %s is found by that name', async (displayName) => {
    await world.control.tenant({ groups: [{ displayName, securityEnabled: true, mailEnabled: false }] });
    expect(await named(displayName)).toMatchObject({ displayName });
    const [row] = await world.control.calls({ upstream: 'graph', path: '/v1.0/groups' });
    const filter = new URL(row?.path ?? '', 'http://graph').searchParams.get('$filter');
    expect(filter).toBe(`displayName eq '${displayName.replaceAll("'", "''")}'`);
  });

  test('that is dynamic in Exchange is not there, nor is one that never was', async () => {
    expect(await groups.find({ displayName: 'Everyone In Support' }, call)).toEqual([]);
    expect(await groups.get('00000000-0000-0000-0000-000000000001', call)).toBeNull();
  });
});

describe('the members of a group', () => {
  test('come with their types', async () => {
    const { id } = await named('Sales Nordics');
    const { members, nextPath } = await groups.members(id, { size: 100, from: null }, call);
    expect(nextPath).toBeNull();
    expect(members.map(({ type, displayName }) => `${type} ${displayName ?? ''}`).sort()).toEqual([
      'orgContact Pat Supplier',
      'user Amara Osei',
      'user Bruno Keller',
      'user Guest Partner',
    ]);
    expect(members.find(({ displayName }) => displayName === 'Guest Partner')).toMatchObject({
      userPrincipalName: 'guest.partner_example.com#EXT#@contoso.onmicrosoft.com',
    });
  });

  test('come page by page, each once', async () => {
    const { id } = await named('Sales Nordics');
    const seen: string[] = [];
    let from: string | null = null;
    let pages = 0;
    do {
      const page = await groups.members(id, { size: 3, from }, call);
      seen.push(...page.members.map((member) => member.id));
      from = page.nextPath;
      pages += 1;
    } while (from !== null);
    expect(pages).toBe(2);
    expect(new Set(seen).size).toBe(4);
  });

  test('are read to the end, however many', async () => {
    const crowd = Array.from({ length: 1_050 }, (_, index) => `crowd${index}@corp.contoso.com`);
    await world.control.tenant({
      users: crowd.map((userPrincipalName) => ({ userPrincipalName })),
      groups: [{ displayName: 'Engineering Access', members: crowd }],
    });
    const { id } = await named('Engineering Access');
    const ids = new Set<string>();
    for await (const page of groups.memberPages(id, { addresses: false }, call)) {
      for (const member of page) ids.add(member.id);
    }
    expect(ids.size).toBe(1_050);
  });

  test('come with their addresses where those are asked for, and are counted', async () => {
    const { id } = await named('Sales Nordics');
    for await (const page of groups.memberPages(id, { addresses: true }, call)) {
      const guest = page.find(({ displayName }) => displayName === 'Amara Osei');
      expect(guest?.addresses).toContain('amara.osei@contoso.com');
    }
    for await (const page of groups.memberPages(id, { addresses: false }, call)) {
      expect(page.flatMap(({ addresses }) => addresses)).toEqual([]);
    }
    expect(await groups.memberCount(id, call)).toBe(4);
  });

  test('are told from its owners', async () => {
    const { id } = await named('Engineering Access');
    expect(await groups.owners(id, call)).toMatchObject([
      { displayName: 'Kaya Demir', userPrincipalName: 'kaya.demir@contoso.com', mail: 'kaya.demir@contoso.com' },
    ]);
  });
});

describe('a user', () => {
  test.each(['amara.osei@contoso.com', 'guest.partner_example.com#EXT#@contoso.onmicrosoft.com'])(
    'is found as %s and by id',
    async (userPrincipalName) => {
      const user = await users.find(userPrincipalName, call);
      expect(user).toMatchObject({ userPrincipalName });
      expect(await users.find(user?.id ?? '', call)).toEqual(user);
      const [row] = await world.control.calls({ upstream: 'graph', path: '/v1.0/users/' });
      expect(decodeURIComponent(row?.path.split('?')[0] ?? '')).toBe(`/v1.0/users/${userPrincipalName}`);
    },
  );

  test.each(["o'hara@corp.contoso.com", 'plus+tag@corp.contoso.com'])('may be called %s', async (userPrincipalName) => {
    await world.control.tenant({ users: [{ userPrincipalName }] });
    expect(await users.find(userPrincipalName, call)).toMatchObject({ userPrincipalName, mail: null });
  });

  test('that is unknown is null', async () => {
    expect(await users.find('nobody@contoso.com', call)).toBeNull();
  });
});
