import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { directoryRoles } from '../../simulator/tenant/roles.ts';
import { Bench, type Answer } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
  await bench.control('POST', 'seed/attributes');
});
afterAll(() => bench.sim.close());

const ROOT = '/roleManagement/directory';
const cause = (name: string): string => `cause.${name}@corp.contoso.com`;
const ids = (answer: Answer, name = 'roleDefinitionId') => answer.body.value.map((row) => row[name]);
const filtered = (resource: string, property: string, value: string): Promise<Answer> =>
  bench.graph('GET', `${ROOT}/${resource}?$filter=${encodeURIComponent(`${property} eq '${value}'`)}`);

describe('role definitions', () => {
  test('are those of every tenant and its own, by id and by template id', async () => {
    const all = await bench.graph('GET', `${ROOT}/roleDefinitions`);
    expect(ids(all, 'id')).toEqual(expect.arrayContaining(Object.values(directoryRoles)));
    expect(all.body.value.filter(({ isBuiltIn }) => !isBuiltIn)).toMatchObject([{ displayName: 'Licence Reporter' }]);
    const one = await bench.graph(
      'GET',
      `${ROOT}/roleDefinitions/${directoryRoles.privilegedAuthenticationAdministrator}`,
    );
    expect(one.body).toMatchObject({
      displayName: 'Privileged Authentication Administrator',
      templateId: directoryRoles.privilegedAuthenticationAdministrator,
      isBuiltIn: true,
    });
    const own = await filtered('roleDefinitions', 'displayName', 'Licence Reporter');
    expect(own.body.value).toHaveLength(1);
    expect((await bench.graph('GET', `${ROOT}/roleDefinitions/absent`)).status).toBe(404);
  });

  test('do not say in v1.0 whether they are privileged', async () => {
    const answer = await bench.graph('GET', `${ROOT}/roleDefinitions?$select=id,isPrivileged`);
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain('isPrivileged');
    expect((await bench.graph('GET', `${ROOT}/roleDefinitions?$select=rolePermissions`)).status).toBe(501);
  });
});

describe('role assignments', () => {
  test('need a filter on the principal or the role', async () => {
    for (const query of ['', "?$filter=directoryScopeId eq '/'"])
      expect((await bench.graph('GET', `${ROOT}/roleAssignments${query}`)).status).toBe(400);
  });

  test('are those given to the principal itself; what comes through a group names the group', async () => {
    const person = await bench.userId(cause('group.role'));
    expect((await filtered('roleAssignments', 'principalId', person)).body.value).toEqual([]);
    const { id } = await bench.group('Helpdesk Crew');
    const ofGroup = await filtered('roleAssignments', 'principalId', id.toUpperCase());
    expect(ofGroup.body.value).toMatchObject([
      { principalId: id, roleDefinitionId: directoryRoles.helpdeskAdministrator, directoryScopeId: '/' },
    ]);
    const ofRole = await filtered('roleAssignments', 'roleDefinitionId', directoryRoles.helpdeskAdministrator);
    expect(ids(ofRole, 'principalId')).toEqual(
      expect.arrayContaining([id, await bench.userId('service.desk@contoso.com')]),
    );
  });

  test('say which administrative unit they are over', async () => {
    const { administrativeUnits } = (await bench.control('GET', 'state')).body as unknown as {
      administrativeUnits: { id: string }[];
    };
    const answer = await filtered('roleAssignments', 'principalId', await bench.userId(cause('scoped.role')));
    expect(answer.body.value).toMatchObject([
      { directoryScopeId: `/administrativeUnits/${String(administrativeUnits[0]?.id)}` },
    ]);
  });

  test('are read with a permission for roles only', async () => {
    const token = await bench.tokenWith('reads people', { graph: ['User.Read.All'] });
    for (const resource of ['roleAssignments', 'roleDefinitions', 'roleEligibilityScheduleInstances'])
      expect((await bench.graph('GET', `${ROOT}/${resource}`, { token })).status).toBe(403);
  });
});

describe('eligible roles', () => {
  test('are listed apart from active ones', async () => {
    const person = await bench.userId(cause('eligible.role'));
    const eligible = await filtered('roleEligibilityScheduleInstances', 'principalId', person);
    expect(eligible.body.value).toMatchObject([
      {
        principalId: person,
        roleDefinitionId: directoryRoles.privilegedRoleAdministrator,
        directoryScopeId: '/',
        memberType: 'Direct',
      },
    ]);
    expect((await filtered('roleAssignments', 'principalId', person)).body.value).toEqual([]);
  });

  test('take a licence', async () => {
    await bench.control('PUT', 'tenant', { settings: { privilegedIdentityManagement: false } });
    const answer = await filtered('roleEligibilityScheduleInstances', 'principalId', 'x');
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'AadPremiumLicenseRequired' } } });
  });
});

