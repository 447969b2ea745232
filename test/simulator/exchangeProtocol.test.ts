import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

const invokePath = () => `/adminapi/beta/${bench.sim.tenantId}/InvokeCommand`;
const anchor = () => ({
  'x-anchormailbox': `APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@${bench.sim.tenantId}`,
});
const nulls = '\0'.repeat(4096);

test('parameter names are bound without regard to case', async () => {
  expect((await bench.invoke('get-distributiongroup', { identity: 'Sales Nordics' })).body.value).toHaveLength(1);
});

test('a wrong type is refused by the conversion, with the envelope of E8', async () => {
  const refused = await bench.invoke('Get-DistributionGroup', { Identity: 5 });
  expect(refused).toMatchObject({
    status: 400,
    body: {
      error: {
        message: 'Invalid Operation',
        innererror: {
          internalexception: { type: 'Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException' },
        },
        '@adminapi.warnings': [],
      },
    },
  });
  expect(refused.body.error).not.toHaveProperty('details');
});

test('an enumerator matches by prefix, and a wrong one is refused with the list', async () => {
  const make = (Type: string) =>
    bench.invoke('New-DistributionGroup', { Name: `T ${Type}`, Type, ManagedBy: ['amara.osei@contoso.com'] });
  expect((await make('sec')).body.value[0]).toMatchObject({ RecipientTypeDetails: 'MailUniversalSecurityGroup' });
  expect((await make('Nonsense')).body.error.innererror.internalexception.message).toContain(
    'Specify one of the following enumerator names and try again: Distribution, Security',
  );
});

test('a parameter that is real but not modelled is 501, not unknown', async () => {
  expect((await bench.invoke('Get-DistributionGroup', { SortBy: 'Name' })).status).toBe(501);
});

test('a member is one member', async () => {
  expect(
    (await bench.invoke('Add-DistributionGroupMember', { Identity: 'Sales Nordics', Member: ['a', 'b'] })).status,
  ).toBe(400);
});

test.each([
  ['lower-case keys', { cmdletInput: { CmdletName: 'Get-OrganizationConfig', Parameters: {} } }],
  ['null Parameters', { CmdletInput: { CmdletName: 'Get-OrganizationConfig', Parameters: null } }],
  ['lower-case parameters', { CmdletInput: { CmdletName: 'Get-OrganizationConfig', parameters: {} } }],
  ['no name', { CmdletInput: { Parameters: {} } }],
  ['broken JSON', '{"CmdletInput":'],
])('a body with %s is refused', async (_what, body) => {
  expect((await bench.exchange(invokePath(), { body })).status).toBe(400);
});

test('an unknown cmdlet is 403 with NUL bytes', async () => {
  expect(await bench.invoke('Get-Nonsense')).toMatchObject({ status: 403, text: nulls });
});

test('paths of Exchange that are not modelled are 501', async () => {
  expect((await bench.exchange(`/adminapi/v2.0/${bench.sim.tenantId}/InvokeCommand`, { body: {} })).status).toBe(501);
  expect((await bench.exchange(`/adminapi/beta/${bench.sim.tenantId}/Mailbox`, { method: 'GET' })).status).toBe(501);
});

test('the tenant is named by id or initial domain, and v1.0 works as beta does', async () => {
  const body = { CmdletInput: { CmdletName: 'Get-OrganizationConfig', Parameters: {} } };
  for (const path of ['v1.0/contoso.onmicrosoft.com', `v1.0/${bench.sim.tenantId}`])
    expect((await bench.exchange(`/adminapi/${path}/InvokeCommand`, { body })).status).toBe(200);
  expect((await bench.exchange('/adminapi/beta/fabrikam.onmicrosoft.com/InvokeCommand', { body })).status).toBe(401);
});

test.each([
  ['a token without the app role', 'without-exchange-app-role'],
  ['a Graph token', null],
])('%s is 401 with an empty body and a challenge', async (_what, app) => {
  const token = app === null ? await bench.token('graph') : await bench.token('exchange', app);
  const refused = await bench.invoke('Get-OrganizationConfig', {}, { token });
  expect(refused).toMatchObject({ status: 401, text: '' });
  expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
});

test('an expired token is 401 by the simulated clock', async () => {
  const token = await bench.token('exchange');
  await bench.control('POST', 'clock', { advanceMs: 25 * 3_600_000 });
  expect((await bench.invoke('Get-OrganizationConfig', {}, { token })).status).toBe(401);
});

test('a principal without a directory role is 403 with NUL bytes', async () => {
  const token = await bench.token('exchange', 'without-directory-role');
  expect(await bench.invoke('Get-OrganizationConfig', {}, { token })).toMatchObject({ status: 403, text: nulls });
});

