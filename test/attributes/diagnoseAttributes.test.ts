import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { rowsOf } from '../support/world.ts';
import { codesOf, findingOf, oktaPhone, otherPhone, renewTokens, roles, startCauses, upnOf } from './causes.ts';

const causes = await startCauses();
const { world, app, reader, seed, send, grant, principal, diagnose, update, user } = causes;
const { control } = world;
const alone = await world.startApp({ OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' });
const protecting = await world.startApp({ PROTECTED_USERS: upnOf('equal') });

beforeEach(() => seed());
afterAll(() => world.close());

const atHome = { onPremisesMobilePhone: otherPhone };
const asInOkta = { onPremisesMobilePhone: oktaPhone };

const mapPhone = () =>
  send('PUT', 'okta/org', {
    appUsers: [{ app: 'office365', user: upnOf('unmapped'), profile: { mobilePhone: oktaPhone } }],
  });
const push = () =>
  send('PUT', 'okta/org', {
    appUsers: [
      { app: 'office365', user: upnOf('unpushed'), syncState: 'SYNCHRONIZED', lastSync: '2025-03-03T09:00:00.000Z' },
    ],
  });

describe('each cause is found alone, and its fix makes the next diagnosis clean', () => {
  const top = [roles.privilegedAuthenticationAdministrator];
  const write = async (name: string) => {
    expect((await update(name, { mobilePhone: oktaPhone })).body).toMatchObject({ outcome: 'updated', ok: true });
  };

  test.each<[name: string, code: string, certainty: string, fix: RegExp, carryOut: () => Promise<unknown>]>([
    ['active.role', 'role_missing', 'certain', /role User Admin/, () => grant({ roles: [roles.userAdministrator] })],
    ['group.role', 'role_missing', 'certain', /role Privileged Auth/, () => grant({ roles: top })],
    ['eligible.role', 'role_missing', 'likely', /role Privileged Auth/, () => grant({ roles: top })],
    ['custom.role', 'role_missing', 'certain', /role Privileged Auth/, () => grant({ roles: top })],
    ['scoped.role', 'role_missing', 'certain', /role Privileged Auth/, () => grant({ roles: top })],
    ['group.member', 'role_missing', 'certain', /role Privileged Auth/, () => grant({ roles: top })],
    ['group.owner', 'role_missing', 'certain', /role Privileged Auth/, () => grant({ roles: top })],
    [
      'restricted.unit',
      'management_restricted',
      'certain',
      /role User Administrator over Board/,
      () => grant({ scopedRoles: [{ role: roles.userAdministrator, administrativeUnit: 'Board' }] }),
    ],
    ['unmapped', 'okta_not_mapped', 'certain', /^Map mobilePhone in Okta/, mapPhone],
    ['unpushed', 'okta_not_pushed', 'certain', /^Mend the provisioning error/, push],
  ])('cause.%s: %s', async (name, code, certainty, fix, carryOut) => {
    const answer = await diagnose(name);
    expect(codesOf(answer)).toEqual([code]);
    expect(answer.body).toMatchObject({ cause: code, certainty, causeCount: 1, equal: false });
    expect(answer.body?.fix).toMatch(fix);
    expect(answer.body).toMatchObject(findingFields(findingOf(answer, code)));

    await carryOut();
    await write(name);
    expect(codesOf(await diagnose(name))).toEqual(['equal']);
  });

  test.each([
    ['group.role', 'membership of the role-assignable group Helpdesk Crew, which holds Helpdesk Administrator'],
    ['group.owner', 'ownership of the role-assignable group Vault Keepers'],
    ['eligible.role', 'Privileged Role Administrator (eligible)'],
    ['scoped.role', 'Helpdesk Administrator over the restricted administrative unit Board'],
  ])('cause.%s is told with what makes the user privileged', async (name, evidence) => {
    const { id } = await principal();
    expect(findingOf(await diagnose(name), 'role_missing').evidence).toBe(
      `${upnOf(name)} has ${evidence}; service principal ${id} has Exchange Administrator`,
    );
  });

  test('cause.permission: permission_missing, of an app that may read alone', async () => {
    const answer = await diagnose('permission', {}, reader);
    expect(codesOf(answer)).toEqual(['permission_missing']);
    expect(answer.body).toMatchObject({ certainty: 'certain', fix: expect.stringMatching(/^Grant User-Phone/) });
    expect(findingOf(answer, 'permission_missing').evidence).toMatch(/^the token has User\.Read\.All, /);

    await grant({ permissions: ['User-Phone.ReadWrite.All'] }, 'reads-users-only');
    expect((await update('permission', { mobilePhone: oktaPhone }, reader)).body).toMatchObject({ outcome: 'updated' });
    expect(codesOf(await diagnose('permission', {}, reader))).toEqual(['equal']);
  });

  test('cause.synced: synced_from_on_premises, when it is known what is there', async () => {
    const answer = await diagnose('synced', atHome);
    expect(codesOf(answer)).toEqual(['synced_from_on_premises']);
    expect(answer.body).toMatchObject({
      certainty: 'certain',
      syncedFromOnPremises: true,
      lastSyncedAt: '2025-03-03T08:00:00Z',
      fix: expect.stringContaining(`Change mobile to ${oktaPhone} in Active Directory`),
    });

    await control.tenant({ users: [{ userPrincipalName: upnOf('synced'), onPremises: { mobilePhone: oktaPhone } }] });
    await send('POST', 'onPremises/sync', { policy: 'delta' });
    expect(codesOf(await diagnose('synced', asInOkta))).toEqual(['equal']);
  });

  test('cause.override: overridden_in_cloud, when it is known what is there', async () => {
    const answer = await diagnose('override', asInOkta);
    expect(codesOf(answer)).toEqual(['overridden_in_cloud']);
    expect(answer.body).toMatchObject({
      certainty: 'likely',
      bypassDirSyncOverrides: false,
      message: expect.stringMatching(
        /is off; a value that was changed there and has not been synced yet looks the same/,
      ),
      fix: expect.stringMatching(/^Run a sync cycle first/),
    });
    expect(findingOf(answer, 'overridden_in_cloud').evidence).toContain('bypassDirSyncOverridesEnabled is off');

    await send('POST', 'onPremises/sync', { policy: 'initial' });
    expect(codesOf(await diagnose('override', asInOkta))).toEqual(['overridden_in_cloud']);
    await control.tenant({ onPremisesSynchronization: { features: { bypassDirSyncOverridesEnabled: true } } });
    await send('POST', 'onPremises/sync', { policy: 'initial' });
    expect(codesOf(await diagnose('override', asInOkta))).toEqual(['equal']);
  });

  test('cause.equal: equal, and nothing is to be done', async () => {
    const answer = await diagnose('equal');
    const { id, displayName } = await user('equal');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      requestId: answer.headers.get('x-request-id'),
      userId: id,
      userPrincipalName: upnOf('equal'),
      displayName,
      syncedFromOnPremises: false,
      lastSyncedAt: null,
      privileged: null,
      bypassDirSyncOverrides: null,
      equal: true,
      cause: null,
      certainty: null,
      causeCount: 0,
      fix: null,
      oktaUserId: expect.stringMatching(/^00u/),
      oktaAppId: expect.stringMatching(/^0oa/),
      oktaSyncState: 'SYNCHRONIZED',
      oktaLastPush: '2025-03-03T08:30:00.000Z',
      findingCodes: 'equal',
      message: 'Every value that is expected is there.',
      attributes: [
        row('accountEnabled', { actual: 'true' }),
        row('mobilePhone', {
          actual: oktaPhone,
          expected: oktaPhone,
          expectedSource: 'office365Profile',
          comparison: 'equal',
        }),
        row('businessPhones'),
        row('otherMails'),
      ],
      findings: [expect.objectContaining({ code: 'equal', severity: 'info', properties: 'mobilePhone' })],
    });
  });
});

