import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Answer, type App, type JsonObject, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const alone = await world.startApp({ OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' });

/** A user of the seed for immutable IDs, by the part of its name after `anchor.`. */
interface Anchored {
  readonly userPrincipalName: string;
  readonly id: string;
  readonly objectGuid: string;
  readonly actual: string | null;
  readonly expected: string;
}
let anchored: readonly Anchored[] = [];

async function send(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${world.simulator.urls.control}/_sim/${path}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}

beforeEach(async () => {
  await control.reset();
  // The org has forgotten the tokens it gave; so does the app.
  await app.call('GET', 'connection');
  anchored = ((await send('POST', 'seed/immutableIds')) as { users: Anchored[] }).users;
});
afterAll(() => world.close());

function the(name: string): Anchored {
  const found = anchored.find(({ userPrincipalName }) => userPrincipalName.startsWith(`anchor.${name}@`));
  if (found === undefined) throw new Error(`the seed has no anchor.${name}`);
  return found;
}
const get = (user: string, query: Record<string, string> = {}, from: App = app): Promise<Answer> =>
  from.call('GET', `users/${encodeURIComponent(user)}/immutable-id`, { query });
const getThe = (name: string, query: Record<string, string> = {}, from: App = app): Promise<Answer> =>
  get(the(name).userPrincipalName, query, from);
const codes = (answer: Answer): string[] => String(answer.body?.findingCodes).split(',');
const finding = (answer: Answer, code: string): JsonObject =>
  rowsOf(answer, 'findings').find((each) => each.code === code) ?? {};
const steps = (answer: Answer): unknown[] => rowsOf(answer, 'plan').map(({ step }) => step);
const swing = ['setImmutableId', 'moveUpn', 'setImmutableIdAgain', 'restoreUpn'];

interface Role {
  readonly displayName: string;
  readonly id: string;
}
interface State {
  readonly servicePrincipals: readonly Role[];
  readonly apps: readonly { readonly id: string; readonly name: string }[];
}
const principal = async (): Promise<Role> => {
  const { servicePrincipals } = (await control.state()) as unknown as State;
  return (
    servicePrincipals.find(({ displayName }) => displayName === 'okta-m365-actions') ?? { displayName: '', id: '' }
  );
};
const oktaAppId = async (name = 'office365'): Promise<string> =>
  ((await send('GET', 'okta/state')) as State).apps.find((each) => each.name === name)?.id ?? '';

describe('a user', () => {
  test('whose immutable ID is right is told whole, and nothing is to be done', async () => {
    const { id, userPrincipalName, objectGuid, expected } = the('equal');
    const answer = await getThe('equal');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      requestId: answer.headers.get('x-request-id'),
      userId: id,
      userPrincipalName,
      displayName: 'Anchor Equal',
      accountEnabled: true,
      syncedFromOnPremises: false,
      signIn: 'federated',
      comparison: 'equal',
      equal: true,
      actual: expected,
      actualGuid: objectGuid,
      actualAnchor: 'objectGuid',
      expected,
      expectedGuid: objectGuid,
      expectedAnchor: 'objectGuid',
      expectedSource: 'office365Profile',
      oktaUserId: expect.stringMatching(/^00u/),
      oktaAppId: await oktaAppId(),
      oktaImmutableId: expected,
      repairable: true,
      findingCodes: 'equal,federated_domain',
      message: 'The immutable ID is what it should be.',
      findings: [
        expect.objectContaining({ code: 'equal', severity: 'info' }),
        expect.objectContaining({ code: 'federated_domain', evidence: expect.stringContaining('contoso.com') }),
      ],
      plan: [],
    });
  });

  test('is found by its object id and by its user principal name in any case', async () => {
    const { id, userPrincipalName } = the('free');
    for (const name of [id, id.toUpperCase(), userPrincipalName.toUpperCase()]) {
      expect((await get(name)).body).toMatchObject({ userId: id });
    }
  });

  test.each(['nobody@contoso.com', '00000000-0000-4000-8000-000000000000'])('is not found as "%s"', async (name) => {
    expect(await get(name)).toMatchObject({ status: 404, body: { code: 'member_not_found' } });
  });

  test.each([
    ['missing', 'missing', 'problem', swing],
    ['swapped', 'wrong_endian', 'problem', swing],
    ['consistency', 'other_anchor', 'problem', swing],
    ['oktaid', 'other_anchor', 'problem', swing],
    ['cloud', 'missing', 'problem', swing],
    ['free', 'different', 'problem', swing],
    ['managed', 'managed_domain', 'info', ['setImmutableId']],
    ['wanted', 'held_by_user', 'blocker', []],
    ['reborn', 'held_by_deleted_user', 'blocker', []],
    ['synced', 'synced_from_on_premises', 'blocker', []],
    ['admin', 'role_missing', 'blocker', []],
    ['admin', 'hard_match_hardening', 'warning', []],
    ['twin', 'soft_deleted_twin', 'warning', swing],
    ['bygroup', 'assigned_by_group', 'warning', swing],
    ['bare', 'federated_domain', 'info', swing],
  ])('called anchor.%s is told as %s', async (name, code, severity, planned) => {
    const answer = await getThe(name);
    expect(finding(answer, code)).toMatchObject({ code, severity, fix: expect.stringMatching(/\.$/) });
    expect(steps(answer)).toEqual(planned);
    expect(answer.body).toMatchObject({
      repairable: severity !== 'blocker' && !codes(answer).includes('role_missing'),
    });
  });

  test('is told with its anchor', async () => {
    expect(finding(await getThe('consistency'), 'other_anchor').evidence).toMatch(/anchor in use: consistencyGuid$/);
    expect(finding(await getThe('oktaid'), 'other_anchor').evidence).toMatch(/anchor in use: oktaUserId$/);
    expect((await getThe('cloud')).body).toMatchObject({
      expectedAnchor: 'oktaUserId',
      expected: the('cloud').expected,
    });
  });

  test('whose value another holds is told with the name of the holder', async () => {
    expect((await getThe('wanted')).body?.message).toContain('anchor.holder@contoso.com');
    expect((await getThe('reborn')).body?.message).toContain('anchor.former@contoso.com');
    expect(finding(await getThe('twin'), 'soft_deleted_twin').message).toContain('anchor.twin@contoso.com');
  });

  test('who is privileged is told with the role that is missing and with our service principal', async () => {
    const { id } = await principal();
    const message = finding(await getThe('admin'), 'role_missing').message;
    expect(message).toContain(id);
    expect(message).toContain('Privileged Authentication Administrator');
    await control.tenant({
      servicePrincipals: [
        { appId: world.simulator.clientId, directoryRoles: ['7be44c8a-adaf-4e2a-84d6-ab2649e08a13'] },
      ],
    });
    const answer = await getThe('admin');
    expect(finding(answer, 'privileged_target')).toMatchObject({ severity: 'info' });
    expect(steps(answer)).toEqual(swing);
  });

  test('who is in a group that can hold roles, or could take a role, is told as such', async () => {
    const { userPrincipalName } = the('free');
    await control.tenant({
      users: [{ userPrincipalName, eligibleRoles: ['62e90394-69f5-4237-9190-012177145e10'] }],
      groups: [
        { displayName: 'Keepers', mailNickname: 'keepers', isAssignableToRole: true, members: [userPrincipalName] },
      ],
    });
    const answer = await getThe('free');
    expect(codes(answer)).toContain('role_missing');
    expect(finding(answer, 'hard_match_hardening').evidence).toMatch(/Global Administrator \(eligible\).*Keepers/);
  });

  test('is told without eligible roles where the tenant has no licence for them', async () => {
    const { userPrincipalName } = the('free');
    await control.tenant({
      users: [{ userPrincipalName, eligibleRoles: ['62e90394-69f5-4237-9190-012177145e10'] }],
      settings: { privilegedIdentityManagement: false },
    });
    expect(codes(await getThe('free'))).toEqual(['different', 'federated_domain']);
  });

  test('is told from deleted users one by one where Graph does not filter them', async () => {
    await control.tenant({ settings: { userWrites: { deletedUsersFilter: 'refused' } } });
    expect(codes(await getThe('reborn'))).toContain('held_by_deleted_user');
    expect(codes(await getThe('twin'))).toContain('soft_deleted_twin');
    expect(codes(await getThe('free'))).toEqual(['different', 'federated_domain']);
  });

  test('on PROTECTED_USERS is told as such, by whatever name it is listed', async () => {
    const protecting = await world.startApp({ PROTECTED_USERS: 'anchor.free@contoso.onmicrosoft.com' });
    expect(codes(await getThe('free', {}, protecting))).toContain('protected_user');
    expect(codes(await getThe('missing', {}, protecting))).not.toContain('protected_user');
  });

  test('in a tenant with federated domains alone is told that there is nowhere to swing through', async () => {
    await control.tenant({
      domains: [
        { id: 'contoso.onmicrosoft.com', isVerified: false },
        { id: 'corp.contoso.com', authenticationType: 'Federated' },
      ],
    });
    const answer = await getThe('free');
    expect(codes(answer)).toContain('no_managed_domain');
    expect(steps(answer)).toEqual(['setImmutableId']);
  });

  test('is read without a write', async () => {
    for (const { userPrincipalName } of anchored) await get(userPrincipalName);
    expect(await control.writes()).toEqual([]);
  });
});

