import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createExchange, type Exchange } from '../../shared/exchange/client.ts';
import { createDistributionGroups, type DistributionGroups } from '../../shared/exchange/distributionGroups.ts';
import { createExchangeMembers } from '../../shared/exchange/members.ts';
import { createRecipients, type Recipients } from '../../shared/exchange/recipients.ts';
import { createTokenSource } from '../../shared/upstream/tokens.ts';
import { faultOf, type TestCall, testCall, testUpstream } from '../support/rooms.ts';
import { startWorld, type World } from '../support/world.ts';

/** Against the simulated tenant, with tokens of its Entra. */

let world: World;
let exchange: Exchange;
let groups: DistributionGroups;
let recipients: Recipients;
let call: TestCall;

beforeAll(async () => {
  world = await startWorld();
  const { urls, tenantId, clientId, clientSecret } = world.simulator;
  const tokens = createTokenSource('https://outlook.office365.com/.default', async () => {
    const { ClientSecretCredential } = await import('@azure/identity');
    const options = { authorityHost: urls.login, disableInstanceDiscovery: true };
    return new ClientSecretCredential(tenantId, clientId, clientSecret, options);
  });
  exchange = createExchange(testUpstream('exchange', urls.exchange, { tokens }), tenantId);
  groups = createDistributionGroups(exchange);
  recipients = createRecipients(exchange);
});
beforeEach(async () => {
  await world.control.reset();
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => world.close());

const newGroup = {
  kind: 'mailEnabledSecurity',
  name: 'Payroll',
  displayName: 'Payroll team',
  alias: 'payroll',
  primarySmtpAddress: 'payroll@contoso.com',
  description: 'who pays',
  owners: ['amara.osei@contoso.com'],
  requireSenderAuthentication: true,
  ignoreNamingPolicy: false,
} as const;

describe('a distribution group', () => {
  test('is found by its ids, any of its addresses, its name and its display name, whatever the case', async () => {
    const [byAddress] = await groups.find('Finance-Approvers@contoso.com', call);
    expect(byAddress).toMatchObject({
      name: 'Finance Approvers',
      kind: 'mailEnabledSecurity',
      primarySmtpAddress: 'finance-approvers@contoso.com',
      addresses: ['finance-approvers@contoso.com', 'finance-approvers@contoso.onmicrosoft.com'],
      isDirSynced: false,
    });
    const names = [
      byAddress?.id,
      byAddress?.exchangeId,
      'finance-approvers@contoso.onmicrosoft.com',
      'FINANCE approvers',
    ];
    for (const name of names) expect(await groups.find(name ?? '', call)).toEqual([byAddress]);
  });

  test('of each kind is told from the others', async () => {
    expect(await groups.find('sales-nordics@contoso.com', call)).toMatchObject([{ kind: 'distributionList' }]);
    expect(await groups.find('meeting-rooms@contoso.com', call)).toMatchObject([
      { kind: null, recipientType: 'RoomList' },
    ]);
    expect(await groups.find('plant-news@contoso.com', call)).toMatchObject([{ isDirSynced: true }]);
  });

  test('that shares its display name comes with the other', async () => {
    const found = await groups.find('Announcements', call);
    expect(found.map(({ name }) => name).sort()).toEqual(['Announcements North', 'Announcements South']);
  });

  test.each([
    ['an address nobody has', 'nobody@contoso.com'],
    ['an id nobody has', '00000000-0000-0000-0000-000000000001'],
    ['a name nobody has', 'No such group'],
    ['an alias, which names no group', 'sales-nordics'],
    ['the address of a person', 'amara.osei@contoso.com'],
  ])('is not found by %s', async (_, identity) => {
    expect(await groups.find(identity, call)).toEqual([]);
  });

  test('cannot be looked for while Exchange fails', async () => {
    await world.control.fault({ upstream: 'exchange', match: {}, fault: { kind: 'status', status: 400 }, times: 9 });
    expect(await faultOf(groups.find('sales-nordics@contoso.com', call))).toMatchObject({ code: 'upstream_rejected' });
  });

  test('comes without its row when the row is for another', async () => {
    await world.control.fault({
      upstream: 'exchange',
      match: {},
      fault: {
        kind: 'status',
        status: 200,
        body: { value: [{ Guid: 'x', Name: 'Another', PrimarySmtpAddress: 'x@y.de' }] },
      },
    });
    expect(await groups.find('sales-nordics@contoso.com', call)).toEqual([]);
  });

  test('is created, changed, read with booleans as text, and removed', async () => {
    await groups.create(newGroup, call);
    const [created] = await groups.find('payroll@contoso.com', call);
    expect(created).toMatchObject({
      kind: 'mailEnabledSecurity',
      description: 'who pays',
      hideFromAddressLists: false,
      requireSenderAuthentication: true,
      id: expect.any(String),
    });
    const id = created?.exchangeId ?? '';
    await groups.change(id, { hideFromAddressLists: true, addresses: { add: ['smtp:wages@contoso.com'] } }, call);
    await world.control.tenant({ settings: { booleansAsStrings: true } });
    const [changed] = await groups.find('wages@contoso.com', call);
    expect(changed).toMatchObject({
      exchangeId: id,
      primarySmtpAddress: 'payroll@contoso.com',
      hideFromAddressLists: true,
      isDirSynced: false,
    });
    await groups.remove(id, call);
    expect(await groups.find(id, call)).toEqual([]);
  });

  test('with a name full of quotes is created and found', async () => {
    const displayName = `O'Neil's "A|B" team #1 + 50%`;
    await groups.create({ ...newGroup, name: displayName, displayName }, call);
    expect(await groups.find(displayName, call)).toMatchObject([{ displayName }]);
  });

  test('whose address is taken is refused as such', async () => {
    const taken = { ...newGroup, primarySmtpAddress: 'sales-nordics@contoso.com' };
    expect(await faultOf(groups.create(taken, call))).toMatchObject({ code: 'address_in_use', kind: 'addressInUse' });
  });

  test('whose creation loses its answer may have been carried out', async () => {
    await world.control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'New-DistributionGroup' },
      fault: { kind: 'commitThenReset' },
    });
    expect(await faultOf(groups.create(newGroup, call))).toMatchObject({ code: 'outcome_unknown' });
    expect(await world.control.calls({ cmdlet: 'New-DistributionGroup' })).toHaveLength(1);
    expect(await groups.find('payroll@contoso.com', call)).toHaveLength(1);
  });
});