const findingFields = ({ code, certainty, fix, message }: Record<string, unknown>) => ({
  cause: code,
  certainty,
  fix,
  message,
});
const row = (property: string, more: object = {}) => ({
  property,
  actual: '',
  expected: null,
  expectedSource: null,
  comparison: 'expected_unknown',
  cause: null,
  ...more,
});

describe('a missing permission and a missing role, which Graph refuses with the same words', () => {
  const refusalOf = async (name: string, from: typeof app) => {
    const answer = await update(name, { mobilePhone: oktaPhone }, from);
    return [answer.status, answer.body?.code];
  };

  test('are told apart', async () => {
    await grant({ roles: [roles.userAdministrator] }, 'reads-users-only');
    expect(codesOf(await diagnose('active.role', {}, reader))).toEqual(['permission_missing']);
    expect(await refusalOf('active.role', reader)).toEqual([403, 'graph_permission_missing']);
    expect(codesOf(await diagnose('active.role'))).toEqual(['role_missing']);
    expect(await refusalOf('active.role', app)).toEqual([403, 'role_missing']);
    expect(await control.writes()).toEqual([]);
  });

  test('are both told where both are missing', async () => {
    const answer = await diagnose('active.role', {}, reader);
    expect(codesOf(answer)).toEqual(['permission_missing', 'role_missing']);
    expect(answer.body).toMatchObject({
      causeCount: 2,
      message: expect.stringMatching(/^2 causes fit, all of them certain; the likeliest: This app lacks/),
    });
  });
});

