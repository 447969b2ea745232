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
const bypass = { BypassSecurityGroupManagerCheck: true };
const table = (edit: object) => ({ '@odata.type': '#Exchange.GenericHashTable', ...edit });
const rowsOf = ({ body }: Answer) => body.value;
const read = async (Identity: string) => rowsOf(await bench.invoke('Get-DistributionGroup', { Identity }))[0] ?? {};
const set = (Identity: string, more: object) => bench.invoke('Set-DistributionGroup', { Identity, ...more, ...bypass });
const IN_USE = 'WLCDManagedMemberExistsException|The proxy address';

test.each([
  'AcceptMessagesOnlyFromSendersOrMembers',
  'RejectMessagesFromSendersOrMembers',
  'BypassModerationFromSendersOrMembers',
  'GrantSendOnBehalfTo',
])('%s is replaced and edited under any name, and knows no strangers', async (name) => {
  const [bruno, list] = [await bench.userId('bruno.keller@contoso.com'), await bench.group('Plant News')];
  await set('Sales Nordics', { [name]: ['bruno.keller@contoso.com', 'Plant News'] });
  expect((await read('Sales Nordics'))[name]).toEqual([bruno, list.id]);
  await set('Sales Nordics', { [name]: table({ Add: [owner], Remove: ['Bruno Keller'] }) });
  expect((await read('Sales Nordics'))[name]).toEqual([list.id, await bench.userId(owner)]);
  const refused = await set('Sales Nordics', { [name]: table({ Add: ['nobody@contoso.com'] }) });
  expect(refused.status).toBe(404);
  expect(detailOf(refused)).toContain('ManagementObjectNotFoundException');
  await set('Sales Nordics', { [name]: null });
  expect((await read('Sales Nordics'))[name]).toEqual([]);
});

test('who is deleted is in no list any more', async () => {
  await bench.createGroup('Inner');
  await set('Sales Nordics', { AcceptMessagesOnlyFromSendersOrMembers: ['Inner', owner] });
  await bench.invoke('Remove-DistributionGroup', { Identity: 'Inner', Confirm: false, ...bypass });
  const { AcceptMessagesOnlyFromSendersOrMembers: left } = await read('Sales Nordics');
  expect(left).toEqual([await bench.userId(owner)]);
});

test('moderators are edited by name, and moderation of a security group needs one', async () => {
  await bench.createGroup('Badge Holders');
  const refused = await set('Badge Holders', { ModerationEnabled: true });
  expect(detailOf(refused)).toContain('moderator');
  await set('Badge Holders', { ModerationEnabled: true, ModeratedBy: [owner, 'bruno.keller@contoso.com'] });
  await set('Badge Holders', { ModeratedBy: table({ Remove: ['Amara Osei'] }) });
  expect(await read('Badge Holders')).toMatchObject({
    ModerationEnabled: true,
    ModeratedBy: [await bench.userId('bruno.keller@contoso.com')],
  });
  expect((await set('Badge Holders', { ModeratedBy: [] })).status).toBe(400);
});

test('a row shows every setting of a group', async () => {
  const settings = {
    MemberJoinRestriction: 'ApprovalRequired',
    MemberDepartRestriction: 'Closed',
    RequireSenderAuthenticationEnabled: false,
    HiddenFromAddressListsEnabled: true,
    SendModerationNotifications: 'Internal',
    BypassNestedModerationEnabled: true,
    BccBlocked: true,
    CustomAttribute15: 'blue',
  };
  await set('Sales Nordics', { ...settings, MailTip: 'Big list' });
  expect(await read('Sales Nordics')).toMatchObject({
    ...settings,
    MailTip: '<html><body>Big list</body></html>',
    CustomAttribute1: '',
    LegacyExchangeDN: expect.stringMatching(/^\/o=ExchangeLabs\/ou=.*\/cn=Recipients\/cn=[0-9a-f]{32}-SalesNordics$/),
  });
  expect((await set('Sales Nordics', { MailTip: 'x'.repeat(176) })).status).toBe(400);
});

