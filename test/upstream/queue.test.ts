import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../shared/clock.ts';
import { startLimit } from '../../shared/upstream/pace.ts';
import { createUpstream } from '../../shared/upstream/upstream.ts';
import { faultOf, type TestCall, testCall, testTokens, testUpstream } from '../support/rooms.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

let server: ScriptedServer;
const servers: ScriptedServer[] = [];
const calls: TestCall[] = [];

beforeEach(async () => {
  server = await startScriptedServer();
  servers.push(server);
  server.script('hang');
});
afterEach(() => calls.splice(0).forEach((call) => call.end()));
afterAll(() => Promise.all(servers.map((each) => each.close())));

const callOf = (totalMs: number): TestCall => {
  const call = testCall({ times: { totalMs, proofMs: 0 } });
  calls.push(call);
  return call;
};

describe('a caller whose deadline ends in the queue', () => {
  const request = () => ({ method: 'POST', url: `${server.url}/x`, body: '{}', effect: 'write', label: 'x' }) as const;
  /** As many calls under way as there may be, none of them answered. */
  const full = () => {
    const upstream = testUpstream('exchange', server.url, { clock: systemClock });
    for (let number = 0; number < startLimit; number += 1) {
      void faultOf(upstream.send(request(), callOf(3_000)));
    }
    return upstream;
  };

  test('is told that the queue of this app is long, and not that the upstream throttles', async () => {
    const upstream = full();
    void faultOf(upstream.send(request(), callOf(3_000)));
    const fault = await faultOf(upstream.send(request(), callOf(200)));
    expect(fault).toMatchObject({ code: 'throttled', upstream: 'exchange', retryAfterSeconds: 10 });
    expect(fault.message).toContain('1 other call of this app');
    expect(fault.message).not.toContain('asks to wait');
    expect(server.heard).toHaveLength(startLimit);
  });

  test('and who was alone there is told that the time was over', async () => {
    expect(await faultOf(full().send(request(), callOf(200)))).toMatchObject({ code: 'deadline_exceeded' });
  });

  test('learns from what went meanwhile when to come again', async () => {
    const upstream = createUpstream({
      name: 'exchange',
      baseUrl: server.url,
      tokens: testTokens(),
      clock: systemClock,
      random: () => 0,
      fetch: async () => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        return new Response('{}');
      },
    });
    const others = Array.from({ length: 200 }, () => upstream.send(request(), callOf(20_000)));
    const fault = await faultOf(upstream.send(request(), callOf(300)));
    expect(fault).toMatchObject({ code: 'throttled' });
    expect(fault.message).toMatch(/\d{2,} other calls of this app/);
    expect(fault.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(fault.retryAfterSeconds).toBeLessThan(10);
    await Promise.all(others);
  });
});
