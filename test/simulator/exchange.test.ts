import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Bench, detailOf, type Answer } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

const owner = 'amara.osei@contoso.com';
const rowsOf = ({ body }: Answer) => (body as unknown as { value: Record<string, unknown>[] }).value;
const namesOf = (answer: Answer) => rowsOf(answer).map(({ Name }) => Name);
const bypass = { BypassSecurityGroupManagerCheck: true };

test('a mail-enabled security group is created, and Graph sees it', async () => {
  const made = await bench.invoke('New-DistributionGroup', {
    Name: 'Badge Holders',
    Type: 'Security',
    ManagedBy: [owner],
  });
  expect(rowsOf(made)[0]).toMatchObject({
    Name: 'Badge Holders',
    DisplayName: 'Badge Holders',
    Alias: 'BadgeHolders',
    PrimarySmtpAddress: 'BadgeHolders@contoso.com',
    RecipientTypeDetails: 'MailUniversalSecurityGroup',
    GroupType: 'Universal, SecurityEnabled',
    ManagedBy: [await bench.userId(owner)],
    'EmailAddresses@odata.type': '#Collection(String)',
  });
  const seen = await bench.graph('GET', `/groups/${String(rowsOf(made)[0]?.ExternalDirectoryObjectId)}`);
  expect(seen.body).toMatchObject({ mailEnabled: true, securityEnabled: true, groupTypes: [] });
});

test('a new group answers with and without its DistinguishedName', async () => {
  const names = [1, 2].map((number) => `Group ${String(number)}`);
  const made = [];
  for (const Name of names) made.push(await bench.invoke('New-DistributionGroup', { Name, ManagedBy: [owner] }));
  expect(made.map((each) => rowsOf(each)[0]?.DistinguishedName === '').sort()).toEqual([false, true]);
});

test('a write without output answers an empty list, an empty object or nothing', async () => {
  const texts = new Set<string>();
  for (const MailTip of ['a', 'b', 'c']) {
    const answer = await bench.invoke('Set-DistributionGroup', { Identity: 'Sales Nordics', MailTip });
    expect(answer.status).toBe(200);
    texts.add(answer.text === '' || answer.text === '{}' ? answer.text : JSON.stringify(answer.body.value));
  }
  expect(texts).toEqual(new Set(['[]', '{}', '']));
});

test('the three ways to be a duplicate are told apart', async () => {
  await bench.createGroup('Badge Holders');
  const again = (more: object) =>
    bench.invoke('New-DistributionGroup', { Name: 'Other', Alias: 'other', ManagedBy: [owner], ...more });
  expect(detailOf(await again({ Name: 'badge holders' }))).toContain('ADObjectAlreadyExistsException|The name');
  expect(detailOf(await again({ Alias: 'badgeholders' }))).toContain('ADObjectAlreadyExistsException|The value');
  expect(detailOf(await again({ PrimarySmtpAddress: 'BadgeHolders@contoso.com' }))).toMatch(
    /^ExB10BE9\|Microsoft\.Exchange\.Management\.Tasks\.WLCDManagedMemberExistsException\|The proxy address "SMTP:/,
  );
});

test.each([
  ['no owner', { ManagedBy: [] }, 'MinGroupOwnersCriteriaBreachedException'],
  ['an unknown owner', { ManagedBy: ['nobody@contoso.com'] }, 'ManagementObjectNotFoundException'],
  ['an owner without mailbox', { ManagedBy: ['new.hire@contoso.com'] }, 'ManagementObjectNotFoundException'],
  ['a contact as owner', { ManagedBy: ['pat.supplier@example.com'] }, 'RecipientTaskException'],
  ['moderation and no moderator', { Type: 'Security', ModerationEnabled: true }, 'RecipientTaskException'],
  ['an open security group', { Type: 'Security', MemberJoinRestriction: 'Open' }, 'RecipientTaskException'],
  ['a bad alias', { Alias: 'a..b' }, 'DataValidationException'],
  ['a name of 65 characters', { Name: 'x'.repeat(65) }, 'DataValidationException'],
  ['a foreign domain', { PrimarySmtpAddress: 'x@example.com' }, 'NotAcceptedDomainException'],
  ['a Microsoft 365 group as member', { Members: ['project-aurora@contoso.com'] }, 'RecipientTaskException'],
])('creation with %s is refused and makes nothing', async (_what, more, type) => {
  const refused = await bench.invoke('New-DistributionGroup', { Name: 'Badge Holders', ManagedBy: [owner], ...more });
  expect([400, 404]).toContain(refused.status);
  expect(detailOf(refused)).toContain(type);
  expect((await bench.state()).groups.some(({ displayName }) => displayName === 'Badge Holders')).toBe(false);
});