describe('what somebody is in', () => {
  const EVENTUAL = { ConsistencyLevel: 'eventual' };
  const memberOf = (name: string, rest = '', headers = {}): Promise<Answer> =>
    bench.graph('GET', `/users/${cause(name)}/${rest}`, { headers });
  const kinds = ({ body }: Answer) => body.value.map((row) => [row['@odata.type'], row.displayName]);

  test('transitively, roles of groups are among it; directly, they are not', async () => {
    const transitive = await memberOf('group.role', 'transitiveMemberOf');
    expect(kinds(transitive)).toEqual([
      ['#microsoft.graph.group', 'Helpdesk Crew'],
      ['#microsoft.graph.directoryRole', 'Helpdesk Administrator'],
    ]);
    expect(kinds(await memberOf('group.role', 'memberOf'))).toEqual([['#microsoft.graph.group', 'Helpdesk Crew']]);
  });

  test('groups of groups are among it transitively', async () => {
    const { id } = await bench.group('Engineering Access');
    await bench.control('PUT', 'tenant', { groups: [{ displayName: 'Outer', members: ['Engineering Access'] }] });
    const person = 'kaya.demir@contoso.com';
    const groupIds = async (relation: string) =>
      ids(await bench.graph('GET', `/users/${person}/${relation}/microsoft.graph.group`), 'id');
    const outer = (await bench.group('Outer')).id;
    expect(await groupIds('memberOf')).not.toContain(outer);
    expect(await groupIds('transitiveMemberOf')).toEqual(expect.arrayContaining([id, outer]));
  });

  test('a role has an id of its own beside that of its template, and eligible, scoped and custom ones are no objects', async () => {
    const cast = 'transitiveMemberOf/microsoft.graph.directoryRole';
    const active = await memberOf('active.role', `${cast}?$select=id,roleTemplateId`);
    expect(active.body.value).toMatchObject([{ roleTemplateId: directoryRoles.userAdministrator }]);
    expect(active.body.value[0]?.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(active.body.value[0]?.id).not.toBe(directoryRoles.userAdministrator);
    for (const name of ['eligible.role', 'scoped.role', 'custom.role'])
      expect((await memberOf(name, cast)).body.value).toEqual([]);
  });

  test('role-assignable groups are found by a filter, with its header and count', async () => {
    const path = `transitiveMemberOf/microsoft.graph.group?$filter=${encodeURIComponent('isAssignableToRole eq true')}`;
    expect((await memberOf('group.member', `${path}&$count=true`)).status).toBe(400);
    expect((await memberOf('group.member', path, EVENTUAL)).status).toBe(400);
    const found = await memberOf('group.member', `${path}&$count=true`, EVENTUAL);
    expect(kinds(found)).toEqual([['#microsoft.graph.group', 'Vault Keepers']]);
    expect((await memberOf('equal', `${path}&$count=true`, EVENTUAL)).body.value).toEqual([]);
  });

  test('groups that somebody owns, and administrative units', async () => {
    expect(kinds(await memberOf('group.owner', 'ownedObjects/microsoft.graph.group'))).toEqual([
      ['#microsoft.graph.group', 'Vault Keepers'],
    ]);
    expect((await memberOf('group.owner', 'memberOf')).body.value).toEqual([]);
    const token = await bench.tokenWith('reads units', { graph: ['User.Read.All', 'AdministrativeUnit.Read.All'] });
    const units = await bench.graph('GET', `/users/${cause('restricted.unit')}/memberOf`, { token });
    expect(units.body.value).toMatchObject([
      {
        '@odata.type': '#microsoft.graph.administrativeUnit',
        displayName: 'Board',
        isMemberManagementRestricted: true,
      },
    ]);
    const unit = `/directory/administrativeUnits/${String(units.body.value[0]?.id)}`;
    const select = '?$select=id,isMemberManagementRestricted';
    expect((await bench.graph('GET', `${unit}${select}`, { token })).body).toMatchObject({
      isMemberManagementRestricted: true,
    });
    expect((await bench.graph('GET', unit)).status).toBe(403);
    expect((await bench.graph('GET', '/directory/administrativeUnits/absent', { token })).status).toBe(404);
    const restricted = await bench.graph('GET', `/users/${cause('restricted.unit')}?$select=isManagementRestricted`);
    expect(restricted.body).toMatchObject({ isManagementRestricted: true });
  });

  test('without a permission for it, an object shows its id only', async () => {
    const token = await bench.tokenWith('reads people', { graph: ['User.Read.All'] });
    const { body } = await bench.graph('GET', `/users/${cause('group.role')}/transitiveMemberOf`, { token });
    expect(body.value).toHaveLength(2);
    expect(body.value[1]).toMatchObject({ id: expect.any(String), displayName: null, roleTemplateId: null });
  });

  test('an app has its roles and groups too', async () => {
    const { servicePrincipals } = await bench.state();
    const id = servicePrincipals.find(({ displayName }) => displayName === 'okta-m365-actions')?.id ?? '';
    await bench.control('PUT', 'tenant', {
      groups: [{ displayName: 'Vault Keepers', directoryRoles: [directoryRoles.globalReader], members: [id] }],
    });
    const roles = (relation: string) =>
      bench.graph('GET', `/servicePrincipals/${id}/${relation}/microsoft.graph.directoryRole`);
    expect(ids(await roles('memberOf'), 'roleTemplateId')).toEqual([directoryRoles.exchangeAdministrator]);
    expect(new Set(ids(await roles('transitiveMemberOf'), 'roleTemplateId'))).toEqual(
      new Set([directoryRoles.exchangeAdministrator, directoryRoles.globalReader]),
    );
  });

  test('what is not modelled is said to be so', async () => {
    expect((await memberOf('equal', 'memberOf/microsoft.graph.device')).status).toBe(501);
    expect((await memberOf('equal', "memberOf?$filter=displayName eq 'x'")).status).toBe(501);
    expect((await memberOf('equal', 'memberOf?$select=nonsense')).status).toBe(400);
    expect((await bench.graph('GET', `/users/${cause('absent')}/memberOf`)).status).toBe(404);
  });
});

describe('what the control API is told', () => {
  test.each([
    [{ users: [{ userPrincipalName: cause('equal'), scopedRoles: [{ role: 'x' }] }] }, 'scopedRoles'],
    [
      { users: [{ userPrincipalName: cause('equal'), scopedRoles: [{ role: 'x', administrativeUnit: 'Nowhere' }] }] },
      'Nowhere is no administrative unit',
    ],
    [{ administrativeUnits: [{ isMemberManagementRestricted: true }] }, 'displayName is missing'],
    [{ administrativeUnits: [{ displayName: 'New', members: ['nobody@contoso.com'] }] }, 'nobody@contoso.com'],
    [
      { groups: [{ displayName: 'Engineering Access', directoryRoles: [directoryRoles.globalReader] }] },
      'only a role-assignable group holds roles',
    ],
    [{ customRoles: [{ displayName: 'No id' }] }, 'customRoles[0].id is missing'],
    [{ settings: { syncedUserWrites: ['displayName'] } }, 'settings.syncedUserWrites'],
  ])('%j is refused by name', async (body, words) => {
    const before = (await bench.control('GET', 'state')).body as unknown as Record<string, unknown>;
    const answer = await bench.control('PUT', 'tenant', body);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(words);
    const after = (await bench.control('GET', 'state')).body as unknown as Record<string, unknown>;
    expect({ ...after, now: null }).toEqual({ ...before, now: null });
  });

  test('a custom role and a unit put once more are replaced', async () => {
    const role = { id: 'C0570000-0000-4000-8000-000000000001', displayName: 'Renamed' };
    await bench.control('PUT', 'tenant', {
      customRoles: [role],
      administrativeUnits: [{ displayName: 'Board', isMemberManagementRestricted: false }],
    });
    const state = (await bench.control('GET', 'state')).body as unknown as Record<string, object[]>;
    expect(state.customRoles).toMatchObject([{ displayName: 'Renamed' }]);
    expect(state.administrativeUnits).toMatchObject([{ displayName: 'Board', isMemberManagementRestricted: false }]);
    const freed = await bench.graph('GET', `/users/${cause('restricted.unit')}?$select=isManagementRestricted`);
    expect(freed.body).toMatchObject({ isManagementRestricted: null });
  });
});
