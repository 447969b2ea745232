import { describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chooseStorage, embeddedSettings, hasTenant, readSettings } from '../../local/settings.ts';

async function withFile<T>(content: string, use: (file: URL) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'settings-'));
  try {
    const file = join(folder, 'local.settings.json');
    await writeFile(file, content);
    return await use(pathToFileURL(file));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the settings of npm start', () => {
  test('the environment wins over local.settings.json', async () => {
    const content = JSON.stringify({ IsEncrypted: false, Values: { BOTH: 'file', FILE: 'file' } });
    const settings = await withFile(content, (file) => readSettings({ BOTH: 'environment' }, file));
    expect(settings).toEqual({ BOTH: 'environment', FILE: 'file' });
  });

  test('a broken local.settings.json is named', async () => {
    await expect(withFile('{', (file) => readSettings({}, file))).rejects.toThrow('local.settings.json is not valid');
  });

  test('none is needed', async () => {
    const missing = new URL('no-such-file.json', import.meta.url);
    expect(await readSettings({ A: 'b' }, missing)).toEqual({ A: 'b' });
  });

  test.each([
    [{}, false],
    [{ AZURE_TENANT_ID: ' ' }, false],
    [{ AZURE_TENANT_ID: 'contoso' }, true],
  ])('%j has a tenant: %s', (settings, expected) => {
    expect(hasTenant(settings)).toBe(expected);
  });

  test('the simulated tenant gets no credential of a real one, and every other setting', () => {
    const tenant = {
      tenantId: 'simulated',
      identityHeader: 'header',
      okta: { clientId: 'simulated app', privateKeyPem: 'simulated key', keyId: 'simulated kid' },
      urls: {
        graph: 'http://g',
        exchange: 'http://e',
        okta: 'http://o',
        login: 'https://l',
        identity: 'http://i/token',
      },
    };
    const settings = {
      AZURE_CLIENT_ID: 'real',
      AZURE_CLIENT_SECRET: 'real',
      AzureWebJobsStorage: 'real',
      OKTA_ORG_URL: 'real',
      OKTA_API_TOKEN: 'real',
      CREDENTIAL: 'clientSecret',
      WRITE_MODE: 'off',
    };
    expect(embeddedSettings(settings, tenant, 'ca.pem')).toEqual({
      ENABLED_ROOMS: 'all',
      WRITE_MODE: 'off',
      CREDENTIAL: 'managedIdentity',
      AZURE_TENANT_ID: 'simulated',
      AUTHORITY_HOST: 'https://l',
      GRAPH_BASE_URL: 'http://g',
      EXCHANGE_BASE_URL: 'http://e',
      OKTA_ORG_URL: 'http://o',
      OKTA_CLIENT_ID: 'simulated app',
      OKTA_PRIVATE_KEY: 'simulated key',
      OKTA_KEY_ID: 'simulated kid',
      OKTA_EVENT_HOOK_SECRET: expect.stringMatching(/^[0-9a-f]{64}$/),
      IDENTITY_ENDPOINT: 'http://i/token',
      IDENTITY_HEADER: 'header',
      NODE_EXTRA_CA_CERTS: 'ca.pem',
    });
    expect(embeddedSettings({ ENABLED_ROOMS: 'groups' }, tenant, 'ca.pem')).toMatchObject({ ENABLED_ROOMS: 'groups' });
  });

  test.each([
    [{ AzureWebJobsStorage: 'UseDevelopmentStorage=true' }, { type: 'azurite' }],
    [{ AzureWebJobsStorage: 'AccountName=a' }, { type: 'configured', connectionString: 'AccountName=a' }],
    [{ AzureWebJobsStorage__accountName: 'a' }, { type: 'configured', connectionString: null }],
  ])('%j chooses its storage', (settings, expected) => {
    expect(chooseStorage(settings)).toEqual(expected);
  });
});
