import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { createAdminDoor, isAdminPath } from './adminDoor.ts';
import type { AppSettings } from './appSettings.ts';
import { coreState, createSink, loadInto } from './appState.ts';
import type { BindingInfo, LogCategory, LogLevel } from './coreTypes.ts';
import { type HostedFunction, isTriggeredBy, type RunFunction, toHostedFunction } from './hostedFunction.ts';
import { type QueueSettings, readHostJson } from './hostJson.ts';
import { createHttpDoor } from './httpDoor.ts';
import { invoke, runHooks } from './invoke.ts';
import { type Keys, newKey } from './keys.ts';
import { closeServer, listen } from './listen.ts';
import { byHand } from './queues/message.ts';
import { startQueueTriggers } from './queues/triggers.ts';
import { startTimerTriggers } from './timers/triggers.ts';

interface RegisteredFunction {
  name: string;
  trigger: BindingInfo & { name: string };
  bindings: Record<string, BindingInfo>;
}

export interface HostLogEntry {
  time: string;
  level: LogLevel;
  /** `host` is what the host itself has to say, such as the error behind an empty 500. */
  category: LogCategory | 'host';
  functionName: string | null;
  invocationId: string | null;
  message: string;
}

export interface LocalHost {
  /** `http://127.0.0.1:<port>`, no slash at the end. */
  url: string;
  /** What stands between the origin and a function's route. */
  routePrefix: string;
  functionKey: string;
  masterKey: string;
  functions: readonly RegisteredFunction[];
  /** The latest lines; a host that runs for days forgets the older ones. */
  logs: readonly HostLogEntry[];
  /**
   * Fires a timer, or gives a queue function `input` as its message, as `POST /admin/functions/{name}` does; resolves
   * when the invocation has ended. @throws what the function threw
   */
  run(name: string, input?: string): Promise<void>;
  /** Looks into the queues now, however long the next look was put off. */
  lookIntoQueues(): void;
  /**
   * Resolves when no function runs and no queue has a message to be seen. Messages that are delayed, or unseen for a
   * while after a failure, are not waited for.
   */
  idle(): Promise<void>;
  /** Lets everything that runs come to its end. */
  close(): Promise<void>;
}

export interface LocalHostOptions {
  /** Imports or calls what registers the functions; meanwhile, registrations go to this host. */
  load: () => Promise<unknown>;
  /** 0, the default, takes any that is free. */
  port?: number;
  functionKey?: string;
  masterKey?: string;
  /** The app settings, among which triggers look for their connections. */
  settings?: AppSettings;
  /** Over what host.json says. */
  routePrefix?: string;
  /** Over what host.json says. */
  queues?: Partial<QueueSettings> | false;
  /** False: timers are fired by hand only. */
  timers?: boolean;
  log?: (entry: HostLogEntry) => void;
}

const logsKept = 10_000;
const idleCheckMs = 20;

export async function startLocalHost(options: LocalHostOptions): Promise<LocalHost> {
  const keys: Keys = { functionKey: options.functionKey ?? newKey(), masterKey: options.masterKey ?? newKey() };
  const hostJson = await readHostJson();
  const routePrefix = options.routePrefix ?? hostJson.routePrefix;
  const logs: HostLogEntry[] = [];
  const log = (entry: Omit<HostLogEntry, 'time'>) => {
    const timed = { time: new Date().toISOString(), ...entry };
    if (logs.push(timed) > logsKept) logs.shift();
    options.log?.(timed);
  };

  const sink = createSink((level, category, message) =>
    log({ level, category, functionName: null, invocationId: null, message }),
  );
  await loadInto(sink, options.load);
  coreState.running.add(sink);
  await coreState.programmingModel?.getCapabilities?.({});
  await runHooks(sink.hooks, 'appStart', { hookData: {}, appHookData: {}, functionAppDirectory: process.cwd() });

  const functions = [...sink.functions.values()].map(toHostedFunction);
  const running = new Set<Promise<unknown>>();
  let begunCount = 0;
  const run: RunFunction = (target, { data, metadata = {}, traceParent }) => {
    begunCount += 1;
    const functionName = target.metadata.name;
    const invocation = invoke({
      ...target,
      trigger: { name: target.trigger.name, data, metadata },
      traceParent,
      hooks: sink.hooks,
      log: (invocationId, level, category, message) => log({ level, category, functionName, invocationId, message }),
    })
      .catch((error: unknown) => {
        const message = `Failed: ${inspect(error)}`;
        log({ level: 'error', category: 'host', functionName, invocationId: null, message });
        throw error;
      })
      .finally(() => running.delete(invocation));
    running.add(invocation);
    return invocation;
  };

  const appSettings = options.settings ?? {};
  const timers = startTimerTriggers({ functions, appSettings, isOn: options.timers ?? true, run });
  const queues = await startQueueTriggers({
    functions: options.queues === false ? [] : functions,
    appSettings,
    settings: { ...hostJson.queues, ...options.queues },
    run,
    warn: (functionName, words, error) => {
      const message = error === undefined ? words : `${words}: ${inspect(error)}`;
      log({ level: 'warning', category: 'host', functionName, invocationId: null, message });
    },
  });
  const fire = async (target: HostedFunction, input: string) => {
    if (isTriggeredBy(target, 'timer')) await timers.fire(target);
    else if (isTriggeredBy(target, 'queue')) await run(target, byHand(input));
    else throw new Error(`"${target.metadata.name}" is triggered by HTTP: call its route.`);
  };

  const serveHttp = createHttpDoor(functions, routePrefix, keys, run);
  const serveAdmin = createAdminDoor({ functions, keys, fire });
  const server = createServer({ maxHeaderSize: 32 * 1024, keepAliveTimeout: 130_000 }, (request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? '127.0.0.1'}`);
    const serve = isAdminPath(url) ? serveAdmin : serveHttp;
    serve(request, response, url).catch((error: unknown) => {
      // Only a connection that broke while its body was read ends here.
      log({ level: 'debug', category: 'host', functionName: null, invocationId: null, message: inspect(error) });
      response.destroy();
    });
  });
  const stopTriggers = async () => {
    timers.stop();
    await queues.stop();
  };
  const port = await listen(server, options.port ?? 0).catch(async (error: unknown) => {
    await stopTriggers();
    throw error;
  });

  return {
    url: `http://127.0.0.1:${port}`,
    routePrefix,
    ...keys,
    functions: functions.map(({ metadata, trigger }) => ({
      name: metadata.name,
      trigger,
      bindings: metadata.bindings,
    })),
    logs,
    run: async (name, input = '') => {
      const target = functions.find(({ metadata }) => metadata.name === name);
      if (!target) throw new Error(`There is no function "${name}".`);
      await fire(target, input);
    },
    lookIntoQueues: () => queues.lookNow(),
    idle: async () => {
      for (;;) {
        const before = [begunCount, queues.receivedCount()].join();
        const hasVisible = await queues.hasVisible();
        // What was received or begun meanwhile may have left something in a queue that had been looked into before.
        const isSame = [begunCount, queues.receivedCount()].join() === before;
        if (!hasVisible && isSame && running.size === 0 && !queues.isBusy()) return;
        if (hasVisible) queues.lookNow();
        await delay(idleCheckMs);
      }
    },
    async close() {
      await Promise.all([stopTriggers(), closeServer(server)]);
      await Promise.allSettled(running);
      coreState.running.delete(sink);
      await runHooks(sink.hooks, 'appTerminate', { hookData: {}, appHookData: {} });
    },
  };
}
