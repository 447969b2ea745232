import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { connectionString, newAccounts, startAzurite } from '../../local/processes/azurite.ts';
import { type Child, isJsonLine, readJsonLine, startChild } from '../../local/processes/child.ts';
import { embeddedSettings } from '../../local/settings.ts';
import type { Programs } from '../overhead/programs.ts';
import type { Memory } from './memoryProbe.ts';
import type { PeerJob, PeerTally } from './peer.ts';
import type { BenchGroup, BenchTenant } from './tenant.ts';

/** What one side is to do. */
export interface Task {
  readonly group: BenchGroup;
  /** UPNs. */
  readonly desired: readonly string[];
  readonly removals: number;
}

export interface Done extends Memory {
  readonly ms: number;
}

export interface Sides {
  /**
   * The app in a process of its own, over HTTP until it says that all is done; `warmUp` goes before and is not timed.
   * @param begin called when it is warm
   */
  ours(task: Task, warmUp: Task, isLive: boolean, begin: () => Promise<void>): Promise<Done>;
  /** The peer in a process of its own. */
  peer(task: Task, options: { resolves: boolean; isLive: boolean }): Promise<Done>;
  stop(): Promise<void>;
}

export async function prepareSides(programs: Programs, tenant: BenchTenant): Promise<Sides> {
  const { folder } = programs;
  await buildPrograms(folder);
  const accounts = newAccounts(1);
  const azurite = await startAzurite(accounts);
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, tenant.line.certificateAuthorityPem);
  const probe = (isLive: boolean) => ({
    NODE_OPTIONS: `--import ${pathToFileURL(join(folder, 'memoryProbe.mjs')).href}`,
    PROBE: isLive ? 'live' : undefined,
  });

  return {
    ours: async (task, warmUp, isLive, begin) => {
      const said: string[] = [];
      const host = await startChild({
        name: 'The local host',
        script: programs.host,
        args: ['--quiet', '--app', programs.app, '--max-polling-interval-ms', '100'],
        env: {
          ...embeddedSettings({ PATH: process.env.PATH }, tenant.line, caFile),
          ...probe(isLive),
          AzureWebJobsStorage: connectionString(azurite.endpoints, accounts, 0),
        },
        isReady: isJsonLine,
        onStderr: (line) => said.push(line),
      });
      const timed = async () => {
        await setMembers(host, warmUp);
        await begin();
        const startedAt = performance.now();
        await setMembers(host, task);
        return performance.now() - startedAt;
      };
      const ms = await timed().finally(() => host.stop());
      return { ms, ...readMemory(said.join('\n')) };
    },

    peer: async ({ group, desired }, { resolves, isLive }) => {
      const { tenantId, urls } = tenant.line;
      const reach = { graphUrl: urls.graph, exchangeUrl: urls.exchange, tenantId, ...(await tenant.tokens()) };
      const job: PeerJob = { ...reach, groupId: group.id, desired, resolves };
      const file = join(folder, 'job.json');
      await writeFile(file, JSON.stringify(job));
      const child = spawn(process.execPath, [join(folder, 'peer.mjs'), file], {
        env: { PATH: process.env.PATH, ...probe(isLive) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [output, complaints] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
      await once(child, 'close');
      if (child.exitCode !== 0) throw new Error(`The peer failed:\n${complaints}`);
      const { ms } = JSON.parse(output) as PeerTally;
      return { ms, ...readMemory(complaints) };
    },

    stop: () => azurite.process.stop(),
  };
}

/** Plain JavaScript, so that nobody compiles TypeScript while memory is measured. */
async function buildPrograms(folder: string): Promise<void> {
  const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  await build({
    entryPoints: { peer: source('peer.ts'), memoryProbe: source('memoryProbe.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
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

function readMemory(stderr: string): Memory {
  const line = stderr.split('\n').find((each) => each.startsWith('{"memory":'));
  if (line === undefined) throw new Error(`A process did not tell its memory:\n${stderr}`);
  return (JSON.parse(line) as { memory: Memory }).memory;
}
