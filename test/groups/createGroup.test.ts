import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { directoryOf, groupAt, groupsNamed, isGone, parametersOf, readCast } from '../support/directory.ts';
import { type Answer, type JsonObject, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', colleague = '', third = ''] = cast.staff;

beforeEach(() => control.reset());
afterAll(() => world.close());

const crew = {
  kind: 'mailEnabledSecurity',
  displayName: 'Harbour Crew',
  alias: 'harbour-crew',
  primarySmtpAddress: 'harbour-crew@contoso.com',
  description: 'Everyone on the quay',
  owners: [owner],
};

const create = (body: object): Promise<Answer> => app.call('POST', 'groups', { body });
const pointers = (answer: Answer): unknown[] => rowsOf(answer, 'errors').map(({ pointer }) => pointer);
const writtenCmdlets = async (): Promise<unknown[]> => (await control.writes()).map(({ cmdlet }) => cmdlet);
const sent = async (cmdlet: string): Promise<JsonObject> => parametersOf((await control.calls({ cmdlet }))[0]);

async function created(body: object): Promise<void> {
  expect(await create(body)).toMatchObject({ status: 201 });
  await control.clearCalls();
}

describe('a new group', () => {
  test.each([
    ['mailEnabledSecurity', 'MailUniversalSecurityGroup', true],
    ['distributionList', 'MailUniversalDistributionGroup', false],
  ])('of kind %s is created and answers with its Entra id', async (kind, details, securityEnabled) => {
    const answer = await create({ ...crew, kind });
    const group = await groupAt(control, 'harbour-crew@contoso.com');
    expect(answer.body).toEqual({
      ok: true,
      outcome: 'created',
      changed: true,
      isNew: true,
      dryRun: false,
      message: expect.stringContaining('harbour-crew@contoso.com'),
      warnings: [],
      requestId: answer.headers.get('x-request-id'),
      id: group.id,
      kind,
      displayName: 'Harbour Crew',
      requestedName: 'Harbour Crew',
      alias: 'harbour-crew',
      primarySmtpAddress: 'harbour-crew@contoso.com',
      description: 'Everyone on the quay',
      owners: [owner],
      addedCount: 0,
      removedCount: 0,
      unchangedCount: 0,
      failedCount: 0,
      firstError: null,
      results: [],
    });
    expect(answer.status).toBe(201);
    expect(group).toMatchObject({
      displayName: 'Harbour Crew',
      mailNickname: 'harbour-crew',
      description: 'Everyone on the quay',
      mailEnabled: true,
      securityEnabled,
      owners: [cast.idOf(owner)],
      members: [],
      exchange: {
        Name: 'Harbour Crew',
        RecipientTypeDetails: details,
        RequireSenderAuthenticationEnabled: true,
        HiddenFromAddressListsEnabled: false,
      },
    });
  });

  test('has the id under which getGroup finds it', async () => {
    const { body } = await create(crew);
    expect((await app.call('GET', `groups/${String(body?.id)}`)).body).toMatchObject({
      id: body?.id,
      kind: 'mailEnabledSecurity',
      primarySmtpAddress: 'harbour-crew@contoso.com',
      linkable: true,
    });
  });

  test('is one write, which never asks for an open group nor for the bypass that New- does not have', async () => {
    await create(crew);
    expect(await writtenCmdlets()).toEqual(['New-DistributionGroup']);
    const parameters = await sent('New-DistributionGroup');
    expect(parameters).toEqual({
      Name: 'Harbour Crew',
      DisplayName: 'Harbour Crew',
      Alias: 'harbour-crew',
      PrimarySmtpAddress: 'harbour-crew@contoso.com',
      Type: 'Security',
      Description: ['Everyone on the quay'],
      ManagedBy: [cast.idOf(owner)],
      RequireSenderAuthenticationEnabled: true,
    });
    expect(JSON.stringify(parameters)).not.toContain('Open');
  });

  test('accepts mail from outside only when asked to', async () => {
    await create({ ...crew, requireSenderAuthentication: false });
    expect((await groupAt(control, crew.primarySmtpAddress)).exchange?.RequireSenderAuthenticationEnabled).toBe(false);
  });

  test('lets its members come and go as asked', async () => {
    const list = {
      ...crew,
      kind: 'distributionList',
      joinRestriction: 'approvalRequired',
      departRestriction: 'closed',
    };
    expect(await create(list)).toMatchObject({ status: 201 });
    expect((await groupAt(control, crew.primarySmtpAddress)).exchange).toMatchObject({
      MemberJoinRestriction: 'ApprovalRequired',
      MemberDepartRestriction: 'Closed',
    });
    expect(await create(list)).toMatchObject({ status: 200, body: { outcome: 'already_exists' } });
    const answer = await create({ ...list, joinRestriction: 'open' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'exists_with_differences' } });
    expect(rowsOf(answer, 'errors')).toMatchObject([
      { pointer: '/joinRestriction', message: expect.stringContaining('"approvalRequired"') },
    ]);
  });

  test.each(['joinRestriction', 'departRestriction'])('that grants rights must not be open by %s', async (field) => {
    const answer = await create({ ...crew, [field]: 'open' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(pointers(answer)).toEqual([`/${field}`]);
    expect(await control.calls({ upstream: 'exchange' })).toEqual([]);
  });

  test('gets its alias from the local part of its address', async () => {
    const answer = await create({ ...crew, alias: undefined, primarySmtpAddress: 'quay.crew@contoso.com' });
    expect(answer).toMatchObject({ status: 201, body: { alias: 'quay.crew' } });
  });

  test('gets alias and address from its name when neither is given', async () => {
    const answer = await create({ kind: 'distributionList', displayName: 'Équipe du Port (Nord)', owners: [owner] });
    expect(answer).toMatchObject({
      status: 201,
      body: { alias: 'equipe-du-port-nord', primarySmtpAddress: 'equipe-du-port-nord@contoso.com' },
    });
  });

  test('with a name of which no alias can be made is refused, pointing at alias', async () => {
    const answer = await create({ kind: 'distributionList', displayName: '港口', owners: [owner] });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(pointers(answer)).toEqual(['/alias']);
    expect(await control.calls({ upstream: 'exchange' })).toEqual([]);
  });

  test('with a name too long for Exchange keeps it as display name, its alias being the unique name', async () => {
    const displayName = `Harbour Crew ${'of the Northern Quays '.repeat(4)}`.trim();
    expect(displayName.length).toBeGreaterThan(64);
    expect(await create({ ...crew, displayName })).toMatchObject({ status: 201, body: { displayName } });
    expect(await groupAt(control, crew.primarySmtpAddress)).toMatchObject({
      displayName,
      exchange: { Name: 'harbour-crew' },
    });
    await control.clearCalls();
    expect(await create({ ...crew, displayName })).toMatchObject({ status: 200, body: { outcome: 'already_exists' } });
    expect(await writtenCmdlets()).toEqual([]);
  });

  test('gets what only Set- can do by a second call, with the bypass', async () => {
    const body = {
      ...crew,
      hideFromAddressLists: true,
      addresses: ['quay@contoso.com', 'harbour@corp.contoso.com'],
    };
    expect(await create(body)).toMatchObject({ status: 201, body: { outcome: 'created', ok: true } });
    expect(await writtenCmdlets()).toEqual(['New-DistributionGroup', 'Set-DistributionGroup']);
    expect(await sent('Set-DistributionGroup')).toEqual({
      Identity: expect.stringMatching(/^[0-9a-f-]{36}$/),
      HiddenFromAddressListsEnabled: true,
      EmailAddresses: {
        '@odata.type': '#Exchange.GenericHashTable',
        Add: ['smtp:quay@contoso.com', 'smtp:harbour@corp.contoso.com'],
      },
      BypassSecurityGroupManagerCheck: true,
    });
    expect(await groupAt(control, crew.primarySmtpAddress)).toMatchObject({
      proxyAddresses: ['SMTP:harbour-crew@contoso.com', 'smtp:quay@contoso.com', 'smtp:harbour@corp.contoso.com'],
      exchange: { HiddenFromAddressListsEnabled: true },
    });
  });

  test('takes its first members, with a row for each', async () => {
    const members = [colleague, cast.contact.mail, cast.withoutMailbox, 'nobody@contoso.com'];
    const answer = await create({ ...crew, members });
    expect(answer).toMatchObject({
      status: 201,
      body: { ok: false, outcome: 'partial', changed: true, isNew: true, addedCount: 2, failedCount: 2 },
    });
    expect(rowsOf(answer, 'results')).toMatchObject([
      { member: colleague, outcome: 'added', code: 'added' },
      { member: cast.contact.mail, outcome: 'added', code: 'added' },
      { member: cast.withoutMailbox, outcome: 'not_ready', code: 'no_mailbox' },
      { member: 'nobody@contoso.com', outcome: 'failed', code: 'member_not_found' },
    ]);
    expect(answer.body?.firstError).toContain(cast.withoutMailbox);
    const group = await groupAt(control, crew.primarySmtpAddress);
    expect(new Set(group.members)).toEqual(new Set([cast.idOf(colleague), cast.contact.id]));
  });

  test('is created once when two ask for it at the same time', async () => {
    const answers = await Promise.all([create(crew), create(crew)]);
    const states = answers.map(({ status, body }) => [status, body?.outcome]);
    expect(states.sort()).toEqual([
      [200, 'already_exists'],
      [201, 'created'],
    ]);
    expect(await groupsNamed(control, 'Harbour Crew')).toHaveLength(1);
  });

  test('that is named like a security group without mail is created: only recipients share a name space', async () => {
    const answer = await create({ ...crew, displayName: cast.security.displayName });
    expect(answer).toMatchObject({ status: 201, body: { displayName: cast.security.displayName } });
  });
});

describe('a repeated creation', () => {
  test.each(['mailEnabledSecurity', 'distributionList'])('of a %s finds it and writes nothing', async (kind) => {
    const first = await create({ ...crew, kind });
    await control.clearCalls();
    const answer = await create({ ...crew, kind });
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'already_exists', changed: false, isNew: false, id: first.body?.id },
    });
    expect(await control.writes()).toEqual([]);
  });

  test('is recognised whatever its case', async () => {
    await created(crew);
    const answer = await create({
      ...crew,
      alias: 'Harbour-Crew',
      primarySmtpAddress: 'Harbour-Crew@CONTOSO.com',
      owners: [cast.idOf(owner).toUpperCase()],
    });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'already_exists' } });
    expect(await control.writes()).toEqual([]);
  });

  test('completes the settings that are missing, with one write', async () => {
    await created({ ...crew, description: undefined });
    const answer = await create({
      ...crew,
      hideFromAddressLists: true,
      addresses: ['quay@contoso.com'],
    });
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'completed', changed: true, isNew: false, description: crew.description },
    });
    expect(await writtenCmdlets()).toEqual(['Set-DistributionGroup']);
    expect(await groupAt(control, crew.primarySmtpAddress)).toMatchObject({
      description: crew.description,
      proxyAddresses: ['SMTP:harbour-crew@contoso.com', 'smtp:quay@contoso.com'],
      exchange: { HiddenFromAddressListsEnabled: true },
    });
  });

  test('adds the members that are missing', async () => {
    await created({ ...crew, members: [colleague] });
    const answer = await create({ ...crew, members: [colleague, third] });
    expect(answer).toMatchObject({ status: 200, body: { ok: true, changed: true, addedCount: 1, unchangedCount: 1 } });
    expect((await groupAt(control, crew.primarySmtpAddress)).members).toEqual([cast.idOf(colleague), cast.idOf(third)]);
  });

  test('with the members it has is unchanged', async () => {
    await created({ ...crew, members: [colleague] });
    const answer = await create({ ...crew, members: [colleague] });
    expect(answer).toMatchObject({
      status: 200,
      body: { outcome: 'already_exists', changed: false, unchangedCount: 1 },
    });
  });
});

