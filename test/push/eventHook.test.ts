import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { type LocalHost, startLocalHost } from '../../local/host/host.ts';
import { connectionString } from '../../local/processes/azurite.ts';
import { register } from '../../functions/register.ts';
import { linesOf } from '../action/actionHost.ts';
import { takeNumber } from '../support/counter.ts';
import { testAzurite } from '../support/environment.ts';
import { preload } from '../support/preload.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import type { JsonObject, Settings } from '../support/world.ts';

await preload();

const secret = 'a-secret-of-the-event-hook';
const previous = 'the-secret-before-this-one';
const samples = new URL('samples/', import.meta.url);
const sampleNames = (await readdir(samples)).sort();
const readSample = (name: string) => readFile(new URL(name, samples), 'utf8');

const hosts: LocalHost[] = [];
let queueProxy: Proxy;
let tables: Proxy;
let direct = '';
let proxied = '';

/** The app with queues that nobody listens to, and an account of storage of its own. */
async function start(settings: Settings = {}): Promise<LocalHost> {
  const env = {
    AZURE_TENANT_ID: '11111111-1111-4111-8111-111111111111',
    ENABLED_ROOMS: 'push',
    OKTA_EVENT_HOOK_SECRET: secret,
    OKTA_EVENT_HOOK_SECRET_PREVIOUS: previous,
    AzureWebJobsStorage: proxied,
    ...settings,
  };
  const host = await startLocalHost({ load: () => Promise.resolve().then(() => register({ env })), timers: false });
  hosts.push(host);
  return host;
}

let host: LocalHost;

beforeAll(async () => {
  const { endpoints, accounts, counter } = testAzurite();
  const account = await takeNumber(counter);
  [queueProxy, tables] = await Promise.all([startProxy(endpoints.queue), startProxy(endpoints.table)]);
  direct = connectionString(endpoints, accounts, account);
  proxied = connectionString({ ...endpoints, queue: queueProxy.url, table: tables.url }, accounts, account);
  host = await start();
});
afterEach(() => {
  queueProxy.mode = 'forward';
});
afterAll(async () => {
  await Promise.all(hosts.map((each) => each.close()));
  await Promise.all([queueProxy.close(), tables.close()]);
});

interface Posted {
  status: number;
  text: string;
  body: JsonObject | null;
  headers: Headers;
  durationMs: number;
  /** What lay in the queue afterwards. */
  messages: JsonObject[];
  /** Requests to the storage, by method and path without query. */
  requests: string[];
}

