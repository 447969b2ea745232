import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Effect } from '../../shared/upstream/policy.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';
import {
  faultOf,
  quickClock,
  secretOfTokens,
  type TestCall,
  testCall,
  testTokens,
  testUpstream,
} from '../support/rooms.ts';

let server: ScriptedServer;
let other: ScriptedServer;
let call: TestCall;

beforeAll(async () => {
  [server, other] = await Promise.all([startScriptedServer(), startScriptedServer()]);
});
beforeEach(() => {
  server.heard.length = 0;
  other.heard.length = 0;
  other.script({ status: 200, body: {} });
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => Promise.all([server.close(), other.close()]));

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('a request to an upstream', () => {
  test('carries our token, an id of its own and what the client adds', async () => {
    const tokens = testTokens();
    server.script({ status: 200, headers: { 'x-special': 'yes', 'request-id': 'their-id' }, body: { a: 1 } });
    const answer = await testUpstream('graph', server.url, { tokens }).send(
      {
        method: 'PATCH',
        url: `${server.url}/v1.0/things?x=1`,
        headers: { 'content-type': 'application/json', prefer: 'x', authorization: 'Bearer of-somebody-else' },
        body: '{"b":2}',
        effect: 'write',
        label: 'PATCH /things',
      },
      call,
    );
    expect(server.heard).toHaveLength(1);
    expect(server.heard[0]).toMatchObject({ method: 'PATCH', path: '/v1.0/things?x=1', body: '{"b":2}' });
    expect(server.heard[0]?.headers).toMatchObject({
      authorization: `Bearer ${tokens.issued[0] ?? ''}`,
      accept: 'application/json',
      prefer: 'x',
      'client-request-id': expect.stringMatching(guid),
    });
    expect(answer).toMatchObject({ status: 200, text: '{"a":1}', requestId: 'their-id' });
    expect(answer.headers.get('x-special')).toBe('yes');
    expect(answer.claims).toMatchObject({ oid: 'app-object', appId: 'an-app', tenantId: 'a-tenant' });
  });

  test('is known by our own id where the answer brings none', async () => {
    server.script({ status: 404 });
    const answer = await testUpstream('graph', server.url).send(
      { method: 'GET', url: `${server.url}/x`, effect: 'read', label: 'x' },
      call,
    );
    expect(answer.requestId).toBe(server.heard[0]?.headers['client-request-id']);
  });

  test('asks for its token and has a fresh id at every attempt', async () => {
    const tokens = testTokens();
    let asked = 0;
    const source = {
      ...tokens,
      get: (from: TestCall) => {
        asked += 1;
        tokens.forget();
        return tokens.get(from);
      },
    };
    server.script({ status: 503 }, { status: 503 }, { status: 200, body: {} });
    await testUpstream('graph', server.url, { tokens: source }).send(
      { method: 'GET', url: `${server.url}/x`, effect: 'read', label: 'x' },
      call,
    );
    expect(asked).toBe(3);
    const sent = server.heard.map(({ headers }) => headers.authorization);
    expect(sent).toEqual(tokens.issued.map((token) => `Bearer ${token}`));
    expect(new Set(sent).size).toBe(3);
    expect(new Set(server.heard.map(({ headers }) => headers['client-request-id'])).size).toBe(3);
  });

  test.each([400, 401, 403, 404, 409])('delivers a %i as it is, after one attempt', async (status) => {
    server.script({ status, body: 'no' });
    const answer = await testUpstream('graph', server.url).send(
      { method: 'POST', url: `${server.url}/x`, body: '{}', effect: 'write', label: 'x' },
      call,
    );
    expect(answer).toMatchObject({ status, text: 'no' });
    expect(server.heard).toHaveLength(1);
  });
});

describe('a link to another place', () => {
  test.each([
    ['another host', () => `${other.url}/v1.0/users`],
    ['another scheme', () => server.url.replace('http:', 'https:')],
    ['another port', () => `${server.url.replace(/:\d+$/, '')}:1/x`],
    ['no URL', () => '/v1.0/users'],
    ['a host that only begins like ours', () => `${server.url}.example.net/x`],
  ])('(%s) is refused before a token is made', async (_, url) => {
    const tokens = testTokens();
    const sent = testUpstream('graph', server.url, { tokens }).send(
      { method: 'GET', url: url(), effect: 'read', label: 'x' },
      call,
    );
    expect(await faultOf(sent)).toMatchObject({ code: 'foreign_link', upstream: 'graph' });
    expect(tokens.issued).toEqual([]);
    expect([...server.heard, ...other.heard]).toEqual([]);
  });

  test.each<[number, Effect]>([
    [301, 'read'],
    [302, 'read'],
    [302, 'write'],
    [307, 'write'],
    [308, 'read'],
  ])('given as a %i redirect is not followed by a %s', async (status, effect) => {
    server.script({ status, headers: { location: `${other.url}/stolen` } });
    const answer = await testUpstream('exchange', server.url).send(
      { method: 'POST', url: `${server.url}/x`, body: '{}', effect, label: 'x' },
      call,
    );
    expect(answer.status).toBe(status);
    expect(server.heard).toHaveLength(1);
    expect(other.heard).toEqual([]);
  });
});

describe('the log', () => {
  test('has one line an attempt, with what came of it and without the token', async () => {
    server.script({ status: 429, headers: { 'retry-after': '1' } }, 'reset', { status: 200, body: {} });
    await testUpstream('exchange', server.url, { clock: quickClock() }).send(
      {
        method: 'POST',
        url: `${server.url}/adminapi`,
        body: '{"Name":"private"}',
        effect: 'read',
        label: 'Get-Recipient',
      },
      call,
    );
    const base = { event: 'upstream', upstream: 'exchange', label: 'Get-Recipient', requestId: 'test-request' };
    expect(call.lines.map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ ...base, attempt: 1, status: 429, ending: 'throttled' }),
      expect.objectContaining({ ...base, attempt: 2, status: null, ending: 'unanswered', upstreamRequestId: null }),
      expect.objectContaining({ ...base, attempt: 3, status: 200, ending: 'answered' }),
    ]);
    const everything = JSON.stringify(call.lines);
    expect(everything).not.toContain(secretOfTokens);
    expect(everything).not.toContain('Bearer');
    expect(everything).not.toContain('private');
  });
});
