import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Config, type Environment, readConfig, readEventHookSetup } from '../shared/config.ts';
import type { Fault } from '../shared/errors.ts';

const tenantId = '11111111-1111-4111-8111-111111111111';
const clientId = '22222222-2222-4222-8222-222222222222';
const pem = [
  '-----BEGIN PRIVATE KEY-----',
  'MIIE',
  '-----END PRIVATE KEY-----',
  '-----BEGIN CERTIFICATE-----',
  'MIIC',
  '-----END CERTIFICATE-----',
].join('\n');
const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const rsaPem = rsaKey.export({ format: 'pem', type: 'pkcs8' }).toString();
/** The least that is valid: a system-assigned managed identity. */
const least: Environment = { AZURE_TENANT_ID: tenantId, AzureWebJobsStorage: 'UseDevelopmentStorage=true' };

function configOf(env: Environment): Config {
  const result = readConfig({ ...least, ...env });
  if (!result.ok) throw new Error(`Not valid: ${JSON.stringify(result.fault.errors)}`);
  return result.config;
}

function faultOf(env: Environment): Fault {
  const result = readConfig({ ...least, ...env });
  if (result.ok) throw new Error('Valid.');
  return result.fault;
}

const faultyNames = (env: Environment) => faultOf(env).errors.map(({ pointer }) => pointer);

describe('settings that are left out', () => {
  test('have the defaults of the README', () => {
    expect(configOf({})).toEqual({
      tenantId,
      credential: { type: 'managedIdentity', clientId: null },
      authorityHost: 'https://login.microsoftonline.com',
      graph: { baseUrl: 'https://graph.microsoft.com', scope: 'https://graph.microsoft.com/.default' },
      exchange: { baseUrl: 'https://outlook.office365.com', scope: 'https://outlook.office365.com/.default' },
      okta: null,
      eventHookSecrets: [],
      reconcileSchedule: '0 0 */6 * * *',
      storage: { type: 'connectionString', connectionString: 'UseDevelopmentStorage=true' },
      enabledRooms: new Set(['connection', 'groups', 'members', 'operations', 'push']),
      writeMode: 'on',
      protectedUsers: [],
      protectedGroups: [],
      managedGroups: null,
      operationRetentionDays: 30,
      snapshotRetentionDays: 90,
      auditRetentionDays: 400,
    });
  });

  test('and must not be are all named at once, in one fault', () => {
    const result = readConfig({ CREDENTIAL: 'clientCertificate' });
    expect(result).toMatchObject({
      ok: false,
      fault: {
        code: 'configuration_invalid',
        message: expect.stringContaining('AZURE_TENANT_ID'),
        errors: ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_CERTIFICATE', 'AzureWebJobsStorage'].map(
          (name) => ({ pointer: name, message: expect.stringContaining('is not set'), fix: expect.any(String) }),
        ),
      },
    });
  });

  test.each(['', ' ', '\t\n'])('and those that are blank (%j) are the same', (blank) => {
    const names = ['CLOUD', 'CREDENTIAL', 'AZURE_CLIENT_ID', 'WRITE_MODE', 'ENABLED_ROOMS', 'GRAPH_BASE_URL'];
    const lists = ['PROTECTED_USERS', 'PROTECTED_GROUPS', 'MANAGED_GROUPS', 'AzureWebJobsStorage__accountName'];
    expect(configOf(Object.fromEntries([...names, ...lists].map((name) => [name, blank])))).toEqual(configOf({}));
    expect(faultyNames({ AZURE_TENANT_ID: blank })).toEqual(['AZURE_TENANT_ID']);
  });

  test('spaces around a value do not count', () => {
    expect(configOf({ AZURE_TENANT_ID: ` ${tenantId}\n`, WRITE_MODE: ' off ' })).toMatchObject({
      tenantId,
      writeMode: 'off',
    });
  });
});

