/**
 * `npm start`. Options after `--`:
 *
 *   --port <n>   of the local host; 7071 by default, 0 takes any free one
 *   --json       one line of JSON on stdout when everything is ready, and nothing else
 *   --quiet      no log lines of the functions
 */
import { parseArgs } from 'node:util';
import { type Everything, startEverything } from './everything.ts';
import { greet } from './greeting.ts';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '7071' },
    json: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
});

let everything: Everything | undefined;
let ending = false;

async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  await everything?.close();
  process.exit(code);
}

// Before the first process starts, and `end` waits for those that are starting.
const asked = new Promise<void>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve());
  if (process.env.npm_lifecycle_event) onParentGone(resolve);
});

try {
  const log = (line: string) => {
    if (!options.quiet) process.stderr.write(`${line}\n`);
  };
  everything = await startEverything({ port: portFrom(options.port), onLog: log });
  for (const { name, pid } of everything.processes) log(`${name} is process ${pid}.`);
  const { api, key, simulator, storage } = everything;
  if (options.json) console.log(JSON.stringify({ api, key, simulator, storage }));
  else console.log(await greet(everything));

  const failure = await Promise.race([asked, everything.failed]);
  if (failure !== undefined) console.error(failure);
  await end(failure === undefined ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await end(1);
}

/**
 * Under npm, whoever stops us stops npm or the shell that npm runs scripts in, and neither passes every signal on.
 * Without npm the parent may well be a shell that was left on purpose.
 */
function onParentGone(tell: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) tell();
  }, 250).unref();
}

function portFrom(text: string): number {
  const port = Number(text);
  if (text.trim() === '' || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`--port wants a number from 0 to 65535, not "${text}".`);
  }
  return port;
}