test('the derived alias has no spaces, and ? for what is not supported', async () => {
  const made = await bench.invoke('New-DistributionGroup', { Name: 'Zürich (West) Łódź', ManagedBy: [owner] });
  expect(rowsOf(made)[0]).toMatchObject({ Alias: 'Zürich?West??ód?' });
});

test('the naming policy rewrites the name unless it is ignored', async () => {
  await bench.control('PUT', 'tenant', { settings: { namingPolicy: 'GRP_<GroupName>_X', blockedWords: ['payroll'] } });
  const make = (Name: string, more = {}) =>
    bench.invoke('New-DistributionGroup', { Name, ManagedBy: [owner], ...more });
  expect(rowsOf(await make('One'))[0]).toMatchObject({ Name: 'GRP_One_X', DisplayName: 'GRP_One_X' });
  expect(rowsOf(await make('Two', { IgnoreNamingPolicy: true }))[0]).toMatchObject({ Name: 'Two' });
  expect((await make('The Payroll List')).status).toBe(400);
  expect(rowsOf(await bench.invoke('Get-OrganizationConfig'))[0]).toMatchObject({
    DistributionGroupNamingPolicy: 'GRP_<GroupName>_X',
  });
});

test('members are added and removed once, with contacts and guests among them', async () => {
  await bench.createGroup('Badge Holders');
  const change = (verb: string, Member: string) =>
    bench.invoke(`${verb}-DistributionGroupMember`, { Identity: 'Badge Holders', Member, Confirm: false, ...bypass });
  for (const member of ['bruno.keller@contoso.com', 'pat.supplier@example.com', 'guest.partner@example.com'])
    expect((await change('Add', member)).status).toBe(200);
  expect(detailOf(await change('Add', 'bruno.keller@contoso.com'))).toContain(
    '|Microsoft.Exchange.Management.Tasks.MemberAlreadyExistsException|',
  );
  const listed = await bench.invoke('Get-DistributionGroupMember', { Identity: 'badgeholders@contoso.com' });
  expect(rowsOf(listed).map(({ RecipientTypeDetails }) => RecipientTypeDetails)).toEqual([
    'UserMailbox',
    'MailContact',
    'GuestMailUser',
  ]);
  expect((await change('Remove', 'pat.supplier@example.com')).status).toBe(200);
  expect(detailOf(await change('Remove', 'pat.supplier@example.com'))).toContain('MemberNotFoundException');
  expect((await bench.group('Badge Holders')).members).toHaveLength(2);
});

test('a user without mailbox is not found as a member, with the status of E10', async () => {
  const refused = await bench.invoke('Add-DistributionGroupMember', {
    Identity: 'Sales Nordics',
    Member: 'new.hire@contoso.com',
  });
  expect(refused).toMatchObject({
    status: 404,
    body: { error: { code: 'NotFound', message: 'Error executing cmdlet' } },
  });
  expect(detailOf(refused)).toMatch(
    /^Ex6F9304\|Microsoft\.Exchange\.Configuration\.Tasks\.ManagementObjectNotFoundException\|/,
  );
});

test('a Microsoft 365 group is refused as a member', async () => {
  const refused = await bench.invoke('Add-DistributionGroupMember', {
    Identity: 'Sales Nordics',
    Member: 'Project Aurora',
  });
  expect(detailOf(refused)).toContain('Microsoft 365 group');
});

test.each([
  ['Set-DistributionGroup', { MailTip: 'x' }],
  ['Add-DistributionGroupMember', { Member: 'bruno.keller@contoso.com' }],
  ['Remove-DistributionGroupMember', { Member: 'hugo.brandt@contoso.com', Confirm: false }],
  ['Remove-DistributionGroup', { Confirm: false }],
])('%s on a mail-enabled security group needs the bypass', async (cmdlet, more) => {
  const before = await bench.group('Finance Approvers');
  const refused = await bench.invoke(cmdlet, { Identity: 'Finance Approvers', ...more });
  expect(detailOf(refused)).toContain('The executing user is not in the current organization');
  expect(await bench.group('Finance Approvers')).toEqual(before);
  expect((await bench.invoke(cmdlet, { Identity: 'Finance Approvers', ...more, ...bypass })).status).toBe(200);
});

test.each([
  ['Set-DistributionGroup', { MailTip: 'x' }],
  ['Add-DistributionGroupMember', { Member: 'bruno.keller@contoso.com' }],
  ['Remove-DistributionGroupMember', { Member: 'bella.cruz@contoso.com', Confirm: false }],
  ['Remove-DistributionGroup', { Confirm: false }],
])('%s on a synced group is refused with the documented words', async (cmdlet, more) => {
  const before = await bench.group('Plant News');
  const refused = detailOf(await bench.invoke(cmdlet, { Identity: 'Plant News', ...more }));
  expect(refused).toContain(`out of the current user's write scope. The action '${cmdlet}'`);
  expect(refused).toContain('because the object is being synchronized from your on-premises organization.');
  expect(await bench.group('Plant News')).toEqual(before);
});

