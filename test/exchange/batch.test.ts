import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BatchPart } from '../../shared/exchange/batch.ts';
import { createExchange, type Exchange } from '../../shared/exchange/client.ts';
import type { Effect } from '../../shared/upstream/policy.ts';
import { faultOf, type TestCall, testCall, testTokens, testUpstream } from '../support/rooms.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

let server: ScriptedServer;
let exchange: Exchange;
let call: TestCall;

beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => {
  // Anew for each test: a gate that one has closed stays closed.
  exchange = createExchange(testUpstream('exchange', server.url), 'tenant');
  server.heard.length = 0;
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => server.close());

const identities = ['a', 'b', 'c'];
const batch = (effect: Effect, from = exchange) =>
  from.batch(
    identities.map((Member) => ({ name: 'Add-DistributionGroupMember' as const, parameters: { Member } })),
    effect,
    call,
  );
const ok = (id: number, Name = `row ${id}`) => ({
  id: String(id),
  status: 200,
  headers: {},
  body: { value: [{ Name }] },
});
/** The second part of three is this; the others are good. */
const withPart = async (part: object, effect: Effect = 'write', from = exchange): Promise<BatchPart> => {
  server.script({ body: { responses: [ok(2), { id: '1', ...part }, ok(0)] } });
  const [first, second, third] = await batch(effect, from);
  expect(first).toMatchObject({ ok: true, output: { rows: [{ Name: 'row 0' }] } });
  expect(third).toMatchObject({ ok: true, output: { rows: [{ Name: 'row 2' }] } });
  if (second === undefined) throw new Error('a part is missing');
  return second;
};
const error = (type: string, text = 'x') => ({
  error: {
    code: 'BadRequest',
    message: 'Error executing cmdlet',
    details: [{ target: '', message: `Ex1|${type}|${text}` }],
  },
});

describe('the parts of a batch', () => {
  test('are told by their ids, whatever their order', async () => {
    server.script({ body: { responses: [ok(2), ok(0), ok(1)] } });
    const parts = await batch('read');
    expect(parts.map((part) => part.ok && part.output.rows)).toEqual([
      [{ Name: 'row 0' }],
      [{ Name: 'row 1' }],
      [{ Name: 'row 2' }],
    ]);
  });

  test('may have ids that are numbers', async () => {
    server.script({ body: { responses: [{ ...ok(1), id: 1 }, ok(0), ok(2)] } });
    expect((await batch('read')).every((part) => part.ok)).toBe(true);
  });

  test('fail alone, by the type of their error', async () => {
    const body = error('A.MemberAlreadyExistsException', 'The recipient "b" is already a member');
    expect(await withPart({ status: 400, headers: {}, body })).toMatchObject({
      ok: false,
      fault: { kind: 'alreadyMember', upstream: 'exchange' },
    });
  });

  test('of a write may be empty', async () => {
    for (const body of [undefined, null, '', {}, { value: [] }]) {
      expect(await withPart({ status: 200, headers: {}, body })).toMatchObject({ ok: true, output: { rows: [] } });
    }
  });

  test('of a read may not be empty', async () => {
    for (const body of [undefined, null, '', {}, '<html>']) {
      expect(await withPart({ status: 200, headers: {}, body }, 'read')).toMatchObject({
        ok: false,
        fault: { code: 'upstream_failed' },
      });
    }
  });

  test.each<[Effect, string]>([
    ['write', 'outcome_unknown'],
    ['read', 'upstream_failed'],
  ])('that are missing are open for a %s: %s', async (effect, code) => {
    server.script({ body: { responses: [ok(0), ok(2), 'odd'] } });
    const parts = await batch(effect);
    expect(parts.map((part) => part.ok)).toEqual([true, false, true]);
    expect(parts[1]).toMatchObject({ fault: { code, upstream: 'exchange' } });
  });

  test.each<[number, Effect, string]>([
    [408, 'write', 'outcome_unknown'],
    [500, 'write', 'outcome_unknown'],
    [503, 'write', 'outcome_unknown'],
    [408, 'read', 'upstream_failed'],
    [500, 'read', 'upstream_failed'],
    [503, 'read', 'upstream_failed'],
  ])('with status %i are, for a %s, %s', async (status, effect, code) => {
    const body = { error: { code: 'x', message: 'unavailable' } };
    expect(await withPart({ status, headers: {}, body }, effect)).toMatchObject({ ok: false, fault: { code } });
    expect(server.heard).toHaveLength(1);
  });

  test.each([
    [{ 'Retry-After': '17' }, 17],
    [{ 'retry-after': 3.2 }, 4],
    [{ 'retry-after': '0' }, 1],
    [{}, 10],
    [undefined, 10],
    [{ 'retry-after': 'soon' }, 10],
  ])('with status 429 and headers %p ask to wait %i s', async (headers, retryAfterSeconds) => {
    expect(await withPart({ status: 429, headers, body: null })).toMatchObject({
      ok: false,
      fault: { code: 'throttled', retryAfterSeconds, upstream: 'exchange' },
    });
  });

  test.each([
    [401, { roles: [] }, 'exchange_app_role_missing'],
    [403, { wids: [] }, 'exchange_directory_role_missing'],
    [403, {}, 'exchange_forbidden'],
  ])('with status %i name what the token lacks', async (status, claims, code) => {
    const own = createExchange(testUpstream('exchange', server.url, { tokens: testTokens(claims) }), 'tenant');
    expect(await withPart({ status, headers: {}, body: '' }, 'write', own)).toMatchObject({
      ok: false,
      fault: { code },
    });
  });
});