test('a Recipient Administrator lacks the bypass parameter, and a reader lacks the writes', async () => {
  const recipients = await bench.token('exchange', 'recipient-administrator');
  const member = { Identity: 'Sales Nordics', Member: 'vera.kovac@contoso.com' };
  const hidden = await bench.invoke(
    'Add-DistributionGroupMember',
    { ...member, BypassSecurityGroupManagerCheck: true },
    { token: recipients },
  );
  expect(hidden.body.error.details[0]?.message).toContain(
    'Invalid cmdlet parameters specified. BypassSecurityGroupManagerCheck',
  );
  expect((await bench.invoke('Add-DistributionGroupMember', member, { token: recipients })).status).toBe(200);
  const reader = await bench.token('exchange', 'global-reader');
  expect((await bench.invoke('Get-DistributionGroup', {}, { token: reader })).status).toBe(200);
  expect(
    (await bench.invoke('Remove-DistributionGroup', { Identity: 'Sales Nordics', Confirm: false }, { token: reader }))
      .status,
  ).toBe(403);
});

test('the module file lists what the principal may run, without side effects', async () => {
  const list = (app?: string, headers: Record<string, string> = { CommandName: '*' }) =>
    bench.token('exchange', app).then((token) =>
      bench.exchange(`/adminapi/v1.0/${bench.sim.tenantId}/EXOModuleFile?Version=3.9.2`, {
        method: 'GET',
        token,
        headers,
      }),
    );
  expect((await list()).body.value[0]?.exportedCmdlets).toEqual(
    expect.arrayContaining(['New-DistributionGroup', 'Get-Recipient']),
  );
  expect((await list('global-reader')).body.value[0]?.exportedCmdlets).not.toContain('New-DistributionGroup');
  expect((await list('without-directory-role')).status).toBe(403);
  expect((await list(undefined, {})).status).toBe(400);
});

test('pages are POSTed again with the same anchor and body', async () => {
  const body = { CmdletInput: { CmdletName: 'Get-DistributionGroup', Parameters: { ResultSize: 'Unlimited' } } };
  const headers = { ...anchor(), prefer: 'odata.maxpagesize=3' };
  const first = await bench.exchange(invokePath(), { body, headers });
  const seen = [...(first.body.value as { Name: string }[])];
  let next = first.body['@odata.nextLink'];
  expect(next?.startsWith(bench.sim.urls.exchange)).toBe(true);
  const link = next ?? '';
  while (next !== undefined) {
    const page = await bench.exchange(next.slice(bench.sim.urls.exchange.length), { body, headers });
    seen.push(...(page.body.value as { Name: string }[]));
    next = page.body['@odata.nextLink'];
  }
  const all = (await bench.invoke('Get-DistributionGroup')).body.value as { Name: string }[];
  expect(seen.map(({ Name }) => Name)).toEqual(all.map(({ Name }) => Name));
  const replay = (more: object, changed: unknown = body) =>
    bench.exchange(link.slice(bench.sim.urls.exchange.length), {
      body: changed,
      headers: { prefer: 'odata.maxpagesize=3', ...more },
    });
  const expired = {
    status: 400,
    body: {
      error: {
        innererror: {
          internalexception: { message: 'Expired or Invalid pagination request. Default Expiry time is 00:30:00' },
        },
      },
    },
  };
  expect(await replay({})).toMatchObject(expired);
  expect(await replay({ 'x-anchormailbox': 'APP:other' })).toMatchObject(expired);
  expect(await replay(anchor(), { CmdletInput: { CmdletName: 'Get-Recipient', Parameters: {} } })).toMatchObject(
    expired,
  );
  await bench.control('POST', 'clock', { advanceMs: 31 * 60_000 });
  expect(await replay(anchor())).toMatchObject(expired);
});

test('a next link from a call without anchor is never good', async () => {
  const body = { CmdletInput: { CmdletName: 'Get-DistributionGroup', Parameters: {} } };
  const headers = { prefer: 'odata.maxpagesize=3' };
  const first = await bench.exchange(invokePath(), { body, headers });
  const link = (first.body['@odata.nextLink'] ?? '').slice(bench.sim.urls.exchange.length);
  expect((await bench.exchange(link, { body, headers })).status).toBe(400);
});

test('beyond ResultSize rows are cut, and only a warning says so', async () => {
  const cut = await bench.invoke('Get-DistributionGroup', { ResultSize: 2 });
  expect(cut.body.value).toHaveLength(2);
  expect(cut.body['@adminapi.warnings']).toEqual([
    'There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter.',
  ]);
});

