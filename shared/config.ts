import type { KeyObject } from 'node:crypto';
import { Fault, type FieldFault } from './errors.ts';
import { isGuid } from './guid.ts';
import { readPrivateKey } from './privateKey.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The only place that reads it. */
export const processEnvironment: Environment = process.env;

/** `on`: writes are carried out. `reportOnly`: every write becomes a dry run. `off`: every write is refused. */
export type WriteMode = 'on' | 'reportOnly' | 'off';

/** A family of actions. Those not listed in ENABLED_ROOMS are not registered. */
export const rooms = ['connection', 'dirsync', 'groups', 'members', 'operations', 'push', 'users'] as const;
export type Room = (typeof rooms)[number];

/** What can move sign-in or settings of the whole tenant is off until it is asked for (design §2). */
const roomsOnRequest: readonly Room[] = ['dirsync', 'users'];

export type Credential =
  | { readonly type: 'managedIdentity'; readonly clientId: string | null }
  | { readonly type: 'clientSecret'; readonly clientId: string; readonly clientSecret: string }
  | { readonly type: 'clientCertificate'; readonly clientId: string; readonly certificatePem: string };

/** Where an upstream lives (an origin) and for which resource its tokens are made. */
export interface UpstreamSettings {
  readonly baseUrl: string;
  readonly scope: string;
}

export type OktaCredential =
  | { readonly type: 'apiToken'; readonly token: string }
  | {
      readonly type: 'serviceApp';
      readonly clientId: string;
      readonly privateKey: KeyObject;
      /** Of the key, where its owner gave it one. */
      readonly keyId: string | null;
    };

export interface OktaSettings {
  readonly orgUrl: string;
  readonly credential: OktaCredential;
}

export type Storage =
  | { readonly type: 'connectionString'; readonly connectionString: string }
  | ({ readonly type: 'identity'; readonly clientId: string | null } & StorageAddresses);

/** Where the three services of the storage account are. */
export interface StorageAddresses {
  readonly tableServiceUri: string;
  readonly queueServiceUri: string;
  readonly blobServiceUri: string;
}

export interface Config {
  readonly tenantId: string;
  readonly credential: Credential;
  readonly authorityHost: string;
  readonly graph: UpstreamSettings;
  readonly exchange: UpstreamSettings;
  /** null: Okta's API is not used. */
  readonly okta: OktaSettings | null;
  /** What Okta's event hook sends: the current one, and for a while the one before. None: no event is accepted. */
  readonly eventHookSecrets: readonly string[];
  /** When all push mappings are reconciled: NCRONTAB of six fields, UTC. */
  readonly reconcileSchedule: string;
  readonly storage: Storage;
  readonly enabledRooms: ReadonlySet<Room>;
  readonly writeMode: WriteMode;
  readonly protectedUsers: readonly string[];
  readonly protectedGroups: readonly string[];
  /** null: every group may be managed. */
  readonly managedGroups: readonly string[] | null;
  /** How many days a deleted group can be restored. */
  readonly snapshotRetentionDays: number;
  /** How many days a row of the audit is kept. */
  /** How long operations that have ended are kept, with their results. */
  readonly operationRetentionDays: number;
  readonly auditRetentionDays: number;
}

export type ConfigResult =
  { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly fault: Fault };

/** Hosts of Microsoft's clouds; Exchange's from exchange.md §1.1, the others from Microsoft's national cloud pages. */
const clouds = {
  global: {
    authorityHost: 'https://login.microsoftonline.com',
    graph: 'https://graph.microsoft.com',
    exchange: 'https://outlook.office365.com',
    storageSuffix: 'core.windows.net',
  },
  usGov: {
    authorityHost: 'https://login.microsoftonline.us',
    graph: 'https://graph.microsoft.us',
    exchange: 'https://outlook.office365.us',
    storageSuffix: 'core.usgovcloudapi.net',
  },
  usGovDod: {
    authorityHost: 'https://login.microsoftonline.us',
    graph: 'https://dod-graph.microsoft.us',
    exchange: 'https://outlook-dod.office365.us',
    storageSuffix: 'core.usgovcloudapi.net',
  },
  china: {
    authorityHost: 'https://login.chinacloudapi.cn',
    graph: 'https://microsoftgraph.chinacloudapi.cn',
    exchange: 'https://partner.outlook.cn',
    storageSuffix: 'core.chinacloudapi.cn',
  },
} as const;

