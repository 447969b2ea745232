import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Child {
  name: string;
  pid: number;
  /** What the process said when it was ready. */
  ready: string[];
  /** Ends when the process does, on its own or by `stop`, with words for a person. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

export interface ChildOptions {
  /** What people call it in messages. */
  name: string;
  /** A script, relative to the project when it is ours; `.ts` runs through tsx. */
  script: string;
  args?: readonly string[];
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Whether the lines of stdout so far mean that it can be used. */
  isReady: (lines: readonly string[]) => boolean;
  /** Gets what the process says on stderr. */
  onStderr?: (line: string) => void;
}

const projectRoot = new URL('../../', import.meta.url);
const { resolve: resolveModule } = createRequire(import.meta.url);
const startLimit = 30_000;
const stopLimit = 10_000;
const linesKept = 20;

/** Starts a Node.js process and waits until it is ready. It ends when this process does, whatever ends this one. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, script } = options;
  const loaders = script.endsWith('.ts') ? ['--import', pathToFileURL(resolveModule('tsx')).href] : [];
  const guard = fileURLToPath(new URL('endWithParent.cjs', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--require', guard, ...loaders, fileURLToPath(new URL(script, projectRoot)), ...(options.args ?? [])],
    {
      cwd: options.cwd ?? fileURLToPath(projectRoot),
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      // A terminal's Ctrl-C goes to a whole group; only we are to stop our children, in their order.
      detached: true,
    },
  );

  const said: string[] = [];
  const complaints: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    complaints.push(line);
    if (complaints.length > linesKept) complaints.shift();
    options.onStderr?.(line);
  });

  let stopping = false;
  const ended = new Promise<string>((resolve) => {
    // `close`, unlike `exit`, comes after the last line was read.
    child.once('close', (code, signal) => {
      const how = signal ? `by ${signal}` : `with exit code ${code ?? 'unknown'}`;
      resolve([`${name} ended ${how}.`, ...complaints].join('\n  '));
    });
    child.once('error', (error) => resolve(`${name} could not be started: ${error.message}`));
  });

  const stop = async () => {
    if (!stopping) {
      stopping = true;
      child.kill('SIGTERM');
    }
    const force = setTimeout(() => child.kill('SIGKILL'), stopLimit);
    await ended;
    clearTimeout(force);
  };

  const ready = new Promise<void>((resolve) => {
    const lines = createInterface(child.stdout);
    const read = (line: string) => {
      said.push(line);
      if (!options.isReady(said)) return;
      lines.off('line', read);
      // Nobody reads further, and a full pipe would stop the process.
      lines.on('line', () => undefined);
      resolve();
    };
    lines.on('line', read);
  });
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`${name} was not ready after ${startLimit / 1000} s.`), startLimit);
  });
  const failure = await Promise.race([ready, ended, tooLate]);
  clearTimeout(timer);
  if (failure !== undefined) {
    await stop();
    throw new Error(failure);
  }
  return { name, pid: child.pid ?? 0, ready: said, ended, stop };
}

/** Ready with one line of JSON: what our own processes say. */
export const isJsonLine = (lines: readonly string[]): boolean => lines.some((line) => line.startsWith('{'));

export function readJsonLine(child: Child): unknown {
  return JSON.parse(child.ready.find((line) => line.startsWith('{')) ?? 'null');
}