async function post(
  body: RequestInit['body'] | object,
  options: { secret?: string | null; at?: LocalHost } = {},
): Promise<Posted> {
  const { at = host, secret: given = secret } = options;
  const queue = QueueServiceClient.fromConnectionString(direct).getQueueClient('events');
  await queue.createIfNotExists();
  await queue.clearMessages();
  queueProxy.seen.length = 0;
  const startedAtMs = Date.now();
  const response = await fetch(`${at.url}/api/okta/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(given !== null && { authorization: given }) },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const durationMs = Date.now() - startedAtMs;
  const requests = queueProxy.seen.map((line) => line.replace(/\?.*$/, ''));
  const messages: JsonObject[] = [];
  for (;;) {
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
    if (receivedMessageItems.length === 0) break;
    for (const { messageText } of receivedMessageItems) {
      expect(Buffer.byteLength(messageText)).toBeLessThanOrEqual(65_536);
      messages.push(JSON.parse(Buffer.from(messageText, 'base64').toString('utf8')) as JsonObject);
    }
  }
  const { status, headers } = response;
  const parsed = text.startsWith('{') ? (JSON.parse(text) as JsonObject) : null;
  return { status, headers, text, body: parsed, durationMs, messages, requests };
}

const eventsOf = ({ messages }: Posted) => messages.flatMap(({ events }) => events as JsonObject[]);

const membership = (change: JsonObject = {}): JsonObject => ({
  uuid: 'aaaaaaaa-0000-11f0-8000-000000000001',
  published: '2026-11-20T10:00:00.000Z',
  eventType: 'group.user_membership.add',
  outcome: { result: 'SUCCESS', reason: null },
  target: [
    { id: '00uUser0000000000001', type: 'User', alternateId: 'user1@example.com', displayName: 'User 1' },
    { id: '00gGroup000000000001', type: 'UserGroup', alternateId: 'unknown', displayName: 'DL-Sales' },
  ],
  ...change,
});
const envelope = (...events: unknown[]): JsonObject => ({
  eventType: 'com.okta.event_hook',
  eventId: '11111111-1111-4111-8111-111111111111',
  data: { events },
  eventTime: '2026-11-20T10:00:05.000Z',
});

describe('the challenge of Okta', () => {
  const ask = (challenge: string | null, headers: Record<string, string> = {}, at = host) =>
    fetch(`${at.url}/api/okta/events`, {
      headers: { ...(challenge !== null && { 'x-okta-verification-challenge': challenge }), ...headers },
    });

  test.each([{}, { authorization: secret }, { authorization: 'wrong' }])(
    'comes back as it is, and nothing with it, with the headers %j',
    async (headers) => {
      const challenge = 'xR4-_Zt.1~f+/=';
      const response = await ask(challenge, headers);
      expect([response.status, await response.text()]).toEqual([200, JSON.stringify({ verification: challenge })]);
      expect(response.headers.get('content-type')).toBe('application/json');
    },
  );

  test('comes back where no secret is set, and where the settings are wrong', async () => {
    for (const settings of [
      { OKTA_EVENT_HOOK_SECRET: '', OKTA_EVENT_HOOK_SECRET_PREVIOUS: '' },
      { AZURE_TENANT_ID: '' },
    ]) {
      const response = await ask('a-challenge', {}, await start(settings));
      expect([response.status, await response.json()]).toEqual([200, { verification: 'a-challenge' }]);
    }
  });

  test.each([null, '', '<script>', 'two words', 'x'.repeat(257), '"}'])(
    'that is none is not sent back: %j',
    async (challenge) => {
      const response = await ask(challenge);
      const text = await response.text();
      expect([response.status, (JSON.parse(text) as JsonObject).code]).toEqual([400, 'invalid_request']);
      if (challenge !== null && challenge !== '') expect(text).not.toContain(JSON.stringify(challenge).slice(1, -1));
    },
  );
});

describe('a delivery of Okta', () => {
  test('lies in the queue with one write before it is answered', async () => {
    const posted = await post(envelope(membership()));
    expect([posted.status, posted.text]).toEqual([204, '']);
    expect(posted.headers.get('x-request-id')).toEqual(expect.any(String));
    expect(posted.requests).toEqual([expect.stringMatching(/^POST .*\/events\/messages$/)]);
    expect(posted.messages).toEqual([
      {
        eventId: '11111111-1111-4111-8111-111111111111',
        events: [
          {
            type: 'group.user_membership.add',
            uuid: 'aaaaaaaa-0000-11f0-8000-000000000001',
            atMs: Date.parse('2026-11-20T10:00:00.000Z'),
            outcome: 'SUCCESS',
            groupIds: ['00gGroup000000000001'],
            userIds: ['00uUser0000000000001'],
            appIds: [],
            appUserIds: [],
            login: null,
          },
        ],
      },
    ]);
    // No name and no address of anybody.
    expect(JSON.stringify(posted.messages)).not.toMatch(/example\.com|DL-Sales|User 1/);
    expect(tables.seen).toEqual([]);
    expect(linesOf(host).at(-1)).toMatchObject({
      event: 'call',
      action: 'receiveEventHook',
      status: 204,
      outcome: 'queued',
    });
  });

  test('that is the first of all makes the queue', async () => {
    const queue = QueueServiceClient.fromConnectionString(direct).getQueueClient('events');
    const fresh = await start();
    await queue.deleteIfExists();
    const response = await fetch(`${fresh.url}/api/okta/events`, {
      method: 'POST',
      headers: { authorization: secret },
      body: JSON.stringify(envelope(membership())),
    });
    expect(response.status).toBe(204);
    expect((await queue.peekMessages()).peekedMessageItems).toHaveLength(1);
  });

  /** What is kept of each sample: type, groups, users, login. */
  const kept: Record<string, [string, string[], string[], string | null][]> = {
    'synthetic-eventhook-app.user_management.json': [['app.user_management', ['00gGroup000000000009'], [], null]],
    'synthetic-eventhook-application.provision.user.push_profile.failure.json': [],
    'synthetic-eventhook-application.user_membership.remove.json': [
      ['application.user_membership.remove', [], ['00uUser0000000000001'], null],
    ],
    'synthetic-eventhook-batch-out-of-order-with-duplicate.json': [
      ['group.user_membership.remove', ['00gGroup000000000001'], ['00uUser0000000000001'], null],
      ['group.user_membership.add', ['00gGroup000000000001'], ['00uUser0000000000001'], null],
      ['group.user_membership.add', ['00gGroup000000000001'], ['00uUser0000000000002'], null],
      ['group.user_membership.add', ['00gGroup000000000001'], ['00uUser0000000000002'], null],
    ],
    'synthetic-eventhook-group.lifecycle.create.json': [],
    'synthetic-eventhook-group.lifecycle.delete.json': [['group.lifecycle.delete', ['00gGroup000000000001'], [], null]],
    'synthetic-eventhook-group.profile.update.json': [['group.profile.update', ['00gGroup000000000001'], [], null]],
    'synthetic-eventhook-group_push.failed.json': [],
    'synthetic-eventhook-user.account.update_profile.json': [
      ['user.account.update_profile', [], ['00uUser0000000000001'], null],
    ],
    'synthetic-eventhook-user.account.update_profile.target-null.json': [
      ['user.account.update_profile', [], [], 'user1@example.com'],
    ],
    'verbatim-eventhook-user.session.start.json': [],
  };

  test('is known in every form that there is a sample of', () => {
    expect(Object.keys(kept).sort()).toEqual(sampleNames);
  });

  test.each(sampleNames)('is taken in as Okta sends it: %s', async (name) => {
    const posted = await post(await readSample(name));
    expect([posted.status, posted.text]).toEqual([204, '']);
    expect(eventsOf(posted).map(({ type, groupIds, userIds, login }) => [type, groupIds, userIds, login])).toEqual(
      kept[name],
    );
    // Nothing of it concerns a mapping: nothing is written.
    expect(posted.requests).toHaveLength(kept[name]?.length === 0 ? 0 : 1);
  });

  test.each(sampleNames)('is taken in as of 2020, with keys dropped and eventID: %s', async (name) => {
    const { eventId, ...modern } = withoutNulls(JSON.parse(await readSample(name))) as JsonObject;
    const posted = await post({ ...modern, eventID: eventId });
    expect(posted.status).toBe(204);
    expect(eventsOf(posted).map(({ type, login }) => [type, login])).toEqual(
      (kept[name] ?? []).map(([type, , , login]) => [type, login]),
    );
    for (const message of posted.messages) expect(message.eventId).toBe(eventId);
  });

  test.each([
    ['null', null],
    ['no list', { id: '00uUser0000000000001' }],
    ['not there', undefined],
  ])('names a user by the path of the request where its target is %s', async (_, target) => {
    const event = membership({
      eventType: 'user.account.update_profile',
      target,
      debugContext: { debugData: { requestUri: '/api/v1/users/00uUser0000000000007?strict=true' } },
    });
    expect(eventsOf(await post(envelope(event)))).toMatchObject([{ userIds: ['00uUser0000000000007'], login: null }]);
  });

  test('names group and user by the path of a membership without target, and nobody by a path that says nothing', async () => {
    const by = (requestUri: unknown) => membership({ target: null, debugContext: { debugData: { requestUri } } });
    const posted = await post(
      envelope(
        by('/api/v1/groups/00gGroup000000000007/users/00uUser0000000000007'),
        by('/api/v1/users/%E0%A4%A'),
        by('/api/v1/users/me'),
        by(7),
        by('/api/v1/users/ada%40example.com'),
      ),
    );
    expect(eventsOf(posted).map(({ groupIds, userIds, login }) => [groupIds, userIds, login])).toEqual([
      [['00gGroup000000000007'], ['00uUser0000000000007'], null],
      [[], [], null],
      [[], [], null],
      [[], [], null],
      [[], [], 'ada@example.com'],
    ]);
  });

  test('finds its targets in any order, and takes no id that a table would not', async () => {
    const { target } = membership() as { target: JsonObject[] };
    const odd = ['*', '!', '', 7, null, 'a/b', 'x'.repeat(65)].map((id) => ({ type: 'User', id }));
    const posted = await post(envelope(membership({ target: [...odd, 'none', null, ...target.reverse(), ...target] })));
    expect(eventsOf(posted)).toMatchObject([{ userIds: ['00uUser0000000000001'], groupIds: ['00gGroup000000000001'] }]);
  });

  test('keeps times that make sense: of the event, else of the delivery, none of the future', async () => {
    const at = (published: unknown) => membership({ published });
    const startedAtMs = Date.now();
    const atMs = eventsOf(
      await post(envelope(at('2026-11-20T10:00:00.000Z'), at('soon'), at(null), at('2999-01-01T00:00:00.000Z'))),
    ).map((event) => event.atMs as number);
    expect(atMs.slice(0, 3)).toEqual(
      ['2026-11-20T10:00:00.000Z', '2026-11-20T10:00:05.000Z', '2026-11-20T10:00:05.000Z'].map((time) =>
        Date.parse(time),
      ),
    );
    expect(atMs[3]).toBeGreaterThanOrEqual(startedAtMs);
    expect(atMs[3]).toBeLessThanOrEqual(Date.now());
  });

  test('loses no event to another that cannot be read', async () => {
    const posted = await post(
      envelope(null, 'text', {}, { eventType: 7 }, membership(), membership({ outcome: 'odd' })),
    );
    expect(posted.status).toBe(204);
    expect(eventsOf(posted).map(({ outcome }) => outcome)).toEqual(['SUCCESS', 'UNKNOWN']);
    expect(linesOf(host)).toContainEqual(expect.objectContaining({ event: 'hook_events_unreadable', count: 4 }));
  });

  test('with nothing of interest is answered without a write', async () => {
    for (const events of [[], [membership({ eventType: 'user.session.start' })]]) {
      const posted = await post(envelope(...events));
      expect([posted.status, posted.requests]).toEqual([204, []]);
    }
    expect(linesOf(host).at(-1)).toMatchObject({ outcome: 'ignored' });
  });

  test('hears of every step in the life of a user', async () => {
    const types = ['user.lifecycle.suspend', 'user.lifecycle.delete.initiated', 'user.lifecycle.of_tomorrow'];
    const posted = await post(envelope(...types.map((eventType) => membership({ eventType }))));
    expect(eventsOf(posted).map(({ type }) => type)).toEqual(types);
  });

  test('becomes more messages only where one cannot hold it, and loses nothing by that', async () => {
    const many = Array.from({ length: 400 }, (_, index) => membership({ uuid: `uuid-${index}` }));
    const posted = await post(envelope(...many));
    expect(posted.status).toBe(204);
    expect(posted.messages).toHaveLength(2);
    expect(posted.requests).toHaveLength(2);
    expect(
      eventsOf(posted)
        .map(({ uuid }) => uuid as string)
        .sort(),
    ).toEqual(many.map(({ uuid }) => uuid as string).sort());
    const half = await post(envelope(...many.slice(0, 150)));
    expect(half.messages).toHaveLength(1);
  });
});

describe('what is no delivery of Okta', () => {
  test.each([null, '', 'wrong', secret.slice(0, -1), `${secret}x`, secret.toUpperCase(), `Bearer ${secret}`])(
    'is refused with the secret %j',
    async (wrong) => {
      const { status, body, headers, requests } = await post(envelope(membership()), { secret: wrong });
      expect([status, body?.code, requests]).toEqual([401, 'hook_secret_wrong', []]);
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(JSON.stringify(body)).not.toContain(secret);
    },
  );

  test('is taken with the secret before this one, as long as that is set', async () => {
    expect((await post(envelope(membership()), { secret: previous })).status).toBe(204);
    const rotated = await start({ OKTA_EVENT_HOOK_SECRET_PREVIOUS: '' });
    expect((await post(envelope(membership()), { secret: previous, at: rotated })).status).toBe(401);
    expect((await post(envelope(membership()), { at: rotated })).status).toBe(204);
  });

  test.each([null, '', 'undefined', secret])('is never accepted without any secret set, with %j', async (given) => {
    const bare = await start({ OKTA_EVENT_HOOK_SECRET: '', OKTA_EVENT_HOOK_SECRET_PREVIOUS: '' });
    const { status, body, text, requests } = await post(envelope(membership()), { secret: given, at: bare });
    expect([status, body?.code, requests]).toEqual([500, 'configuration_invalid', []]);
    // The log tells which setting; a stranger is not told.
    expect(text).not.toContain('OKTA_');
    expect(JSON.stringify(linesOf(bare))).toContain('OKTA_EVENT_HOOK_SECRET is not set');
  });

  test('of 5 MB is refused', async () => {
    const { status, body, requests } = await post('x'.repeat(5 * 1_024 * 1_024));
    expect([status, body?.code, requests]).toEqual([413, 'body_too_large', []]);
  });

  test.each(['', '{', 'hello', '\u0000', Buffer.from([0xff, 0xfe, 0x7b])])(
    'is refused as garbage: %j',
    async (garbage) => {
      const { status, body, requests } = await post(garbage);
      expect([status, body?.code, requests]).toEqual([400, 'invalid_json', []]);
    },
  );

  test.each(['null', '7', '[]', '{}', '{"data": null}', '{"data": {"events": {}}}', '{"data": {"events": "[]"}}'])(
    'is refused as no envelope: %s',
    async (other) => {
      const { status, body, requests } = await post(other);
      expect([status, body?.code, requests]).toEqual([400, 'invalid_request', []]);
      expect(body?.errors).toMatchObject([{ pointer: '/data/events' }]);
    },
  );
});

describe('storage', () => {
  test.each(['hang', 'refuse'] as const)(
    'that does not take the events (%s) earns a retry of Okta in time',
    async (mode) => {
      const fresh = await start();
      const queue = QueueServiceClient.fromConnectionString(direct).getQueueClient('events');
      await queue.createIfNotExists();
      queueProxy.mode = mode;
      const startedAtMs = Date.now();
      const response = await fetch(`${fresh.url}/api/okta/events`, {
        method: 'POST',
        headers: { authorization: secret },
        body: JSON.stringify(envelope(membership())),
      });
      const body = (await response.json()) as JsonObject;
      expect([response.status, body.code]).toEqual([503, 'storage_unavailable']);
      expect(Date.now() - startedAtMs).toBeLessThan(2_500);
      queueProxy.mode = 'forward';
      expect((await post(envelope(membership()), { at: fresh })).status).toBe(204);
    },
  );
});

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)]));
}