describe('the credential', () => {
  test('is a managed identity, of the system or of a user-assigned client id', () => {
    expect(configOf({ CREDENTIAL: 'managedIdentity' }).credential).toEqual({ type: 'managedIdentity', clientId: null });
    expect(configOf({ AZURE_CLIENT_ID: clientId.toUpperCase() }).credential).toEqual({
      type: 'managedIdentity',
      clientId,
    });
    expect(faultyNames({ AZURE_CLIENT_ID: 'my-identity' })).toEqual(['AZURE_CLIENT_ID']);
  });

  test('is a client secret, with the client it belongs to', () => {
    const given = { CREDENTIAL: 'clientSecret', AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: 'a~b' };
    expect(configOf(given).credential).toEqual({ type: 'clientSecret', clientId, clientSecret: 'a~b' });
    expect(faultyNames({ ...given, AZURE_CLIENT_ID: '', AZURE_CLIENT_SECRET: '' })).toEqual([
      'AZURE_CLIENT_ID',
      'AZURE_CLIENT_SECRET',
    ]);
    expect(faultyNames({ ...given, AZURE_CLIENT_ID: 'x' })).toEqual(['AZURE_CLIENT_ID']);
  });

  test('is a client certificate with its key, whether its line ends are real or spelt out', () => {
    const given = { CREDENTIAL: 'clientCertificate', AZURE_CLIENT_ID: clientId };
    const wanted = { type: 'clientCertificate', clientId, certificatePem: pem };
    expect(configOf({ ...given, AZURE_CLIENT_CERTIFICATE: pem }).credential).toEqual(wanted);
    expect(configOf({ ...given, AZURE_CLIENT_CERTIFICATE: pem.replaceAll('\n', '\\n') }).credential).toEqual(wanted);
  });

  test.each([
    ['the key', pem.slice(0, pem.indexOf('-----BEGIN CERT'))],
    ['the certificate', pem.slice(pem.indexOf('-----BEGIN CERT'))],
    ['a path', '/home/site/certificate.pem'],
  ])('is no client certificate with %s alone', (_what, certificate) => {
    const given = { CREDENTIAL: 'clientCertificate', AZURE_CLIENT_ID: clientId };
    expect(faultyNames({ ...given, AZURE_CLIENT_CERTIFICATE: certificate })).toEqual(['AZURE_CLIENT_CERTIFICATE']);
  });

  test.each(['password', 'ManagedIdentity', 'clientsecret'])('is nothing else, such as "%s"', (type) => {
    const [error] = faultOf({ CREDENTIAL: type }).errors;
    expect(error).toMatchObject({
      pointer: 'CREDENTIAL',
      fix: 'Use one of: managedIdentity, clientSecret, clientCertificate.',
    });
  });
});

describe('the cloud', () => {
  test.each([
    ['global', 'login.microsoftonline.com', 'graph.microsoft.com', 'outlook.office365.com', 'core.windows.net'],
    ['usGov', 'login.microsoftonline.us', 'graph.microsoft.us', 'outlook.office365.us', 'core.usgovcloudapi.net'],
    [
      'usGovDod',
      'login.microsoftonline.us',
      'dod-graph.microsoft.us',
      'outlook-dod.office365.us',
      'core.usgovcloudapi.net',
    ],
    [
      'china',
      'login.chinacloudapi.cn',
      'microsoftgraph.chinacloudapi.cn',
      'partner.outlook.cn',
      'core.chinacloudapi.cn',
    ],
  ])('%s has its own hosts, and tokens are made for these', (cloud, login, graph, exchange, storage) => {
    expect(configOf({ CLOUD: cloud, AzureWebJobsStorage__accountName: 'audit' })).toMatchObject({
      authorityHost: `https://${login}`,
      graph: { baseUrl: `https://${graph}`, scope: `https://${graph}/.default` },
      exchange: { baseUrl: `https://${exchange}`, scope: `https://${exchange}/.default` },
      storage: { tableServiceUri: `https://audit.table.${storage}` },
    });
  });

  test.each(['Global', 'germany', 'toString'])('is none of another name, such as "%s"', (cloud) => {
    expect(faultOf({ CLOUD: cloud }).errors).toMatchObject([
      { pointer: 'CLOUD', fix: 'Use one of: global, usGov, usGovDod, china.' },
    ]);
  });

  test('another host gets the tokens made for the real one', () => {
    expect(configOf({ CLOUD: 'usGov', GRAPH_BASE_URL: 'https://proxy.contoso.com' }).graph).toEqual({
      baseUrl: 'https://proxy.contoso.com',
      scope: 'https://graph.microsoft.us/.default',
    });
  });
});