/**
 * Reads every setting once and reports all faults together, each with the setting's name and the fix. Values never
 * appear in a fault: a secret pasted into the wrong setting must not end in a log.
 */
export function readConfig(env: Environment): ConfigResult {
  const faults: FieldFault[] = [];
  const settings = settingsReader(env, faults);

  const cloud = clouds[settings.oneOf('CLOUD', Object.keys(clouds) as (keyof typeof clouds)[], 'global')];
  const tenantId = settings.guid('AZURE_TENANT_ID', 'the Entra tenant id, a GUID from the Entra admin center');
  const enabledRooms = readRooms(settings);
  const credential = readCredential(settings);
  const okta = readOkta(settings);
  const eventHookSecrets = readEventHookSecrets(settings);
  const reconcileSchedule = readSchedule(settings, 'RECONCILE_SCHEDULE', '0 0 */6 * * *');
  const storage = readStorage(settings, cloud.storageSuffix);
  const config: Config = {
    tenantId,
    credential,
    authorityHost: settings.origin('AUTHORITY_HOST', cloud.authorityHost),
    graph: { baseUrl: settings.origin('GRAPH_BASE_URL', cloud.graph), scope: `${cloud.graph}/.default` },
    exchange: { baseUrl: settings.origin('EXCHANGE_BASE_URL', cloud.exchange), scope: `${cloud.exchange}/.default` },
    okta,
    eventHookSecrets,
    reconcileSchedule,
    storage,
    enabledRooms,
    writeMode: settings.oneOf('WRITE_MODE', ['on', 'reportOnly', 'off'], 'on'),
    protectedUsers: settings.list('PROTECTED_USERS') ?? [],
    protectedGroups: settings.list('PROTECTED_GROUPS') ?? [],
    managedGroups: settings.list('MANAGED_GROUPS'),
    operationRetentionDays: settings.integer('OPERATION_RETENTION_DAYS', { least: 1, most: 3_650 }, 30),
    snapshotRetentionDays: settings.integer('SNAPSHOT_RETENTION_DAYS', { least: 1, most: 3_650 }, 90),
    auditRetentionDays: settings.integer('AUDIT_RETENTION_DAYS', { least: 1, most: 3_650 }, 400),
  };
  return faults.length === 0 ? { ok: true, config } : { ok: false, fault: wrongSettings(faults) };
}

/**
 * What registering the event hook in Okta asks for, without the rest.
 * @throws Fault `configuration_invalid`
 */
export function readEventHookSetup(env: Environment): { readonly okta: OktaSettings; readonly secret: string } {
  const faults: FieldFault[] = [];
  const settings = settingsReader(env, faults);
  settings.required('OKTA_ORG_URL', 'the address of your Okta org, like https://contoso.okta.com');
  settings.required('OKTA_EVENT_HOOK_SECRET', 'the secret that the function app has');
  const okta = faults.length > 0 ? null : readOkta(settings);
  const [secret] = readEventHookSecrets(settings);
  if (okta === null || secret === undefined || faults.length > 0) throw wrongSettings(faults);
  return { okta, secret };
}

function wrongSettings(faults: readonly FieldFault[]): Fault {
  const names = faults.map((fault) => fault.pointer).join(', ');
  return new Fault('configuration_invalid', {
    detail: `These settings are missing or wrong: ${names}.`,
    fix: 'Mend the settings listed under errors in the function app (Settings → Environment variables), or in local.settings.json.',
    errors: faults,
  });
}

interface SettingsReader {
  optional(name: string): string | null;
  required(name: string, what: string): string;
  guid(name: string, what: string): string;
  optionalGuid(name: string, what: string): string | null;
  oneOf<const Value extends string>(name: string, allowed: readonly Value[], fallback: Value): Value;
  list(name: string): string[] | null;
  integer(name: string, range: { least: number; most: number }, fallback: number): number;
  /** An https origin; plain http only towards this machine, where no token can be overheard. */
  origin(name: string, fallback: string): string;
  /** The same for an address that may have a path. */
  url(name: string, value: string, like: string): void;
  fault(name: string, message: string, fix: string): void;
}

