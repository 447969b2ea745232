import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { directoryRoles } from '../../simulator/tenant/roles.ts';
import { Bench, type Answer } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(() => bench.sim.close());

const patch = (user: string, body: object, token?: string): Promise<Answer> =>
  bench.graph('PATCH', `/users/${user}`, { body, ...(token === undefined ? {} : { token }) });
const put = async (contents: object): Promise<void> => {
  const answer = await bench.control('PUT', 'tenant', contents);
  expect(answer.text).toBe('{"ok":true}');
};
const user = async (userPrincipalName: string): Promise<Record<string, unknown>> => {
  const users = (await bench.state()).users as unknown as Record<string, unknown>[];
  return users.find((each) => each.userPrincipalName === userPrincipalName) ?? {};
};
/** The body without what is another for each request. */
const errorOf = ({ body: { error } }: Answer) => ({ code: error.code, message: error.message });

const INSUFFICIENT = {
  code: 'Authorization_RequestDenied',
  message: 'Insufficient privileges to complete the operation.',
};
const SYNCED = {
  code: 'Request_BadRequest',
  message:
    'Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.',
};
const RESTRICTED = {
  code: 'Authorization_RequestDenied',
  message:
    'Insufficient privileges to complete the operation. Target object is a member of a restricted management administrative unit and can only be modified by administrators scoped to that administrative unit.',
};

const CUSTOM = 'c0570000-0000-4000-8000-00000000000a';

/** The table of Microsoft's page (graph.md §4), in its order: who is written, and whom each column lets write. */
const matrix: [target: string, fields: object, auth: boolean, user: boolean, privAuth: boolean, global: boolean][] = [
  ['no role', {}, true, true, true, true],
  ...(
    [
      ['authenticationAdministrator', true, false, true, true],
      ['directoryReaders', true, true, true, true],
      ['guestInviter', true, true, true, true],
      ['messageCenterReader', true, true, true, true],
      ['passwordAdministrator', true, true, true, true],
      ['reportsReader', true, true, true, true],
      ['usageSummaryReportsReader', true, true, true, true],
      ['groupsAdministrator', false, true, true, true],
      ['helpdeskAdministrator', false, true, true, true],
      ['userAdministrator', false, true, true, true],
      ['globalAdministrator', false, false, true, true],
      ['privilegedAuthenticationAdministrator', false, false, true, true],
      ['privilegedRoleAdministrator', false, false, true, true],
      // Roles that the page does not name.
      ['exchangeAdministrator', false, false, true, true],
      ['hybridIdentityAdministrator', false, false, true, true],
      ['globalReader', false, false, true, true],
    ] as const
  ).map(([role, ...may]): (typeof matrix)[number] => [role, { directoryRoles: [directoryRoles[role]] }, ...may]),
  ['a custom role', { directoryRoles: [CUSTOM] }, false, false, true, true],
  ['member of a role-assignable group', {}, false, false, true, true],
  ['owner of a role-assignable group', {}, false, false, true, true],
  [
    'a role over a restricted unit',
    { scopedRoles: [{ role: directoryRoles.directoryReaders, administrativeUnit: 'Vault' }] },
    false,
    false,
    true,
    true,
  ],
  [
    'a role over an open unit',
    { scopedRoles: [{ role: directoryRoles.directoryReaders, administrativeUnit: 'Branch' }] },
    true,
    true,
    true,
    true,
  ],
  [
    'two roles, of which each column lacks one',
    {
      directoryRoles: [directoryRoles.authenticationAdministrator, directoryRoles.userAdministrator],
    },
    false,
    false,
    true,
    true,
  ],
];
const upnOf = (target: string): string => `matrix.${target.replace(/[^A-Za-z]+/g, '-')}@corp.contoso.com`;