describe.each(['AUTHORITY_HOST', 'GRAPH_BASE_URL', 'EXCHANGE_BASE_URL'])('%s', (name) => {
  const read = (value: string) => {
    const { authorityHost, graph, exchange } = configOf({ [name]: value });
    return { AUTHORITY_HOST: authorityHost, GRAPH_BASE_URL: graph.baseUrl, EXCHANGE_BASE_URL: exchange.baseUrl }[name];
  };

  test.each([
    ['https://proxy.contoso.com', 'https://proxy.contoso.com'],
    ['https://proxy.contoso.com/', 'https://proxy.contoso.com'],
    ['HTTPS://Proxy.Contoso.com:8443', 'https://proxy.contoso.com:8443'],
    ['http://127.0.0.1:7071', 'http://127.0.0.1:7071'],
    ['http://localhost:7071', 'http://localhost:7071'],
    ['http://[::1]:7071', 'http://[::1]:7071'],
  ])('may be %s', (value, origin) => {
    expect(read(value)).toBe(origin);
  });

  test.each([
    ['http://proxy.contoso.com', 'is not https'],
    ['http://127.0.0.1.contoso.com', 'is not https'],
    ['ftp://127.0.0.1', 'is not https'],
    ['proxy.contoso.com', 'is not an origin'],
    ['https://proxy.contoso.com/graph', 'is not an origin'],
    ['https://proxy.contoso.com/?a=b', 'is not an origin'],
    ['https://proxy.contoso.com/#a', 'is not an origin'],
    ['https://user@proxy.contoso.com', 'is not an origin'],
    ['https://:secret@proxy.contoso.com', 'is not an origin'],
    ['data:text/plain,x', 'is not an origin'],
    ['https://', 'is not an origin'],
  ])('may not be %s, which %s', (value, message) => {
    expect(faultOf({ [name]: value }).errors).toMatchObject([{ pointer: name, message }]);
  });
});

describe('the storage', () => {
  const identity = { AzureWebJobsStorage: '' };
  const named = (addresses: Record<string, string>) =>
    Object.fromEntries(Object.entries(addresses).map(([name, address]) => [`AzureWebJobsStorage__${name}`, address]));

  test('with an identity is named by its address or its account', () => {
    const addresses = {
      tableServiceUri: 'https://audit.table.core.windows.net',
      queueServiceUri: 'https://audit.queue.core.windows.net',
      blobServiceUri: 'https://audit.blob.core.windows.net',
    };
    const byAddress = { ...identity, ...named(addresses) };
    expect(configOf(byAddress).storage).toEqual({ type: 'identity', ...addresses, clientId: null });
    const byAccount = { ...identity, AzureWebJobsStorage__accountName: 'audit' };
    expect(configOf({ ...byAccount, AzureWebJobsStorage__clientId: clientId }).storage).toEqual({
      type: 'identity',
      ...addresses,
      clientId,
    });
    // What is named in full wins, and an identity wins over a key.
    const { tableServiceUri } = addresses;
    const oneOfOther = { ...named({ tableServiceUri }), AzureWebJobsStorage__accountName: 'other' };
    expect(configOf({ ...identity, ...oneOfOther }).storage).toMatchObject({
      tableServiceUri,
      queueServiceUri: 'https://other.queue.core.windows.net',
    });
    expect(configOf({ AzureWebJobsStorage__accountName: 'audit' }).storage).toMatchObject({ type: 'identity' });
  });

  test.each([
    ['AzureWebJobsStorage__tableServiceUri', 'audit.table.core.windows.net'],
    ['AzureWebJobsStorage__tableServiceUri', 'http://audit.table.core.windows.net'],
    ['AzureWebJobsStorage__accountName', 'https://audit.table.core.windows.net'],
    ['AzureWebJobsStorage__accountName', 'evil.example/#'],
    ['AzureWebJobsStorage__accountName', 'Audit'],
  ])('is refused where %s is "%s"', (name, value) => {
    const others = {
      AzureWebJobsStorage__queueServiceUri: 'https://audit.queue.core.windows.net',
      AzureWebJobsStorage__blobServiceUri: 'https://audit.blob.core.windows.net',
    };
    expect(faultyNames({ ...identity, ...others, AzureWebJobsStorage__accountName: 'audit', [name]: value })).toEqual([
      name,
    ]);
  });

  test('by address lacks none of its three', () => {
    const table = { AzureWebJobsStorage__tableServiceUri: 'https://audit.table.core.windows.net' };
    expect(faultyNames({ ...identity, ...table })).toEqual([
      'AzureWebJobsStorage__queueServiceUri',
      'AzureWebJobsStorage__blobServiceUri',
    ]);
  });

  test('on this machine may have a path and no encryption', () => {
    const addresses = {
      tableServiceUri: 'http://127.0.0.1:10002/devstoreaccount1',
      queueServiceUri: 'http://127.0.0.1:10001/devstoreaccount1',
      blobServiceUri: 'http://127.0.0.1:10000/devstoreaccount1',
    };
    expect(configOf({ ...identity, ...named(addresses) }).storage).toMatchObject(addresses);
  });

  test("has an identity's client id that is one", () => {
    const env = { AzureWebJobsStorage__accountName: 'audit', AzureWebJobsStorage__clientId: 'mine' };
    expect(faultyNames(env)).toEqual(['AzureWebJobsStorage__clientId']);
  });
});