test('a re-created group has another LegacyExchangeDN, and takes the old one as X500', async () => {
  const make = () => bench.invoke('New-DistributionGroup', { Name: 'Badge Holders', ManagedBy: [owner] });
  await make();
  const { LegacyExchangeDN: before } = await read('Badge Holders');
  await bench.createGroup('Other');
  const X500 = `X500:${String(before)}`;
  const add = (Identity: string) => set(Identity, { EmailAddresses: table({ Add: [X500] }) });
  expect(detailOf(await add('Other'))).toContain(IN_USE);
  await bench.invoke('Remove-DistributionGroup', { Identity: 'Badge Holders', Confirm: false });
  await make();
  expect((await read('Badge Holders')).LegacyExchangeDN).not.toBe(before);
  expect((await add('Badge Holders')).status).toBe(200);
  expect(await read('Badge Holders')).toMatchObject({
    EmailAddresses: ['SMTP:BadgeHolders@contoso.com', X500],
    PrimarySmtpAddress: 'BadgeHolders@contoso.com',
  });
  expect(detailOf(await add('Other'))).toContain(IN_USE);
});

test('addresses of a removed group are free at once, or after a while where the tenant is set so', async () => {
  const make = (Name: string) =>
    bench.invoke('New-DistributionGroup', { Name, ManagedBy: [owner], PrimarySmtpAddress: 'badges@contoso.com' });
  const remove = (Identity: string) => bench.invoke('Remove-DistributionGroup', { Identity, Confirm: false });
  await make('One');
  await remove('One');
  expect((await make('Two')).status).toBe(200);
  await bench.control('PUT', 'tenant', { settings: { addressQuarantineMs: 3_600_000 } });
  await remove('Two');
  expect(detailOf(await make('Three'))).toContain(IN_USE);
  await bench.control('POST', 'clock', { advanceMs: 3_600_001 });
  expect((await make('Three')).status).toBe(200);
});

test('an address of another kind is not modelled', async () => {
  expect((await set('Sales Nordics', { EmailAddresses: table({ Add: ['SIP:x@contoso.com'] }) })).status).toBe(501);
});

test('creation takes the restrictions and the moderation along', async () => {
  const given = {
    MemberJoinRestriction: 'Closed',
    MemberDepartRestriction: 'Closed',
    ModerationEnabled: true,
    SendModerationNotifications: 'Never',
    BypassNestedModerationEnabled: true,
    BccBlocked: true,
  };
  await bench.invoke('New-DistributionGroup', { Name: 'Badges', ManagedBy: [owner], ModeratedBy: [owner], ...given });
  expect(await read('Badges')).toMatchObject({ ...given, ModeratedBy: [await bench.userId(owner)] });
});

test('members are named by their Entra id: a person, a contact and a group', async () => {
  await bench.createGroup('Badge Holders');
  const { contacts } = await bench.state();
  const ids = [await bench.userId(owner), contacts[0]?.id ?? '', (await bench.group('Sales Nordics')).id];
  const group = await bench.group('Badge Holders');
  const change = (verb: string, Member: string) =>
    bench.invoke(`${verb}-DistributionGroupMember`, { Identity: group.id, Member, Confirm: false, ...bypass });
  for (const id of ids) expect((await change('Add', id)).status).toBe(200);
  expect((await bench.group('Badge Holders')).members).toEqual(ids);
  for (const id of ids) expect((await change('Remove', id.toUpperCase())).status).toBe(200);
  expect((await bench.group('Badge Holders')).members).toEqual([]);
});

test('dynamic distribution groups have their own cmdlet, and nothing in Entra', async () => {
  const all = rowsOf(await bench.invoke('Get-DynamicDistributionGroup', { ResultSize: 'Unlimited' }));
  expect(all).toEqual([
    expect.objectContaining({
      Name: 'Everyone In Support',
      RecipientTypeDetails: 'DynamicDistributionGroup',
      PrimarySmtpAddress: 'everyone-in-support@contoso.com',
      ExternalDirectoryObjectId: '',
    }),
  ]);
  expect(all[0]).not.toHaveProperty('MemberJoinRestriction');
  const find = (parameters: object) => bench.invoke('Get-DynamicDistributionGroup', parameters);
  expect(rowsOf(await find({ Identity: all[0]?.Guid }))).toEqual(all);
  expect(rowsOf(await find({ Filter: "Name -eq 'Everyone In Support' -or DisplayName -eq 'x'" }))).toEqual(all);
  expect(rowsOf(await find({ Filter: "Name -eq 'Sales Nordics'" }))).toEqual([]);
  expect((await find({ Identity: 'Sales Nordics' })).status).toBe(404);
  expect((await find({ Identity: (await bench.group('Everyone In Support')).id })).status).toBe(404);
});