test('removal without Confirm false asks and removes nothing', async () => {
  const asked = await bench.invoke('Remove-DistributionGroup', { Identity: 'Sales Nordics' });
  expect(asked.body).toHaveProperty(['@adminapi.confirmationmessage']);
  await expect(bench.group('Sales Nordics')).resolves.toBeDefined();
  const member = { Identity: 'Sales Nordics', Member: 'bruno.keller@contoso.com' };
  expect((await bench.invoke('Remove-DistributionGroupMember', member)).body).toHaveProperty([
    '@adminapi.confirmationmessage',
  ]);
  expect((await bench.group('Sales Nordics')).members).toContain(await bench.userId('bruno.keller@contoso.com'));
});

test('a removed group is gone from both sides and from the groups it was in', async () => {
  await bench.createGroup('Inner');
  await bench.invoke('Add-DistributionGroupMember', { Identity: 'Sales Nordics', Member: 'Inner' });
  const { id } = await bench.group('Inner');
  await bench.invoke('Remove-DistributionGroup', { Identity: 'Inner', Confirm: false, ...bypass });
  expect((await bench.graph('GET', `/groups/${id}`)).status).toBe(404);
  expect((await bench.group('Sales Nordics')).members).not.toContain(id);
});

test('addresses: an array replaces, a tagged hashtable edits, a new primary keeps the old', async () => {
  const set = (more: object) =>
    bench.invoke('Set-DistributionGroup', { Identity: 'sales-nordics@contoso.onmicrosoft.com', ...more });
  const addresses = async () => (await bench.group('Sales Nordics')).proxyAddresses;
  await set({ EmailAddresses: { '@odata.type': '#Exchange.GenericHashTable', Add: ['smtp:sales@contoso.com'] } });
  expect(await addresses()).toEqual([
    'SMTP:sales-nordics@contoso.com',
    'smtp:sales-nordics@contoso.onmicrosoft.com',
    'smtp:sales@contoso.com',
  ]);
  await set({ PrimarySmtpAddress: 'sales@contoso.com' });
  expect((await addresses())[0]).toBe('SMTP:sales@contoso.com');
  expect(await addresses()).toContain('smtp:sales-nordics@contoso.com');
  expect((await bench.group('Sales Nordics')).mail).toBe('sales@contoso.com');
  await set({ EmailAddresses: ['SMTP:sales-nordics@contoso.onmicrosoft.com'] });
  expect(await addresses()).toEqual(['SMTP:sales-nordics@contoso.onmicrosoft.com']);
  expect((await set({ EmailAddresses: ['x@contoso.com'], PrimarySmtpAddress: 'x@contoso.com' })).status).toBe(400);
  expect((await set({ EmailAddresses: { Add: ['smtp:y@contoso.com'] } })).status).toBe(400);
  expect(detailOf(await set({ PrimarySmtpAddress: 'finance-approvers@contoso.com' }))).toContain(
    'WLCDManagedMemberExistsException',
  );
});

test('owners are edited by any of their names, and never to nobody', async () => {
  const set = (ManagedBy: unknown) => bench.invoke('Set-DistributionGroup', { Identity: 'Sales Nordics', ManagedBy });
  await set({ '@odata.type': '#Exchange.GenericHashTable', Add: ['Bruno Keller'], Remove: [owner] });
  expect((await bench.group('Sales Nordics')).owners).toEqual([await bench.userId('bruno.keller@contoso.com')]);
  expect(detailOf(await set([]))).toContain(
    'MinGroupOwnersCriteriaBreachedException|The group must have at least one owner',
  );
});

test('what only Set-DistributionGroup knows is refused at creation', async () => {
  const refused = await bench.invoke('New-DistributionGroup', {
    Name: 'x',
    ManagedBy: [owner],
    HiddenFromAddressListsEnabled: true,
  });
  expect(refused.body.error.details[0]).toEqual({
    code: 'Client',
    target: '',
    message:
      '|Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException|Parameter set cannot be resolved using the specified named parameters. Invalid cmdlet parameters specified. HiddenFromAddressListsEnabled',
  });
});

test('an Identity may be name, alias, address, display name, GUID or Entra id', async () => {
  const [row] = rowsOf(await bench.invoke('Get-DistributionGroup', { Identity: 'Finance Approvers' }));
  for (const key of ['Name', 'Alias', 'PrimarySmtpAddress', 'DistinguishedName', 'Guid', 'ExternalDirectoryObjectId'])
    expect(namesOf(await bench.invoke('Get-DistributionGroup', { Identity: row?.[key] }))).toEqual([
      'Finance Approvers',
    ]);
});