function settingsReader(env: Environment, faults: FieldFault[]): SettingsReader {
  const fault = (pointer: string, message: string, fix: string) => void faults.push({ pointer, message, fix });
  const optional = (name: string) => {
    const value = env[name]?.trim();
    return value === undefined || value === '' ? null : value;
  };
  const required = (name: string, what: string) => {
    const value = optional(name);
    if (value === null) fault(name, 'is not set', `Set ${name} to ${what}.`);
    return value ?? '';
  };
  const checkGuid = (name: string, value: string, what: string) => {
    if (value !== '' && !isGuid(value)) fault(name, 'is not a GUID', `Set ${name} to ${what}.`);
    return value.toLowerCase();
  };
  const checkSecure = (name: string, url: URL) => {
    const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
    if (url.protocol === 'https:' || (isLoopback && url.protocol === 'http:')) return;
    fault(name, 'is not https', 'Use https; plain http is accepted for 127.0.0.1 only.');
  };
  return {
    optional,
    required,
    fault,
    guid: (name, what) => checkGuid(name, required(name, what), what),
    optionalGuid: (name, what) => {
      const value = optional(name);
      return value === null ? null : checkGuid(name, value, what);
    },
    oneOf: (name, allowed, fallback) => {
      const value = optional(name);
      if (value === null) return fallback;
      const known = allowed.find((each) => each === value);
      if (known === undefined) fault(name, 'is none of the allowed values', `Use one of: ${allowed.join(', ')}.`);
      return known ?? fallback;
    },
    list: (name) => {
      const value = optional(name);
      if (value === null) return null;
      return value
        .split(/[,;\n]/)
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '');
    },
    integer: (name, { least, most }, fallback) => {
      const value = optional(name) ?? String(fallback);
      const number = /^\d+$/.test(value) ? Number(value) : NaN;
      if (number >= least && number <= most) return number;
      fault(name, 'is not a whole number in its range', `Give a whole number from ${least} to ${most}.`);
      return fallback;
    },
    origin: (name, fallback) => {
      const value = optional(name) ?? fallback;
      const url = new URL(URL.canParse(value) ? value : 'none:');
      // Nothing but scheme, host and port; a slash at the end is what people paste.
      if (url.href === `${url.origin}/`) checkSecure(name, url);
      else fault(name, 'is not an origin', `Give a scheme and a host only, like ${fallback}.`);
      return url.origin;
    },
    url: (name, value, like) => {
      if (URL.canParse(value)) checkSecure(name, new URL(value));
      else fault(name, 'is not an address', `Give one like ${like}.`);
    },
  };
}

function readRooms(settings: SettingsReader): ReadonlySet<Room> {
  const names = settings.list('ENABLED_ROOMS');
  if (names === null) return new Set(rooms.filter((room) => !roomsOnRequest.includes(room)));
  const allowed: readonly string[] = [...rooms, 'all'];
  if (names.length === 0 || names.some((name) => !allowed.includes(name))) {
    const message = names.length === 0 ? 'names no room' : 'names a room that does not exist';
    settings.fault('ENABLED_ROOMS', message, `Use a list of these, separated by commas: ${allowed.join(', ')}.`);
  }
  // Long work of these goes on as an operation, and a reply that names one must lead somewhere.
  const isLong = ['members', 'push', 'users'].some((room) => names.includes(room));
  const needed = isLong ? [...names, 'operations'] : names;
  return new Set(names.includes('all') ? rooms : rooms.filter((room) => needed.includes(room)));
}

