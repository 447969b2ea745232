import { type LocalHost, type LocalHostOptions, startLocalHost } from '../../local/host/host.ts';
import type { Action } from '../../shared/action/contract.ts';
import type { Outside } from '../../shared/services.ts';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import { readCertificateAuthority } from './certificateAuthority.ts';
import { contractFaults } from './conformance.ts';
import { controlOf, type SimulatorControl } from './control.ts';
import { ownStorage, testCaFiles } from './environment.ts';
import { preload } from './preload.ts';

export type JsonObject = Record<string, unknown>;
export type Settings = Record<string, string>;

export interface CallOptions {
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, without a content type of its own. */
  raw?: RequestInit['body'];
  headers?: Record<string, string>;
  /** The function key by default; null for none. */
  key?: string | null;
  query?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** Null when the answer is no JSON object. */
  body: JsonObject | null;
  text: string;
}

/** The app in this process, called over HTTP. */
export interface App {
  host: LocalHost;
  /** Its storage: an account of its own, unless `AzureWebJobsStorage` was given. */
  storage: string;
  /** `path` is what comes after `/api/`. Throws when the answer breaks the contract of the action that gave it. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Fires a function that has no route; `input` is the message of one with a queue. @throws what the function threw */
  fire(name: string, input?: unknown): Promise<void>;
  /** Until no function runs and no message can be seen; delayed messages are not waited for. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface World {
  simulator: Simulator;
  control: SimulatorControl;
  /**
   * Settings that are given win over those that fit the simulator; an empty one unsets.
   * Queues are on, and a failed message is seen again at once; timers are fired by `fire` alone.
   * @param outside in place of the real fetch, clock or chance
   * @param queues over host.json and these
   */
  startApp(settings?: Settings, outside?: Partial<Outside>, queues?: LocalHostOptions['queues']): Promise<App>;
  /** Closes the apps too. */
  close(): Promise<void>;
}

/**
 * A simulated tenant and the apps that work in it. One a test file: MSAL keeps the identity endpoint and its tokens in
 * statics, and so knows but one of each module registry.
 */
export async function startWorld(): Promise<World> {
  await preload();
  const certificateAuthority = await readCertificateAuthority(testCaFiles());
  const simulator = await startSimulator({ certificateAuthority });
  process.env.IDENTITY_ENDPOINT = simulator.urls.identity;
  process.env.IDENTITY_HEADER = simulator.identityHeader;

  const apps: App[] = [];
  return {
    simulator,
    control: controlOf(simulator.urls.control),
    async startApp(settings = {}, outside = {}, queues = {}) {
      const app = await startApp({ ...settingsFor(simulator), ...settings }, outside, queues);
      apps.push(app);
      return app;
    },
    async close() {
      await Promise.all(apps.map((app) => app.close()));
      await simulator.close();
    },
  };
}

/** What an app needs to work in the simulated tenant. */
export function settingsFor(simulator: Simulator): Settings {
  return {
    ENABLED_ROOMS: 'all',
    CREDENTIAL: 'clientSecret',
    AZURE_TENANT_ID: simulator.tenantId,
    AZURE_CLIENT_ID: simulator.clientId,
    AZURE_CLIENT_SECRET: simulator.clientSecret,
    AUTHORITY_HOST: simulator.urls.login,
    GRAPH_BASE_URL: simulator.urls.graph,
    EXCHANGE_BASE_URL: simulator.urls.exchange,
    OKTA_ORG_URL: simulator.urls.okta,
    OKTA_CLIENT_ID: simulator.okta.clientId,
    OKTA_PRIVATE_KEY: simulator.okta.privateKeyPem,
    OKTA_KEY_ID: simulator.okta.keyId,
  };
}

async function startApp(
  settings: Settings,
  outside: Partial<Outside>,
  queues: LocalHostOptions['queues'],
): Promise<App> {
  const storage = settings.AzureWebJobsStorage ?? (await ownStorage());
  const { register, actions } = await import('../../functions/register.ts');
  const env = { ...settings, AzureWebJobsStorage: storage };
  const host = await startLocalHost({
    load: () => Promise.resolve().then(() => register({ env, ...outside })),
    settings: env,
    queues: { visibilityTimeoutMs: 0, ...queues },
    timers: false,
  });
  const registered = actions.filter(({ name }) => host.functions.some((each) => each.name === name));
  let closed: Promise<void> | undefined;
  return {
    host,
    storage,
    call: async (method, path, options = {}) => {
      const answer = await callHost(host, registered, method, path, options);
      // What was accepted lies in a queue, and many apps at once can't look into theirs all the time.
      if (answer.status === 202) host.lookIntoQueues();
      return answer;
    },
    fire: async (name, input = '') => {
      await host.run(name, typeof input === 'string' ? input : JSON.stringify(input));
      host.lookIntoQueues();
    },
    idle: () => host.idle(),
    close: () => (closed ??= host.close()),
  };
}

export type Callable = Pick<LocalHost, 'url' | 'routePrefix' | 'functionKey'>;

/** Calls an action and holds what it answers against its contract. */
export async function callHost(
  host: Callable,
  actions: readonly Action[],
  method: string,
  path: string,
  options: CallOptions,
): Promise<Answer> {
  const { body, raw, query = {}, key = host.functionKey } = options;
  const url = new URL(`${host.url}/${host.routePrefix}/${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  const headers = new Headers(body === undefined ? {} : { 'content-type': 'application/json' });
  if (key !== null) headers.set('x-functions-key', key);
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  const response = await fetch(url, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(raw !== undefined && { body: raw }),
    // A stream goes out in chunks, and fetch wants to be told.
    ...(raw instanceof ReadableStream && { duplex: 'half' }),
  });
  const text = await response.text();
  const faults = contractFaults(actions, {
    method,
    path: url.pathname.slice(`/${host.routePrefix}/`.length),
    isFlow: headers.get('x-outcome-mode')?.trim().toLowerCase() === 'flow',
    status: response.status,
    headers: response.headers,
    text,
  });
  if (faults.length > 0) throw new Error(`${method} ${path} broke its contract:\n${faults.join('\n')}\n${text}`);
  return { status: response.status, headers: response.headers, body: parseObject(text), text };
}

function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}

/** The list of flat objects that a reply has under `name`. */
export function rowsOf(answer: Answer, name: string): JsonObject[] {
  const rows = answer.body?.[name];
  if (!Array.isArray(rows)) throw new Error(`The answer has no list "${name}": ${answer.status} ${answer.text}`);
  return rows as JsonObject[];
}
