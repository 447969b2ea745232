import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AzuriteEndpoints, connectionString, newAccounts, startAzurite } from '../../local/processes/azurite.ts';
import { type Child, isJsonLine, readJsonLine, startChild } from '../../local/processes/child.ts';
import { embeddedSettings, type SimulatedTenant } from '../../local/settings.ts';
import { preparePrograms } from '../overhead/programs.ts';

export interface Host {
  /** `http://127.0.0.1:<port>/api` */
  readonly api: string;
  readonly key: string;
  stop(): Promise<void>;
}

/** Storage accounts, of which none sees the others. */
export type Account = 'course' | 'counted' | 'cold';
const accountNames: readonly Account[] = ['course', 'counted', 'cold'];

export interface Stage {
  readonly controlUrl: string;
  readonly storage: AzuriteEndpoints;
  readonly secret: string;
  /** The local host with dist/, a process of its own. Without queues it receives, and nobody collects. */
  startHost(account: Account, options?: { storage?: AzuriteEndpoints; queues?: boolean }): Promise<Host>;
  stop(): Promise<void>;
}

type SimulatorLine = SimulatedTenant & { urls: { control: string }; certificateAuthorityPem: string };

/** The simulator and the storage emulator, each a process. */
export async function startStage(): Promise<Stage> {
  const programs = await preparePrograms();
  const children: Child[] = [];
  const stop = async () => {
    for (const child of children.splice(0).reverse()) await child.stop();
    await rm(programs.folder, { recursive: true, force: true });
  };
  try {
    const simulator = await startChild({ name: 'The simulator', script: 'simulator/main.ts', isReady: isJsonLine });
    children.push(simulator);
    const accounts = newAccounts(accountNames.length);
    const azurite = await startAzurite(accounts);
    children.push(azurite.process);
    const tenant = readJsonLine(simulator) as SimulatorLine;
    const caFile = join(programs.folder, 'ca.pem');
    await writeFile(caFile, tenant.certificateAuthorityPem);
    const settings = embeddedSettings({ PATH: process.env.PATH }, tenant, caFile);
    return {
      controlUrl: tenant.urls.control,
      storage: azurite.endpoints,
      secret: settings.OKTA_EVENT_HOOK_SECRET,
      startHost: async (account, { storage = azurite.endpoints, queues = false } = {}) => {
        const polling = queues ? ['--max-polling-interval-ms', '100'] : ['--no-queues'];
        const host = await startChild({
          name: 'The local host',
          script: programs.host,
          args: ['--quiet', '--no-timers', '--app', programs.app, ...polling],
          env: {
            ...settings,
            AzureWebJobsStorage: connectionString(storage, accounts, accountNames.indexOf(account)),
          },
          isReady: isJsonLine,
        });
        children.push(host);
        const { api, functionKey: key } = readJsonLine(host) as { api: string; functionKey: string };
        return { api, key, stop: () => host.stop() };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
