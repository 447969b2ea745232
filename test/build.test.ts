import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { builtinModules, createRequire } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ownStorage } from './support/environment.ts';
import { pinnedFunctions, pinnedWorkers } from './support/pinnedFunctions.ts';

/** What Azure gets: built into a folder of its own, then loaded by a bare Node.js, as the worker loads it. */

interface Output {
  inputs: Record<string, unknown>;
  imports: { path: string; kind: string; external?: boolean }[];
}

interface Loaded {
  functions: string[];
  /** Files of the bundle, below its folder. */
  files: string[];
  /** CommonJS modules, by absolute path. */
  commonJs: string[];
  /** What a first post of Okta's event hook came to, and the files of the bundle that it loaded on top. */
  post: { status: number; files: string[] };
}

const root = fileURLToPath(new URL('../', import.meta.url));
const lazy =
  /node_modules\/(@azure\/(identity|msal-[^/]+|data-tables|storage-[^/]+)|@microsoft\/microsoft-graph-client|ajv)\//;
/** What the validators need when they run; the rest of ajv compiles them. */
const ajvAtRunTime = 'node_modules/ajv/dist/runtime/';
let folder = '';
let outputs: Record<string, Output> = {};
let inputs: string[] = [];
let loaded: Loaded = { functions: [], files: [], commonJs: [], post: { status: 0, files: [] } };

async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: root, env: { PATH: process.env.PATH, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`Ended with ${String(child.exitCode)}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** Stands in for the worker: hands out @azure/functions-core, keeps what is registered, notes every module loaded. */
const worker = (index: string) => `
  import Module, { createRequire, register } from 'node:module';
  import { MessageChannel } from 'node:worker_threads';

  const { port1, port2 } = new MessageChannel();
  const files = [];
  port1.on('message', (url) => files.push(url)).unref();
  const hooks = \`
    let port;
    export const initialize = (data) => { port = data.port; };
    export const load = (url, context, next) => { port.postMessage(url); return next(url, context); };
  \`;
  register('data:text/javascript,' + encodeURIComponent(hooks), { data: { port: port2 }, transferList: [port2] });

  const require = createRequire(${JSON.stringify(`${root}package.json`)});
  const corePath = require.resolve('./local/host/functionsCore.cjs');
  const resolve = Module._resolveFilename;
  Module._resolveFilename = (name, ...rest) => name === '@azure/functions-core' ? corePath : resolve(name, ...rest);
  const core = require(corePath);
  const functions = [];
  core.state.loading = {
    functions: new Map(),
    hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [] },
    log: () => undefined,
  };
  await import(${JSON.stringify(index)});
  for (const { metadata } of core.state.loading.functions.values()) {
    const trigger = Object.values(metadata.bindings).find(({ type }) => type.endsWith('Trigger'));
    const { type, authLevel, methods, route, queueName, schedule } = trigger;
    const told = type === 'httpTrigger' ? [authLevel, methods.join('+'), route] : [type, queueName ?? schedule];
    functions.push([metadata.name, ...told].join(' '));
  }
  // What the hooks posted arrives with a later turn.
  await new Promise((done) => setTimeout(done, 50));
  const commonJs = Object.keys(Module._cache);
  const atStart = files.splice(0);

  const { callback } = core.state.loading.functions.get('receiveEventHook');
  const quiet = () => undefined;
  const answer = await callback(
    new Request('http://127.0.0.1/api/okta/events', {
      method: 'POST',
      headers: { authorization: process.env.OKTA_EVENT_HOOK_SECRET },
      body: JSON.stringify({ data: { events: [{ eventType: 'group.profile.update', outcome: { result: 'SUCCESS' } }] } }),
    }),
    { info: quiet, warn: quiet, error: quiet },
  );
  await new Promise((done) => setTimeout(done, 50));
  const post = { status: answer.status, files };
  console.log(JSON.stringify({ functions, files: atStart, commonJs, post }));
  process.exit(0);
`;

beforeAll(async () => {
  // Inside the project, so that packages are found and paths are those of the project.
  await mkdir(`${root}.cache`, { recursive: true });
  folder = relative(root, await mkdtemp(`${root}.cache/app-`));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const places = ['--outdir', `${folder}/dist`, '--metafile', `${folder}/meta.json`];
  await run(['--import', tsx, 'build.ts', ...places]);
  const meta = JSON.parse(await readFile(`${root}${folder}/meta.json`, 'utf8')) as {
    inputs: Record<string, unknown>;
    outputs: Record<string, Output>;
  };
  inputs = Object.keys(meta.inputs);
  outputs = Object.fromEntries(
    Object.entries(meta.outputs)
      .filter(([path]) => path.endsWith('.js'))
      .map(([path, output]) => [relative(`${folder}/dist`, path), output]),
  );
  const base = pathToFileURL(`${root}${folder}/dist/`).href;
  const settings = {
    AZURE_TENANT_ID: '11111111-1111-4111-8111-111111111111',
    AzureWebJobsStorage: await ownStorage(),
    OKTA_EVENT_HOOK_SECRET: 'a-secret-of-the-event-hook',
    ENABLED_ROOMS: 'all',
  };
  const said = JSON.parse(await run(['--input-type=module', '--eval', worker(`${base}index.js`)], settings)) as Loaded;
  const named = (urls: string[]) => urls.map((url) => (url.startsWith(base) ? url.slice(base.length) : url));
  loaded = { ...said, files: named(said.files), post: { ...said.post, files: named(said.post.files) } };
}, 60_000);
afterAll(() => rm(`${root}${folder}`, { recursive: true }));

/** The files that come with the entry, by its static imports. */
function staticClosure(entry: string): string[] {
  const found = new Set([entry]);
  for (const file of found) {
    for (const { path, kind, external } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && !external) found.add(relative(`${folder}/dist`, path));
    }
  }
  return [...found].filter((file) => file in outputs);
}

