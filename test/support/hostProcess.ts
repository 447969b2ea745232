import { type Child, isJsonLine, readJsonLine, startChild } from '../../local/processes/child.ts';
import {
  type Answer,
  type Callable,
  callHost,
  type CallOptions,
  type Settings,
  settingsFor,
  type World,
} from './world.ts';

/** The local host with the whole app as a process of its own, to be killed. */
export interface HostProcess {
  /** `http://127.0.0.1:<port>/api` */
  api: string;
  key: string;
  masterKey: string;
  /** As `App.call`. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Through the admin door: a timer, or a queue function with `input` as its message. Nobody learns how it ended. */
  fire(name: string, input?: unknown): Promise<void>;
  /** What it has logged so far. */
  log(): string;
  /** At once, in the middle of whatever it does; resolves when it is gone. */
  kill(): Promise<void>;
  /** Lets it bring to its end what it does. */
  stop(): Promise<void>;
}

export interface HostProcessOptions {
  /** Over those that fit the simulator. */
  settings?: Settings;
  /** How soon a message of a killed process is seen again; 2 by default, at least 1. */
  messageLockSeconds?: number;
  /** How soon a message whose function failed is seen again; 0 by default. */
  visibilityTimeoutSeconds?: number;
  pollingIntervalMs?: number;
}

/**
 * Starts the host from source; nothing has to be built. Another one may work on the same storage, before or after.
 * @param storage a connection string, such as `ownStorage()` gives
 */
export async function startHostProcess(
  { simulator }: World,
  storage: string,
  options: HostProcessOptions = {},
): Promise<HostProcess> {
  const { settings = {}, messageLockSeconds = 2, visibilityTimeoutSeconds = 0, pollingIntervalMs = 100 } = options;
  const lines: string[] = [];
  const child = await startChild({
    name: 'The local host',
    script: 'local/host/main.ts',
    args: [
      ...['--main', 'functions/index.ts', '--no-timers'],
      ...['--message-lock-seconds', String(messageLockSeconds)],
      ...['--visibility-timeout-seconds', String(visibilityTimeoutSeconds)],
      ...['--max-polling-interval-ms', String(pollingIntervalMs)],
    ],
    env: { ...process.env, ...settingsFor(simulator), ...settings, AzureWebJobsStorage: storage },
    isReady: isJsonLine,
    onStderr: (line) => void lines.push(line),
  });
  const said = readJsonLine(child) as {
    url: string;
    api: string;
    functionKey: string;
    masterKey: string;
    functions: string[];
  };
  const { actions } = await import('../../functions/register.ts');
  const registered = actions.filter(({ name }) => said.functions.includes(name));
  const host: Callable = { ...said, routePrefix: said.api.slice(said.url.length + 1) };
  return {
    api: said.api,
    key: said.functionKey,
    masterKey: said.masterKey,
    call: (method, path, callOptions = {}) => callHost(host, registered, method, path, callOptions),
    fire: async (name, input = '') => {
      const response = await fetch(`${said.url}/admin/functions/${name}`, {
        method: 'POST',
        headers: { 'x-functions-key': said.masterKey, 'content-type': 'application/json' },
        body: JSON.stringify({ input: typeof input === 'string' ? input : JSON.stringify(input) }),
      });
      if (response.status !== 202) throw new Error(`The admin door answered ${response.status} to ${name}.`);
    },
    log: () => lines.join('\n'),
    kill: () => kill(child),
    stop: () => child.stop(),
  };
}

async function kill({ pid, ended }: Child): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
  await ended;
}