describe('a group that exists otherwise', () => {
  test.each([
    ['mailEnabledSecurity', 'distributionList'],
    ['distributionList', 'mailEnabledSecurity'],
  ])('as %s is not a %s: 409, listing the kind', async (there, wanted) => {
    await created({ ...crew, kind: there });
    const answer = await create({ ...crew, kind: wanted });
    expect(answer).toMatchObject({ status: 409, body: { code: 'exists_with_differences', retryable: false } });
    expect(rowsOf(answer, 'errors')).toEqual([
      { pointer: '/kind', message: `is "${there}", asked for "${wanted}"`, fix: expect.any(String) },
    ]);
    expect(await control.writes()).toEqual([]);
  });

  test.each<[string, object, string[]]>([
    ['another owner', { owners: [colleague] }, ['/owners']],
    ['one owner more', { owners: [owner, colleague] }, ['/owners']],
    ['another description', { description: 'Something else' }, ['/description']],
    ['another alias', { alias: 'harbour-crew-2' }, ['/alias']],
    ['another address', { primarySmtpAddress: 'quay@contoso.com' }, ['/primarySmtpAddress']],
    ['mail from outside', { requireSenderAuthentication: false }, ['/requireSenderAuthentication']],
    ['another name', { displayName: 'Dock Workers' }, ['/displayName']],
    [
      'everything else at once',
      {
        kind: 'distributionList',
        alias: 'quay',
        owners: [colleague],
        description: 'Something else',
        requireSenderAuthentication: false,
        hideFromAddressLists: false,
      },
      ['/kind', '/alias', '/description', '/hideFromAddressLists', '/requireSenderAuthentication', '/owners'],
    ],
  ])('%s is a difference', async (_what, change, expected) => {
    await created({ ...crew, hideFromAddressLists: true });
    const answer = await create({ ...crew, ...change });
    expect(answer).toMatchObject({ status: 409, body: { code: 'exists_with_differences' } });
    expect(pointers(answer)).toEqual(expected);
    expect(await control.writes()).toEqual([]);
  });

  test('one owner fewer is a difference', async () => {
    await created({ ...crew, owners: [owner, colleague] });
    expect(pointers(await create(crew))).toEqual(['/owners']);
  });

  test('what the caller does not mind is no difference', async () => {
    await created({ ...crew, requireSenderAuthentication: false, hideFromAddressLists: true });
    const minimal = { kind: crew.kind, displayName: crew.displayName, alias: crew.alias, owners: [owner] };
    expect(await create(minimal)).toMatchObject({ status: 200, body: { outcome: 'already_exists' } });
    expect(await control.writes()).toEqual([]);
  });

  test('a difference wins over what could be completed: nothing is half done', async () => {
    await created(crew);
    expect((await create({ ...crew, owners: [colleague], hideFromAddressLists: true })).status).toBe(409);
    expect(await control.writes()).toEqual([]);
  });
});

