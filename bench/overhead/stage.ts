import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectionString, newAccounts, startAzurite } from '../../local/processes/azurite.ts';
import { type Child, isJsonLine, readJsonLine, startChild } from '../../local/processes/child.ts';
import { embeddedSettings, type SimulatedTenant } from '../../local/settings.ts';
import { preparePrograms } from './programs.ts';

export interface Stage {
  /** Origins with what stands before `groups/…`, and the key. */
  readonly app: { readonly api: string; readonly key: string };
  readonly proxyUrl: string;
  readonly controlUrl: string;
  stop(): Promise<void>;
}

/** What both sides act on; the member is in the group already, so that each call leaves everything as it was. */
export const target = { group: 'Sales Nordics', member: 'bruno.keller@contoso.com' };

interface State {
  users: { id: string; userPrincipalName: string }[];
  groups: { id: string; displayName: string }[];
}
type SimulatorLine = SimulatedTenant & { urls: { control: string }; certificateAuthorityPem: string };

/** The simulator, the storage emulator, the local host with dist/, and the bare proxy: each a process. */
export async function startStage(): Promise<Stage> {
  const started: Child[] = [];
  const programs = await preparePrograms();
  const { folder } = programs;
  const keep = <T extends Child>(child: T): T => {
    started.push(child);
    return child;
  };
  const stop = async () => {
    for (const child of started.splice(0).reverse()) await child.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const simulator = keep(
      await startChild({ name: 'The simulator', script: 'simulator/main.ts', isReady: isJsonLine }),
    );
    const tenant = readJsonLine(simulator) as SimulatorLine;
    const accounts = newAccounts(1);
    const azurite = await startAzurite(accounts);
    keep(azurite.process);
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, tenant.certificateAuthorityPem);
    const env = {
      ...embeddedSettings({ PATH: process.env.PATH }, tenant, caFile),
      AzureWebJobsStorage: connectionString(azurite.endpoints, accounts, 0),
    };
    const host = keep(
      await startChild({
        name: 'The local host',
        script: programs.host,
        args: ['--quiet', '--app', programs.app],
        env,
        isReady: isJsonLine,
      }),
    );
    const { api, functionKey: key } = readJsonLine(host) as { api: string; functionKey: string };
    const state = (await (await fetch(`${tenant.urls.control}/_sim/state`)).json()) as State;
    const proxy = keep(
      await startChild({
        name: 'The bare proxy',
        script: programs.proxy,
        env: { ...env, BENCH_TARGET: JSON.stringify({ ...target, ...idsIn(state) }) },
        isReady: isJsonLine,
      }),
    );
    const { url: proxyUrl } = readJsonLine(proxy) as { url: string };
    return { app: { api, key }, proxyUrl, controlUrl: tenant.urls.control, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function idsIn({ groups, users }: State): Record<string, string> {
  const groupId = groups.find(({ displayName }) => displayName === target.group)?.id;
  const memberId = users.find(({ userPrincipalName }) => userPrincipalName === target.member)?.id;
  if (groupId === undefined || memberId === undefined) throw new Error('The seed has changed.');
  return { groupId, exchangeGroupId: groupId, memberId };
}