describe('the matrix of sensitive actions', () => {
  const columns = {
    authenticationAdministrator: '',
    userAdministrator: '',
    privilegedAuthenticationAdministrator: '',
    globalAdministrator: '',
  };
  let plain = '';
  beforeAll(async () => {
    await bench.control('POST', 'reset');
    await put({
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
    });
    for (const role of Object.keys(columns) as (keyof typeof columns)[])
      columns[role] = await bench.tokenWith(`acts as ${role}`, { directoryRoles: [directoryRoles[role]] });
    plain = await bench.tokenWith('acts without a role', {});
  });

  test.each(matrix)('%s', async (target, _fields, ...may) => {
    const answers: boolean[] = [];
    for (const [at, token] of Object.values(columns).entries()) {
      const mobilePhone = `+1 555 010 ${String(at)}`;
      const answer = await patch(upnOf(target), { mobilePhone }, token);
      answers.push(answer.status === 204);
      if (answer.status !== 204)
        expect({ status: answer.status, ...errorOf(answer) }).toEqual({ status: 403, ...INSUFFICIENT });
      expect((await user(upnOf(target))).mobilePhone === mobilePhone).toBe(answer.status === 204);
    }
    expect(answers).toEqual(may);
  });

  test('a permission alone writes those only who have nothing to protect', async () => {
    for (const [target, fields, ...may] of matrix) {
      const isOrdinary = Object.keys(fields).length === 0 && may.every(Boolean);
      const answer = await patch(upnOf(target), { mobilePhone: null }, plain);
      expect([target, answer.status]).toEqual([target, isOrdinary ? 204 : 403]);
    }
  });

  test.each([
    ['accountEnabled', false],
    ['businessPhones', ['1']],
    ['mobilePhone', '1'],
    ['onPremisesImmutableId', 'YWJj'],
    ['otherMails', ['a@example.com']],
    ['userPrincipalName', 'renamed@corp.contoso.com'],
    ['passwordProfile', { password: 'simulated' }],
  ])('%s is sensitive', async (name, value) => {
    const target = upnOf('globalAdministrator');
    expect(errorOf(await patch(target, { [name]: value }, columns.userAdministrator))).toEqual(INSUFFICIENT);
  });

  test('what is not sensitive needs no role, and one sensitive property refuses all', async () => {
    const target = upnOf('globalAdministrator');
    expect((await patch(target, { jobTitle: 'Chief' }, plain)).status).toBe(204);
    expect((await patch(target, { jobTitle: 'Other', mobilePhone: '2' }, plain)).status).toBe(403);
    expect((await user(target)).jobTitle).toBe('Chief');
  });

  test('who may only read or invite is written by a permission alone where the tenant is set so', async () => {
    await put({ settings: { readerRolesProtect: false } });
    const written: string[] = [];
    for (const [target] of matrix)
      if ((await patch(upnOf(target), { mobilePhone: '3' }, plain)).status === 204) written.push(target);
    await put({ settings: { readerRolesProtect: true } });
    expect(written).toEqual([
      'no role',
      'directoryReaders',
      'guestInviter',
      'messageCenterReader',
      'reportsReader',
      'a role over an open unit',
    ]);
  });

  test('deleting somebody is sensitive, in each of the two ways', async () => {
    const token = await bench.tokenWith('deletes', { graph: ['Directory.ReadWrite.All'] });
    const [{ id }, { id: memberId }] = [
      await bench.group('Keepers'),
      await user(upnOf('member of a role-assignable group')),
    ];
    expect(errorOf(await bench.graph('DELETE', `/users/${upnOf('userAdministrator')}`, { token }))).toEqual(
      INSUFFICIENT,
    );
    const throughGroup = await bench.graph('DELETE', `/groups/${id}/members/${String(memberId)}`, { token });
    expect(errorOf(throughGroup)).toEqual(INSUFFICIENT);
    expect((await bench.graph('DELETE', `/users/${upnOf('no role')}`, { token })).status).toBe(204);
  });

  test('a password takes a role even where the user has none', async () => {
    const body = { passwordProfile: { password: 'simulated' } };
    const target = upnOf('directoryReaders');
    expect(errorOf(await patch(target, body, columns.authenticationAdministrator))).toEqual(INSUFFICIENT);
    expect((await patch(target, body, columns.userAdministrator)).status).toBe(501);
  });
});