test('one name may match two groups: two rows for a read, a refusal for a write', async () => {
  const read = await bench.invoke('Get-DistributionGroup', { Identity: 'Announcements' });
  expect(namesOf(read)).toEqual(['Announcements North', 'Announcements South']);
  const write = await bench.invoke('Set-DistributionGroup', { Identity: 'Announcements', MailTip: 'x' });
  expect(detailOf(write)).toContain('matches multiple entries');
});

test('a null or empty Identity returns every group, as documented', async () => {
  const all = namesOf(await bench.invoke('Get-DistributionGroup'));
  expect(all.length).toBeGreaterThan(5);
  expect(namesOf(await bench.invoke('Get-DistributionGroup', { Identity: null }))).toEqual(all);
  expect(namesOf(await bench.invoke('Get-DistributionGroup', { Identity: '' }))).toEqual(all);
  expect((await bench.invoke('Get-DistributionGroup', { Identity: 'nothing like it' })).status).toBe(404);
});

test('dynamic distribution and Microsoft 365 groups are recipients, not distribution groups', async () => {
  const details = rowsOf(await bench.invoke('Get-Recipient')).map(({ RecipientTypeDetails }) => RecipientTypeDetails);
  expect(details).toEqual(
    expect.arrayContaining(['DynamicDistributionGroup', 'GroupMailbox', 'SharedMailbox', 'RoomMailbox', 'MailUser']),
  );
  const groups = rowsOf(await bench.invoke('Get-DistributionGroup')).map(
    ({ RecipientTypeDetails }) => RecipientTypeDetails,
  );
  expect(groups).not.toContain('DynamicDistributionGroup');
  expect(groups).not.toContain('GroupMailbox');
});

test.each([
  ["Alias -eq 'sales-nordics'", ['Sales Nordics']],
  ["EmailAddresses -eq 'smtp:sales-nordics@contoso.onmicrosoft.com'", ['Sales Nordics']],
  ["Name -like 'Announcements*' -and -not (Alias -like '*south')", ['Announcements North']],
  ["(Alias -eq 'sales-nordics') -or (DisplayName -eq 'Finance Approvers')", ['Finance Approvers', 'Sales Nordics']],
  ["DisplayName -eq 'O''Brien'", []],
  ["RecipientTypeDetails -eq 'RoomList'", ['Meeting Rooms']],
])('the filter %s finds what it says', async (Filter, names) => {
  expect(namesOf(await bench.invoke('Get-DistributionGroup', { Filter }))).toEqual(names);
});

test('a quote in a filter is doubled, in Exchange as in Graph', async () => {
  await bench.createGroup("Brien's Group");
  const exchange = await bench.invoke('Get-DistributionGroup', { Filter: "Name -eq 'Brien''s Group'" });
  expect(namesOf(exchange)).toEqual(["Brien's Group"]);
  const graph = await bench.graph('GET', `/groups?$filter=${encodeURIComponent("displayName eq 'Brien''s Group'")}`);
  expect(graph.body.value).toHaveLength(1);
});

test.each(["Colour -eq 'red'", "Alias -is 'x'", "Alias -eq 'x", 'Alias -eq x', "(Alias -eq 'x'"])(
  'the filter %s is refused',
  async (Filter) => {
    expect((await bench.invoke('Get-Recipient', { Filter })).status).toBe(400);
  },
);

test('the groups of a person are found by distinguished name', async () => {
  const [person] = rowsOf(await bench.invoke('Get-Recipient', { Identity: 'hugo.brandt@contoso.com' }));
  const groups = await bench.invoke('Get-Recipient', { Filter: `Members -eq '${String(person?.DistinguishedName)}'` });
  expect(namesOf(groups)).toEqual(['Finance Approvers']);
});

test('$select and Properties cut the rows', async () => {
  const picked = await bench.invoke(
    'Get-DistributionGroup',
    { Identity: 'Sales Nordics' },
    { query: '?$select=Name,Alias' },
  );
  expect(rowsOf(picked)).toEqual([{ Name: 'Sales Nordics', Alias: 'sales-nordics' }]);
  const properties = await bench.invoke('Get-Recipient', { Identity: 'Sales Nordics', Properties: ['Alias'] });
  expect(rowsOf(properties)).toEqual([{ Alias: 'sales-nordics' }]);
});

test('booleans may come as text, where the tenant is set so', async () => {
  await bench.control('PUT', 'tenant', { settings: { booleansAsStrings: true } });
  const [row] = rowsOf(await bench.invoke('Get-DistributionGroup', { Identity: 'Plant News' }));
  expect(row).toMatchObject({ IsDirSynced: 'True' });
});
