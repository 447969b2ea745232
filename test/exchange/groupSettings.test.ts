import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createDistributionGroups,
  type DistributionGroupChange,
  isDeliveryRestricted,
} from '../../shared/exchange/distributionGroups.ts';
import { createExchange } from '../../shared/exchange/client.ts';
import { createRecipients, isEntryOf } from '../../shared/exchange/recipients.ts';
import { testCall, testUpstream } from '../support/rooms.ts';
import { startScriptedServer } from '../support/scriptedServer.ts';

const server = await startScriptedServer();
const exchange = createExchange(testUpstream('exchange', server.url), 'a-tenant');
const groups = createDistributionGroups(exchange);
const call = testCall();

beforeEach(() => {
  server.heard.length = 0;
});
afterAll(() => server.close());
afterAll(() => {
  call.end();
});

const address = 'list@contoso.com';

async function read(row: object) {
  server.script({ body: { value: [{ Guid: 'a-guid', PrimarySmtpAddress: address, ...row }] } });
  const [group] = await groups.find(address, call);
  return group;
}

test('a group is read with everything that Exchange says of it', async () => {
  const group = await read({
    RecipientTypeDetails: 'MailUniversalSecurityGroup',
    EmailAddresses: [`SMTP:${address}`, 'smtp:other@contoso.com', 'X500:/o=Contoso/cn=List', 'SPO:x'],
    MemberJoinRestriction: 'ApprovalRequired',
    MemberDepartRestriction: 'Open',
    ModerationEnabled: 'True',
    SendModerationNotifications: 'Internal',
    ModeratedBy: ['ada'],
    BypassModerationFromSendersOrMembers: ['ben'],
    AcceptMessagesOnlyFromSendersOrMembers: ['cleo'],
    RejectMessagesFromSendersOrMembers: ['dan'],
    GrantSendOnBehalfTo: ['eve'],
    MailTip: '<html>\r\n<body>\r\nAhoy & on\r\n</body>\r\n</html>\r\n',
    CustomAttribute1: 'one',
    CustomAttribute2: '',
    CustomAttribute15: 'fifteen',
    LegacyExchangeDN: '/o=ExchangeLabs/cn=List',
  });
  expect(group).toMatchObject({
    joinRestriction: 'approvalRequired',
    departRestriction: 'open',
    moderationEnabled: true,
    sendModerationNotifications: 'internal',
    moderatedBy: ['ada'],
    bypassModerationFrom: ['ben'],
    acceptMessagesFrom: ['cleo'],
    rejectMessagesFrom: ['dan'],
    sendOnBehalf: ['eve'],
    mailTip: 'Ahoy & on',
    customAttributes: { 1: 'one', 15: 'fifteen' },
    legacyExchangeDn: '/o=ExchangeLabs/cn=List',
    addresses: [address, 'other@contoso.com'],
    otherAddresses: ['X500:/o=Contoso/cn=List', 'SPO:x'],
  });
  expect(Object.keys(group?.customAttributes ?? {})).toEqual(['1', '15']);
});

test.each([
  ['MailUniversalSecurityGroup', 'closed'],
  ['MailUniversalDistributionGroup', 'open'],
])('a %s of which nothing is said has the defaults of its kind', async (RecipientTypeDetails, departRestriction) => {
  expect(await read({ RecipientTypeDetails, MailTip: '<html><body></body></html>' })).toMatchObject({
    joinRestriction: 'closed',
    departRestriction,
    sendModerationNotifications: 'always',
    moderationEnabled: false,
    acceptMessagesFrom: [],
    mailTip: null,
    customAttributes: {},
    legacyExchangeDn: null,
    otherAddresses: [],
  });
});

