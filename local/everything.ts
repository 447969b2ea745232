import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hookEventTypes } from '../shared/push/hooks/eventTypes.ts';
import { closeServer, listen } from './host/listen.ts';
import { connectionString, newAccounts, startAzurite } from './processes/azurite.ts';
import { type Child, isJsonLine, readJsonLine, startChild } from './processes/child.ts';
import {
  chooseStorage,
  embeddedSettings,
  hasTenant,
  readSettings,
  type Settings,
  type SimulatedTenant,
} from './settings.ts';

/** Somebody waits for what a queue does; host.json's interval is for a service that is paid by the look. */
const pollingIntervalMs = 200;

export interface EverythingOptions {
  /** Of the local host. 0, the default, takes any free one. */
  port?: number;
  /** Settings that win over the environment and local.settings.json. */
  settings?: Settings;
  /** Gets the log lines of the functions, and whatever else a process says on stderr. */
  onLog?: (line: string) => void;
}

interface SimulatorUrls {
  graph: string;
  exchange: string;
  okta: string;
  login: string;
  control: string;
}

export interface Everything {
  /** `http://127.0.0.1:<port>/api` */
  api: string;
  key: string;
  masterKey: string;
  /** What the simulated org sends with its events. Null when a tenant is configured. */
  hookSecret: string | null;
  /** Null when a tenant is configured. */
  simulator: SimulatorUrls | null;
  /** Null when the storage is reached by identity. */
  storage: string | null;
  processes: readonly { name: string; pid: number }[];
  /** Comes when a process ends that wasn't asked to, with what it said last. */
  failed: Promise<string>;
  close(): Promise<void>;
}

type SimulatorLine = SimulatedTenant & { urls: SimulatorUrls; certificateAuthorityPem: string };

/** The simulator, Azurite and the local host, each a process; with a tenant configured, only what it needs. */
export async function startEverything(options: EverythingOptions = {}): Promise<Everything> {
  const settings = { ...(await readSettings()), ...options.settings };
  const started: Child[] = [];
  const keep = async (child: Promise<Child>) => {
    const ready = await child;
    started.push(ready);
    return ready;
  };
  const folder = await mkdtemp(join(tmpdir(), 'okta-m365-actions-'));
  let closing = false;
  const close = async () => {
    closing = true;
    // The host first: what it still answers needs the others.
    for (const child of started.splice(0).reverse()) await child.stop();
    await rm(folder, { recursive: true, force: true });
  };

  try {
    await assertFree(options.port ?? 0);
    const storageChoice = hasTenant(settings) ? chooseStorage(settings) : { type: 'azurite' as const };
    const accounts = newAccounts(1);
    // Both begin at once, and both have to be stopped if one fails: hence no Promise.all.
    const [simulated, emulated] = await Promise.allSettled([
      hasTenant(settings) ? null : keep(startSimulator(options.onLog)),
      storageChoice.type === 'azurite'
        ? startAzurite(accounts).then((azurite) => {
            started.push(azurite.process);
            return azurite.endpoints;
          })
        : null,
    ]);
    const simulatorProcess = valueOf(simulated);
    const endpoints = valueOf(emulated);

    const simulator = simulatorProcess && (readJsonLine(simulatorProcess) as SimulatorLine);
    const caFile = join(folder, 'simulator-ca.pem');
    if (simulator) await writeFile(caFile, simulator.certificateAuthorityPem);
    const storage =
      storageChoice.type === 'configured'
        ? storageChoice.connectionString
        : endpoints && connectionString(endpoints, accounts, 0);

    const embedded = simulator && embeddedSettings(settings, simulator, caFile);
    const host = await keep(
      startChild({
        name: 'The local host',
        script: 'local/host/main.ts',
        args: ['--port', String(options.port ?? 0), '--max-polling-interval-ms', String(pollingIntervalMs)],
        env: {
          ...(embedded ?? settings),
          ...(storage !== null && { AzureWebJobsStorage: storage }),
        },
        isReady: isJsonLine,
        ...(options.onLog && { onStderr: options.onLog }),
      }),
    );
    const { api, functionKey, masterKey, functions } = readJsonLine(host) as {
      api: string;
      functionKey: string;
      masterKey: string;
      functions: string[];
    };
    if (simulator && embedded && functions.includes('receiveEventHook')) {
      await registerEventHook(simulator.urls.control, `${api}/okta/events`, embedded.OKTA_EVENT_HOOK_SECRET);
    }
    const failed = Promise.race(started.map((child) => child.ended)).then((words) =>
      closing ? new Promise<never>(() => undefined) : words,
    );
    return {
      api,
      key: functionKey,
      masterKey,
      hookSecret: embedded?.OKTA_EVENT_HOOK_SECRET ?? null,
      simulator: simulator && publicUrls(simulator.urls),
      storage,
      processes: started.map(({ name, pid }) => ({ name, pid })),
      failed,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function startSimulator(onLog: EverythingOptions['onLog']): Promise<Child> {
  return startChild({
    name: 'The simulator',
    script: 'simulator/main.ts',
    isReady: isJsonLine,
    ...(onLog && { onStderr: onLog }),
  });
}

/** What `npm run setup:event-hook` does in a real org. */
async function registerEventHook(control: string, url: string, secret: string): Promise<void> {
  const header = { key: 'authorization', value: secret };
  const response = await fetch(`${control}/_sim/okta/hooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url, header, events: hookEventTypes }),
  });
  if (!response.ok) throw new Error(`The simulated Okta org refused the event hook: ${await response.text()}`);
}

/** Asked before the others start, so that the commonest mistake is told at once. */
async function assertFree(port: number): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  await listen(server, port);
  await closeServer(server);
}

function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason as Error;
  return settled.value;
}

function publicUrls({ graph, exchange, okta, login, control }: SimulatorUrls): SimulatorUrls {
  return { graph, exchange, okta, login, control };
}
