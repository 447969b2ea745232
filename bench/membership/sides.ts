import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { connectionString, newAccounts, startAzurite } from '../../local/processes/azurite.ts';
import { type Child, isJsonLine, readJsonLine, startChild } from '../../local/processes/child.ts';
import { embeddedSettings } from '../../local/settings.ts';
import type { Programs } from '../overhead/programs.ts';
import { peakMemoryBytes } from './peakMemory.ts';
import type { PeerJob, PeerTally } from './peer.ts';
import type { BenchGroup, BenchTenant } from './tenant.ts';

/** What one side is to do. */
export interface Task {
  readonly group: BenchGroup;
  /** UPNs. */
  readonly desired: readonly string[];
  readonly removals: number;
}

export interface Done {
  readonly ms: number;
  /** Of the whole process, from its start on. */
  readonly peakBytes: number;
}

/** What V8 may use; bounded it collects garbage instead of asking for more memory. */
export type Heap = 'bounded' | 'unbounded';
export const heapBound = { oldMib: 64, semiSpaceMib: 2 };

export interface Sides {
  /**
   * The app in a process of its own, over HTTP until it says that all is done; `warmUp` goes before and is not timed.
   * @param begin called when it is warm
   */
  ours(task: Task, warmUp: Task, heap: Heap, begin: () => Promise<void>): Promise<Done>;
  /** The peer in a process of its own. */
  peer(task: Task, resolves: boolean, heap: Heap): Promise<Done>;
  stop(): Promise<void>;
}

export async function prepareSides(programs: Programs, tenant: BenchTenant): Promise<Sides> {
  const { folder } = programs;
  await buildPeer(folder);
  const accounts = newAccounts(1);
  const azurite = await startAzurite(accounts);
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, tenant.line.certificateAuthorityPem);
  const limitsOf = (heap: Heap) => {
    const { oldMib, semiSpaceMib } = heapBound;
    const flags = `--max-old-space-size=${oldMib} --max-semi-space-size=${semiSpaceMib}`;
    return { NODE_OPTIONS: heap === 'bounded' ? flags : undefined };
  };

  return {
    ours: async (task, warmUp, heap, begin) => {
      const host = await startChild({
        name: 'The local host',
        script: programs.host,
        args: ['--quiet', '--app', programs.app, '--max-polling-interval-ms', '100'],
        env: {
          ...embeddedSettings({ PATH: process.env.PATH }, tenant.line, caFile),
          ...limitsOf(heap),
          AzureWebJobsStorage: connectionString(azurite.endpoints, accounts, 0),
        },
        isReady: isJsonLine,
      });
      try {
        await setMembers(host, warmUp);
        await begin();
        const startedAt = performance.now();
        await setMembers(host, task);
        return { ms: performance.now() - startedAt, peakBytes: peakMemoryBytes(host.pid) };
      } finally {
        await host.stop();
      }
    },

    peer: async ({ group, desired, removals }, resolves, heap) => {
      const { tenantId, urls } = tenant.line;
      const reach = { graphUrl: urls.graph, exchangeUrl: urls.exchange, tenantId, ...(await tenant.tokens()) };
      const job: PeerJob = { ...reach, groupId: group.id, desired, resolves };
      const file = join(folder, 'job.json');
      await writeFile(file, JSON.stringify(job));
      const child = spawn(process.execPath, [join(folder, 'peer.mjs'), file], {
        env: { PATH: process.env.PATH, ...limitsOf(heap) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [output, complaints] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
      await once(child, 'close');
      if (child.exitCode !== 0) throw new Error(`The peer failed:\n${complaints}`);
      const { ms, added, removed, peakBytes } = JSON.parse(output) as PeerTally;
      if (added !== removals || removed !== removals) throw new Error(`The peer added ${added}, removed ${removed}.`);
      return { ms, peakBytes };
    },

    stop: () => azurite.process.stop(),
  };
}

/** Plain JavaScript, so that nobody compiles TypeScript while memory is measured. */
async function buildPeer(folder: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('peer.ts', import.meta.url))],
    outfile: join(folder, 'peer.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
}

interface Reply {
  readonly ok: boolean;
  readonly done: boolean;
  readonly operationId: string | null;
  readonly addedCount: number;
  readonly removedCount: number;
}

/** As a client does it: PUT, and when that says 202, ask for the operation until it is done. */
async function setMembers(host: Child, { group, desired, removals }: Task): Promise<void> {
  const { api, functionKey } = readJsonLine(host) as { api: string; functionKey: string };
  const ask = async (method: string, path: string, body?: object): Promise<Reply> => {
    const response = await fetch(`${api}/${path}`, {
      method,
      headers: { 'x-functions-key': functionKey, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as Reply;
  };
  const members = { members: desired, maxRemovals: removals };
  let reply = await ask('PUT', `groups/${encodeURIComponent(group.address)}/members`, members);
  const { operationId } = reply;
  while (!reply.done) reply = await ask('GET', `operations/${operationId ?? ''}?waitSeconds=20`);
  const { ok, addedCount, removedCount } = reply;
  if (!ok || addedCount !== removals || removedCount !== removals)
    throw new Error(`The members of ${group.address} are not exact: ${JSON.stringify(reply).slice(0, 2_000)}`);
}
