import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { batchSizes, groupAt, readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', colleague = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';

beforeEach(async () => {
  await control.reset();
  await control.tenant({
    groups: [
      {
        mail: address,
        displayName: 'Harbour Crew',
        description: 'Everyone on the quay',
        mailEnabled: true,
        securityEnabled: true,
        proxyAddresses: [`SMTP:${address}`, 'smtp:quay@contoso.com', 'X500:/o=old/cn=crew'],
        owners: [owner, colleague],
        exchange: {
          Name: 'Crew of the Harbour',
          HiddenFromAddressListsEnabled: true,
          ModerationEnabled: true,
          ModeratedBy: [colleague],
        },
      },
    ],
  });
});
afterAll(() => world.close());

const get = (group: string, from = app): Promise<Answer> => from.call('GET', `groups/${encodeURIComponent(group)}`);
const blockers = (answer: Answer): unknown[] => rowsOf(answer, 'blockers').map(({ code }) => code);

const shownRow = (id: string) => ({
  Name: 'Crew of the Harbour',
  Alias: 'harbour-crew',
  PrimarySmtpAddress: address,
  EmailAddresses: [`SMTP:${address}`],
  RecipientTypeDetails: 'MailUniversalSecurityGroup',
  ExternalDirectoryObjectId: id,
  Guid: '00000000-0000-4000-8000-000000000002',
  MemberJoinRestriction: 'ApprovalRequired',
});

describe('a group', () => {
  test('is told whole', async () => {
    const answer = await get(address);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      requestId: answer.headers.get('x-request-id'),
      id: (await groupAt(control, address)).id,
      kind: 'mailEnabledSecurity',
      displayName: 'Harbour Crew',
      name: 'Crew of the Harbour',
      alias: 'harbour-crew',
      primarySmtpAddress: address,
      addresses: [address, 'quay@contoso.com'],
      description: 'Everyone on the quay',
      owners: [owner, colleague],
      hideFromAddressLists: true,
      requireSenderAuthentication: true,
      joinRestriction: 'closed',
      departRestriction: 'closed',
      moderationEnabled: true,
      moderatedBy: [colleague],
      bypassModerationFrom: [],
      acceptMessagesFrom: [],
      rejectMessagesFrom: [],
      sendOnBehalf: [],
      visibility: null,
      isTeam: false,
      linkable: true,
      blockers: [],
      notes: [],
      oktaLinkable: false,
      oktaReason: expect.stringContaining('mail-enabled security groups'),
    });
  });

  test.each(['harbour crew', 'Crew of the Harbour', 'QUAY@contoso.com'])('is found as "%s"', async (name) => {
    expect((await get(name)).body).toMatchObject({ primarySmtpAddress: address });
  });

  test.each([
    'harbour-crew',
    'Harbour',
    'quay',
    '00000000-0000-4000-8000-000000000000',
    'nobody@contoso.com',
    "O'Brien",
  ])('is not found as "%s"', async (name) => {
    expect(await get(name)).toMatchObject({ status: 404, body: { code: 'group_not_found' } });
  });

  test('is told alike when Exchange sends its flags as text', async () => {
    const before = (await get(address)).body;
    await control.tenant({ settings: { booleansAsStrings: true } });
    expect((await get(address)).body).toEqual({ ...before, requestId: expect.any(String) });
  });

  test('with an apostrophe in its name is found by it', async () => {
    await control.tenant({ groups: [{ mail: address, displayName: "Captain's Table" }] });
    expect((await get("Captain's Table")).body).toMatchObject({ primarySmtpAddress: address });
  });

  test('whose owner is gone from Exchange shows what the directory says', async () => {
    await control.tenant({ users: [{ userPrincipalName: colleague, recipientTypeDetails: null }] });
    expect((await get(address)).body?.owners).toEqual([owner, cast.idOf(colleague)]);
  });

  test('tells who may send as Exchange names them, by address where it can be had', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-DistributionGroup' },
      fault: {
        kind: 'status',
        status: 200,
        body: {
          value: [
            {
              ...shownRow((await groupAt(control, address)).id),
              AcceptMessagesOnlyFromSendersOrMembers: [cast.idOf(owner), 'Amara Somebody'],
              RejectMessagesFromSendersOrMembers: [colleague],
              GrantSendOnBehalfTo: cast.idOf(owner),
              BypassModerationFromSendersOrMembers: ['nobody@contoso.com'],
            },
          ],
        },
      },
    });
    expect((await get(address)).body).toMatchObject({
      acceptMessagesFrom: [owner, 'Amara Somebody'],
      rejectMessagesFrom: [colleague],
      sendOnBehalf: [owner],
      bypassModerationFrom: ['nobody@contoso.com'],
      moderatedBy: [],
      joinRestriction: 'approvalRequired',
    });
    // Each of them is asked for once.
    expect(await batchSizes(control, 'Get-Recipient')).toEqual([3]);
  });

  test('whose name another group has too is 409, naming both', async () => {
    const answer = await get(cast.twins[0].displayName);
    expect(answer).toMatchObject({ status: 409, body: { code: 'ambiguous_group' } });
    for (const { mail } of cast.twins) expect(answer.body?.detail).toContain(mail);
  });

  test('whose name a security group has too is 409 as well', async () => {
    await control.tenant({ groups: [{ mail: address, displayName: cast.security.displayName }] });
    const answer = await get(cast.security.displayName);
    expect(answer).toMatchObject({ status: 409, body: { code: 'ambiguous_group' } });
    expect(answer.body?.detail).toContain('(security,');
  });
});

