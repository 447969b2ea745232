/**
 * The local host as a process of its own. Says where it listens in one JSON line on stdout, logs to stderr, and ends
 * on SIGTERM.
 *
 *   --port <n>                       0, the default, takes any free one
 *   --app <folder>                   the function app; the project itself by default
 *   --main <file>                    what of it to load; `main` of its package.json by default
 *   --quiet                          no log lines of the functions
 *   --no-timers                      timers are fired by hand only
 *   --no-queues                      nobody looks into queues, as if that were another process: in Azure it is
 *   --max-polling-interval-ms <n>    this and the following over host.json
 *   --visibility-timeout-seconds <n>
 *   --message-lock-seconds <n>
 *
 * The app settings are the environment, as in Azure. The keys come from LOCAL_FUNCTION_KEY and LOCAL_MASTER_KEY, or
 * are made up: arguments are visible to every user.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import { type HostLogEntry, startLocalHost } from './host.ts';
import type { QueueSettings } from './hostJson.ts';
import { injectCore } from './injectCore.ts';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    app: { type: 'string', default: fileURLToPath(new URL('../../', import.meta.url)) },
    main: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    'no-timers': { type: 'boolean', default: false },
    'no-queues': { type: 'boolean', default: false },
    'max-polling-interval-ms': { type: 'string' },
    'visibility-timeout-seconds': { type: 'string' },
    'message-lock-seconds': { type: 'string' },
  },
});

/** As the worker does: `main` of package.json, imported (azure-functions-nodejs-worker, startApp.ts). */
async function loadApp(folder: string, file: string | undefined): Promise<void> {
  const { main } = JSON.parse(await readFile(resolve(folder, 'package.json'), 'utf8')) as { main: string };
  await import(pathToFileURL(resolve(folder, file ?? main)).href);
}

function queueOverrides(): Partial<QueueSettings> {
  const {
    'max-polling-interval-ms': maxPollingIntervalMs,
    'visibility-timeout-seconds': visibilityTimeoutSeconds,
    'message-lock-seconds': messageLockSeconds,
  } = options;
  return {
    ...(maxPollingIntervalMs && { maxPollingIntervalMs: Number(maxPollingIntervalMs) }),
    ...(visibilityTimeoutSeconds && { visibilityTimeoutMs: Number(visibilityTimeoutSeconds) * 1000 }),
    ...(messageLockSeconds && { messageLockMs: Number(messageLockSeconds) * 1000 }),
  };
}

const colors = { warning: 'yellow', error: 'red', critical: 'red' } as const;

function print(entry: HostLogEntry): void {
  const color = entry.level in colors ? colors[entry.level as keyof typeof colors] : 'dim';
  const line = `${entry.time.slice(11, 23)} ${entry.functionName ?? 'host'} ${entry.message}`;
  process.stderr.write(`${process.stderr.isTTY ? styleText(color, line) : line}\n`);
}

injectCore();
const { LOCAL_FUNCTION_KEY: functionKey, LOCAL_MASTER_KEY: masterKey } = process.env;
const host = await startLocalHost({
  load: () => loadApp(options.app, options.main),
  port: Number(options.port),
  settings: process.env,
  queues: options['no-queues'] ? false : queueOverrides(),
  timers: !options['no-timers'],
  ...(functionKey && { functionKey }),
  ...(masterKey && { masterKey }),
  log: (entry) => {
    if (!options.quiet && entry.level !== 'trace' && entry.level !== 'debug') print(entry);
  },
});
if (host.functions.length === 0) throw new Error('The app registered no function: is `main` of package.json right?');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void host.close().then(() => process.exit(0));
  });
}
const { url, routePrefix, functions } = host;
process.stdout.write(
  `${JSON.stringify({
    url,
    api: `${url}/${routePrefix}`,
    functionKey: host.functionKey,
    masterKey: host.masterKey,
    functions: functions.map(({ name }) => name),
  })}\n`,
);