describe("Okta's API", () => {
  const orgUrl = 'https://contoso.okta.com';
  const app = { OKTA_ORG_URL: orgUrl, OKTA_CLIENT_ID: '0oaApp', OKTA_PRIVATE_KEY: rsaPem };
  const jwkOf = (key: KeyObject, more: object = {}) => JSON.stringify({ ...key.export({ format: 'jwk' }), ...more });
  const keyOf = (env: Environment) => {
    const credential = configOf(env).okta?.credential;
    if (credential?.type !== 'serviceApp') throw new Error('no service app');
    return credential;
  };

  test('is not used where nothing of it is set', () => {
    expect(configOf({ OKTA_ORG_URL: ' ', OKTA_API_TOKEN: '' }).okta).toBeNull();
  });

  test('is reached by an API token', () => {
    const okta = { orgUrl, credential: { type: 'apiToken', token: '00a_b-c' } };
    expect(configOf({ OKTA_ORG_URL: `${orgUrl}/`, OKTA_API_TOKEN: ' 00a_b-c ' }).okta).toEqual(okta);
  });

  test('is reached by a service app with its key, whose line ends may be spelt out', () => {
    expect(configOf(app).okta).toMatchObject({ orgUrl, credential: { type: 'serviceApp', clientId: '0oaApp' } });
    const pkcs1 = rsaKey.export({ format: 'pem', type: 'pkcs1' }).toString();
    for (const key of [rsaPem, rsaPem.replaceAll('\n', '\\n'), pkcs1, jwkOf(rsaKey)]) {
      expect(keyOf({ ...app, OKTA_PRIVATE_KEY: key }).privateKey.equals(rsaKey)).toBe(true);
    }
  });

  test('knows the key by the id that is given, else by that of the JWK', () => {
    const jwk = { ...app, OKTA_PRIVATE_KEY: jwkOf(rsaKey, { kid: 'of-jwk' }) };
    expect(keyOf(jwk).keyId).toBe('of-jwk');
    expect(keyOf({ ...jwk, OKTA_KEY_ID: 'given' }).keyId).toBe('given');
    expect(keyOf(app).keyId).toBeNull();
  });

  test('shows nothing of the key where the configuration is shown', () => {
    const shown = inspect(configOf(app), { depth: null }) + JSON.stringify(configOf(app));
    expect(shown).not.toContain(rsaPem.split('\n')[3]);
    expect(shown).not.toContain(rsaKey.export({ format: 'jwk' }).d);
  });

  test.each([
    [{ OKTA_ORG_URL: orgUrl }, ['OKTA_API_TOKEN']],
    [{ OKTA_API_TOKEN: '00a' }, ['OKTA_ORG_URL']],
    [{ OKTA_CLIENT_ID: '0oa' }, ['OKTA_ORG_URL', 'OKTA_PRIVATE_KEY']],
    [{ OKTA_PRIVATE_KEY: rsaPem }, ['OKTA_ORG_URL', 'OKTA_CLIENT_ID']],
    [{ OKTA_KEY_ID: 'kid' }, ['OKTA_ORG_URL', 'OKTA_PRIVATE_KEY', 'OKTA_CLIENT_ID']],
    [{ ...app, OKTA_API_TOKEN: '00a' }, ['OKTA_API_TOKEN']],
    [{ OKTA_ORG_URL: orgUrl, OKTA_API_TOKEN: '00a', OKTA_KEY_ID: 'kid' }, ['OKTA_API_TOKEN']],
    [{ OKTA_ORG_URL: orgUrl, OKTA_API_TOKEN: 'SSWS 00a' }, ['OKTA_API_TOKEN']],
    [{ ...app, OKTA_CLIENT_ID: 'my app' }, ['OKTA_CLIENT_ID']],
    [{ ...app, OKTA_ORG_URL: 'contoso.okta.com' }, ['OKTA_ORG_URL']],
    [{ ...app, OKTA_ORG_URL: 'http://contoso.okta.com' }, ['OKTA_ORG_URL']],
    [{ ...app, OKTA_ORG_URL: 'https://contoso.okta.com/api/v1' }, ['OKTA_ORG_URL']],
    [{ ...app, OKTA_ORG_URL: 'https://contoso-admin.okta.com' }, ['OKTA_ORG_URL']],
    [{ ...app, OKTA_ORG_URL: 'https://contoso-admin.oktapreview.com' }, ['OKTA_ORG_URL']],
  ])('set like %#, is at fault', (env: Environment, names) => {
    expect(faultyNames(env)).toEqual(names);
  });

  test('may be on this machine without encryption', () => {
    expect(configOf({ ...app, OKTA_ORG_URL: 'http://127.0.0.1:7081' }).okta?.orgUrl).toBe('http://127.0.0.1:7081');
  });

  test.each([
    ['a public key', () => jwkOf(rsaKey, { d: undefined })],
    ['a short key', () => jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)],
    ['an elliptic key', () => jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)],
    ['a key that is cut off', () => rsaPem.slice(0, 200)],
    ['half a JWK', () => '{"kty":"RSA"'],
    ['a path', () => '/home/site/key.pem'],
  ])('has no use for %s', (_what, key) => {
    expect(faultyNames({ ...app, OKTA_PRIVATE_KEY: key() })).toEqual(['OKTA_PRIVATE_KEY']);
  });
});

