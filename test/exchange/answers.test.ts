import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createExchange, type Exchange } from '../../shared/exchange/client.ts';
import { createDistributionGroups } from '../../shared/exchange/distributionGroups.ts';
import { createRecipients } from '../../shared/exchange/recipients.ts';
import { ExchangeFault } from '../../shared/exchange/errors.ts';
import { type Claims, faultOf, type TestCall, testCall, testTokens, testUpstream } from '../support/rooms.ts';
import { type ScriptedAnswer, type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

let server: ScriptedServer;
let exchange: Exchange;
let call: TestCall;

beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => {
  // Anew for each test: a gate that one has closed stays closed.
  exchange = createExchange(testUpstream('exchange', server.url), 'tenant');
  server.heard.length = 0;
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => server.close());

const read = (answer: ScriptedAnswer, from = exchange) => {
  server.script(answer);
  return from.read({ name: 'Get-DistributionGroup', parameters: { Identity: 'x' } }, call);
};
const write = (answer: ScriptedAnswer, from = exchange) => {
  server.script({ ...answer, headers: { 'request-id': 'their-id', ...answer.headers } });
  return from.write({ name: 'Set-DistributionGroup', parameters: { Identity: 'x' } }, call);
};
const nuls = '\0'.repeat(4096);
const html = '<html><body>Our services are not available right now</body></html>';

describe('the answer to a read', () => {
  test('is its rows without the companions of their properties', async () => {
    const value = [{ 'Name@odata.type': '#String', Name: 'one', 'Guid@data.type': 'System.Guid', Guid: 'g' }];
    expect(await read({ body: { '@odata.context': 'x', '@adminapi.warnings': [], value } })).toEqual([
      { Name: 'one', Guid: 'g' },
    ]);
  });

  test('may be an empty list', async () => {
    expect(await read({ body: { value: [] } })).toEqual([]);
  });

  test.each([
    ['nothing', ''],
    ['NULs', nuls],
    ['a page', html],
    ['text', 'Service is busy'],
    ['an object without a list', {}],
    ['a list that is none', { value: { Name: 'x' } }],
    ['no object', '[]'],
  ])('that is a 200 with %s is an error, never an empty list', async (_, body) => {
    expect(await faultOf(read({ body }))).toMatchObject({ code: 'upstream_failed', upstream: 'exchange' });
  });

  test.each(['', nuls])('says that there was nothing in it', async (body) => {
    expect((await faultOf(read({ body }))).message).toContain('HTTP 200 with nothing in it');
  });

  test('that is a page quotes it in one line', async () => {
    const fault = await faultOf(read({ body: '<html>\n<b>down</b>\n</html>' }));
    expect(fault.message).toContain('<html> <b>down</b> </html>');
  });

  test('that holds an error in a 200 is that error', async () => {
    expect(await faultOf(read({ body: { error: { message: 'no' }, value: [] } }))).toBeInstanceOf(ExchangeFault);
  });
});

describe('the answer to a write', () => {
  test.each([
    ['an empty list', { value: [] }],
    ['an empty object', {}],
    ['nothing', ''],
  ])('that is %s is a success without output', async (_, body) => {
    expect(await write({ body })).toMatchObject({ rows: [], nextLink: null, requestId: 'their-id' });
  });

  test('that is a 204 is a success', async () => {
    expect(await write({ status: 204 })).toMatchObject({ rows: [], warnings: [] });
  });

  test('brings what was put out, with warnings', async () => {
    const output = await write({ body: { '@adminapi.warnings': ['slow'], value: [{ Name: 'x' }] } });
    expect(output).toMatchObject({ rows: [{ Name: 'x' }], warnings: ['slow'] });
  });

  test.each([
    ['a page', { body: html }],
    ['text', { body: 'hm' }],
    ['a 502 page', { status: 502, body: html }],
    ['a redirect', { status: 302, headers: { location: 'https://example.net' } }],
  ])('that is %s leaves the outcome open', async (_, answer) => {
    const fault = await faultOf(write(answer));
    expect(fault).toMatchObject({ code: 'outcome_unknown', upstream: 'exchange', upstreamRequestId: 'their-id' });
    expect(fault.fix).toContain('Repeat the request');
    expect(server.heard).toHaveLength(1);
  });

  test('that asks for a confirmation is no success', async () => {
    const body = { '@adminapi.confirmationmessage': 'Are you sure?', value: [] };
    expect(await faultOf(write({ body }))).toMatchObject({ code: 'upstream_rejected', upstreamRequestId: 'their-id' });
  });
});

test('errors beside the output of a 200 fail a read and leave a write open, even with rows', async () => {
  const body = { '@adminapi.errors': ['Partly done | AccountKey=hush'], value: [{ Name: 'x' }] };
  const [failed, open] = [await faultOf(read({ body })), await faultOf(write({ body }))];
  expect(failed).toMatchObject({ code: 'upstream_failed', upstream: 'exchange' });
  expect(open).toMatchObject({ code: 'outcome_unknown', upstreamRequestId: 'their-id' });
  for (const { message } of [failed, open]) {
    expect(message).toContain('Partly done');
    expect(message).not.toContain('hush');
  }
  expect(await read({ body: { '@adminapi.errors': [], value: [] } })).toEqual([]);
});

describe('a flag of a group', () => {
  const identity = 'list@contoso.com';
  const find = async (row: object) => {
    server.script({ body: { value: [{ Guid: 'a-guid', PrimarySmtpAddress: identity, ...row }] } });
    const [group] = await createDistributionGroups(exchange).find(identity, call);
    return group;
  };

  test.each([
    [true, true],
    ['True', true],
    ['true', true],
    [false, false],
    ['False', false],
    [null, false],
    [undefined, false],
    ['', false],
  ])('sent as %p is %p', async (sent, flag) => {
    expect(await find({ IsDirSynced: sent, HiddenFromAddressListsEnabled: sent })).toMatchObject({
      isDirSynced: flag,
      hideFromAddressLists: flag,
    });
  });

  test('stands beside values that came without their list, or not at all', async () => {
    expect(await find({ ManagedBy: 'one owner', Description: ['a', 'b'], EmailAddresses: null })).toMatchObject({
      managedBy: ['one owner'],
      description: 'a\nb',
      addresses: [identity],
      id: null,
      kind: null,
    });
  });
});

test('a group or a recipient without its GUID is an error: a write would name nothing', async () => {
  const value = [{ PrimarySmtpAddress: 'list@contoso.com' }];
  server.script({ body: { value } });
  const found = createDistributionGroups(exchange).find('list@contoso.com', call);
  expect(await faultOf(found)).toMatchObject({ code: 'upstream_failed', upstream: 'exchange' });
  const held = createRecipients(exchange).holders({ alias: 'a', name: 'n', addresses: [] }, call);
  expect(await faultOf(held)).toMatchObject({ code: 'upstream_failed', upstream: 'exchange' });
});

test('a recipient that Exchange cannot tell from another is ambiguous, not missing', async () => {
  const message = 'Ex1|A.ManagementObjectAmbiguousException|matches multiple entries';
  const part = { id: '0', status: 400, body: { error: { details: [{ message }] } } };
  server.script({ body: { responses: [part] } });
  expect(await createRecipients(exchange).lookUp(['x@contoso.com'], call)).toMatchObject([{ type: 'ambiguous' }]);
});

test('a creation tells the group that it made, where it tells any', async () => {
  const groups = createDistributionGroups(exchange);
  const output = await write({ body: { value: [{ Guid: 'g', Name: 'New', GroupType: 'Universal' }] } });
  expect(groups.inOutput(output)).toMatchObject({ exchangeId: 'g', name: 'New', displayName: 'New' });
  expect(groups.inOutput(await write({ body: '' }))).toBeNull();
});

test('a recipient may come with next to nothing, and be told by the id of Exchange alone', async () => {
  const Guid = '0f0e0d0c-0b0a-0908-0706-050403020100';
  server.script({ body: { responses: [{ id: '0', status: 200, body: { value: [{ Guid }] } }] } });
  expect(await createRecipients(exchange).lookUp([Guid.toUpperCase()], call)).toMatchObject([
    { type: 'found', recipient: { exchangeId: Guid, id: null, alias: '', addresses: [], recipientType: '' } },
  ]);
});

describe('a 401 or a 403', () => {
  const withClaims = (claims: Claims) =>
    createExchange(testUpstream('exchange', server.url, { tokens: testTokens(claims) }), 'tenant');

  test.each([
    ['401, empty', { status: 401 }, { roles: [] }, 'exchange_app_role_missing', 'dc50a0fb-09a3-484d-be87-e023b12c6440'],
    ['403, NULs', { status: 403, body: nuls }, { roles: ['Other'] }, 'exchange_app_role_missing', 'ManageAsApp'],
    [
      '403, NULs',
      { status: 403, body: nuls },
      { wids: [] },
      'exchange_directory_role_missing',
      'Exchange Administrator',
    ],
    ['403, NULs', { status: 403, body: nuls }, {}, 'exchange_forbidden', 'roles of the service principal'],
    ['401, empty', { status: 401 }, {}, 'exchange_forbidden', 'roles of the service principal'],
  ])('(%s) names what the token lacks', async (_, answer, claims, code, fix) => {
    for (const fault of [
      await faultOf(read(answer, withClaims(claims))),
      await faultOf(write(answer, withClaims(claims))),
    ]) {
      expect(fault).toMatchObject({ code, upstream: 'exchange' });
      expect(fault.fix).toContain(fix);
    }
    expect(server.heard).toHaveLength(2);
  });

  test.each([
    ['x-ms-diagnostics', '2000003;reason="The role is missing"', 'The role is missing'],
    ['www-authenticate', 'Bearer client_id="x", token_types="y", error="invalid_token"', 'error="invalid_token"'],
  ])('says what Exchange says in %s', async (name, value, said) => {
    const fault = await faultOf(read({ status: 403, headers: { [name]: value } }));
    expect(fault.message).toContain(said);
  });

  test('makes the next call ask for a new credential', async () => {
    const tokens = testTokens();
    let forgotten = 0;
    const counting = {
      ...tokens,
      forget: () => {
        forgotten += 1;
      },
    };
    const own = createExchange(testUpstream('exchange', server.url, { tokens: counting }), 'tenant');
    await faultOf(read({ status: 403 }, own));
    expect(forgotten).toBe(1);
    await read({ body: { value: [] } }, own);
    await faultOf(read({ status: 404 }, own));
    expect(forgotten).toBe(1);
  });
});
