import type { AzuriteAccounts, AzuriteEndpoints } from '../../local/processes/azurite.ts';
import type { CertificateAuthorityFiles } from './certificateAuthority.ts';

interface TestAzurite {
  endpoints: AzuriteEndpoints;
  accounts: AzuriteAccounts;
  counter: string;
}

/** What `test/run.ts` hands to the test files. */
export const testAzurite = (): TestAzurite => JSON.parse(read('TEST_AZURITE')) as TestAzurite;
export const testCaFiles = (): CertificateAuthorityFiles =>
  JSON.parse(read('TEST_CA_FILES')) as CertificateAuthorityFiles;

function read(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests with "npm run test:only", not with jest itself.`);
  return value;
}