describe('what only one directory tells', () => {
  const row = {
    Name: 'Harbour Crew',
    DisplayName: 'Harbour Crew',
    Alias: 'harbour-crew',
    PrimarySmtpAddress: address,
    EmailAddresses: [],
    RecipientTypeDetails: 'MailUniversalDistributionGroup',
    ExternalDirectoryObjectId: '',
    ExchangeObjectId: '00000000-0000-4000-8000-000000000002',
    ManagedBy: ['Organization Management', owner],
  };
  const answered = (...value: object[]) =>
    control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-DistributionGroup' },
      fault: { kind: 'status', status: 200, body: { value } },
    });

  test('a group that has no Entra id yet is told with what Exchange says, its owners as far as they are known', async () => {
    await control.tenant({
      groups: [{ mail: address, displayName: 'Elsewhere', proxyAddresses: ['SMTP:x@contoso.com'] }],
    });
    await answered(row);
    expect(await get(address)).toMatchObject({
      status: 200,
      body: {
        id: null,
        kind: 'distributionList',
        addresses: [address],
        description: null,
        owners: ['Organization Management', owner],
        requireSenderAuthentication: false,
        linkable: false,
      },
    });
  });

  test('two groups of one name, one without an Entra id, are told apart all the same', async () => {
    await answered(
      { ...row, PrimarySmtpAddress: 'unseen@contoso.com' },
      {
        ...row,
        PrimarySmtpAddress: 'other@contoso.com',
        ExternalDirectoryObjectId: cast.security.id,
      },
    );
    const answer = await get('Harbour Crew');
    expect(answer).toMatchObject({ status: 409, body: { code: 'ambiguous_group' } });
    expect(answer.body?.detail).toContain('no id yet');
  });

  test('a mail group that Exchange does not show any more is told by Entra, without owners', async () => {
    await control.tenant({ settings: { replicationLagMs: { entraToExchange: 0, exchangeToEntra: 60_000 } } });
    await app.call('DELETE', `groups/${address}`, { query: { confirm: address } });
    expect((await get(address)).body).toMatchObject({
      kind: 'mailEnabledSecurity',
      name: null,
      alias: 'harbour-crew',
      owners: [],
      hideFromAddressLists: null,
    });
  });

  test('owners in Entra are told by UPN, else by address, else by id', async () => {
    const { id } = cast.security;
    await control.tenant({ groups: [{ id, owners: [owner, cast.contact.mail, cast.restricted.id] }] });
    expect((await get(id)).body?.owners).toEqual([owner, cast.contact.mail, cast.restricted.id]);
  });
});