describe('a recipient', () => {
  test('is found by id, UPN or any address; what is not there is missing, in the order asked', async () => {
    const guest = 'guest.partner_example.com#EXT#@contoso.onmicrosoft.com';
    const lookups = await recipients.lookUp(
      [
        'amara.osei@contoso.com',
        'nobody@contoso.com',
        'AMARA.OSEI@contoso.onmicrosoft.com',
        guest,
        'guest.partner@example.com',
        'pat.supplier@example.com',
        'new.hire@contoso.com',
        'project-aurora@contoso.com',
      ],
      call,
    );
    expect(
      lookups.map((each) =>
        each.type === 'found' ? [each.recipient.recipientType, each.recipient.displayName] : each.type,
      ),
    ).toEqual([
      ['UserMailbox', 'Amara Osei'],
      'missing',
      ['UserMailbox', 'Amara Osei'],
      ['GuestMailUser', 'Guest Partner'],
      ['GuestMailUser', 'Guest Partner'],
      ['MailContact', 'Pat Supplier'],
      'missing',
      ['GroupMailbox', 'Project Aurora'],
    ]);
    const [amara] = lookups;
    const id = amara?.type === 'found' ? (amara.recipient.id ?? '') : '';
    expect(await recipients.lookUp([id], call)).toEqual([amara]);
  });

  test('is never found by its alias or its display name', async () => {
    const found = await recipients.lookUp(['amara.osei', 'Amara Osei', 'sales-nordics'], call);
    expect(found).toEqual([{ type: 'missing' }, { type: 'missing' }, { type: 'missing' }]);
  });

  test('whose lookup fails is neither found nor missing', async () => {
    await world.control.fault({
      upstream: 'exchange',
      match: {},
      fault: { kind: 'batchParts', indexes: [1], status: 503 },
    });
    const [first, second] = await recipients.lookUp(['amara.osei@contoso.com', 'bruno.keller@contoso.com'], call);
    expect(first).toMatchObject({ type: 'found' });
    expect(second).toMatchObject({ type: 'failed', fault: { code: 'upstream_failed' } });
  });

  test('that two objects claim to be is ambiguous', async () => {
    const row = { PrimarySmtpAddress: 'twin@contoso.com', ExchangeObjectId: 'x' };
    const body = { responses: [{ id: '0', status: 200, body: { value: [row, { ...row, ExchangeObjectId: 'y' }] } }] };
    await world.control.fault({ upstream: 'exchange', match: {}, fault: { kind: 'status', status: 200, body } });
    expect(await recipients.lookUp(['twin@contoso.com'], call)).toEqual([{ type: 'ambiguous', count: 2 }]);
  });

  test('of any type is found as the holder of an alias, a name or an address', async () => {
    const held = async (of: Partial<Parameters<Recipients['holders']>[0]>) =>
      (await recipients.holders({ alias: 'free', name: 'Free', addresses: [], ...of }, call)).map(
        ({ displayName }) => displayName,
      );
    expect(await held({})).toEqual([]);
    expect(await held({ alias: 'sales-nordics' })).toEqual(['Sales Nordics']);
    expect(await held({ name: 'Announcements North' })).toEqual(['Announcements']);
    expect(await held({ addresses: ['amara.osei@contoso.onmicrosoft.com'] })).toEqual(['Amara Osei']);
    expect(await held({ addresses: ['social-club@contoso.com', 'pat.supplier@example.com'] })).toHaveLength(2);
  });
});