const packagesIn = (file: string) =>
  Object.keys(outputs[file]?.inputs ?? {})
    .map((input) => lazy.exec(input)?.[1])
    .filter((name) => name !== undefined);

describe('the built app', () => {
  test('registers every function with its key level, queue or schedule when the worker imports it', () => {
    // Once more in full: the sources may be right where the bundle is not.
    const connection = ' AzureWebJobsStorage';
    const workers = pinnedWorkers.map((line) => (line.endsWith(connection) ? line.slice(0, -connection.length) : line));
    expect(loaded.functions).toEqual([...pinnedFunctions, ...workers]);
  });

  test('has loaded by then the entry and what it imports statically, and nothing else', () => {
    const ownFiles = loaded.files.filter((file) => !file.startsWith('node:'));
    expect(ownFiles.sort()).toEqual(staticClosure('index.js').sort());
    expect(loaded.commonJs).toEqual([`${root}local/host/functionsCore.cjs`]);
  });

  test('has loaded no SDK by then, although each is in the bundle', () => {
    const everywhere = new Set(Object.keys(outputs).flatMap(packagesIn));
    expect([...everywhere]).toEqual(
      expect.arrayContaining([
        '@azure/identity',
        '@azure/msal-node',
        '@azure/data-tables',
        '@azure/storage-blob',
        '@azure/storage-queue',
        '@microsoft/microsoft-graph-client',
      ]),
    );
    expect(loaded.files.flatMap(packagesIn)).toEqual([]);
  });

  // Okta waits 3 seconds for the answer to a post, a cold start included (okta.md §1.1).
  test('loads the SDK of queues for the first events of Okta, and no other', () => {
    expect(loaded.post.status).toBe(204);
    expect(new Set(loaded.post.files.flatMap(packagesIn))).toEqual(
      new Set(['@azure/storage-queue', '@azure/storage-common']),
    );
  });

  test('has its validators compiled: no compiler is in the bundle', () => {
    const compiler = /(^|\/)node_modules\/(ajv|fast-uri|json-schema-traverse)\/|^shared\/action\/compile\.ts$/;
    expect(inputs.filter((input) => compiler.test(input) && !input.includes(ajvAtRunTime))).toEqual([]);
    expect(inputs).toContain('shared/action/precompiled.ts');
  });

  test('has nothing of what is for development', () => {
    expect(inputs.filter((input) => !/^((functions|shared|node_modules)\/|validators:)/.test(input))).toEqual([]);
    expect(inputs).toContain('functions/index.ts');
  });

  test('needs no package beside it but what the worker hands out', () => {
    const external = Object.values(outputs)
      .flatMap(({ imports }) => imports)
      .filter((each) => each.external)
      .map(({ path }) => path.replace(/^node:/, ''));
    expect([...new Set(external.filter((name) => !builtinModules.includes(name)))]).toEqual(['@azure/functions-core']);
  });

  test('has a source map beside every file', async () => {
    const names = await readdir(`${root}${folder}/dist`);
    expect(names.sort()).toEqual(
      Object.keys(outputs)
        .flatMap((file) => [file, `${file}.map`])
        .sort(),
    );
  });

  test('is where package.json says that the worker finds it', async () => {
    const { main, type } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as Record<string, unknown>;
    expect([main, type]).toEqual(['dist/index.js', 'module']);
  });
});
