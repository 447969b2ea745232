import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AzuriteAccounts,
  type AzuriteEndpoints,
  connectionString,
  newAccounts,
  startAzurite,
} from '../../local/processes/azurite.ts';
import { type Child, isJsonLine, readJsonLine, startChild } from '../../local/processes/child.ts';
import { embeddedSettings, type Settings, type SimulatedTenant } from '../../local/settings.ts';
import { type CountedStorage, countStorageCalls } from './countedStorage.ts';
import { preparePrograms, type Programs } from './programs.ts';

/** A group that both sides act on. */
export interface Target {
  readonly group: string;
  readonly groupId: string;
  /** In the group already, so that each call leaves everything as it was. */
  readonly member: string;
  readonly memberId: string;
}

export interface Sides {
  /** Origins with what stands before `groups/…`, and the key. */
  readonly app: { readonly api: string; readonly key: string };
  readonly proxyUrl: string;
  stop(): Promise<void>;
}

export interface Stage {
  readonly controlUrl: string;
  readonly targets: readonly Target[];
  /** The local host with dist/, and the bare proxy: each a process. */
  startSides(): Promise<Sides>;
  /** The same, with somebody who counts between them and the storage. */
  startCountedSides(): Promise<Sides & Pick<CountedStorage, 'takeCalls'>>;
  stop(): Promise<void>;
}

type SimulatorLine = SimulatedTenant & { urls: { control: string }; certificateAuthorityPem: string };

/** The simulator and the storage emulator, each a process, with so many groups. */
export async function startStage(groupCount: number): Promise<Stage> {
  const programs = await preparePrograms();
  const { folder } = programs;
  const { keep, stop: stopChildren } = keepChildren();
  const stop = async () => {
    await stopChildren();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const simulator = keep(
      await startChild({ name: 'The simulator', script: 'simulator/main.ts', isReady: isJsonLine }),
    );
    const tenant = readJsonLine(simulator) as SimulatorLine;
    const targets = await seedTargets(tenant.urls.control, groupCount);
    const accounts = newAccounts(1);
    const azurite = await startAzurite(accounts);
    keep(azurite.process);
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, tenant.certificateAuthorityPem);
    const settings = embeddedSettings({ PATH: process.env.PATH }, tenant, caFile);
    const startWith = (endpoints: AzuriteEndpoints) =>
      startSides(programs, targets, withStorage(settings, endpoints, accounts));
    return {
      controlUrl: tenant.urls.control,
      targets,
      startSides: () => startWith(azurite.endpoints),
      startCountedSides: async () => {
        const counted = await countStorageCalls(azurite.endpoints);
        const sides = await startWith(counted.endpoints);
        const stopBoth = async () => {
          await sides.stop();
          await counted.stop();
        };
        return { ...sides, takeCalls: () => counted.takeCalls(), stop: stopBoth };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function withStorage(settings: Settings, endpoints: AzuriteEndpoints, accounts: AzuriteAccounts): Settings {
  return { ...settings, AzureWebJobsStorage: connectionString(endpoints, accounts, 0) };
}

async function startSides(programs: Programs, targets: readonly Target[], env: Settings): Promise<Sides> {
  const { keep, stop } = keepChildren();
  try {
    const host = keep(
      await startChild({
        name: 'The local host',
        script: programs.host,
        args: ['--quiet', '--no-queues', '--app', programs.app],
        env,
        isReady: isJsonLine,
      }),
    );
    const { api, functionKey: key } = readJsonLine(host) as { api: string; functionKey: string };
    const proxy = keep(
      await startChild({
        name: 'The bare proxy',
        script: programs.proxy,
        env: { ...env, BENCH_TARGETS: JSON.stringify(targets) },
        isReady: isJsonLine,
      }),
    );
    const { url: proxyUrl } = readJsonLine(proxy) as { url: string };
    return { app: { api, key }, proxyUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function keepChildren() {
  const children: Child[] = [];
  return {
    keep: (child: Child): Child => {
      children.push(child);
      return child;
    },
    stop: async () => {
      for (const child of children.splice(0).reverse()) await child.stop();
    },
  };
}

/** Distribution lists, each with the same one member. */
async function seedTargets(controlUrl: string, count: number): Promise<Target[]> {
  const names = Array.from({ length: count }, (_, index) => `Numbered Group ${String(index + 1).padStart(4, '0')}`);
  const seed = async (body: object) => {
    const response = await fetch(`${controlUrl}/_sim/seed`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`The simulator refused the seed: ${await response.text()}`);
  };
  await seed({ users: 1, groups: count, kind: 'distributionList' });
  await seed({ users: 1, members: Object.fromEntries(names.map((name) => [name, 1])) });
  const groups = names.map(async (group): Promise<Target> => {
    const response = await fetch(`${controlUrl}/_sim/groups/${encodeURIComponent(group)}`);
    const { id, members } = (await response.json()) as { id: string; members: readonly string[] };
    const [memberId] = members;
    if (memberId === undefined) throw new Error(`${group} has no member.`);
    return { group, groupId: id, member: 'person000001@contoso.com', memberId };
  });
  return Promise.all(groups);
}