function readCredential(settings: SettingsReader): Credential {
  const type = settings.oneOf(
    'CREDENTIAL',
    ['managedIdentity', 'clientSecret', 'clientCertificate'],
    'managedIdentity',
  );
  switch (type) {
    case 'managedIdentity':
      return {
        type,
        clientId: settings.optionalGuid(
          'AZURE_CLIENT_ID',
          'the client id of the user-assigned identity, or leave it out for the system-assigned one',
        ),
      };
    case 'clientSecret':
      return {
        type,
        clientId: settings.guid('AZURE_CLIENT_ID', "the app registration's application (client) id"),
        clientSecret: settings.required('AZURE_CLIENT_SECRET', 'a client secret of the app registration'),
      };
    case 'clientCertificate': {
      const clientId = settings.guid('AZURE_CLIENT_ID', "the app registration's application (client) id");
      const what = 'the certificate with its private key as PEM text, best as a Key Vault reference';
      // Portals and shells like to turn the line ends of a PEM into the two characters \n.
      const certificatePem = settings.required('AZURE_CLIENT_CERTIFICATE', what).replaceAll('\\n', '\n');
      const isWhole = certificatePem.includes('CERTIFICATE-----') && certificatePem.includes('PRIVATE KEY-----');
      if (certificatePem !== '' && !isWhole) {
        settings.fault('AZURE_CLIENT_CERTIFICATE', 'lacks the certificate or its private key', `Set it to ${what}.`);
      }
      return { type, clientId, certificatePem };
    }
  }
}

/** All that OKTA_… may be; without any of them Okta's API is not used. */
function readOkta(settings: SettingsReader): OktaSettings | null {
  const names = ['OKTA_ORG_URL', 'OKTA_API_TOKEN', 'OKTA_CLIENT_ID', 'OKTA_PRIVATE_KEY', 'OKTA_KEY_ID'];
  if (names.every((name) => settings.optional(name) === null)) return null;
  settings.required('OKTA_ORG_URL', 'the address of your Okta org, like https://contoso.okta.com');
  const orgUrl = settings.origin('OKTA_ORG_URL', 'https://contoso.okta.com');
  if (/-admin\.okta(preview|-emea|-gov)?\.com(:\d+)?$/.test(orgUrl)) {
    const fix = 'Leave "-admin" out: like https://contoso.okta.com.';
    settings.fault('OKTA_ORG_URL', 'is the address of the admin console', fix);
  }
  const credential = readOktaCredential(settings);
  return credential === null ? null : { orgUrl, credential };
}

/** What an HTTP header and a JWT can hold; no id and no token of Okta's has more. */
const oktaWord = /^[\w-]+$/;

/** null where it has a fault. */
function readOktaCredential(settings: SettingsReader): OktaCredential | null {
  const token = settings.optional('OKTA_API_TOKEN');
  const clientId = settings.optional('OKTA_CLIENT_ID');
  const keyText = settings.optional('OKTA_PRIVATE_KEY');
  const keyId = settings.optional('OKTA_KEY_ID');
  const isServiceApp = clientId !== null || keyText !== null || keyId !== null;
  const either = 'either OKTA_API_TOKEN, or OKTA_CLIENT_ID and OKTA_PRIVATE_KEY';
  if (token !== null && isServiceApp) {
    settings.fault('OKTA_API_TOKEN', 'is set beside those of a service app', `Set ${either}, and not both.`);
    return null;
  }
  if (token !== null) {
    if (oktaWord.test(token)) return { type: 'apiToken', token };
    settings.fault('OKTA_API_TOKEN', 'is not an API token', 'Give the token alone, without SSWS.');
    return null;
  }
  if (!isServiceApp) {
    settings.fault('OKTA_API_TOKEN', 'is not set, nor is a service app', `Set ${either}.`);
    return null;
  }
  const key = readOktaKey(settings);
  const checked = settings.required('OKTA_CLIENT_ID', 'the client id of a service app (API Services) in Okta');
  if (checked !== '' && !oktaWord.test(checked)) {
    settings.fault('OKTA_CLIENT_ID', 'is not a client id', 'Copy the client id of the service app, like 0oa….');
  }
  return key === null
    ? null
    : { type: 'serviceApp', clientId: checked, privateKey: key.key, keyId: keyId ?? key.keyId };
}

function readOktaKey(settings: SettingsReader): ReturnType<typeof readPrivateKey> {
  const what =
    "the service app's private RSA key of 2048 bits or more, as PEM or JWK text, best as a Key Vault reference";
  const text = settings.required('OKTA_PRIVATE_KEY', what);
  if (text === '') return null;
  const key = readPrivateKey(text);
  if (key === null) settings.fault('OKTA_PRIVATE_KEY', 'is no private RSA key that can be used', `Set it to ${what}.`);
  return key;
}