describe("the event hook's secrets", () => {
  const [current, previous] = ['a-secret-of-the-event-hook', 'the-secret-before-this-one'];

  test('are the current one and the one before', () => {
    expect(configOf({ OKTA_EVENT_HOOK_SECRET: ` ${current}\n` }).eventHookSecrets).toEqual([current]);
    const both = { OKTA_EVENT_HOOK_SECRET: current, OKTA_EVENT_HOOK_SECRET_PREVIOUS: previous };
    expect(configOf(both).eventHookSecrets).toEqual([current, previous]);
  });

  test('are secrets that a header can hold', () => {
    for (const wrong of ['x'.repeat(19), 'two words that are long enough', `${current}ä`]) {
      expect(faultyNames({ OKTA_EVENT_HOOK_SECRET: wrong })).toEqual(['OKTA_EVENT_HOOK_SECRET']);
    }
    const both = { OKTA_EVENT_HOOK_SECRET: current, OKTA_EVENT_HOOK_SECRET_PREVIOUS: 'short' };
    expect(faultyNames(both)).toEqual(['OKTA_EVENT_HOOK_SECRET_PREVIOUS']);
  });

  test('are no reference to a vault that was not resolved: everybody could guess it', () => {
    const reference = '@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/hook)';
    const { errors } = faultOf({ OKTA_EVENT_HOOK_SECRET: reference });
    expect(errors).toEqual([
      expect.objectContaining({ pointer: 'OKTA_EVENT_HOOK_SECRET', message: expect.stringContaining('Key Vault') }),
    ]);
  });

  test('have no one before without a current one', () => {
    expect(faultyNames({ OKTA_EVENT_HOOK_SECRET_PREVIOUS: previous })).toEqual(['OKTA_EVENT_HOOK_SECRET']);
  });
});