describe('where the facts allow more than one cause', () => {
  test.each(['synced', 'override'])('both are told, ranked: cause.%s', async (name) => {
    const answer = await diagnose(name);
    expect(rowsOf(answer, 'findings')).toMatchObject([
      { code: 'synced_from_on_premises', certainty: 'likely', fix: expect.stringContaining('onPremisesMobilePhone') },
      { code: 'overridden_in_cloud', certainty: 'possible', message: expect.stringContaining('nothing that could be') },
    ]);
    expect(answer.body).toMatchObject({
      causeCount: 2,
      message: expect.stringMatching(/^2 causes fit, 0 of them certain; the likeliest: The user is mastered/),
    });
  });

  test('what Okta imported from Active Directory tells them apart', async () => {
    const importing = (name: string, mobilePhone: string) =>
      send('PUT', 'okta/org', {
        appUsers: [{ app: 'active_directory', user: upnOf(name), externalId: null, profile: { mobilePhone } }],
      });
    await importing('synced', otherPhone);
    await importing('override', oktaPhone);
    expect(codesOf(await diagnose('synced'))).toEqual(['synced_from_on_premises']);
    expect(codesOf(await diagnose('override'))).toEqual(['overridden_in_cloud']);
  });

  test('a tenant that bypasses overrides has none', async () => {
    await control.tenant({ onPremisesSynchronization: { features: { bypassDirSyncOverridesEnabled: true } } });
    const answer = await diagnose('override');
    expect(codesOf(answer)).toEqual(['synced_from_on_premises']);
    expect(answer.body).toMatchObject({ certainty: 'certain', bypassDirSyncOverrides: true });
  });

  test('a third value in Entra may be an override of one that is wrong on-premises as well', async () => {
    const answer = await diagnose('override', { onPremisesMobilePhone: '+1 555 010 0123' });
    expect(codesOf(answer)).toEqual(['synced_from_on_premises', 'overridden_in_cloud']);
  });
});

describe('what should be', () => {
  test('is what the caller gives, and then nothing else', async () => {
    const answer = await diagnose('unpushed', { businessPhones: '', otherMails: 'ops@example.com, b@example.com' });
    expect(rowsOf(answer, 'attributes')).toEqual([
      row('accountEnabled', { actual: 'true' }),
      row('mobilePhone', { actual: otherPhone }),
      row('businessPhones', { expected: '', expectedSource: 'given', comparison: 'equal' }),
      row('otherMails', {
        expected: 'ops@example.com, b@example.com',
        expectedSource: 'given',
        comparison: 'different',
        cause: 'okta_not_mapped',
      }),
    ]);
  });

  test('is compared as lists and flags are', async () => {
    const mails = ['a@example.com', 'b@example.com'];
    expect((await update('equal', { otherMails: mails, businessPhones: ['+1 555 010 0111'] })).status).toBe(200);
    const answer = await diagnose('equal', {
      otherMails: 'B@example.com;a@example.com',
      businessPhones: '+1 555 010 0111',
      accountEnabled: 'true',
      mobilePhone: oktaPhone,
    });
    expect(codesOf(answer)).toEqual(['equal']);
    expect(codesOf(await diagnose('equal', { accountEnabled: 'false' }))).toEqual(['differs']);
    expect(codesOf(await diagnose('equal', { mobilePhone: '' }))).toEqual(['okta_other_value']);
  });

  test('is the phone in Okta where the app has none', async () => {
    expect(rowsOf(await diagnose('unmapped'), 'attributes')[1]).toMatchObject({
      expected: oktaPhone,
      expectedSource: 'oktaUserProfile',
    });
  });

  test('is not known without Okta', async () => {
    const answer = await diagnose('unpushed', {}, alone);
    expect(codesOf(answer)).toEqual(['expected_unknown']);
    expect(answer.body).toMatchObject({ equal: null, cause: null, oktaUserId: null, oktaSyncState: null });
    expect(findingOf(answer, 'expected_unknown').fix).toContain('OKTA_');
    expect(codesOf(await diagnose('unpushed', { mobilePhone: oktaPhone }, alone))).toEqual(['differs']);
  });

  test('is asked of another app of Office 365 by its id alone', async () => {
    const answer = await diagnose('equal', { oktaAppId: '0oaDoesNotExist12345' });
    expect(answer).toMatchObject({ status: 404, body: { code: 'okta_object_not_found' } });
  });
});

