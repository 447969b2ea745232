import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Sample {
  /** From the spawn to the moment the process was ready, or had done what was asked of it then. */
  readonly ms: number;
  readonly rssMib: number;
  /** What it said when it was ready. */
  readonly ready: Line;
}

export type Line = Readonly<Record<string, unknown>>;

/**
 * Starts a process and waits for its first line of JSON. With `whenReady` it is a server, which is used and then ended;
 * otherwise it ends by itself.
 * @param args the program and its arguments
 */
export async function measureSpawn(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  whenReady?: (line: Line) => Promise<void>,
): Promise<Sample> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 30_000);
  let ms: number | null = null;
  let ready: Line = {};
  let rssBytes: number | null = null;
  try {
    for await (const text of createInterface(child.stdout)) {
      const line = JSON.parse(text) as Line;
      if (typeof line.rssBytes === 'number') rssBytes = line.rssBytes;
      if (ms !== null) continue;
      ready = line;
      await whenReady?.(line);
      ms = performance.now() - startedAt;
      if (whenReady !== undefined) child.kill('SIGTERM');
    }
    await closed;
  } finally {
    clearTimeout(tooLong);
    child.kill('SIGKILL');
  }
  if (ms === null || rssBytes === null) throw new Error(`${args.join(' ')} said too little:\n${complaints}`);
  return { ms, rssMib: rssBytes / 2 ** 20, ready };
}