describe('permissions', () => {
  const target = 'wade.barton@corp.contoso.com';
  beforeEach(async () => {
    await bench.control('POST', 'reset');
  });

  test.each([
    ['User.ReadWrite.All', { mobilePhone: '1', otherMails: [], accountEnabled: true }, 204],
    ['Directory.ReadWrite.All', { mobilePhone: '1', displayName: 'Wade' }, 204],
    ['User-Phone.ReadWrite.All', { mobilePhone: '1', businessPhones: ['2'] }, 204],
    ['User-Phone.ReadWrite.All', { mobilePhone: '1', otherMails: [] }, 403],
    ['User-Phone.ReadWrite.All', { displayName: 'Wade' }, 403],
    ['User-Mail.ReadWrite.All', { otherMails: ['a@example.com'] }, 204],
    ['User-Mail.ReadWrite.All', { mobilePhone: '1' }, 403],
    ['User.EnableDisableAccount.All', { accountEnabled: false }, 403],
    ['User.EnableDisableAccount.All User.Read.All', { accountEnabled: false }, 204],
    ['User.EnableDisableAccount.All User.Read.All', { userPrincipalName: 'w@corp.contoso.com' }, 403],
    ['User.Read.All', { mobilePhone: '1' }, 403],
  ])('%s writing %j is %d', async (granted, body, status) => {
    const token = await bench.tokenWith('narrow', { graph: granted.split(' ') });
    expect((await patch(target, body, token)).status).toBe(status);
  });

  test('the refusal is the same for a missing permission and a missing role', async () => {
    const reader = await bench.tokenWith('reader', { graph: ['User.Read.All'] });
    const withoutPermission = await patch(target, { mobilePhone: '1' }, reader);
    const withoutRole = await patch('chief.admin@contoso.com', { mobilePhone: '1' });
    expect([withoutPermission.status, withoutRole.status]).toEqual([403, 403]);
    expect(errorOf(withoutPermission)).toEqual(errorOf(withoutRole));
    expect(Object.keys(withoutPermission.body.error)).toEqual(Object.keys(withoutRole.body.error));
  });
});

describe('what makes somebody privileged', () => {
  beforeEach(async () => {
    await bench.control('POST', 'reset');
    await bench.control('POST', 'seed/attributes');
  });
  const cause = (name: string): string => `cause.${name}@corp.contoso.com`;

  const top = directoryRoles.privilegedAuthenticationAdministrator;
  test.each([
    ['active.role', { directoryRoles: [directoryRoles.userAdministrator] }],
    ['group.role', { directoryRoles: [top] }],
    ['eligible.role', { directoryRoles: [top] }],
    ['custom.role', { directoryRoles: [top] }],
    ['scoped.role', { directoryRoles: [top] }],
    ['group.member', { directoryRoles: [top] }],
    ['group.owner', { directoryRoles: [top] }],
    ['restricted.unit', { scopedRoles: [{ role: top, administrativeUnit: 'Board' }] }],
  ])('%s of the seed is mended by what the page says', async (name, grants) => {
    expect((await patch(cause(name), { mobilePhone: '1' })).status).toBe(403);
    expect((await patch(cause(name), { mobilePhone: '1' }, await bench.tokenWith('mended', grants))).status).toBe(204);
  });

  test('whom the seed calls ordinary is written by the app, and by one that only reads is not', async () => {
    const reader = await bench.token('graph', 'reads-users-only');
    for (const name of ['permission', 'unmapped', 'unpushed', 'equal']) {
      expect(errorOf(await patch(cause(name), { mobilePhone: '1' }, reader))).toEqual(INSUFFICIENT);
      expect((await patch(cause(name), { mobilePhone: '1' })).status).toBe(204);
    }
    for (const name of ['synced', 'override'])
      expect(errorOf(await patch(`cause.${name}@contoso.com`, { mobilePhone: '1' }))).toEqual(SYNCED);
  });

  test('a role of a role-assignable group is held by its members', async () => {
    const token = await bench.tokenWith('helps', {
      directoryRoles: [directoryRoles.privilegedAuthenticationAdministrator],
    });
    const plain = await bench.tokenWith('plain', {});
    expect((await patch(cause('group.role'), { mobilePhone: '1' }, plain)).status).toBe(403);
    expect((await patch(cause('group.role'), { mobilePhone: '1' }, token)).status).toBe(204);
    await put({ groups: [{ displayName: 'Helpdesk Crew', members: [] }] });
    expect((await patch(cause('group.role'), { mobilePhone: '2' }, plain)).status).toBe(204);
  });

  test('so it is by an app, whose token tells of it', async () => {
    const before = await bench.tokenWith('through a group', {});
    const { servicePrincipals } = await bench.state();
    const id = servicePrincipals.find(({ displayName }) => displayName === 'through a group')?.id ?? '';
    const members = [id];
    await put({
      groups: [
        {
          displayName: 'Admins',
          isAssignableToRole: true,
          directoryRoles: [directoryRoles.globalAdministrator],
          members,
        },
      ],
    });
    expect((await patch(cause('active.role'), { mobilePhone: '1' }, before)).status).toBe(403);
    const after = await bench.token('graph', 'through a group');
    expect((await patch(cause('active.role'), { mobilePhone: '1' }, after)).status).toBe(204);
    await put({ settings: { callerRoles: 'directory' } });
    expect((await patch(cause('active.role'), { mobilePhone: '2' }, before)).status).toBe(204);
  });

  test('an eligible role protects, unless the tenant is set otherwise', async () => {
    expect(errorOf(await patch(cause('eligible.role'), { mobilePhone: '1' }))).toEqual(INSUFFICIENT);
    await put({ settings: { eligibleRolesProtect: false } });
    expect((await patch(cause('eligible.role'), { mobilePhone: '1' })).status).toBe(204);
  });

  test('a member of a restricted unit is written by who holds a role over that very unit only', async () => {
    const target = cause('restricted.unit');
    const global = await bench.tokenWith('global', { directoryRoles: [directoryRoles.globalAdministrator] });
    expect(errorOf(await patch(target, { mobilePhone: '1' }, global))).toEqual(RESTRICTED);
    expect(errorOf(await patch(target, { jobTitle: 'Chair' }, global))).toEqual(RESTRICTED);
    await put({ administrativeUnits: [{ displayName: 'Other Board', isMemberManagementRestricted: true }] });
    const over = (administrativeUnit: string, role: string = directoryRoles.userAdministrator) =>
      bench.tokenWith(`over ${administrativeUnit}`, { scopedRoles: [{ role, administrativeUnit }] });
    expect(errorOf(await patch(target, { mobilePhone: '1' }, await over('Other Board')))).toEqual(RESTRICTED);
    expect(
      errorOf(await patch(target, { mobilePhone: '1' }, await over('Board', directoryRoles.reportsReader))),
    ).toEqual(RESTRICTED);
    expect((await patch(target, { mobilePhone: '1' }, await over('Board'))).status).toBe(204);
    await put({ administrativeUnits: [{ displayName: 'Board', members: [] }] });
    expect((await patch(target, { mobilePhone: '2' }, global)).status).toBe(204);
  });

  test('a role over a unit counts for its members and for nobody else', async () => {
    await put({
      administrativeUnits: [{ displayName: 'Helpers', members: [cause('active.role')] }],
    });
    const token = await bench.tokenWith('over helpers', {
      scopedRoles: [{ role: directoryRoles.userAdministrator, administrativeUnit: 'Helpers' }],
    });
    expect((await patch(cause('active.role'), { mobilePhone: '1' }, token)).status).toBe(204);
    await put({ administrativeUnits: [{ displayName: 'Helpers', members: [] }] });
    expect((await patch(cause('active.role'), { mobilePhone: '2' }, token)).status).toBe(403);
  });
});

