import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createExchange, type Exchange } from '../../shared/exchange/client.ts';
import { createDistributionGroups } from '../../shared/exchange/distributionGroups.ts';
import { createExchangeMembers } from '../../shared/exchange/members.ts';
import { createRecipients } from '../../shared/exchange/recipients.ts';
import { type TestCall, testCall, testUpstream } from '../support/rooms.ts';
import { type Heard, type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

const tenantId = '11111111-2222-3333-4444-555555555555';
const anchor = `APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@${tenantId}`;

let server: ScriptedServer;
let exchange: Exchange;
let call: TestCall;

beforeAll(async () => {
  server = await startScriptedServer();
  exchange = createExchange(testUpstream('exchange', server.url), tenantId);
});
beforeEach(() => {
  server.heard.length = 0;
  server.script({ body: { value: [] } });
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => server.close());

const only = (): Heard => {
  expect(server.heard).toHaveLength(1);
  const [heard] = server.heard;
  if (heard === undefined) throw new Error('nothing was sent');
  return heard;
};
const command = (heard = only()) =>
  (JSON.parse(heard.body) as { CmdletInput: { CmdletName: string; Parameters: Record<string, unknown> } }).CmdletInput;

describe('a command', () => {
  test('is one POST of InvokeCommand with the headers of an app-only caller', async () => {
    await exchange.read({ name: 'Get-Recipient', parameters: { Identity: 'x' } }, call);
    const { method, path, headers, body } = only();
    expect({ method, path }).toEqual({ method: 'POST', path: `/adminapi/beta/${tenantId}/InvokeCommand` });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      accept: 'application/json',
      'x-anchormailbox': anchor,
      'x-cmdletname': 'Get-Recipient',
      'x-responseformat': 'json',
      prefer: 'odata.maxpagesize=1000',
    });
    expect(JSON.parse(body)).toEqual({ CmdletInput: { CmdletName: 'Get-Recipient', Parameters: { Identity: 'x' } } });
  });

  test('has a request id of its own', async () => {
    await exchange.read({ name: 'Get-Recipient', parameters: {} }, call);
    await exchange.read({ name: 'Get-Recipient', parameters: {} }, call);
    const ids = server.heard.map(({ headers }) => headers['client-request-id']);
    expect(new Set(ids).size).toBe(2);
    expect(ids).not.toContain(undefined);
  });

  test('sends Parameters as an object even when there are none, and leaves out what is undefined', async () => {
    await exchange.read({ name: 'Get-Recipient', parameters: { Identity: undefined } }, call);
    expect(command()).toEqual({ CmdletName: 'Get-Recipient', Parameters: {} });
  });

  test('keeps switches, texts, numbers and lists as they are, and tags an edit of a list', async () => {
    await exchange.write(
      {
        name: 'Set-DistributionGroup',
        parameters: {
          Identity: "O'Neil|#+ & co",
          HiddenFromAddressListsEnabled: false,
          ResultSize: 5,
          ManagedBy: ['a', 'b'],
          EmailAddresses: { add: ['smtp:x@contoso.com'], remove: ['smtp:y@contoso.com'] },
          Description: { add: ['only added'] },
          MailTip: { remove: ['only removed'] },
        },
      },
      call,
    );
    expect(command().Parameters).toEqual({
      Identity: "O'Neil|#+ & co",
      HiddenFromAddressListsEnabled: false,
      ResultSize: 5,
      ManagedBy: ['a', 'b'],
      EmailAddresses: {
        '@odata.type': '#Exchange.GenericHashTable',
        Add: ['smtp:x@contoso.com'],
        Remove: ['smtp:y@contoso.com'],
      },
      Description: { '@odata.type': '#Exchange.GenericHashTable', Add: ['only added'] },
      MailTip: { '@odata.type': '#Exchange.GenericHashTable', Remove: ['only removed'] },
    });
  });

  test('that lists what the principal may run is a GET of the module file', async () => {
    server.script({ body: { value: [{ exportedCmdlets: ['Get-Recipient', 'Set-DistributionGroup'] }] } });
    expect(await exchange.availableCmdlets(call)).toEqual(['Get-Recipient', 'Set-DistributionGroup']);
    expect(only()).toMatchObject({
      method: 'GET',
      path: `/adminapi/v1.0/${tenantId}/EXOModuleFile?Version=3.9.2`,
      headers: expect.objectContaining({ commandname: '*', 'x-anchormailbox': anchor }),
    });
  });
});