describe('an address in use', () => {
  const refused = async (body: object, holder: string): Promise<void> => {
    const answer = await create({ ...crew, ...body });
    expect(answer).toMatchObject({ status: 409, body: { code: 'address_in_use' } });
    expect(answer.body?.detail).toContain(holder);
    expect(await control.writes()).toEqual([]);
  };

  test('by a mailbox is refused, naming the holder', () => refused({ primarySmtpAddress: colleague }, colleague));

  test('by a Microsoft 365 group is refused, naming the holder', () =>
    refused({ primarySmtpAddress: cast.unified.mail }, String(cast.unified.mail)));

  test('by the alias of a Microsoft 365 group is refused, naming the holder', () =>
    refused({ alias: cast.unified.mailNickname }, String(cast.unified.mail)));

  test('among the further addresses is refused, naming the holder', () =>
    refused({ addresses: ['free@contoso.com', colleague] }, colleague));

  test('by a contact outside is refused, naming the holder', () =>
    refused({ addresses: [cast.contact.mail] }, cast.contact.mail));

  test('by a room list is refused: it is no group of the kind asked for', () =>
    refused({ displayName: cast.roomList.displayName }, String(cast.roomList.mail)));

  test('by two groups at once is refused, naming both', async () => {
    const [left, right] = cast.twins;
    await refused({ primarySmtpAddress: left.mail, alias: right.mailNickname }, String(left.mail));
    await refused({ primarySmtpAddress: left.mail, alias: right.mailNickname }, String(right.mail));
  });
});

