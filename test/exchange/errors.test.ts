import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FaultCode } from '../../shared/errors.ts';
import { createExchange, type Exchange } from '../../shared/exchange/client.ts';
import { type ExchangeErrorKind, ExchangeFault, readExchangeError } from '../../shared/exchange/errors.ts';
import { faultOf, quickClock, type TestCall, testCall, testUpstream } from '../support/rooms.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

let server: ScriptedServer;
let exchange: Exchange;
let call: TestCall;

beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => {
  // Anew for each test: a gate that one has closed stays closed.
  exchange = createExchange(testUpstream('exchange', server.url), 'tenant');
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => server.close());

const odata = 'Microsoft.Exchange.Admin.OData.Core.ODataServiceException';

/** E10: what a cmdlet itself throws. */
const cmdletError = (type: string, text: string, hash = 'Ex6F9304') => ({
  error: {
    code: 'BadRequest',
    message: 'Error executing cmdlet',
    details: [{ code: 'Context', target: '', message: `${hash}|${type}|${text}` }],
    innererror: { message: 'Error executing cmdlet', type: odata, stacktrace: '   at X()' },
  },
});
/** E8: no details. */
const innerError = (type: string, text: string) => ({
  error: {
    code: 'BadRequest',
    message: 'Invalid Operation',
    innererror: {
      message: 'Invalid Operation',
      type: odata,
      stacktrace: '',
      internalexception: { message: text, type, stacktrace: '' },
    },
  },
});

const read = async (status: number, body: unknown): Promise<ExchangeFault> => {
  server.script({ status, headers: { 'request-id': 'their-id' }, body });
  const fault = await faultOf(exchange.read({ name: 'Get-DistributionGroup', parameters: {} }, call));
  if (fault instanceof ExchangeFault) return fault;
  throw new Error(`${fault.code} is no refusal of Exchange`);
};
const writeFault = (status: number, body: unknown) => {
  server.script({ status, body });
  return faultOf(exchange.write({ name: 'Set-DistributionGroup', parameters: {} }, call));
};

const tasks = 'Microsoft.Exchange.Management.Tasks';
const synced =
  "The action 'Set-DistributionGroup', 'X', can't be performed on the object 'Y' because the object is being synchronized from your on-premises organization.";
const aad = 'Microsoft.Exchange.Configuration.DualWrite.LocStrings.UnableToWriteToAadException';

const rows: [type: string, text: string, kind: ExchangeErrorKind, code: FaultCode][] = [
  [
    'Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException',
    'nicht gefunden',
    'notFound',
    'upstream_rejected',
  ],
  [
    'Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException',
    'matches multiple entries',
    'ambiguous',
    'ambiguous_group',
  ],
  [`${tasks}.MemberAlreadyExistsException`, 'déjà membre', 'alreadyMember', 'upstream_rejected'],
  [`${tasks}.MemberNotFoundException`, 'kein Mitglied', 'notAMember', 'upstream_rejected'],
  [
    `${tasks}.WLCDManagedMemberExistsException`,
    'The proxy address "SMTP:x@contoso.com" is already being used.',
    'addressInUse',
    'address_in_use',
  ],
  [`${tasks}.ProxyAddressExistsException`, 'x', 'addressInUse', 'address_in_use'],
  ['Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException', 'x', 'addressInUse', 'address_in_use'],
  [
    aad,
    'Another object with the same value for property proxyAddresses already exists.',
    'addressInUse',
    'address_in_use',
  ],
  [`${tasks}.MinGroupOwnersCriteriaBreachedException`, 'x', 'lastOwner', 'last_owner'],
  ['System.InvalidOperationException', synced, 'synced', 'on_premises_synced'],
  [`${tasks}.InsufficientPermissionsException`, 'x', 'forbidden', 'exchange_forbidden'],
  ['System.Exception', 'The executing user is not in the current organization', 'forbidden', 'exchange_forbidden'],
  ['System.Exception', "'X' isn't within your current write scopes.", 'forbidden', 'exchange_forbidden'],
  ['System.Exception', "You don't have sufficient permissions.", 'forbidden', 'exchange_forbidden'],
  ['System.Exception', 'The role assigned to application x is not enough', 'forbidden', 'exchange_forbidden'],
  ['System.Exception', 'anything else', 'rejected', 'upstream_rejected'],
];

