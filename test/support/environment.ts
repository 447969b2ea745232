import { type AzuriteAccounts, type AzuriteEndpoints, connectionString } from '../../local/processes/azurite.ts';
import type { CertificateAuthorityFiles } from './certificateAuthority.ts';
import { takeNumber } from './counter.ts';

interface TestAzurite {
  endpoints: AzuriteEndpoints;
  accounts: AzuriteAccounts;
  counter: string;
}

/** What `test/run.ts` hands to the test files. */
export const testAzurite = (): TestAzurite => JSON.parse(read('TEST_AZURITE')) as TestAzurite;
export const testCaFiles = (): CertificateAuthorityFiles =>
  JSON.parse(read('TEST_CA_FILES')) as CertificateAuthorityFiles;

/** The connection string of a storage account that nobody else uses. */
export async function ownStorage(): Promise<string> {
  const { endpoints, accounts, counter } = testAzurite();
  return connectionString(endpoints, accounts, await takeNumber(counter));
}

function read(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests with "npm run test:only", not with jest itself.`);
  return value;
}