describe('a batch', () => {
  test('holds each command as a request of its own, with its token and its cmdlet', async () => {
    const commands = [
      { name: 'Add-DistributionGroupMember', parameters: { Identity: 'g', Member: 'a' } },
      { name: 'Get-Recipient', parameters: { Identity: 'b' } },
    ] as const;
    server.script({ body: { responses: [] } });
    await exchange.batch(commands, 'write', call);
    const { method, path, headers, body } = only();
    expect({ method, path }).toEqual({ method: 'POST', path: `/adminapi/beta/${tenantId}/$batch` });
    const prefer = 'odata.maxpagesize=1000;odata.continue-on-error';
    expect(headers).toMatchObject({ 'x-anchormailbox': anchor, prefer });
    expect(headers).not.toHaveProperty('x-cmdletname');
    const { requests } = JSON.parse(body) as { requests: unknown[] };
    expect(requests).toEqual(
      commands.map(({ name, parameters }, index) => ({
        id: String(index),
        method: 'POST',
        url: `${server.url}/adminapi/beta/${tenantId}/InvokeCommand`,
        headers: expect.objectContaining({
          'content-type': 'application/json',
          'x-anchormailbox': anchor,
          'x-cmdletname': name,
          prefer,
          authorization: expect.stringMatching(/^Bearer ./),
        }),
        body: { CmdletInput: { CmdletName: name, Parameters: parameters } },
      })),
    );
  });

  test('of nothing makes no call', async () => {
    expect(await exchange.batch([], 'write', call)).toEqual([]);
    expect(server.heard).toEqual([]);
  });

  test('of more than ten is an error of ours, before anything is sent', async () => {
    const commands = Array.from({ length: 11 }, () => ({ name: 'Get-Recipient', parameters: {} }) as const);
    await expect(exchange.batch(commands, 'read', call)).rejects.toBeInstanceOf(RangeError);
    expect(server.heard).toEqual([]);
  });
});