describe('a batch as a whole', () => {
  test.each([
    ['write', 400],
    ['read', 404],
  ] as const)('that is refused (%s, %i) is that refusal', async (effect, status) => {
    server.script({ status, body: error('A.InsufficientPermissionsException', 'too many requests in it') });
    const fault = await faultOf(batch(effect));
    expect(fault).toMatchObject({ kind: 'forbidden', code: 'exchange_forbidden' });
    expect(fault.message).toContain('$batch: too many requests in it');
  });

  test('that fails in between leaves its writes open, as one write does', async () => {
    server.script({ status: 400, body: error('A.ServerBusyException') });
    expect(await faultOf(batch('write'))).toMatchObject({ code: 'outcome_unknown' });
  });

  test.each([
    ['a page', { status: 200, body: '<html>' }],
    ['nothing', { status: 200, body: '' }],
    ['something else', { status: 200, body: { value: [] } }],
    ['a 502 page', { status: 502, body: '<html>bad gateway</html>' }],
    ['a broken connection', 'reset'],
  ] as const)('answered with %s leaves writes open and fails reads', async (_, answer) => {
    server.script(answer);
    expect(await faultOf(batch('write'))).toMatchObject({ code: 'outcome_unknown' });
    expect(server.heard).toHaveLength(1);
    expect(await faultOf(batch('read'))).toMatchObject({ code: 'upstream_failed' });
  });

  test('of which several parts are throttled has all wait as long as the longest asks', async () => {
    const waits: unknown[] = [];
    const slowDown = (effect: Effect, waitMs: number | null) => void waits.push([effect, waitMs]);
    const own = createExchange({ ...testUpstream('exchange', server.url), slowDown }, 'tenant');
    const part = (id: number, seconds: string) => ({
      id: String(id),
      status: 429,
      headers: { 'Retry-After': seconds },
    });
    server.script({ body: { responses: [part(0, '3'), ok(1), part(2, '40')] } });
    await batch('write', own);
    expect(waits).toEqual([['write', 40_000]]);
  });

  test('that is throttled is sent again with a token of its own in every part', async () => {
    const tokens = testTokens();
    const own = createExchange(testUpstream('exchange', server.url, { tokens }), 'tenant');
    server.script({ status: 429, headers: { 'retry-after': '1' } }, { body: { responses: [ok(0), ok(1), ok(2)] } });
    expect((await batch('write', own)).every((part) => part.ok)).toBe(true);
    expect(server.heard).toHaveLength(2);
  });

  test('that is refused with 403 is so as a whole', async () => {
    server.script({ status: 403, body: '\0'.repeat(400) });
    expect(await faultOf(batch('write'))).toMatchObject({ code: 'exchange_forbidden' });
  });
});