describe('Okta', () => {
  const expected = { mobilePhone: '+1 555 010 0155' };
  const appUser = (name: string, more: object) =>
    send('PUT', 'okta/org', { appUsers: [{ app: 'office365', user: upnOf(name), ...more }] });

  test('sends another value than the one that is expected', async () => {
    const answer = await diagnose('equal', expected);
    expect(codesOf(answer)).toEqual(['okta_other_value']);
    expect(findingOf(answer, 'okta_other_value').evidence).toContain(oktaPhone);
  });

  test('is linked to another account', async () => {
    await appUser('equal', { externalId: '00000000-0000-4000-8000-0000000000aa' });
    const answer = await diagnose('equal', expected);
    expect(codesOf(answer)).toEqual(['okta_linked_elsewhere']);
    // That Okta keeps the object id there is inferred, and to unassign may disable the account.
    expect(answer.body).toMatchObject({ certainty: 'likely', fix: expect.stringContaining('"Deactivate Users"') });
  });

  test('is pushing at this moment', async () => {
    await appUser('unpushed', { syncState: 'SYNCING' });
    const answer = await diagnose('unpushed');
    expect(codesOf(answer)).toEqual(['okta_not_pushed']);
    expect(answer.body).toMatchObject({ oktaSyncState: 'SYNCING', fix: 'Ask again in some minutes.' });
  });

  test('has sent it, and somebody has changed it since', async () => {
    await control.tenant({ users: [{ userPrincipalName: upnOf('equal'), mobilePhone: otherPhone }] });
    const answer = await diagnose('equal');
    expect(codesOf(answer)).toEqual(['differs']);
    expect(findingOf(answer, 'differs').evidence).toContain('last push 2025-03-03T08:30:00.000Z');
  });

  test('was refused, where the user is privileged and this app holds the role', async () => {
    await grant({ roles: [roles.userAdministrator] });
    const answer = await diagnose('active.role');
    expect(codesOf(answer)).toEqual(['differs']);
    expect(answer.body).toMatchObject({ privileged: true });
    expect(answer.body?.fix).toContain("Okta's app needs the Entra role User Administrator");
  });

  test('knows nobody of that name', async () => {
    await control.tenant({ users: [{ userPrincipalName: 'lone@corp.contoso.com', displayName: 'Lone Example' }] });
    expect(codesOf(await diagnose('lone@corp.contoso.com'))).toEqual(['expected_unknown']);
    expect(codesOf(await diagnose('lone@corp.contoso.com', expected))).toEqual(['okta_not_assigned']);
  });

  test('refuses to tell: that is said, and the rest is told', async () => {
    await control.fault({
      upstream: 'okta',
      match: { path: '/api/v1/users/' },
      fault: { kind: 'status', status: 403 },
    });
    const answer = await diagnose('equal', expected);
    expect(codesOf(answer)).toEqual(['differs', 'not_checked']);
    expect(findingOf(answer, 'not_checked').message).toBe('What Okta has of the user could not be read.');
    expect(answer.body).toMatchObject({ certainty: 'possible' });
  });
});

