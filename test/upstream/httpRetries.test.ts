import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Effect } from '../../shared/upstream/policy.ts';
import { closedPort, type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';
import { faultOf, type QuickClock, quickClock, type TestCall, testCall, testUpstream } from '../support/rooms.ts';

let server: ScriptedServer;
let clock: QuickClock;
let call: TestCall;
const servers: ScriptedServer[] = [];

beforeEach(async () => {
  server = await startScriptedServer();
  servers.push(server);
  clock = quickClock();
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => Promise.all(servers.map((each) => each.close())));

const request = (effect: Effect, url = server.url) => ({
  method: 'POST',
  url: `${url}/things`,
  body: '{}',
  effect,
  label: 'a request',
});
const send = (effect: Effect) => testUpstream('exchange', server.url, { clock }).send(request(effect), call);
const refusedUrl = async () => {
  const port = await closedPort();
  return { port, url: `http://127.0.0.1:${port}` };
};
const ok = { status: 200, body: { value: [] } };
/** Some real milliseconds pass between an answer and the wait it leads to. */
const closeTo = (ms: number): unknown => expect.closeTo(ms, -2);

describe('an answer that asks to wait', () => {
  test.each<Effect>(['read', 'write'])('is waited for as long as it says in seconds, by a %s', async (effect) => {
    server.script({ status: 429, headers: { 'retry-after': '7' } }, ok);
    expect((await send(effect)).status).toBe(200);
    expect(clock.waits).toEqual([closeTo(7_300)]);
    expect(server.heard).toHaveLength(2);
  });

  test('may name a date, which counts from the date of the answer', async () => {
    const date = 'Wed, 01 Jan 2020 00:00:00 GMT';
    server.script({ status: 429, headers: { date, 'retry-after': 'Wed, 01 Jan 2020 00:00:09 GMT' } }, ok);
    await send('read');
    expect(clock.waits).toEqual([closeTo(9_300)]);
  });

  test.each<Effect>(['read', 'write'])('is given growing waits when it names none, by a %s', async (effect) => {
    server.script({ status: 429 }, { status: 429 }, { status: 429 }, ok);
    await send(effect);
    expect(clock.waits).toEqual([closeTo(250), closeTo(500), closeTo(1_000)]);
  });

  test("may be Exchange's text about concurrent requests, whatever its status", async () => {
    const body = 'You have reached the maximum number of concurrent requests per tenant. Please wait and try again';
    server.script({ status: 500, body }, { status: 400, body }, ok);
    expect((await send('write')).status).toBe(200);
    expect(server.heard).toHaveLength(3);
  });

  test('is not seen in an answer that merely quotes that text: a write would be done twice', async () => {
    const Description = ['How to live with the maximum number of concurrent requests per tenant'];
    server.script({ status: 200, body: { value: [{ Description }] } });
    expect((await send('write')).status).toBe(200);
    expect(server.heard).toHaveLength(1);
  });

  test('ends the call at once when the wait would pass the deadline', async () => {
    server.script({ status: 429, headers: { 'retry-after': '120', 'request-id': 'their-id' } });
    expect(await faultOf(send('write'))).toMatchObject({
      code: 'throttled',
      retryAfterSeconds: 120,
      upstream: 'exchange',
      upstreamRequestId: 'their-id',
    });
    expect(clock.waits).toEqual([]);
    expect(server.heard).toHaveLength(1);
  });

  test('is given up in the end, with the wait it asked for last', async () => {
    server.script({ status: 429, headers: { 'retry-after': '2' } });
    expect(await faultOf(send('read'))).toMatchObject({ code: 'throttled', retryAfterSeconds: 2 });
    expect(server.heard).toHaveLength(50);
  });

  test('and names none is told by the wait that we would have made, not by a fixed one', async () => {
    server.script({ status: 429 });
    call = testCall({ times: { totalMs: 5_000, proofMs: 0 }, clock });
    // 250, 500, 1,000 and 2,000 fit into the five seconds; the next 4,000 do not.
    expect(await faultOf(send('write'))).toMatchObject({ code: 'throttled', retryAfterSeconds: 4 });
    expect(server.heard).toHaveLength(5);
  });

  test('is told as one second at least', async () => {
    server.script({ status: 429, headers: { 'retry-after': '0' } });
    expect(await faultOf(send('read'))).toMatchObject({ code: 'throttled', retryAfterSeconds: 1 });
  });
});

describe('a request without a usable answer', () => {
  test.each([408, 500, 502, 503, 504])('is repeated by a read after %i', async (status) => {
    server.script({ status, body: '<html>gateway</html>' }, { status }, ok);
    expect((await send('read')).status).toBe(200);
    expect(server.heard).toHaveLength(3);
    expect(clock.waits).toEqual([300, 600]);
  });

  test.each([408, 500, 502, 503, 504])('is never repeated by a write after %i: its outcome is open', async (status) => {
    server.script({ status, headers: { 'request-id': 'their-id' } }, ok);
    expect(await faultOf(send('write'))).toMatchObject({ code: 'outcome_unknown', upstreamRequestId: 'their-id' });
    expect(server.heard).toHaveLength(1);
  });

  test('is repeated by a read whose connection breaks', async () => {
    server.script('reset', ok);
    expect((await send('read')).status).toBe(200);
    expect(server.heard).toHaveLength(2);
  });

  test('is never repeated by a write whose connection breaks', async () => {
    server.script('reset', ok);
    const fault = await faultOf(send('write'));
    expect(fault).toMatchObject({ code: 'outcome_unknown', upstreamRequestId: null });
    expect(fault.message).toContain('it may have been carried out');
    expect(server.heard).toHaveLength(1);
  });

  test('is open for a write whose answer breaks off in the middle', async () => {
    server.script({ status: 200, headers: { 'content-length': '500' }, body: '{"value":' });
    const sent = faultOf(send('write'));
    while (server.heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    setTimeout(() => void server.close(), 50);
    expect(await sent).toMatchObject({ code: 'outcome_unknown' });
    expect(server.heard).toHaveLength(1);
  });

  test('fails for a read after four attempts, with what came last', async () => {
    server.script({ status: 503 });
    const fault = await faultOf(send('read'));
    expect(fault.code).toBe('upstream_failed');
    expect(fault.message).toContain('HTTP 503');
    expect(server.heard).toHaveLength(4);
  });
});

describe('a connection that was never made', () => {
  test.each<Effect>(['read', 'write'])('is tried three times by a %s, for nothing was sent', async (effect) => {
    const { url } = await refusedUrl();
    const sent = testUpstream('exchange', url, { clock }).send(request(effect, url), call);
    const fault = await faultOf(sent);
    expect(fault.code).toBe('upstream_failed');
    expect(fault.message).toContain('ECONNREFUSED');
    expect(clock.waits).toHaveLength(2);
  });

  test('is made once the server is there again, with the write in it', async () => {
    const { url, port } = await refusedUrl();
    const revived = testUpstream('exchange', url, {
      clock: {
        ...clock,
        sleep: async () => {
          server = await startScriptedServer(port);
          servers.push(server);
          server.script(ok);
        },
      },
    });
    expect((await revived.send(request('write', url), call)).status).toBe(200);
    expect(server.heard).toHaveLength(1);
  });
});

describe('the deadline', () => {
  const short = { totalMs: 400, proofMs: 100 };

  test('ends a read that waits for its answer', async () => {
    server.script('hang');
    call = testCall({ times: short });
    const startedAt = Date.now();
    expect(await faultOf(send('read'))).toMatchObject({ code: 'deadline_exceeded', upstream: 'exchange' });
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    expect(server.heard).toHaveLength(1);
  });

  test('leaves a write that waits for its answer open', async () => {
    server.script('hang');
    call = testCall({ times: short });
    expect(await faultOf(send('write'))).toMatchObject({ code: 'outcome_unknown' });
    expect(server.heard).toHaveLength(1);
  });

  test.each<Effect>(['read', 'write'])('that has passed lets no %s begin', async (effect) => {
    server.script(ok);
    call = testCall({ times: { totalMs: 20, proofMs: 10 } });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await faultOf(send(effect))).toMatchObject({ code: 'deadline_exceeded', upstream: 'exchange' });
    expect(server.heard).toHaveLength(0);
  });

  test('leaves the time kept back to a proof', async () => {
    server.script(ok);
    call = testCall({ times: { totalMs: 5_000, proofMs: 4_990 } });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await faultOf(send('read'))).toMatchObject({ code: 'deadline_exceeded' });
    const proof = testUpstream('exchange', server.url, { clock }).send(request('read'), call.proving());
    expect((await proof).status).toBe(200);
  });

  test('bounds the waits between attempts', async () => {
    server.script({ status: 503 });
    call = testCall({ times: { totalMs: 1_000, proofMs: 0 }, clock });
    expect(await faultOf(send('read'))).toMatchObject({ code: 'upstream_failed' });
    // 300 and 600 fit into the second, the next 1,200 do not.
    expect(clock.waits).toEqual([300, 600]);
  });
});