describe('a refusal', () => {
  test.each(rows)('by %s ("%s") is %s', async (type, text, kind, code) => {
    for (const status of [400, 404]) {
      const fault = await read(status, cmdletError(type, text));
      expect(fault).toMatchObject({
        kind,
        code,
        exchangeType: type,
        upstream: 'exchange',
        upstreamRequestId: 'their-id',
      });
      expect(fault.message).toBe(`Exchange refused Get-DistributionGroup: ${text}`);
      expect(fault.fix).not.toBe('');
      expect(await read(status, innerError(type, text))).toMatchObject({ kind, code, exchangeType: type });
    }
    expect(await writeFault(400, cmdletError(type, text))).toMatchObject({ kind, code });
  });

  test.each([
    [
      aad,
      'An Azure Active Directory call was made. The issue may be transient and please retry a couple of minutes later.',
    ],
    ...[
      'DCOverloadedException',
      'SuitabilityDirectoryException',
      'ServerInMMException',
      'ADServerSettingsChangedException',
      'StorageTransientException',
      'ServerBusyException',
      'TransientException',
      'BackendCommunicationException',
      'CmdletProxyNotAvailableException',
      'CmdletProxyNotAvailableFailure',
    ].map((type): [string, string] => [`Microsoft.Exchange.${type}`, 'later']),
  ])('by %s is tried again by a read and leaves a write open', async (type, text) => {
    const heardBefore = server.heard.length;
    exchange = createExchange(testUpstream('exchange', server.url, { clock: quickClock() }), 'tenant');
    server.script({ status: 400, body: cmdletError(type, text) });
    const fault = await faultOf(exchange.read({ name: 'Get-DistributionGroup', parameters: {} }, call));
    expect(fault.code).toBe('upstream_failed');
    expect(server.heard.length - heardBefore).toBe(4);
    expect(await writeFault(400, cmdletError(type, text))).toMatchObject({ code: 'outcome_unknown' });
    expect(server.heard.length - heardBefore).toBe(5);
  });

  test('of a parameter has no hash before its type (E9)', async () => {
    const type = 'Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException';
    const text = 'Parameter set cannot be resolved. BogusParameter';
    expect(await read(400, cmdletError(type, text, ''))).toMatchObject({
      kind: 'forbidden',
      code: 'exchange_forbidden',
      exchangeType: type,
    });
  });

  test('keeps the bars of its text', async () => {
    const fault = await read(404, cmdletError('A.ManagementObjectNotFoundException', "object 'a|b|c' is gone"));
    expect(fault).toMatchObject({ kind: 'notFound', exchangeType: 'A.ManagementObjectNotFoundException' });
    expect(fault.message).toContain("object 'a|b|c' is gone");
  });

  test('is not taken for another whose type only ends alike', async () => {
    expect(await read(400, cmdletError('A.NoMemberAlreadyExistsException', 'x'))).toMatchObject({ kind: 'rejected' });
  });

  test.each([
    ['without details', { error: { message: 'outer words' } }, 'outer words'],
    ['with details that say nothing', { error: { details: [{ code: 'x' }], message: 'outer words' } }, 'outer words'],
    ['with a detail that names no type', { error: { details: [{ message: 'plain' }], message: 'outer' } }, 'outer'],
    ['with the inner error alone', { error: { innererror: { message: 'inner words', type: 'A.B' } } }, 'inner words'],
    ['without any words', { error: {} }, 'HTTP 400'],
    ['that is no error', { odd: true }, 'HTTP 400'],
  ])('%s says what there is', async (_, body, said) => {
    const fault = await read(400, body);
    expect(fault).toMatchObject({ kind: 'rejected', code: 'upstream_rejected' });
    expect(fault.message).toBe(`Exchange refused Get-DistributionGroup: ${said}`);
  });

  test('gives no secret on', async () => {
    const fault = await read(400, cmdletError('A.B', 'with Bearer abcdef.ghi and\nAccountKey=secret1'));
    expect(fault.message).not.toMatch(/abcdef|secret1|\n/);
  });

  test('that is no object names nothing', () => {
    expect(readExchangeError('text')).toEqual({ type: null, message: null });
    expect(readExchangeError({ error: 'text' })).toEqual({ type: null, message: null });
  });
});