describe('a naming policy', () => {
  const policy = { settings: { namingPolicy: 'GRP_<GroupName>_EU' } };

  test('rewrites the name: the reply says both, and the repeat finds the group', async () => {
    await control.tenant(policy);
    const first = await create(crew);
    expect(first).toMatchObject({
      status: 201,
      body: { displayName: 'GRP_Harbour Crew_EU', requestedName: 'Harbour Crew', alias: 'harbour-crew' },
    });
    expect(await sent('New-DistributionGroup')).not.toHaveProperty('IgnoreNamingPolicy');
    await control.clearCalls();
    expect(await create(crew)).toMatchObject({
      status: 200,
      body: {
        outcome: 'already_exists',
        changed: false,
        id: first.body?.id,
        displayName: 'GRP_Harbour Crew_EU',
        requestedName: 'Harbour Crew',
      },
    });
    expect(await control.writes()).toEqual([]);
  });

  test('is ignored only when asked to', async () => {
    await control.tenant(policy);
    const answer = await create({ ...crew, ignoreNamingPolicy: true });
    expect(answer).toMatchObject({ status: 201, body: { displayName: 'Harbour Crew', requestedName: 'Harbour Crew' } });
    expect(await sent('New-DistributionGroup')).toMatchObject({ IgnoreNamingPolicy: true });
  });

  test('that was to be ignored and was not is a difference', async () => {
    await control.tenant(policy);
    await created(crew);
    const answer = await create({ ...crew, ignoreNamingPolicy: true });
    expect(answer.status).toBe(409);
    expect(pointers(answer)).toEqual(['/displayName']);
  });
});

