import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Type } from '@sinclair/typebox';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Child, isJsonLine, readJsonLine, startChild } from '../../local/processes/child.ts';
import { findValidator, validatorName } from '../../shared/action/precompiled.ts';
import { type ActionHost, startAlone } from './actionHost.ts';

/** The validators that the build compiles, against those that are compiled from the sources when first used. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const settingsThatLeadNowhere = {
  AZURE_TENANT_ID: '11111111-1111-4111-8111-111111111111',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  ENABLED_ROOMS: 'all',
  GRAPH_BASE_URL: 'http://127.0.0.1:9',
  EXCHANGE_BASE_URL: 'http://127.0.0.1:9',
};
let folder = '';
let built: Child;
let sources: ActionHost;

beforeAll(async () => {
  await mkdir(`${root}.cache`, { recursive: true });
  folder = await mkdtemp(`${root}.cache/validators-`);
  await build();
  await writeFile(`${folder}/package.json`, JSON.stringify({ main: 'dist/index.js', type: 'module' }));
  [built, sources] = await Promise.all([
    startChild({
      name: 'The built app',
      script: 'local/host/main.ts',
      args: ['--app', folder],
      env: { PATH: process.env.PATH, ...settingsThatLeadNowhere },
      isReady: isJsonLine,
    }),
    startAlone(),
  ]);
}, 60_000);
afterAll(async () => {
  await Promise.all([built.stop(), sources.close()]);
  await rm(folder, { recursive: true });
});

async function build(): Promise<void> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const outdir = relative(root, `${folder}/dist`);
  const args = ['--import', tsx, 'build.ts', '--outdir', outdir, '--metafile', `${folder}/meta.json`];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  await once(child, 'close');
  expect(child.exitCode).toBe(0);
}

async function askBuilt(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const { api, functionKey } = readJsonLine(built) as { api: string; functionKey: string };
  const response = await fetch(`${api}/${path}`, {
    method,
    headers: { 'x-functions-key': functionKey, 'x-request-id': 'same', 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

async function askSources(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const [name = '', search = ''] = path.split('?');
  const { status, body: reply } = await sources.call(method, name, {
    ...(body !== undefined && { body }),
    query: Object.fromEntries(new URLSearchParams(search)),
    headers: { 'x-request-id': 'same' },
  });
  return { status, ...reply };
}

const group = { kind: 'distributionList', displayName: 'Sales', owners: ['a@contoso.com'] };
const bodies: readonly unknown[] = [
  {},
  [],
  null,
  'text',
  7,
  { ...group, dryRun: 'true' },
  { ...group, kind: 'dynamicDistribution' },
  { ...group, kind: 5 },
  { ...group, displayName: ' Sales' },
  { ...group, displayName: '' },
  { ...group, displayName: 'x'.repeat(257) },
  // Counted in characters, not in UTF-16 units: the one helper of ajv's that is left.
  { ...group, displayName: '😀'.repeat(257) },
  { ...group, alias: 'has a space', description: '' },
  { ...group, alias: '..', primarySmtpAddress: 'nobody' },
  { ...group, owners: [] },
  { ...group, owners: 'nobody, nobody@contoso.com' },
  { ...group, owners: Array.from({ length: 60 }, () => 'a@contoso.com') },
  { ...group, members: { 0: 'a@contoso.com' } },
  { ...group, members: ['a@contoso.com', 7, null, 'x y'] },
  { ...group, addresses: ['a@b', 'a@b.de'] },
  { ...group, 'odd/na~me': 1, toString: 1 },
  { ...group, ...Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`field${index}`, index])) },
  { kind: null, displayName: null, alias: null, owners: null, members: null, dryRun: null, hideFromAddressLists: 0 },
  { members: [] },
  { members: 'nobody', dryRun: 1 },
  { members: Array.from({ length: 501 }, (_, index) => `user${index}@contoso.com`) },
];

describe('what the build compiles', () => {
  test.each(
    bodies.flatMap((body) =>
      ['groups', 'groups/any/members', 'groups/any/members/remove'].map((path) => ({ path, body })),
    ),
  )('finds in $body for $path what the sources find', async ({ path, body }) => {
    const answer = await askBuilt('POST', path, body);
    expect(answer).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(answer).toEqual(await askSources('POST', path, body));
  });

  test.each([
    ['GET', 'connection?verbose=1'],
    ['GET', 'groups/any?x=1'],
    ['GET', `groups/${'x'.repeat(321)}`],
    ['GET', 'groups/any/members?limit=0'],
    ['GET', 'groups/any/members?limit=1.5&cursor='],
    ['GET', 'groups/any/members?limit=ten&what=x'],
    ['DELETE', 'groups/any'],
    ['DELETE', 'groups/any?confirm=&dryRun=maybe'],
  ])('finds in %s %s what the sources find', async (method, path) => {
    const answer = await askBuilt(method, path);
    expect(answer).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(answer).toEqual(await askSources(method, path));
  });

  test('turns the texts of a query into flags as the sources do', async () => {
    // With `dryRun` taken for a text, this would be a 400; what is valid ends where nobody listens.
    const path = 'groups/any?confirm=any&dryRun=true';
    const answers = [await askBuilt('DELETE', path), await askSources('DELETE', path)];
    for (const answer of answers) expect(answer.code).not.toBe('invalid_request');
    expect(answers[0]?.code).toBe(answers[1]?.code);
  }, 60_000);
});

describe('a schema', () => {
  const text = Type.Object({ name: Type.String() });

  test('has its validator by what it says', () => {
    const validators = { [validatorName(Type.Object({ name: Type.String() }))]: (() => true) as never };
    expect(findValidator(validators, text)).toBe(validators[validatorName(text)]);
  });

  test('that the build has not seen has none', () => {
    const other = Type.Object({ name: Type.String({ minLength: 1 }) });
    expect(() => findValidator({ [validatorName(other)]: (() => true) as never }, text)).toThrow('no validator');
  });
});