describe('a user mastered on-premises', () => {
  const target = 'anton.berg@contoso.com';
  beforeEach(async () => {
    await bench.control('POST', 'reset');
  });

  test.each([
    ['accountEnabled', false],
    ['businessPhones', ['1']],
    ['mobilePhone', '1'],
    ['displayName', 'Anton'],
  ])('%s is refused', async (name, value) => {
    const answer = await patch(target, { [name]: value });
    expect({ status: answer.status, ...errorOf(answer) }).toEqual({ status: 400, ...SYNCED });
  });

  test('other addresses are the cloud’s, but not in one request with what is not', async () => {
    expect((await patch(target, { otherMails: ['anton@example.com'] })).status).toBe(204);
    expect((await patch(target, { otherMails: [], mobilePhone: '1' })).status).toBe(400);
    expect((await user(target)).otherMails).toEqual(['anton@example.com']);
  });

  test('a protected one is refused for that first', async () => {
    await put({ users: [{ userPrincipalName: target, directoryRoles: [directoryRoles.globalAdministrator] }] });
    expect(errorOf(await patch(target, { mobilePhone: '1' }))).toEqual(INSUFFICIENT);
  });

  test('a tenant that accepts a mobile phone makes an override of it, and still refuses a business phone', async () => {
    await put({
      settings: { syncedUserWrites: ['otherMails', 'mobilePhone'] },
      users: [{ userPrincipalName: target, mobilePhone: '1' }],
    });
    expect((await patch(target, { mobilePhone: '2' })).status).toBe(204);
    expect(await user(target)).toMatchObject({
      mobilePhone: '2',
      dirSyncOverrides: ['mobilePhone'],
      onPremises: { mobilePhone: '1' },
    });
    expect(errorOf(await patch(target, { businessPhones: ['1'] }))).toEqual(SYNCED);
  });
});