describe('the set-up of the event hook', () => {
  const org = { OKTA_ORG_URL: 'https://contoso.okta.com', OKTA_API_TOKEN: '00token' };

  test('asks for Okta and the secret, and for nothing of Microsoft', () => {
    const settings = { ...org, OKTA_EVENT_HOOK_SECRET: 'a-secret-of-the-event-hook' };
    expect(readEventHookSetup(settings)).toEqual({
      okta: { orgUrl: 'https://contoso.okta.com', credential: { type: 'apiToken', token: '00token' } },
      secret: 'a-secret-of-the-event-hook',
    });
  });

  test.each([
    [{}, ['OKTA_ORG_URL', 'OKTA_EVENT_HOOK_SECRET']],
    [org, ['OKTA_EVENT_HOOK_SECRET']],
    [{ OKTA_ORG_URL: org.OKTA_ORG_URL, OKTA_EVENT_HOOK_SECRET: 'a-secret-of-the-event-hook' }, ['OKTA_API_TOKEN']],
  ])('names what is missing of %j', (settings: Environment, names) => {
    expect(() => readEventHookSetup(settings)).toThrow(names.join(', '));
  });
});

describe('RECONCILE_SCHEDULE', () => {
  test.each(['0 30 2 * * *', '*/30 * * * * *', '0 0 8-18/2 * * 1-5', '0,30 0 0 1,15 1-12 0', '0  0\t0 31 12 6'])(
    'can be %j',
    (schedule) => {
      expect(configOf({ RECONCILE_SCHEDULE: schedule }).reconcileSchedule).toBe(schedule);
    },
  );

  test.each([
    '0 */6 * * *',
    '0 0 0 */6 * * *',
    '60 * * * * *',
    '0 60 * * * *',
    '0 0 24 * * *',
    '0 0 0 0 * *',
    '0 0 0 32 * *',
    '0 0 0 * 13 *',
    '0 0 0 * * 7',
    '0 0 18-8 * * *',
    '*/0 * * * * *',
    '0 0 1, * * *',
    '06:00:00',
    'daily',
    '0 0 x * * *',
  ])('cannot be %j', (schedule) => {
    expect(faultyNames({ RECONCILE_SCHEDULE: schedule })).toEqual(['RECONCILE_SCHEDULE']);
  });
});

describe('rooms that need others', () => {
  test.each(['members', 'push', 'users'])('%s bring operations, where their long work is told of', (room) => {
    expect(configOf({ ENABLED_ROOMS: room }).enabledRooms).toEqual(new Set([room, 'operations']));
  });
});

describe('lists', () => {
  test('are separated by commas, semicolons or lines', () => {
    const text = ' a@contoso.com, b@contoso.com;c@contoso.com\r\nd@contoso.com ,,';
    const list = ['a@contoso.com', 'b@contoso.com', 'c@contoso.com', 'd@contoso.com'];
    expect(configOf({ PROTECTED_USERS: text, PROTECTED_GROUPS: text, MANAGED_GROUPS: text })).toMatchObject({
      protectedUsers: list,
      protectedGroups: list,
      managedGroups: list,
    });
  });

  test('MANAGED_GROUPS with no name in it allows no group, rather than every one', () => {
    expect(configOf({ MANAGED_GROUPS: ',' }).managedGroups).toEqual([]);
  });
});