test.each<[DistributionGroupChange, object]>([
  [{}, {}],
  [
    { name: 'N', displayName: 'D', alias: 'a', primarySmtpAddress: address, ignoreNamingPolicy: true },
    { Name: 'N', DisplayName: 'D', Alias: 'a', PrimarySmtpAddress: address, IgnoreNamingPolicy: true },
  ],
  [
    { addresses: { add: ['X500:/o=Contoso/cn=List'] }, owners: ['ada'] },
    {
      EmailAddresses: { '@odata.type': '#Exchange.GenericHashTable', Add: ['X500:/o=Contoso/cn=List'] },
      ManagedBy: ['ada'],
    },
  ],
  [
    { description: 'x', mailTip: 'y', ignoreNamingPolicy: false },
    { Description: ['x'], MailTip: 'y' },
  ],
  [
    { description: null, mailTip: null, customAttributes: { 1: 'one', 15: '' } },
    { Description: [], MailTip: null, CustomAttribute1: 'one', CustomAttribute15: '' },
  ],
  [
    { hideFromAddressLists: false, requireSenderAuthentication: true, moderationEnabled: false },
    { HiddenFromAddressListsEnabled: false, RequireSenderAuthenticationEnabled: true, ModerationEnabled: false },
  ],
  [
    { joinRestriction: 'approvalRequired', departRestriction: 'closed', sendModerationNotifications: 'never' },
    {
      MemberJoinRestriction: 'ApprovalRequired',
      MemberDepartRestriction: 'Closed',
      SendModerationNotifications: 'Never',
    },
  ],
  [
    {
      moderatedBy: ['a'],
      bypassModerationFrom: ['b'],
      acceptMessagesFrom: ['c'],
      rejectMessagesFrom: [],
      sendOnBehalf: [],
    },
    {
      ModeratedBy: ['a'],
      BypassModerationFromSendersOrMembers: ['b'],
      AcceptMessagesOnlyFromSendersOrMembers: ['c'],
      RejectMessagesFromSendersOrMembers: [],
      GrantSendOnBehalfTo: [],
    },
  ],
])('the change %j is sent as these parameters and no others', async (change, parameters) => {
  server.script({ body: { value: [] } });
  await groups.change('a-guid', change, call);
  expect(JSON.parse(server.heard[0]?.body ?? '')).toEqual({
    CmdletInput: {
      CmdletName: 'Set-DistributionGroup',
      Parameters: { Identity: 'a-guid', BypassSecurityGroupManagerCheck: true, ...parameters },
    },
  });
});

test('delivery is restricted by moderation, or by a list of senders', () => {
  expect(isDeliveryRestricted({ acceptMessagesFrom: [], moderationEnabled: false })).toBe(false);
  expect(isDeliveryRestricted({ acceptMessagesFrom: ['ada'], moderationEnabled: false })).toBe(true);
  expect(isDeliveryRestricted({ acceptMessagesFrom: [], moderationEnabled: true })).toBe(true);
});

describe('an entry of a list of Exchange', () => {
  const row = {
    Guid: 'a-guid',
    ExternalDirectoryObjectId: 'an-id',
    Name: 'Ada',
    Alias: 'ada-l',
    DistinguishedName: 'CN=Ada',
  };
  const answer = { id: '0', status: 200, body: { value: [row] } };

  test.each(['an-id', 'A-GUID', 'ada', 'ada-l', 'cn=ada', 'EURPR01A001.PROD.OUTLOOK.COM/contoso.com/Ada'])(
    '"%s" means its recipient',
    async (entry) => {
      server.script({ body: { responses: [answer] } });
      const [lookup] = await createRecipients(exchange).lookUpEntries([entry], call);
      expect(lookup).toMatchObject({ type: 'found', recipient: { exchangeId: 'a-guid' } });
    },
  );

  test.each(['Adam', 'x/', 'Ada/Eve', ''])('"%s" means somebody else', async (entry) => {
    server.script({ body: { responses: [answer] } });
    const [lookup] = await createRecipients(exchange).lookUpEntries([entry], call);
    expect(lookup).toEqual({ type: 'missing' });
  });

  test('never means a recipient by an empty name', async () => {
    server.script({ body: { responses: [{ ...answer, body: { value: [{ Guid: 'a-guid' }] } }] } });
    const [lookup] = await createRecipients(exchange).lookUpEntries(['a-guid'], call);
    if (lookup?.type !== 'found') throw new Error('not found');
    expect(isEntryOf(lookup.recipient, 'x/')).toBe(false);
  });
});