describe('what could not be read', () => {
  const without = async (...permissions: string[]) => {
    const { appId, roles: granted } = await principal();
    const graph = granted.graph.filter((each) => !permissions.includes(each));
    await control.tenant({ servicePrincipals: [{ appId, roles: { ...granted, graph } }] });
    await renewTokens(app);
  };

  test('of a role over a unit is told, and the role named is the one that surely suffices', async () => {
    await without('AdministrativeUnit.Read.All');
    const answer = await diagnose('scoped.role');
    expect(codesOf(answer)).toEqual(['role_missing', 'not_checked']);
    expect(findingOf(answer, 'not_checked').fix).toMatch(/^Grant the app AdministrativeUnit\.Read\.All/);
  });

  test('of roles is told, and no cause is guessed from it', async () => {
    await without('RoleManagement.Read.Directory');
    const answer = await diagnose('active.role');
    expect(codesOf(answer)).toEqual(['differs', 'not_checked', 'not_checked']);
    expect(answer.body).toMatchObject({ privileged: null, certainty: 'possible' });
  });

  test('of the overrides is told where it bears on the answer', async () => {
    await without('OnPremDirectorySynchronization.Read.All');
    const answer = await diagnose('override', asInOkta);
    expect(codesOf(answer)).toEqual(['overridden_in_cloud', 'not_checked']);
    expect(answer.body).toMatchObject({
      certainty: 'possible',
      bypassDirSyncOverrides: null,
      message: expect.stringContaining('whether it is off could not be read'),
    });
    expect(codesOf(await diagnose('synced', atHome))).toEqual(['synced_from_on_premises']);
  });

  test('without the licence for eligible roles is nobody eligible', async () => {
    await control.tenant({ settings: { privilegedIdentityManagement: false } });
    expect(codesOf(await diagnose('eligible.role'))).toEqual(['differs']);
  });
});

describe('a user', () => {
  test('whom PROTECTED_USERS lists is told so', async () => {
    const answer = await diagnose('equal', { mobilePhone: otherPhone }, protecting);
    expect(codesOf(answer)).toEqual(['protected_user', 'okta_other_value']);
    expect(codesOf(await diagnose('equal', {}, protecting))).toEqual(['equal']);
  });

  test('in a restricted unit is written by who holds a role over it, and by nobody over the tenant', async () => {
    await grant({ roles: [roles.globalAdministrator] });
    expect(codesOf(await diagnose('restricted.unit'))).toEqual(['management_restricted']);
    await grant({ scopedRoles: [{ role: roles.helpdeskAdministrator, administrativeUnit: 'Board' }] });
    expect(codesOf(await diagnose('restricted.unit'))).toEqual(['management_restricted']);
  });

  test('whose further addresses differ is not held back by on-premises', async () => {
    const answer = await diagnose('synced', { otherMails: 'ops@example.com' });
    expect(codesOf(answer)).toEqual(['okta_not_mapped']);
  });

  test('mastered on-premises is told of each property that waits there', async () => {
    const answer = await diagnose('synced', { businessPhones: '+1 555 010 0144', accountEnabled: 'false' });
    expect(codesOf(answer)).toEqual(['synced_from_on_premises']);
    expect(findingOf(answer, 'synced_from_on_premises').properties).toBe('accountEnabled,businessPhones');
  });

  test.each(['nobody@contoso.com', '00000000-0000-4000-8000-000000000000'])('is not found as "%s"', async (name) => {
    expect(await diagnose(name)).toMatchObject({ status: 404, body: { code: 'member_not_found' } });
  });

  test('is not found by a name that Graph cannot read', async () => {
    await control.fault({
      upstream: 'graph',
      match: { method: 'GET', path: '/users/odd' },
      fault: { kind: 'status', status: 400, body: { error: { code: 'BadRequest', message: 'Cannot be parsed.' } } },
    });
    expect(await diagnose('odd@contoso.com')).toMatchObject({ status: 404, body: { code: 'member_not_found' } });
  });

  test('is found by object id', async () => {
    const { id } = await user('equal');
    const answer = await app.call('GET', `users/${String(id)}/attribute-sync`);
    expect(answer.body).toMatchObject({ userPrincipalName: upnOf('equal') });
  });

  test('is not asked about with a flag that is none', async () => {
    const answer = await diagnose('equal', { accountEnabled: 'perhaps', mobilephone: '' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors').map(({ pointer }) => pointer)).toEqual([
      '/query/mobilephone',
      '/query/accountEnabled',
    ]);
  });
});