test('a group of 1,200 is cut at 1,000 unless asked for whole', async () => {
  const users = Array.from({ length: 1200 }, (_, index) => `member${String(index)}@contoso.com`);
  await bench.control('PUT', 'tenant', {
    users: users.map((userPrincipalName) => ({ userPrincipalName, mail: userPrincipalName })),
    groups: [
      {
        displayName: 'Everybody',
        mailEnabled: true,
        securityEnabled: false,
        members: users,
        owners: users.slice(0, 1),
      },
    ],
  });
  const members = (more: object) => bench.invoke('Get-DistributionGroupMember', { Identity: 'Everybody', ...more });
  const cut = await members({});
  expect(cut.body.value).toHaveLength(1000);
  expect(cut.body['@adminapi.warnings']).toHaveLength(1);
  const whole = await members({ ResultSize: 'Unlimited' });
  expect(whole.body.value).toHaveLength(1000);
  expect(whole.body['@odata.nextLink']).toBeDefined();
});

interface Part {
  id: string;
  status: number;
  body: { value?: unknown[]; error?: { details?: { target: string; message: string }[] } } | null;
}
const part = (id: string, CmdletName: string, Parameters: object, more: object = {}) => ({
  id,
  method: 'POST',
  url: `${bench.sim.urls.exchange}${invokePath()}`,
  headers: {},
  body: { CmdletInput: { CmdletName, Parameters } },
  ...more,
});
const batch = (requests: unknown[], options = {}) =>
  bench.exchange(`/adminapi/beta/${bench.sim.tenantId}/$batch`, { body: { requests }, ...options });
const add = (id: string, Member: string) =>
  part(id, 'Add-DistributionGroupMember', { Identity: 'Sales Nordics', Member });

test('a batch answers part by part, in no promised order, and keeps a row for each in the journal', async () => {
  const people = ['chiara.lind', 'daniel.okafor', 'elena.marsh', 'nobody', 'bruno.keller'];
  const answered = await batch(people.map((name) => add(name, `${name}@contoso.com`)));
  const responses = (answered.body as unknown as { responses: Part[] }).responses;
  expect(answered.status).toBe(200);
  expect(responses.map(({ id }) => id)).not.toEqual(people);
  const status = Object.fromEntries(responses.map(({ id, status: each }) => [id, each]));
  expect(status).toEqual({
    'chiara.lind': 200,
    'daniel.okafor': 200,
    'elena.marsh': 200,
    nobody: 404,
    'bruno.keller': 400,
  });
  expect(responses.find(({ id }) => id === 'bruno.keller')?.body?.error?.details?.[0]).toMatchObject({ target: '' });
  const calls = (await bench.control('GET', 'calls')).body as unknown as {
    path: string;
    cmdlet: string | null;
    status: number;
  }[];
  const rows = calls.filter(({ path }) => path.startsWith('/adminapi'));
  expect(rows[0]).toMatchObject({ path: `/adminapi/beta/${bench.sim.tenantId}/$batch`, cmdlet: null, status: 200 });
  expect(rows.slice(1).map(({ cmdlet, status: each }) => [cmdlet, each])).toEqual(
    [200, 200, 200, 404, 400].map((each) => ['Add-DistributionGroupMember', each]),
  );
});

test('in a batch a member is removed without Confirm, a group is not', async () => {
  await batch([
    part('1', 'Remove-DistributionGroupMember', { Identity: 'Sales Nordics', Member: 'bruno.keller@contoso.com' }),
    part('2', 'Remove-DistributionGroup', { Identity: 'Announcements North' }),
  ]);
  expect((await bench.group('Sales Nordics')).members).not.toContain(await bench.userId('bruno.keller@contoso.com'));
  expect((await bench.state()).groups.some(({ mail }) => mail === 'announcements-north@contoso.com')).toBe(true);
});

test('a part with a token of its own is judged by that one', async () => {
  const token = await bench.token('exchange', 'without-directory-role');
  const answered = await batch([
    { ...add('1', 'chiara.lind@contoso.com'), headers: { Authorization: `Bearer ${token}` } },
  ]);
  expect((answered.body as unknown as { responses: Part[] }).responses[0]?.status).toBe(403);
  expect((await bench.control('GET', 'calls')).text).not.toContain(token);
});

test('a batch of eleven, of one id twice, or to another host is refused whole', async () => {
  const eleven = Array.from({ length: 11 }, (_, index) => add(String(index), 'chiara.lind@contoso.com'));
  expect((await batch(eleven)).status).toBe(400);
  expect((await batch([add('a', 'chiara.lind@contoso.com'), add('A', 'elena.marsh@contoso.com')])).status).toBe(400);
  expect(
    (await batch([{ ...add('1', 'chiara.lind@contoso.com'), url: 'http://example.com/InvokeCommand' }])).status,
  ).toBe(400);
  expect((await bench.group('Sales Nordics')).members).toHaveLength(4);
});