describe('members', () => {
  test('are added and removed in one call, and told apart one by one', async () => {
    const members = createExchangeMembers(exchange);
    const [group] = await groups.find('finance-approvers@contoso.com', call);
    const id = group?.exchangeId ?? '';
    const wanted = ['hugo.brandt@contoso.com', 'vera.kovac@contoso.com', 'nobody@contoso.com'];
    const added = await members.change('add', id, wanted, call);
    expect(added).toMatchObject([
      { ok: false, fault: { kind: 'alreadyMember' } },
      { ok: true },
      { ok: false, fault: { kind: 'notFound' } },
    ]);
    const removed = await members.change('remove', id, ['vera.kovac@contoso.com', 'grace.tan@contoso.com'], call);
    expect(removed).toMatchObject([{ ok: true }, { ok: false, fault: { kind: 'notAMember' } }]);
    expect(await world.control.calls({ upstream: 'exchange', path: '$batch' })).toHaveLength(2);
  });

  test('whose group is synced are refused as such', async () => {
    const [part] = await createExchangeMembers(exchange).change(
      'add',
      'plant-news@contoso.com',
      ['vera.kovac@contoso.com'],
      call,
    );
    expect(part).toMatchObject({ ok: false, fault: { code: 'on_premises_synced' } });
  });
});

test('a long list is read to its end from the tenant', async () => {
  const contacts = Array.from({ length: 2_100 }, (_, index) => ({
    mail: `crowd${index}@example.org`,
    displayName: `Crowd ${index}`,
  }));
  await world.control.tenant({ contacts });
  const parameters = { Filter: "RecipientTypeDetails -eq 'MailContact'", ResultSize: 'Unlimited' };
  const rows = await exchange.read({ name: 'Get-Recipient', parameters }, call);
  expect(rows.filter(({ DisplayName }) => String(DisplayName).startsWith('Crowd'))).toHaveLength(2_100);
  expect(await world.control.calls({ cmdlet: 'Get-Recipient' })).toHaveLength(3);
});

test('the commands that this app uses are among those it may run', async () => {
  expect(await exchange.availableCmdlets(call)).toEqual(
    expect.arrayContaining(['New-DistributionGroup', 'Get-Recipient']),
  );
});
