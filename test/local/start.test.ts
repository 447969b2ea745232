import { afterEach, describe, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Everything, startEverything } from '../../local/everything.ts';
import { closeServer, listen } from '../../local/host/listen.ts';

// What `npm start` runs after the build; the suite builds before it tests.
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const script = fileURLToPath(new URL('../../local/start.ts', import.meta.url));

// No setting of whoever runs the tests may decide whether a tenant is configured.
const noTenant = { AZURE_TENANT_ID: '', AzureWebJobsStorage: '' };
const someTenant = {
  AZURE_TENANT_ID: '11111111-2222-4333-8444-555555555555',
  AZURE_CLIENT_ID: '66666666-7777-4888-9999-000000000000',
  AZURE_CLIENT_SECRET: 'not-a-secret',
  CREDENTIAL: 'clientSecret',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};

const spawned: ChildProcess[] = [];
const opened: Everything[] = [];

afterEach(async () => {
  for (const child of spawned.splice(0)) child.kill('SIGKILL');
  await Promise.all(opened.splice(0).map((everything) => everything.close()));
});

function start(args: string[], settings: Record<string, string> = noTenant): ChildProcess {
  const child = spawn(process.execPath, ['--import', tsx, script, ...args], {
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  spawned.push(child);
  return child;
}

interface Ready {
  api: string;
  key: string;
  simulator: Record<string, string> | null;
  storage: string;
}

/** Resolves with the first line; `everything` on stdout is there to be looked at later. */
async function ready(child: ChildProcess): Promise<{ line: Ready; stdout: () => string; stderr: () => string }> {
  let stdout = '';
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.includes('\n')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`It ended with ${code ?? 'a signal'}: ${stderr}`)));
  });
  return { line: JSON.parse(stdout.split('\n')[0] ?? '') as Ready, stdout: () => stdout, stderr: () => stderr };
}

function addresses({ api, simulator, storage }: Ready): string[] {
  const endpoints = [...storage.matchAll(/Endpoint=([^;]+)/g)].map(([, url = '']) => url);
  return [api, ...Object.values(simulator ?? {}), ...endpoints];
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url);
    return true;
  } catch (error) {
    // Anything but a refused connection is somebody who answers, if only with a certificate we don't trust.
    return ((error as Error).cause as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  }
}

async function stillAnswering(ready: Ready): Promise<string[]> {
  const checked = await Promise.all(addresses(ready).map(async (url) => ((await answers(url)) ? [url] : [])));
  return checked.flat();
}

async function eventuallyNothingAnswers(ready: Ready): Promise<void> {
  const deadline = Date.now() + 8_000;
  while ((await stillAnswering(ready)).length > 0 && Date.now() < deadline) await delay(100);
  expect(await stillAnswering(ready)).toEqual([]);
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, stderr };
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const processesIn = (stderr: string) => [...stderr.matchAll(/is process (\d+)\./g)].map(([, pid]) => Number(pid));

