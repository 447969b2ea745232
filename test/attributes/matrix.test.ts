import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { directoryRoles } from '../../simulator/tenant/roles.ts';
import { type App, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control, simulator } = world;
afterAll(() => world.close());

const customRole = 'c0570000-0000-4000-8000-00000000000a';

type Flags = readonly [auth: boolean, user: boolean, privAuth: boolean, global: boolean];
const everybody: Flags = [true, true, true, true];
const topAlone: Flags = [false, false, true, true];
const notAuth: Flags = [false, true, true, true];

/** Microsoft's table (graph.md §4): who is written, whom each column lets write, and the least powerful of them. */
const matrix: readonly (readonly [target: string, fields: object, may: Flags, least: string | null])[] = [
  ['no role', {}, everybody, null],
  ...(
    [
      ['authenticationAdministrator', [true, false, true, true], 'Authentication Administrator'],
      ['directoryReaders', everybody, 'User Administrator'],
      ['guestInviter', everybody, 'User Administrator'],
      ['messageCenterReader', everybody, 'User Administrator'],
      ['passwordAdministrator', everybody, 'User Administrator'],
      ['reportsReader', everybody, 'User Administrator'],
      ['usageSummaryReportsReader', everybody, 'User Administrator'],
      ['groupsAdministrator', notAuth, 'User Administrator'],
      ['helpdeskAdministrator', notAuth, 'User Administrator'],
      ['userAdministrator', notAuth, 'User Administrator'],
      ['globalAdministrator', topAlone, 'Privileged Authentication Administrator'],
      ['privilegedAuthenticationAdministrator', topAlone, 'Privileged Authentication Administrator'],
      ['privilegedRoleAdministrator', topAlone, 'Privileged Authentication Administrator'],
      // Roles that the table does not name.
      ['exchangeAdministrator', topAlone, 'Privileged Authentication Administrator'],
      ['globalReader', topAlone, 'Privileged Authentication Administrator'],
    ] as const
  ).map(([role, may, least]) => [role, { directoryRoles: [directoryRoles[role]] }, may, least] as const),
  ['a custom role', { directoryRoles: [customRole] }, topAlone, 'Privileged Authentication Administrator'],
  ['member of a role-assignable group', {}, topAlone, 'Privileged Authentication Administrator'],
  ['owner of a role-assignable group', {}, topAlone, 'Privileged Authentication Administrator'],
  [
    'a role over a restricted unit',
    { scopedRoles: [{ role: directoryRoles.directoryReaders, administrativeUnit: 'Vault' }] },
    topAlone,
    'Privileged Authentication Administrator',
  ],
  [
    'a role over an open unit',
    { scopedRoles: [{ role: directoryRoles.directoryReaders, administrativeUnit: 'Branch' }] },
    everybody,
    'User Administrator',
  ],
  [
    'two roles, of which each of the lower columns lacks one',
    { directoryRoles: [directoryRoles.authenticationAdministrator, directoryRoles.userAdministrator] },
    topAlone,
    'Privileged Authentication Administrator',
  ],
];
const upnOf = (target: string): string => `matrix.${target.replace(/[^A-Za-z]+/g, '-')}@corp.contoso.com`;

const columns = [
  'authenticationAdministrator',
  'userAdministrator',
  'privilegedAuthenticationAdministrator',
  'globalAdministrator',
] as const;
const appIdOf = (index: number) => `a9900000-0000-4000-8000-00000000000${index}`;
const graph = ['User.ReadWrite.All', 'Group.Read.All', 'RoleManagement.Read.Directory', 'AdministrativeUnit.Read.All'];

const principalOf = (index: number, held: readonly string[]) => ({
  appId: appIdOf(index),
  displayName: `acts ${index}`,
  roles: { graph, exchange: [] },
  directoryRoles: held,
  clientSecrets: [{ value: simulator.clientSecret, endDateTime: '2099-12-31T00:00:00Z' }],
});
const none = columns.length;
const both = none + 1;

let apps: App[] = [];

beforeAll(async () => {
  await control.tenant({
    administrativeUnits: [{ displayName: 'Vault', isMemberManagementRestricted: true }, { displayName: 'Branch' }],
    users: matrix.map(([target, fields]) => ({ userPrincipalName: upnOf(target), ...fields })),
    groups: [
      {
        displayName: 'Keepers',
        isAssignableToRole: true,
        members: [upnOf('member of a role-assignable group')],
        owners: [upnOf('owner of a role-assignable group')],
      },
    ],
    servicePrincipals: [
      ...columns.map((role, index) => principalOf(index, [directoryRoles[role]])),
      principalOf(none, []),
      principalOf(both, [directoryRoles.authenticationAdministrator, directoryRoles.userAdministrator]),
    ],
  });
  const withoutOkta = { OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' };
  const start = (index: number) => world.startApp({ ...withoutOkta, AZURE_CLIENT_ID: appIdOf(index) });
  apps = await Promise.all([...columns.map((_, index) => index), none, both].map(start));
});

const appOf = (index: number): App => {
  const app = apps[index];
  if (app === undefined) throw new Error(`no app ${index}`);
  return app;
};

describe('the table of sensitive actions', () => {
  test.each(matrix)('%s', async (target, _fields, may, least) => {
    const path = `users/${encodeURIComponent(upnOf(target))}`;
    const written: boolean[] = [];
    for (const index of columns.keys()) {
      const mobilePhone = `+1 555 010 020${index}`;
      const app = appOf(index);
      const diagnosis = await app.call('GET', `${path}/attribute-sync`, { query: { mobilePhone } });
      const answer = await app.call('PATCH', `${path}/sensitive-attributes`, { body: { mobilePhone } });
      const isWritten = answer.body?.outcome === 'updated';
      written.push(isWritten);
      expect(diagnosis.body).toMatchObject({
        cause: isWritten ? 'differs' : 'role_missing',
        privileged: least !== null,
      });
      if (isWritten) continue;
      expect(answer).toMatchObject({ status: 403, body: { code: 'role_missing' } });
      expect(answer.body?.fix).toContain(`Assign the Entra role ${String(least)} to service principal`);
    }
    expect(written).toEqual(may);

    const answer = await appOf(none).call('PATCH', `${path}/sensitive-attributes`, { body: { mobilePhone: null } });
    expect(answer.body).toMatchObject(least === null ? { outcome: 'updated' } : { code: 'role_missing' });
  });

  test('two roles of ours may each cover one of the two that the user has', async () => {
    const path = `users/${encodeURIComponent(upnOf('two roles, of which each of the lower columns lacks one'))}`;
    const body = { mobilePhone: '+1 555 010 0299' };
    const answer = await appOf(both).call('PATCH', `${path}/sensitive-attributes`, { body });
    expect(answer.body).toMatchObject({ outcome: 'updated', ok: true });
  });
});