/** The current one first. */
function readEventHookSecrets(settings: SettingsReader): readonly string[] {
  const [name, previousName] = ['OKTA_EVENT_HOOK_SECRET', 'OKTA_EVENT_HOOK_SECRET_PREVIOUS'];
  const what = '20 characters or more without spaces, such as "openssl rand -hex 32" gives';
  const [current, previous] = [name, previousName].map((each) => {
    const secret = settings.optional(each);
    if (secret === null) return null;
    if (secret.startsWith('@Microsoft.KeyVault(')) {
      const fix = 'Give the identity of the app the role Key Vault Secrets User, and check the reference.';
      settings.fault(each, 'is a Key Vault reference that was not resolved', fix);
    } else if (!/^[\x21-\x7e]{20,}$/.test(secret)) {
      settings.fault(each, 'is too short for a secret, or holds what a header cannot', `Set ${each} to ${what}.`);
    }
    return secret;
  });
  if (current === null && previous !== null) {
    settings.fault(name, 'is not set, but the one before it is', `Set ${name}, or remove ${previousName}.`);
  }
  return [current, previous].flatMap((secret) => secret ?? []);
}

/** Second, minute, hour, day, month, day of the week. */
const scheduleRanges = [
  { least: 0, most: 59 },
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12 },
  { least: 0, most: 6 },
] as const;

/** Held against its form here: the host would not list the function, and say so in its log alone. */
function readSchedule(settings: SettingsReader, name: string, fallback: string): string {
  const schedule = settings.optional(name) ?? fallback;
  const fields = schedule.split(/\s+/);
  const isValid = scheduleRanges.every(({ least, most }, index) =>
    (fields[index] ?? '').split(',').every((part) => {
      const [, from = least, to = from] = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/[1-9]\d?)?$/.exec(part) ?? ['', '-1'];
      return Number(from) >= least && Number(to) <= most && Number(from) <= Number(to);
    }),
  );
  if (isValid && fields.length === scheduleRanges.length) return schedule;
  const fix = `Give six fields of numbers (second minute hour day month day-of-week, UTC), like ${fallback}.`;
  settings.fault(name, 'is no NCRONTAB schedule', fix);
  return fallback;
}

function readStorage(settings: SettingsReader, storageSuffix: string): Storage {
  const clientId = settings.optionalGuid('AzureWebJobsStorage__clientId', 'the client id of a user-assigned identity');
  const addresses = readStorageAddresses(settings, storageSuffix);
  if (addresses !== null) return { type: 'identity', clientId, ...addresses };
  const connectionString = settings.optional('AzureWebJobsStorage');
  if (connectionString === null) {
    const fix =
      'Set AzureWebJobsStorage__accountName (with a managed identity), the three AzureWebJobsStorage__…ServiceUri, or a connection string.';
    settings.fault('AzureWebJobsStorage', 'is not set: there is nowhere to keep the audit and the work', fix);
  }
  return { type: 'connectionString', connectionString: connectionString ?? '' };
}

/** By three addresses, as the Functions host wants them, or by the account's name; null when neither is given. */
function readStorageAddresses(settings: SettingsReader, storageSuffix: string): StorageAddresses | null {
  const accountName = settings.optional('AzureWebJobsStorage__accountName');
  if (accountName !== null && !/^[a-z0-9]{3,24}$/.test(accountName)) {
    const fix = 'Give the name of the storage account alone, 3 to 24 lower-case letters and digits.';
    settings.fault('AzureWebJobsStorage__accountName', 'is not the name of a storage account', fix);
  }
  const services = ['table', 'queue', 'blob'] as const;
  const names = services.map((service) => `AzureWebJobsStorage__${service}ServiceUri`);
  const given = names.some((name) => settings.optional(name) !== null);
  if (accountName === null && !given) return null;
  const [tableServiceUri = '', queueServiceUri = '', blobServiceUri = ''] = services.map((service, index) => {
    const name = names[index] ?? '';
    const addressOf = (account: string) => `https://${account}.${service}.${storageSuffix}`;
    const like = addressOf('youraccount');
    const address = settings.optional(name);
    if (address !== null) settings.url(name, address, like);
    else if (accountName === null) settings.fault(name, 'is not set', `Give an address like ${like}.`);
    return address ?? addressOf(accountName ?? '');
  });
  return { tableServiceUri, queueServiceUri, blobServiceUri };
}