describe('owners', () => {
  test.each([
    ['absent', undefined],
    ['an empty list', []],
    ['an empty text', ' , '],
  ])('must be given: %s is refused', async (_what, owners) => {
    const answer = await create({ ...crew, owners });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(pointers(answer)).toEqual(['/owners']);
    expect(await control.calls({ upstream: 'exchange' })).toEqual([]);
  });

  test('may be a guest, a mail user or a mail-enabled security group, by any of their names, as text', async () => {
    await created({ ...crew, displayName: 'Owning Team', alias: 'owning-team', primarySmtpAddress: undefined });
    const owners = `${cast.guest.mail}, ${cast.oddUpn.userPrincipalName}\nowning-team@contoso.com; ${cast.idOf(owner)}`;
    const answer = await create({ ...crew, owners });
    expect(answer.body?.owners).toEqual([cast.guest.mail, cast.oddUpn.mail, 'owning-team@contoso.com', owner]);
    const team = await groupAt(control, 'owning-team@contoso.com');
    expect((await groupAt(control, crew.primarySmtpAddress)).owners).toEqual([
      cast.guest.id,
      cast.oddUpn.id,
      team.id,
      cast.idOf(owner),
    ]);
  });

  test('that cannot own are all listed, each by its pointer', async () => {
    const owners = [
      owner,
      'nobody@contoso.com',
      cast.contact.mail,
      cast.withoutMailbox,
      String(cast.unified.mail),
      String(cast.twins[0].mail),
    ];
    const answer = await create({ ...crew, owners });
    expect(answer).toMatchObject({ status: 409, body: { code: 'owner_not_valid' } });
    expect(rowsOf(answer, 'errors').map(({ pointer, message }) => [pointer, message])).toEqual([
      ['/owners/1', expect.stringContaining('nobody@contoso.com')],
      ['/owners/2', expect.stringContaining('MailContact')],
      ['/owners/3', expect.stringContaining(cast.withoutMailbox)],
      ['/owners/4', expect.stringContaining('GroupMailbox')],
      ['/owners/5', expect.stringContaining('MailUniversalDistributionGroup')],
    ]);
    expect(await control.writes()).toEqual([]);
    expect(await isGone(control, crew.primarySmtpAddress)).toBe(true);
  });

  test('that are one person under two names are one owner', async () => {
    expect(await create({ ...crew, owners: [owner, cast.idOf(owner)] })).toMatchObject({ status: 201 });
    expect((await sent('New-DistributionGroup')).ManagedBy).toEqual([cast.idOf(owner)]);
  });

  test('that Exchange cannot look up just now are no invalid owners: the caller may repeat', async () => {
    await control.fault({
      upstream: 'exchange',
      fault: { kind: 'batchParts', cmdlet: 'Get-Recipient', status: 503 },
      times: 5,
    });
    const answer = await create(crew);
    expect(answer.body).toMatchObject({ retryable: true });
    expect(answer.body?.code).not.toBe('owner_not_valid');
    expect(await control.writes()).toEqual([]);
  });
});