describe('WRITE_MODE', () => {
  test.each(['on', 'reportOnly', 'off'])('may be %s', (mode) => {
    expect(configOf({ WRITE_MODE: mode }).writeMode).toBe(mode);
  });

  test.each(['Off', 'false', 'readonly'])('is never guessed from "%s"', (mode) => {
    expect(faultyNames({ WRITE_MODE: mode })).toEqual(['WRITE_MODE']);
  });
});

const valid: Record<string, string> = {
  AZURE_TENANT_ID: tenantId,
  AZURE_CLIENT_ID: clientId,
  AZURE_CLIENT_SECRET: 'secret',
  AZURE_CLIENT_CERTIFICATE: pem,
  CREDENTIAL: 'clientSecret',
  CLOUD: 'china',
  AUTHORITY_HOST: 'https://login.contoso.com',
  GRAPH_BASE_URL: 'https://graph.contoso.com',
  EXCHANGE_BASE_URL: 'https://exchange.contoso.com',
  WRITE_MODE: 'on',
  ENABLED_ROOMS: 'all',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  AzureWebJobsStorage__accountName: 'audit',
  AzureWebJobsStorage__tableServiceUri: 'https://audit.table.core.windows.net',
  AzureWebJobsStorage__queueServiceUri: 'https://audit.queue.core.windows.net',
  AzureWebJobsStorage__blobServiceUri: 'https://audit.blob.core.windows.net',
  AzureWebJobsStorage__clientId: clientId,
  OKTA_ORG_URL: 'https://contoso.okta.com',
  OKTA_API_TOKEN: '00token',
  OKTA_CLIENT_ID: '0oaApp',
  OKTA_PRIVATE_KEY: rsaPem,
  OKTA_KEY_ID: 'kid-1',
  OKTA_EVENT_HOOK_SECRET: 'a-secret-of-the-event-hook',
  OKTA_EVENT_HOOK_SECRET_PREVIOUS: 'the-secret-before-this-one',
  RECONCILE_SCHEDULE: '0 30 2 * * *',
  PROTECTED_USERS: 'a@contoso.com',
  PROTECTED_GROUPS: 'b@contoso.com',
  MANAGED_GROUPS: 'c@contoso.com',
};
/** Each setting as it should be, or made by `wrong`, or left out. */
const settingsWith = (wrong: fc.Arbitrary<string>) =>
  fc.record(
    Object.fromEntries(Object.entries(valid).map(([name, value]) => [name, fc.oneof(fc.constant(value), wrong)])),
    { requiredKeys: [] },
  );

describe('whatever the settings are', () => {
  test('no fault tells the value of any', () => {
    const marker = 'zq7x';
    const withMarker = fc
      .tuple(fc.string(), fc.string(), fc.constantFrom('', 'https://', 'http://', '-----BEGIN PRIVATE KEY-----'))
      .map(([before, after, scheme]) => `${scheme}${before}${marker}${after}`);
    fc.assert(
      fc.property(settingsWith(withMarker), (env) => {
        const result = readConfig(env);
        if (result.ok) return;
        const { message, fix, errors } = result.fault;
        expect(JSON.stringify({ message, fix, errors }).toLowerCase()).not.toContain(marker);
      }),
      { numRuns: 300 },
    );
  });

  test('reading them never throws, a fault names a setting, and what is accepted leads nowhere unencrypted', () => {
    const anything = fc.oneof(fc.string(), fc.webUrl(), fc.uuid(), fc.constantFrom('__proto__', 'toString', 'null'));
    fc.assert(
      fc.property(settingsWith(anything), (env) => {
        const result = readConfig(env);
        if (!result.ok) {
          expect(result.fault.errors.length).toBeGreaterThan(0);
          for (const { pointer } of result.fault.errors) expect(Object.keys(valid)).toContain(pointer);
          return;
        }
        const { authorityHost, graph, exchange, okta } = result.config;
        expect(result.config.tenantId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        for (const origin of [authorityHost, graph.baseUrl, exchange.baseUrl, okta?.orgUrl ?? graph.baseUrl]) {
          expect(new URL(origin)).toMatchObject({ protocol: 'https:', origin });
        }
      }),
      { numRuns: 300 },
    );
  });
});
