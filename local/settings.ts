import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export type Settings = Readonly<Record<string, string | undefined>>;

/**
 * What the function app is configured with: `Values` of local.settings.json under the environment, the order in which
 * Core Tools reads them.
 */
export async function readSettings(env: Settings = process.env, file = settingsFile): Promise<Settings> {
  const text = existsSync(file) ? await readFile(file, 'utf8') : '{}';
  return { ...valuesOf(text), ...env };
}

const settingsFile = new URL('../local.settings.json', import.meta.url);

function valuesOf(text: string): Record<string, string> {
  try {
    const { Values: values = {} } = JSON.parse(text) as { Values?: Record<string, string> };
    return values;
  } catch (error) {
    throw new Error('local.settings.json is not valid JSON.', { cause: error });
  }
}

/** With a tenant configured, everything is real and nothing is simulated. */
export function hasTenant(settings: Settings): boolean {
  return Boolean(settings.AZURE_TENANT_ID?.trim());
}

/** Whose credentials and clouds have no place in the simulated tenant. */
const ofARealTenant = new Set([
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE',
  'CLOUD',
  'MSI_ENDPOINT',
  'OKTA_API_TOKEN',
  'OKTA_EVENT_HOOK_SECRET_PREVIOUS',
  'MSI_SECRET',
]);

export interface SimulatedTenant {
  tenantId: string;
  identityHeader: string;
  okta: { clientId: string; privateKeyPem: string; keyId: string };
  urls: { graph: string; exchange: string; okta: string; login: string; identity: string };
}

/** The embedded default (design §7): the managed-identity path, against the simulator's endpoint. */
export function embeddedSettings(settings: Settings, tenant: SimulatedTenant, caFile: string) {
  const kept = Object.entries(settings).filter(
    ([name]) => !ofARealTenant.has(name) && !name.startsWith('AzureWebJobsStorage'),
  );
  return {
    ENABLED_ROOMS: 'all',
    ...Object.fromEntries(kept),
    CREDENTIAL: 'managedIdentity',
    AZURE_TENANT_ID: tenant.tenantId,
    AUTHORITY_HOST: tenant.urls.login,
    GRAPH_BASE_URL: tenant.urls.graph,
    EXCHANGE_BASE_URL: tenant.urls.exchange,
    OKTA_ORG_URL: tenant.urls.okta,
    OKTA_CLIENT_ID: tenant.okta.clientId,
    OKTA_PRIVATE_KEY: tenant.okta.privateKeyPem,
    OKTA_KEY_ID: tenant.okta.keyId,
    OKTA_EVENT_HOOK_SECRET: randomBytes(32).toString('hex'),
    IDENTITY_ENDPOINT: tenant.urls.identity,
    IDENTITY_HEADER: tenant.identityHeader,
    NODE_EXTRA_CA_CERTS: caFile,
  };
}

export type StorageChoice = { type: 'azurite' } | { type: 'configured'; connectionString: string | null };

/** Where the tables are when a tenant is configured. Null: an identity-based connection, `AzureWebJobsStorage__…`. */
export function chooseStorage(settings: Settings): StorageChoice {
  const connectionString = settings.AzureWebJobsStorage?.trim() ?? '';
  if (/^UseDevelopmentStorage=true;?$/i.test(connectionString)) return { type: 'azurite' };
  if (connectionString !== '') return { type: 'configured', connectionString };
  if (Object.keys(settings).some((name) => name.startsWith('AzureWebJobsStorage__'))) {
    return { type: 'configured', connectionString: null };
  }
  throw new Error(
    'A tenant is configured but AzureWebJobsStorage is not. Set it to the connection string of a storage account, or ' +
      'to UseDevelopmentStorage=true for an emulator that forgets everything when it ends.',
  );
}