describe('a dry run', () => {
  test('of a new group says what would be, and writes nothing', async () => {
    const members = [colleague, cast.withoutMailbox, 'nobody@contoso.com', String(cast.unified.mail)];
    const answer = await create({ ...crew, members, dryRun: true });
    expect(answer).toMatchObject({
      status: 200,
      body: { outcome: 'planned', changed: false, isNew: false, dryRun: true, id: null, owners: [owner] },
    });
    expect(rowsOf(answer, 'results').map(({ outcome, code }) => [outcome, code])).toEqual([
      ['would_add', 'would_add'],
      ['not_ready', 'no_mailbox'],
      ['failed', 'member_not_found'],
      ['failed', 'member_kind_not_allowed'],
    ]);
    expect(await control.writes()).toEqual([]);
    expect(await isGone(control, crew.primarySmtpAddress)).toBe(true);
  });

  test('of a group that exists as asked for says so', async () => {
    await created(crew);
    const answer = await create({ ...crew, dryRun: true });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'already_exists', changed: false, dryRun: true } });
    expect(await control.writes()).toEqual([]);
  });

  test('of a group whose settings are missing plans them', async () => {
    await created(crew);
    const answer = await create({ ...crew, hideFromAddressLists: true, members: [colleague], dryRun: true });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'planned', changed: false, dryRun: true } });
    expect(rowsOf(answer, 'results')).toMatchObject([{ outcome: 'would_add' }]);
    expect(await control.writes()).toEqual([]);
    expect((await groupAt(control, crew.primarySmtpAddress)).exchange?.HiddenFromAddressListsEnabled).toBe(false);
  });

  test('of a group that differs is refused as the creation would be', async () => {
    await created(crew);
    expect(await create({ ...crew, kind: 'distributionList', dryRun: true })).toMatchObject({
      status: 409,
      body: { code: 'exists_with_differences' },
    });
  });
});

describe('a body', () => {
  test('with five faults is told all five', async () => {
    const answer = await create({
      kind: 'room',
      displayName: ' padded',
      alias: 'two words',
      primarySmtpAddress: 'nowhere',
      colour: 'blue',
      owners: [owner],
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(new Set(pointers(answer))).toEqual(
      new Set(['/kind', '/displayName', '/alias', '/primarySmtpAddress', '/colour']),
    );
    expect(await control.calls({ upstream: 'exchange' })).toEqual([]);
  });

  test('with an address of a domain that is not ours is refused with the words of Exchange', async () => {
    const before = (await directoryOf(control)).groups.length;
    const answer = await create({ ...crew, primarySmtpAddress: 'crew@elsewhere.example' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'domain_not_accepted', upstream: 'exchange' } });
    expect(answer.body?.detail).toContain('not an accepted domain');
    expect((await directoryOf(control)).groups).toHaveLength(before);
  });
});
