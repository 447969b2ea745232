import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { coreState, createSink, loadInto } from './appState.ts';
import type { BindingInfo, FunctionCallback, FunctionMetadata, LogCategory, LogLevel } from './coreTypes.ts';
import { invoke, runHooks } from './invoke.ts';
import { isAuthorized, type Keys, newKey, presentedKey } from './keys.ts';
import { closeServer, listen } from './listen.ts';
import { comparePrecedence, matchRoute, parseRoute, type Route } from './routes.ts';
import { readBody, sendRpcHttp, toRpcHttp } from './rpcHttp.ts';

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
  close(): Promise<void>;
}

export interface LocalHostOptions {
  /** Imports or calls what registers the functions; meanwhile, registrations go to this host. */
  load: () => Promise<unknown>;
  /** 0, the default, takes any that is free. */
  port?: number;
  functionKey?: string;
  masterKey?: string;
  /** `host.json` says it when this doesn't. */
  routePrefix?: string;
  log?: (entry: HostLogEntry) => void;
}

interface HttpFunction {
  metadata: FunctionMetadata;
  callback: FunctionCallback;
  trigger: BindingInfo & { name: string };
  methods: readonly string[];
  route: Route;
}

const logsKept = 10_000;
// FUNCTIONS_REQUEST_BODY_SIZE_LIMIT (functions.md §2). That the answer above it is a 413 is Kestrel's; inferred here.
const bodyLimit = 100 * 1024 * 1024;

export async function startLocalHost(options: LocalHostOptions): Promise<LocalHost> {
  const keys: Keys = { functionKey: options.functionKey ?? newKey(), masterKey: options.masterKey ?? newKey() };
  const routePrefix = options.routePrefix ?? (await routePrefixOfHostJson());
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

  const functions = [...sink.functions.values()].map((registered) => ({
    ...registered,
    trigger: triggerOf(registered),
  }));
  const httpFunctions = functions
    .filter(({ trigger }) => trigger.type.toLowerCase() === 'httptrigger')
    .map((registered) => toHttpFunction(registered, routePrefix))
    .sort((a, b) => comparePrecedence(a.route, b.route));

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    // The WHATWG parser takes out dot segments, as Kestrel does.
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? '127.0.0.1'}`);
    const found = find(httpFunctions, request.method ?? 'GET', url);
    if (!found) {
      sendEmpty(response, 404);
      return;
    }
    const { metadata, callback, trigger } = found.target;
    if (!isAuthorized(trigger.authLevel, presentedKey(request, url.searchParams), keys)) {
      sendEmpty(response, 401);
      return;
    }
    const { tooLarge, body } = await readBody(request, bodyLimit);
    if (tooLarge) {
      sendEmpty(response, 413);
      return;
    }

    const functionName = metadata.name;
    try {
      const result = await invoke({
        metadata,
        callback,
        trigger: { name: trigger.name, data: toRpcHttp(request, url, found.params, body) },
        traceParent: request.headersDistinct.traceparent?.[0],
        hooks: sink.hooks,
        log: (invocationId, level, category, message) => log({ level, category, functionName, invocationId, message }),
      });
      sendRpcHttp(response, result);
    } catch (error) {
      // The caller of the real host learns nothing either.
      log({ level: 'error', category: 'host', functionName, invocationId: null, message: `Failed: ${inspect(error)}` });
      sendEmpty(response, 500);
    }
  };

  const server = createServer({ maxHeaderSize: 32 * 1024, keepAliveTimeout: 130_000 }, (request, response) => {
    serve(request, response).catch((error: unknown) => {
      // Only a connection that broke while its body was read ends here.
      log({ level: 'debug', category: 'host', functionName: null, invocationId: null, message: inspect(error) });
      response.destroy();
    });
  });
  const port = await listen(server, options.port ?? 0);

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
    async close() {
      await closeServer(server);
      coreState.running.delete(sink);
      await runHooks(sink.hooks, 'appTerminate', { hookData: {}, appHookData: {} });
    },
  };
}

function triggerOf({ metadata }: { metadata: FunctionMetadata }): BindingInfo & { name: string } {
  const found = Object.entries(metadata.bindings).find(([, binding]) => /trigger$/i.test(binding.type));
  if (!found) throw new Error(`The function "${metadata.name}" has no trigger.`);
  return { ...found[1], name: found[0] };
}

function toHttpFunction(
  registered: { metadata: FunctionMetadata; callback: FunctionCallback; trigger: BindingInfo & { name: string } },
  routePrefix: string,
): HttpFunction {
  const { trigger, metadata } = registered;
  const route = typeof trigger.route === 'string' ? trigger.route : metadata.name;
  return {
    ...registered,
    methods: (trigger.methods as string[]).map((method) => method.toUpperCase()),
    route: parseRoute(`${routePrefix}/${route}`),
  };
}

/** A method that a route doesn't have is a route that doesn't exist: 404, not 405 (functions.md §2). */
function find(functions: readonly HttpFunction[], method: string, url: URL) {
  for (const target of functions) {
    const params = target.methods.includes(method) && matchRoute(target.route, url.pathname.slice(1));
    if (params) return { target, params };
  }
  return undefined;
}

function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 }).end();
}

async function routePrefixOfHostJson(): Promise<string> {
  const text = await readFile(new URL('../../host.json', import.meta.url), 'utf8');
  const hostJson = JSON.parse(text) as { extensions?: { http?: { routePrefix?: string } } };
  return hostJson.extensions?.http?.routePrefix ?? 'api';
}