describe('the commands of this app', () => {
  const group = {
    kind: 'mailEnabledSecurity',
    name: 'Finance Approvers',
    displayName: 'Finance approvers',
    alias: 'finance',
    primarySmtpAddress: null,
    description: null,
    owners: ['owner-id'],
    requireSenderAuthentication: true,
    ignoreNamingPolicy: false,
  } as const;

  test('create a group without what was not asked for', async () => {
    await createDistributionGroups(exchange).create(group, call);
    expect(command()).toEqual({
      CmdletName: 'New-DistributionGroup',
      Parameters: {
        Name: 'Finance Approvers',
        DisplayName: 'Finance approvers',
        Alias: 'finance',
        Type: 'Security',
        ManagedBy: ['owner-id'],
        RequireSenderAuthenticationEnabled: true,
      },
    });
  });

  test('create a group with everything', async () => {
    await createDistributionGroups(exchange).create(
      {
        ...group,
        kind: 'distributionList',
        primarySmtpAddress: 'finance@contoso.com',
        description: 'who approves',
        requireSenderAuthentication: false,
        ignoreNamingPolicy: true,
      },
      call,
    );
    expect(command().Parameters).toMatchObject({
      Type: 'Distribution',
      PrimarySmtpAddress: 'finance@contoso.com',
      Description: ['who approves'],
      RequireSenderAuthenticationEnabled: false,
      IgnoreNamingPolicy: true,
    });
  });

  test('change and remove a group past the manager check, and remove without asking', async () => {
    const groups = createDistributionGroups(exchange);
    await groups.change('ex-id', { hideFromAddressLists: true, description: 'x', addresses: { add: ['a'] } }, call);
    await groups.change('ex-id', {}, call);
    await groups.remove('ex-id', call);
    expect(server.heard.map(command)).toEqual([
      {
        CmdletName: 'Set-DistributionGroup',
        Parameters: {
          Identity: 'ex-id',
          HiddenFromAddressListsEnabled: true,
          Description: ['x'],
          EmailAddresses: { '@odata.type': '#Exchange.GenericHashTable', Add: ['a'] },
          BypassSecurityGroupManagerCheck: true,
        },
      },
      {
        CmdletName: 'Set-DistributionGroup',
        Parameters: { Identity: 'ex-id', BypassSecurityGroupManagerCheck: true },
      },
      {
        CmdletName: 'Remove-DistributionGroup',
        Parameters: { Identity: 'ex-id', Confirm: false, BypassSecurityGroupManagerCheck: true },
      },
    ]);
  });

  test('add and remove members one by one, past the manager check, and remove without asking', async () => {
    server.script({ body: { responses: [] } });
    const members = createExchangeMembers(exchange);
    await members.change('add', 'g', ['a', 'b'], call);
    await members.change('remove', 'g', ['a'], call);
    const sent = server.heard.map(
      ({ body }) => (JSON.parse(body) as { requests: { body: { CmdletInput: unknown } }[] }).requests,
    );
    const bypass = { Identity: 'g', BypassSecurityGroupManagerCheck: true };
    expect(sent.map((requests) => requests.map(({ body }) => body.CmdletInput))).toEqual([
      [
        { CmdletName: 'Add-DistributionGroupMember', Parameters: { ...bypass, Member: 'a' } },
        { CmdletName: 'Add-DistributionGroupMember', Parameters: { ...bypass, Member: 'b' } },
      ],
      [{ CmdletName: 'Remove-DistributionGroupMember', Parameters: { ...bypass, Member: 'a', Confirm: false } }],
    ]);
  });

  test('find a group by id or address with an Identity, by name with a filter whose quotes are doubled', async () => {
    const groups = createDistributionGroups(exchange);
    await groups.find('finance@contoso.com', call);
    await groups.find(tenantId, call);
    await groups.find("O'Neil's team", call);
    expect(server.heard.map((heard) => command(heard).Parameters)).toEqual([
      { Identity: 'finance@contoso.com' },
      { Identity: tenantId },
      {
        Filter: "Name -eq 'O''Neil''s team' -or DisplayName -eq 'O''Neil''s team'",
        ResultSize: 'Unlimited',
      },
    ]);
  });

  test.each(['', '  '])('never ask for a group without a name ("%s"): Exchange would give all', async (name) => {
    expect(await createDistributionGroups(exchange).find(name, call)).toEqual([]);
    expect(server.heard).toEqual([]);
  });

  test('look for whoever holds an alias, a name or an address', async () => {
    await createRecipients(exchange).holders({ alias: 'a', name: "n'n", addresses: ['x@contoso.com', 'y@c.de'] }, call);
    expect(command()).toEqual({
      CmdletName: 'Get-Recipient',
      Parameters: {
        Filter:
          "Alias -eq 'a' -or Name -eq 'n''n' -or EmailAddresses -eq 'smtp:x@contoso.com' -or EmailAddresses -eq 'smtp:y@c.de'",
        ResultSize: 'Unlimited',
      },
    });
  });

  test('look up members ten in a batch', async () => {
    server.script({ body: { responses: [] } });
    const identities = Array.from({ length: 23 }, (_, index) => `user${index}@contoso.com`);
    expect(await createRecipients(exchange).lookUp(identities, call)).toHaveLength(23);
    expect(server.heard.map(({ body }) => (JSON.parse(body) as { requests: unknown[] }).requests.length)).toEqual([
      10, 10, 3,
    ]);
  });
});