describe('every kind is told', () => {
  test.each([
    ['security', 'security', true, []],
    ['unified', 'microsoft365', true, []],
    ['roomList', 'distributionList', false, ['unknown_kind']],
    ['syncedList', 'distributionList', false, ['on_premises_synced']],
    ['syncedSecurity', 'mailEnabledSecurity', false, ['on_premises_synced']],
    ['dynamic', 'security', false, ['dynamic_membership']],
    ['roleAssignable', 'security', false, ['role_assignable']],
    ['restricted', 'security', false, ['management_restricted']],
  ] as const)('%s as %s, linkable: %s', async (role, kind, linkable, codes) => {
    const group = cast[role];
    for (const name of [group.id, group.displayName]) {
      const answer = await get(name);
      expect(answer.body).toMatchObject({ id: group.id, kind, linkable, primarySmtpAddress: group.mail });
      expect(blockers(answer)).toEqual(codes);
    }
  });

  test('a group of Entra alone has nulls where only Exchange knows', async () => {
    expect((await get(cast.security.id)).body).toMatchObject({
      name: null,
      primarySmtpAddress: null,
      addresses: [],
      hideFromAddressLists: null,
      requireSenderAuthentication: null,
      owners: [expect.stringContaining('@')],
    });
  });

  test('a dynamic distribution group is told as Exchange knows it, under its address, names and GUID there', async () => {
    const { mail, displayName, id, owners } = cast.dynamicDistribution;
    const byAddress = await get(String(mail));
    expect(byAddress).toMatchObject({
      status: 200,
      body: {
        id: null,
        kind: 'dynamicDistribution',
        displayName,
        primarySmtpAddress: mail,
        owners: [expect.stringContaining('@')],
        hideFromAddressLists: false,
        joinRestriction: 'closed',
        departRestriction: 'closed',
        visibility: null,
        isTeam: false,
        linkable: false,
        oktaLinkable: false,
      },
    });
    expect(owners).toHaveLength(1);
    expect(blockers(byAddress)).toEqual(['dynamic_membership']);
    const [row] = (await control.calls({ cmdlet: 'Get-DynamicDistributionGroup' })).slice(-1);
    const { value } = row?.responseBody as { value: { Guid: string }[] };
    for (const name of [displayName.toUpperCase(), String(value[0]?.Guid)]) {
      expect({ ...(await get(name)).body, requestId: null }).toEqual({ ...byAddress.body, requestId: null });
    }
    expect(await get(id)).toMatchObject({ status: 404, body: { code: 'group_not_found' } });
  });

  test('a dynamic distribution group that Exchange does not let us look for is not called missing', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-DynamicDistributionGroup' },
      fault: { kind: 'nul' },
    });
    expect(await get('nobody@contoso.com')).toMatchObject({ status: 403, body: { code: 'exchange_forbidden' } });
  });

  test('a dynamic distribution group that shares its name is told apart', async () => {
    await control.tenant({ groups: [{ mail: address, displayName: cast.dynamicDistribution.displayName }] });
    const answer = await get(cast.dynamicDistribution.displayName);
    expect(answer).toMatchObject({ status: 409, body: { code: 'ambiguous_group' } });
    expect(answer.body?.detail).toContain('(dynamicDistribution, no id yet)');
    expect(answer.body?.detail).toContain('(mailEnabledSecurity,');
  });

  test('a group that is found is not looked for among the dynamic ones, unless by name', async () => {
    await get(address);
    expect(await control.calls({ cmdlet: 'Get-DynamicDistributionGroup' })).toEqual([]);
    await get('Harbour Crew');
    expect(await control.calls({ cmdlet: 'Get-DynamicDistributionGroup' })).toHaveLength(1);
  });

  test('a group of a Team says what hangs on it, and stays linkable', async () => {
    const { id, resourceProvisioningOptions } = cast.unified;
    expect(resourceProvisioningOptions).toContain('Team');
    expect((await get(id)).body).toMatchObject({
      isTeam: true,
      visibility: 'Private',
      linkable: true,
      notes: [{ code: 'team_connected', message: expect.stringContaining('Team') }],
      oktaLinkable: true,
      oktaReason: null,
      joinRestriction: null,
      moderationEnabled: null,
    });
  });

  test.each([
    ['security', {}],
    ['mail', { mail: address }],
  ])('a %s group whose authority was moved to the cloud is linkable, and says so', async (_what, more) => {
    await control.tenant({
      groups: [{ displayName: 'Converted', ...more, onPremisesSyncEnabled: false }],
    });
    expect((await get('mail' in more ? address : 'Converted')).body).toMatchObject({
      linkable: true,
      blockers: [],
      notes: [{ code: 'converted_to_cloud', fix: expect.stringMatching(/\.$/) }],
    });
  });

  test('all that is in the way is told, the gravest first', async () => {
    await control.tenant({
      groups: [{ mail: address, onPremisesSyncEnabled: true, isManagementRestricted: true }],
    });
    const guarded = await world.startApp({ PROTECTED_GROUPS: 'harbour*', MANAGED_GROUPS: 'okta-*' });
    const answer = await get(address, guarded);
    expect(blockers(answer)).toEqual([
      'on_premises_synced',
      'management_restricted',
      'protected_object',
      'outside_managed_groups',
    ]);
    for (const { message, fix } of rowsOf(answer, 'blockers')) {
      expect(message).toMatch(/\.$/);
      expect(fix).toMatch(/\.$/);
    }
  });
});

describe('PROTECTED_GROUPS and MANAGED_GROUPS', () => {
  test.each([
    [address],
    ['HARBOUR CREW'],
    ['Crew of the Harbour'],
    ['harbour-crew'],
    ['quay@contoso.com'],
    ['harbour*'],
    ['*@contoso.com'],
    ['*Crew*'],
    ['nothing, harbour-*'],
  ])('the entry "%s" names it', async (entry) => {
    const [guarded, managed] = await Promise.all([
      world.startApp({ PROTECTED_GROUPS: entry }),
      world.startApp({ MANAGED_GROUPS: entry }),
    ]);
    expect(blockers(await get(address, guarded))).toEqual(['protected_object']);
    expect(blockers(await get(address, managed))).toEqual([]);
  });

  test.each([['harbour'], ['*crew@contoso.co'], ['h.rbour-crew'], ['harbour-crew@contoso.com.example']])(
    'the entry "%s" does not',
    async (entry) => {
      const [guarded, managed] = await Promise.all([
        world.startApp({ PROTECTED_GROUPS: entry }),
        world.startApp({ MANAGED_GROUPS: entry }),
      ]);
      expect(blockers(await get(address, guarded))).toEqual([]);
      expect(blockers(await get(address, managed))).toEqual(['outside_managed_groups']);
    },
  );

  test('an id names it', async () => {
    const { id } = await groupAt(control, address);
    const guarded = await world.startApp({ PROTECTED_GROUPS: id.toUpperCase() });
    expect(blockers(await get(address, guarded))).toEqual(['protected_object']);
  });
});