describe('what is expected', () => {
  test.each(['objectGuid', 'consistencyGuid'])('may be given as %s in any form', async (field) => {
    const { objectGuid, expected } = the('free');
    for (const value of [objectGuid, `{${objectGuid.toUpperCase()}}`, expected]) {
      const { body } = await getThe('free', { [field]: value });
      expect(body).toMatchObject({ expected, expectedGuid: objectGuid, expectedSource: 'given', equal: false });
    }
  });

  test('may be given as external ID, as the id of the user in Okta, or as it is', async () => {
    const { expected } = the('cloud');
    expect((await getThe('cloud', { oktaUserId: expected })).body).toMatchObject({ expected, oktaUserId: expected });
    expect((await getThe('free', { externalId: the('free').expected })).body).toMatchObject({
      expectedSource: 'given',
    });
    const literal = await getThe('free', { immutableId: 'employee 4711' });
    expect(literal.body).toMatchObject({ expected: 'employee 4711', expectedGuid: null, expectedAnchor: 'other' });
    expect(codes(literal)).toContain('differs_from_okta');
  });

  test('may be what another holds, and is told then', async () => {
    const held = await getThe('free', { immutableId: the('equal').expected });
    expect(finding(held, 'held_by_user').evidence).toContain(the('equal').id);
  });

  test('is held against what Okta asserts', async () => {
    const answer = await getThe('asserted', { objectGuid: the('asserted').objectGuid });
    expect(codes(answer)).toEqual(['differs_from_okta', 'equal', 'federated_domain']);
    expect((await getThe('asserted')).body).toMatchObject({
      expectedSource: 'office365Profile',
      comparison: 'other_anchor',
    });
  });

  test.each<[Record<string, string>, string, RegExp]>([
    [{ objectGuid: 'x' }, '/query/objectGuid', /no GUID/],
    [{ immutableId: 'a$' }, '/query/immutableId', /\$ or _/],
    [{ immutableId: '' }, '/query/immutableId', /./],
    [{ oktaUserId: 'anchor.free' }, '/query/oktaUserId', /00u/],
    [{ externalId: 'x', oktaUserId: 'y' }, '/query/externalId', /exactly one/],
    [{ oktaAppId: 'office 365' }, '/query/oktaAppId', /./],
    [{ upn: 'x' }, '/query/upn', /./],
  ])('is refused as %j, naming the field', async (query, pointer, message) => {
    const answer = await getThe('free', query);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors')[0]).toMatchObject({ pointer, message: expect.stringMatching(message) });
  });

  test('is not known without Okta, which is said with the fix', async () => {
    const answer = await getThe('free', {}, alone);
    expect(answer.body).toMatchObject({
      comparison: 'expected_unknown',
      equal: null,
      expected: null,
      expectedSource: null,
      oktaUserId: null,
      oktaAppId: null,
      plan: [],
    });
    expect(finding(answer, 'expected_unknown').fix).toContain('OKTA_ORG_URL');
    expect(codes(answer)).not.toContain('not_checked');
    const given = await getThe('free', { objectGuid: the('free').objectGuid }, alone);
    expect(steps(given)).toEqual(swing);
  });

  test('is not known of a user that Okta does not have, or has no value for', async () => {
    expect((await get('break.glass@contoso.onmicrosoft.com')).body).toMatchObject({
      oktaUserId: null,
      actualGuid: null,
    });
    expect(finding(await get('break.glass@contoso.onmicrosoft.com'), 'expected_unknown').evidence).toContain(
      'nobody in Okta',
    );
  });
});