describe('npm start without a tenant', () => {
  test('says in one line where everything is, and SIGTERM leaves nothing behind', async () => {
    const child = start(['--json', '--port', '0']);
    const { line, stdout, stderr } = await ready(child);
    expect(line).toEqual({
      api: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/api$/),
      key: expect.any(String),
      simulator: {
        graph: expect.stringMatching(/^http:/),
        exchange: expect.stringMatching(/^http:/),
        okta: expect.stringMatching(/^http:/),
        login: expect.stringMatching(/^https:/),
        control: expect.stringMatching(/^http:/),
      },
      storage: expect.stringContaining('TableEndpoint=http://127.0.0.1:'),
    });
    expect(await stillAnswering(line)).toEqual(addresses(line));

    const groups = `${line.api}/groups/nobody@contoso.com`;
    expect((await fetch(groups)).status).toBe(401);
    expect((await fetch(groups, { headers: { 'x-functions-key': line.key } })).status).toBe(404);

    const org = (await (await fetch(`${line.simulator?.control ?? ''}/_sim/okta/state`)).json()) as {
      hooks: unknown[];
    };
    expect(org.hooks).toMatchObject([
      { verificationStatus: 'VERIFIED', channel: { config: { uri: `${line.api}/okta/events` } } },
    ]);

    const pids = processesIn(stderr());
    expect(pids).toHaveLength(3);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await stillAnswering(line)).toEqual([]);
    expect(stdout().trim().split('\n')).toHaveLength(1);
  });

  test('its processes notice when it is killed', async () => {
    const child = start(['--json', '--port', '0']);
    const { line } = await ready(child);
    child.kill('SIGKILL');
    await eventuallyNothingAnswers(line);
  });

  test('it ends with the shell that npm runs it in', async () => {
    const shell = spawn(
      'sh',
      ['-c', '"$@" & wait', 'sh', process.execPath, '--import', tsx, script, '--json', '--port', '0'],
      {
        env: { ...process.env, ...noTenant, npm_lifecycle_event: 'start' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    spawned.push(shell);
    const { line } = await ready(shell);
    shell.kill('SIGKILL');
    await eventuallyNothingAnswers(line);
  });

  test('a process that dies takes everything with it, and is named', async () => {
    const child = start(['--json', '--port', '0']);
    const { line, stderr } = await ready(child);
    const pid = Number(/Azurite is process (\d+)\./.exec(stderr())?.[1]);
    process.kill(pid, 'SIGKILL');
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(stderr()).toContain('Azurite ended by SIGKILL.');
    expect(await stillAnswering(line)).toEqual([]);
  });

  test('a person gets the address, the key, and commands that work as they stand', async () => {
    const child = start(['--port', '0']);
    let out = '';
    for await (const chunk of child.stdout ?? []) {
      out += String(chunk);
      if (out.includes('Ctrl-C')) break;
    }
    expect(out).toMatch(/api +http:\/\/127\.0\.0\.1:\d+\/api\n/);
    const command =
      /-X (\w+) '([^']+)' -H 'x-functions-key: ([^']+)'(?: \\\n {2}-H 'content-type: ([^']+)' -d '([^']+)')?/g;
    const statuses: number[] = [];
    for (const [, method = '', url = '', key = '', type, body] of out.matchAll(command)) {
      const headers = { 'x-functions-key': key, ...(type && { 'content-type': type }) };
      statuses.push((await fetch(url, { method, headers, ...(body && { body }) })).status);
    }
    // A group and its members; a push mapping; a timer.
    expect(statuses).toEqual([201, 200, 200, 200, 200, 201, 202]);
  });

  test('a taken port is told before anything starts', async () => {
    const server = createServer();
    const port = await listen(server, 0);
    const child = start(['--port', String(port)]);
    const { code, stderr } = await ended(child);
    await closeServer(server);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^Port ${port} of 127.0.0.1 is taken`));
  });

  test('a port that is none is refused', async () => {
    const child = start(['--port', 'many']);
    expect(await ended(child)).toEqual({ code: 1, stderr: '--port wants a number from 0 to 65535, not "many".\n' });
  });
});

describe('npm start against a tenant', () => {
  async function startFor(settings: Record<string, string>): Promise<Everything> {
    const everything = await startEverything({ settings: { ...someTenant, ...settings } });
    opened.push(everything);
    return everything;
  }

  test('starts no simulator, and Azurite only where the settings ask for the emulator', async () => {
    const emulated = await startFor({});
    expect(emulated.simulator).toBeNull();
    expect(emulated.processes.map(({ name }) => name)).toEqual(['Azurite', 'The local host']);
    expect(emulated.storage).toContain('TableEndpoint=http://127.0.0.1:');

    const AzureWebJobsStorage = 'DefaultEndpointsProtocol=https;AccountName=own;AccountKey=b3du';
    const own = await startFor({ AzureWebJobsStorage });
    expect(own.processes.map(({ name }) => name)).toEqual(['The local host']);
    expect(own.storage).toBe(AzureWebJobsStorage);
  });

  test('wants to know where its tables are', async () => {
    await expect(startFor({ AzureWebJobsStorage: '' })).rejects.toThrow('AzureWebJobsStorage is not');
  });
});
