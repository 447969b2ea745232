/**
 * Runs jest with what the tests share: one Azurite with an account for each app, and one certificate authority, which
 * Node.js reads only when a process starts. Arguments go to jest.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { newAccounts, startAzurite } from '../local/processes/azurite.ts';
import { provideCertificateAuthority } from './support/certificateAuthority.ts';
import { startCounter } from './support/counter.ts';

// As many as fit into the one variable by which Azurite learns of them (128 KiB on Linux).
const accountCount = 1_500;

const authority = await provideCertificateAuthority();
const accounts = newAccounts(accountCount);
const [azurite, counter] = await Promise.all([startAzurite(accounts), startCounter()]);

const jest = spawn(
  process.execPath,
  [
    // ES modules in jest need it, and it is the one thing that this silences.
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    createRequire(import.meta.url).resolve('jest/bin/jest'),
    ...process.argv.slice(2),
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: authority.certificateFile,
      TEST_CA_FILES: JSON.stringify(authority),
      TEST_AZURITE: JSON.stringify({ endpoints: azurite.endpoints, accounts, counter: counter.url }),
    },
  },
);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => jest.kill(signal));
const code = await new Promise<number>((resolve, reject) => {
  jest.once('error', reject);
  jest.once('exit', (exitCode) => resolve(exitCode ?? 1));
});
await Promise.all([azurite.process.stop(), counter.close()]);
process.exitCode = code;