describe("Okta's app", () => {
  test('is taken care of in the plan when it is named', async () => {
    const answer = await getThe('free', { oktaAppId: await oktaAppId() });
    expect(steps(answer)).toEqual([
      'turnOffDeactivateUsers',
      'unassignFromOkta',
      ...swing,
      'assignInOkta',
      'turnOnDeactivateUsers',
    ]);
    expect(steps(await getThe('bygroup', { oktaAppId: await oktaAppId() }))).toEqual([]);
  });

  test.each([
    ['another kind', () => oktaAppId('active_directory')],
    ['nothing', () => Promise.resolve('0oaNobody')],
  ])('is refused where the id names %s', async (_, idOf) => {
    expect(await getThe('free', { oktaAppId: await idOf() })).toMatchObject({
      status: 404,
      body: { code: 'okta_object_not_found', fix: expect.stringContaining('Office 365') },
    });
  });
});

describe('what may not be read', () => {
  const deny = (path: string) =>
    control.fault({
      upstream: 'graph',
      match: { path },
      fault: {
        kind: 'status',
        status: 403,
        body: {
          error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges to complete the operation.' },
        },
      },
    });

  test.each([
    ['/domains', 'Which domains are federated', 'signIn'],
    ['/directory/deletedItems', 'deleted user', null],
    ['/roleManagement/directory/roleAssignments', 'privileged', null],
  ])('at %s is told as not checked, and the rest is there', async (path, what, empty) => {
    await deny(path);
    const answer = await getThe('free');
    expect(answer.body).toMatchObject({ comparison: 'different', ...(empty !== null && { [empty]: null }) });
    expect(finding(answer, 'not_checked')).toMatchObject({
      message: expect.stringContaining(what),
      evidence: expect.stringContaining('graph_permission_missing'),
    });
  });

  test('for the moment is a fault, and nothing is concluded', async () => {
    const fault = { kind: 'status', status: 503 } as const;
    await control.fault({ upstream: 'graph', match: { path: '/domains' }, fault, times: 50 });
    expect(await getThe('free')).toMatchObject({ status: 502, body: { code: 'upstream_failed', retryable: true } });
  });

  test('of Okta for the moment is told as not checked where the expected value is given, and else a fault', async () => {
    const fault = { kind: 'status', status: 503 } as const;
    await control.fault({ upstream: 'okta', fault, times: 500 });
    const given = { objectGuid: the('free').objectGuid };
    const answer = await getThe('free', given);
    expect(answer).toMatchObject({ status: 200, body: { equal: false } });
    expect(finding(answer, 'not_checked')).toMatchObject({
      message: expect.stringContaining('Okta'),
      evidence: expect.stringContaining('upstream_failed'),
    });
    expect(steps(answer)).toEqual(swing);
    expect(await getThe('free')).toMatchObject({ status: 502, body: { code: 'upstream_failed' } });
    const withApp = await getThe('free', { ...given, oktaAppId: '0oaAny' });
    expect(withApp).toMatchObject({ status: 502, body: { code: 'upstream_failed' } });
  });
});
