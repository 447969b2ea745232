import { afterEach, describe, expect, test } from '@jest/globals';
import { actions, endpoints, register, workers } from '../functions/register.ts';
import { type LocalHost, startLocalHost } from '../local/host/host.ts';
import type { JsonObject } from './support/world.ts';
import { pinnedFunctions, pinnedWorkers } from './support/pinnedFunctions.ts';

type Settings = Record<string, string>;

const settings: Settings = {
  AZURE_TENANT_ID: '11111111-1111-4111-8111-111111111111',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};
const hosts: LocalHost[] = [];

async function load(env: Settings): Promise<LocalHost> {
  const host = await startLocalHost({ load: () => Promise.resolve().then(() => register({ env })) });
  hosts.push(host);
  return host;
}

async function namesFor(env: Settings): Promise<string[]> {
  return (await load(env)).functions.map(({ name }) => name);
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

const poisonSuffix = '-poison';
const operationNames = ['listOperations', 'getOperation', 'cancelOperation', 'listAudit'];
/** Only what has a proof of its own may be here: an event hook's secret, a signed state (design §4). */
const anonymous = ['verifyEventHook', 'receiveEventHook'];
/** What is called over HTTP. */
const called = [...actions, ...endpoints];

describe('what is registered', () => {
  test('is exactly the pinned list, each with its key level, method and route', async () => {
    const { functions } = await load({ ...settings, ENABLED_ROOMS: 'all' });
    const [overHttp, working] = [true, false].map((isHttp) =>
      functions.filter(({ trigger }) => (trigger.type === 'httpTrigger') === isHttp),
    );
    const shownActions = overHttp?.map(({ name, trigger }) => {
      const methods = (trigger.methods as string[]).join('+');
      return [name, trigger.authLevel, methods, trigger.route].map(String).join(' ');
    });
    const shownWorkers = working?.map(({ name, trigger }) => {
      const { type, queueName, connection, schedule } = trigger;
      return [name, type, queueName, connection, schedule]
        .flatMap((part) => (typeof part === 'string' ? [part] : []))
        .join(' ');
    });
    expect(shownActions).toEqual(pinnedFunctions);
    expect(shownWorkers).toEqual(pinnedWorkers);
  });

  test('has a poison function for every queue, and no name twice', () => {
    const queues = workers.flatMap((worker) => (worker.trigger === 'queue' ? [worker.queue] : []));
    const isPoison = (queue: string) => queue.endsWith(poisonSuffix);
    expect(queues.filter(isPoison).sort()).toEqual(
      queues
        .filter((queue) => !isPoison(queue))
        .map((queue) => `${queue}${poisonSuffix}`)
        .sort(),
    );
    const names = [...called, ...workers].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('is registered by the entry that the worker imports, with the settings of the process', async () => {
    // This process has no settings of the app: what is registered then says so (below).
    const host = await startLocalHost({ load: () => import('../functions/index.ts') });
    hosts.push(host);
    expect(host.functions.map(({ name }) => name)).toEqual(called.map(({ name }) => name));
    expect((await callConnection(host)).body.code).toBe('configuration_invalid');
  });

  test('asks for a key, but for the anonymous list', async () => {
    const { functions } = await load({ ...settings, ENABLED_ROOMS: 'all' });
    const open = functions.filter(({ trigger }) => trigger.type === 'httpTrigger' && trigger.authLevel !== 'function');
    expect(open.map(({ name }) => name)).toEqual(anonymous);
  });

  test('has no route twice for one method', () => {
    const routes = called.map(({ method, route }) => `${method} ${route.replaceAll(/\{\w+\}/g, '{}').toLowerCase()}`);
    expect(new Set(routes).size).toBe(routes.length);
  });

  test.each([
    ['connection', ['testConnection', 'sweep']],
    [
      'groups',
      [
        'createGroup',
        'listGroups',
        'getGroup',
        'updateGroup',
        'deleteGroup',
        'listDeletedGroups',
        'restoreGroup',
        'sweep',
      ],
    ],
    [
      ' members , connection ',
      [
        'testConnection',
        'listMembers',
        'addMembers',
        'removeMembers',
        'setMembers',
        ...operationNames,
        'runOperation',
        'runOperationPoison',
        'resumeRepair',
        'resumeRepairPoison',
        'sweep',
      ],
    ],
    ['operations', [...operationNames, 'sweep']],
    ['all', [...called, ...workers].map(({ name }) => name)],
  ])('with ENABLED_ROOMS "%s" is only what those rooms have', async (rooms, names) => {
    expect(await namesFor({ ...settings, ENABLED_ROOMS: rooms })).toEqual(names);
  });

  test('with the default rooms is nothing that can move sign-in or settings of the tenant', async () => {
    const namesIn = (...rooms: string[]) => actions.filter(({ room }) => rooms.includes(room)).map(({ name }) => name);
    const onRequest = namesIn('users', 'dirsync');
    expect(onRequest).toEqual(
      expect.arrayContaining([
        'getImmutableId',
        'repairImmutableId',
        'diagnoseAttributes',
        'updateSensitiveAttributes',
        'setBypassDirSyncOverrides',
      ]),
    );
    const called = [...actions, ...endpoints].map(({ name }) => name).filter((name) => !onRequest.includes(name));
    expect(await namesFor(settings)).toEqual([...called, ...workers.map(({ name }) => name)]);
    const working = ['runOperation', 'runOperationPoison', 'resumeRepair', 'resumeRepairPoison', 'sweep'];
    const users = [...namesIn('users'), ...operationNames, ...working];
    expect(await namesFor({ ...settings, ENABLED_ROOMS: 'users' })).toEqual(users);
    expect(await namesFor({ ...settings, ENABLED_ROOMS: 'dirsync' })).toEqual([...namesIn('dirsync'), 'sweep']);
  });

  test.each(['gruops', 'groups,gruops', 'all,gruops', ','])(
    'with ENABLED_ROOMS "%s" says that the setting is wrong, wherever it is called',
    async (rooms) => {
      const host = await load({ ...settings, ENABLED_ROOMS: rooms });
      const { status, body } = await callConnection(host);
      expect([status, body.code]).toEqual([500, 'configuration_invalid']);
      expect(body.errors).toEqual([
        {
          pointer: 'ENABLED_ROOMS',
          message: expect.any(String),
          fix: expect.stringContaining('connection, dirsync, groups, members'),
        },
      ]);
    },
  );
});

describe('a contract', () => {
  test.each(actions)('$name promises every key of its reply, all the way down', ({ reply }) => {
    expect(optionalProperties(reply as AnySchema)).toEqual([]);
  });

  test.each(actions)('$name takes no field that it does not name', ({ params, query, body }) => {
    const open = [params, query, ...(body ? [body] : [])].filter((schema) => schema.additionalProperties !== false);
    expect(open).toEqual([]);
  });

  test.each(actions)('$name has in its params what its route has', ({ route, params }) => {
    const inRoute = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(Object.keys(params.properties)).toEqual(inRoute);
  });

  test.each(actions.filter(({ writes }) => writes))('$name says of its write what every write says', ({ reply }) => {
    expect(Object.keys(reply.properties)).toEqual(
      expect.arrayContaining(['ok', 'outcome', 'changed', 'message', 'requestId', 'dryRun', 'warnings']),
    );
    expect(reply.properties.outcome).toMatchObject({ type: 'string', enum: expect.any(Array) });
  });

  test.each(actions)('$name takes a dry run when it writes, and only then', ({ query, body, writes }) => {
    expect('dryRun' in { ...query.properties, ...body?.properties }).toBe(writes);
  });

  test.each(actions)('$name writes when its method does', ({ method, writes }) => {
    expect(writes).toBe(method !== 'GET');
  });

  test.each(actions)('$name sums itself up in one sentence without a full stop', ({ summary, successes }) => {
    expect(summary).toMatch(/^[A-Z].{10,}[^.]$/);
    expect(Object.values(successes).every((meaning) => meaning.length > 0)).toBe(true);
  });
});

describe('wrong settings', () => {
  const secret = 'pasted~into_the-wrong.setting';
  const wrong: Settings = {
    ENABLED_ROOMS: 'all',
    CREDENTIAL: 'clientSecret',
    AZURE_TENANT_ID: secret,
    AZURE_CLIENT_ID: secret,
    CLOUD: secret,
    WRITE_MODE: secret,
    AUTHORITY_HOST: secret,
    GRAPH_BASE_URL: `https://user:${secret}@graph.microsoft.com`,
    EXCHANGE_BASE_URL: `http://${secret}.example`,
    AzureWebJobsStorage: ' ',
  };
  const named = [
    'CLOUD',
    'AZURE_TENANT_ID',
    'AZURE_CLIENT_ID',
    'AZURE_CLIENT_SECRET',
    'AzureWebJobsStorage',
    'AUTHORITY_HOST',
    'GRAPH_BASE_URL',
    'EXCHANGE_BASE_URL',
    'WRITE_MODE',
  ];

  // A worker's messages can wait; they would end as poison.
  test('leave every action registered, and no worker', async () => {
    expect(await namesFor(wrong)).toEqual(called.map(({ name }) => name));
  });

  test('are all listed with the fix by every call, and no value of any is told', async () => {
    const host = await load(wrong);
    for (const { method, route } of actions) {
      const { status, body, text, contentType } = await callAt(host, method, route.replace('{group}', 'any'));
      expect([status, contentType, body.code]).toEqual([500, 'application/problem+json', 'configuration_invalid']);
      const errors = body.errors as { pointer: string; message: string; fix: string }[];
      expect(errors.map(({ pointer }) => pointer).sort()).toEqual([...named].sort());
      expect(errors.filter(({ message, fix }) => message === '' || fix === '')).toEqual([]);
      expect(text.toLowerCase()).not.toContain(secret);
    }
    expect(host.logs).not.toEqual([]);
    expect(JSON.stringify(host.logs).toLowerCase()).not.toContain(secret);
  });

  test('are told to nobody without a key', async () => {
    const host = await load(wrong);
    const posted = await fetch(`${host.url}/api/okta/events`, { method: 'POST', body: '{}' });
    const text = await posted.text();
    expect([posted.status, (JSON.parse(text) as JsonObject).code]).toEqual([500, 'configuration_invalid']);
    expect(named.filter((name) => text.includes(name))).toEqual([]);
    const response = await fetch(`${host.url}/api/connection`);
    expect([response.status, await response.text()]).toEqual([401, '']);
  });
});

const callConnection = (host: LocalHost) => callAt(host, 'GET', 'connection');

async function callAt(host: LocalHost, method: string, path: string) {
  const headers = { 'x-functions-key': host.functionKey };
  const response = await fetch(`${host.url}/api/${path}`, { method, headers });
  const text = await response.text();
  const body = JSON.parse(text === '' ? '{}' : text) as JsonObject;
  return { status: response.status, contentType: response.headers.get('content-type'), text, body };
}

interface AnySchema {
  properties?: Record<string, AnySchema>;
  required?: string[];
  items?: AnySchema;
  anyOf?: AnySchema[];
}

function optionalProperties(schema: AnySchema, at = ''): string[] {
  const { properties = {}, required = [], items, anyOf = [] } = schema;
  return [
    ...Object.keys(properties)
      .filter((name) => !required.includes(name))
      .map((name) => `${at}/${name}`),
    ...Object.entries(properties).flatMap(([name, property]) => optionalProperties(property, `${at}/${name}`)),
    ...(items ? optionalProperties(items, `${at}/*`) : []),
    ...anyOf.flatMap((each) => optionalProperties(each, at)),
  ];
}
