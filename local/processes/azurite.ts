import { createHmac, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { type Child, startChild } from './child.ts';

export interface AzuriteAccounts {
  prefix: string;
  count: number;
  /** Every account's key comes from this, so that a thousand of them fit into one variable. */
  secret: string;
}

export interface AzuriteEndpoints {
  blob: string;
  queue: string;
  table: string;
}

export interface Azurite {
  process: Child;
  endpoints: AzuriteEndpoints;
}

export function newAccounts(count: number): AzuriteAccounts {
  // 3 to 24 of [a-z0-9], as Azure wants them.
  return { prefix: `local${randomBytes(4).toString('hex')}x`, count, secret: randomBytes(32).toString('hex') };
}

/** Microsoft's storage emulator, in memory and on any free ports. */
export async function startAzurite(accounts: AzuriteAccounts): Promise<Azurite> {
  const services = ['blob', 'queue', 'table'] as const;
  const child = await startChild({
    name: 'Azurite',
    script: pathToFileURL(createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js')).href,
    args: [
      ...services.flatMap((service) => [`--${service}Host`, '127.0.0.1', `--${service}Port`, '0']),
      '--inMemoryPersistence',
      '--silent',
      '--disableTelemetry',
      // The storage SDKs speak versions that are newer than this Azurite (reference/functions.md §6).
      '--skipApiVersionCheck',
    ],
    cwd: tmpdir(),
    // With AZURITE_DB it would keep blobs in a database.
    env: { ...process.env, AZURITE_DB: undefined, AZURITE_ACCOUNTS: accountList(accounts) },
    isReady: (lines) => services.every((service) => endpointOf(service, lines)),
  });
  const [blob = '', queue = '', table = ''] = services.map((service) => endpointOf(service, child.ready));
  return { process: child, endpoints: { blob, queue, table } };
}

export function connectionString(endpoints: AzuriteEndpoints, accounts: AzuriteAccounts, index: number): string {
  const name = accountName(accounts, index);
  return [
    'DefaultEndpointsProtocol=http',
    `AccountName=${name}`,
    `AccountKey=${accountKey(accounts, index)}`,
    `BlobEndpoint=${endpoints.blob}/${name}`,
    `QueueEndpoint=${endpoints.queue}/${name}`,
    `TableEndpoint=${endpoints.table}/${name}`,
  ].join(';');
}

function accountName({ prefix, count }: AzuriteAccounts, index: number): string {
  if (index >= count) throw new Error(`Azurite was started with ${count} accounts; number ${index} is not among them.`);
  return `${prefix}${index}`;
}

function accountKey({ secret }: AzuriteAccounts, index: number): string {
  return createHmac('sha256', secret).update(String(index)).digest('base64');
}

function accountList(accounts: AzuriteAccounts): string {
  const indices = Array.from({ length: accounts.count }, (_, index) => index);
  return indices.map((index) => `${accountName(accounts, index)}:${accountKey(accounts, index)}`).join(';');
}

function endpointOf(service: string, lines: readonly string[]): string | undefined {
  const pattern = new RegExp(`Azurite ${service} service is successfully listening at (http://\\S+)`, 'i');
  return lines.map((line) => pattern.exec(line)?.[1]).find((url) => url !== undefined);
}
