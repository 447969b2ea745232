import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  // A clock that stands still, so that no token comes back on its own.
  bench = await Bench.start({ now: () => 1_900_000_000_000 });
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

const limit = async (...limits: object[]) => {
  const bucket = { upstream: 'exchange', ratePerSecond: 2, burst: 3, seconds: 10 };
  const put = await bench.control('PUT', 'tenant', {
    settings: { limits: limits.map((each) => ({ ...bucket, ...each })) },
  });
  if (put.status !== 200) throw new Error(put.text);
};
const wait = (seconds: number) => bench.control('POST', 'clock', { advanceMs: seconds * 1000 });
const read = () => bench.invoke('Get-OrganizationConfig');
const write = () => bench.invoke('Remove-DistributionGroup', { Identity: 'nobody', Confirm: false });
const statuses = async (ask: () => Promise<{ status: number }>, times: number) => {
  const seen: number[] = [];
  for (let time = 0; time < times; time += 1) seen.push((await ask()).status);
  return seen;
};

test('without a limit nothing is refused', async () => {
  expect(await statuses(read, 20)).toEqual(Array(20).fill(200));
});

test('the burst passes, then the rate, and no more than the burst is saved up', async () => {
  await limit({});
  expect(await statuses(read, 4)).toEqual([200, 200, 200, 429]);
  await wait(1);
  expect(await statuses(read, 3)).toEqual([200, 200, 429]);
  await wait(3600);
  expect(await statuses(read, 4)).toEqual([200, 200, 200, 429]);
});

test('a refused call does nothing and says how long to wait: in seconds, by date or not at all', async () => {
  await limit({ burst: 1 });
  await read();
  const refused = await bench.invoke('New-DistributionGroup', {
    Name: 'Badge Holders',
    ManagedBy: ['amara.osei@contoso.com'],
  });
  expect(refused).toMatchObject({ status: 429, body: { error: { code: 'TooManyRequests' } } });
  expect(refused.headers.get('retry-after')).toBe('10');
  expect((await bench.state()).groups.some(({ displayName }) => displayName === 'Badge Holders')).toBe(false);

  await limit({ burst: 1, retryAfter: 'date' });
  await read();
  const { headers } = await read();
  expect(Date.parse(headers.get('retry-after') ?? '') - Date.parse(headers.get('date') ?? '')).toBe(10_000);

  await limit({ burst: 1, retryAfter: 'absent' });
  await read();
  expect((await read()).headers.get('retry-after')).toBeNull();
});

test('where refused calls count, a call before Retry-After ends is refused', async () => {
  await limit({ refusedCallsCount: true });
  expect(await statuses(read, 4)).toEqual([200, 200, 200, 429]);
  await wait(9);
  expect((await read()).status).toBe(429);
  await wait(1);
  // What came back in the meantime is there.
  expect(await statuses(read, 3)).toEqual([200, 200, 200]);
});

test('where early calls extend the wait too, each begins it anew', async () => {
  await limit({ refusedCallsCount: true, earlyCallsExtend: true });
  expect(await statuses(read, 4)).toEqual([200, 200, 200, 429]);
  await wait(9);
  expect((await read()).status).toBe(429);
  await wait(9);
  expect((await read()).status).toBe(429);
  await wait(10);
  expect((await read()).status).toBe(200);
});

test('where refused calls count, each takes from the bucket too, to a debt that ends', async () => {
  await limit({ ratePerSecond: 0.1 });
  expect(await statuses(read, 4)).toEqual([200, 200, 200, 429]);
  await wait(10);
  expect((await read()).status).toBe(200);

  await limit({ ratePerSecond: 0.1, refusedCallsCount: true });
  expect(await statuses(read, 4)).toEqual([200, 200, 200, 429]);
  await wait(10);
  expect((await read()).status).toBe(429);
  await wait(20);
  expect((await read()).status).toBe(200);

  await statuses(read, 20);
  await wait(30);
  expect((await read()).status).toBe(429);
  await wait(40);
  expect((await read()).status).toBe(200);
});

test('a limit on writes leaves reads alone, and the other upstream too', async () => {
  await limit({ effect: 'write', burst: 1 });
  expect(await statuses(write, 2)).toEqual([404, 429]);
  expect(await statuses(read, 5)).toEqual([200, 200, 200, 200, 200]);
  expect((await bench.graph('GET', '/organization')).status).toBe(200);
});

test('a call refused by one limit is not counted by another', async () => {
  await limit({ burst: 3 }, { effect: 'write', burst: 1 });
  expect(await statuses(write, 3)).toEqual([404, 429, 429]);
  expect(await statuses(read, 3)).toEqual([200, 200, 429]);
});

test('a $batch is counted part by part, and each refused part says how long to wait', async () => {
  await limit({ burst: 2 });
  const url = `/adminapi/beta/${bench.sim.tenantId}/InvokeCommand`;
  const requests = ['1', '2', '3', '4'].map((id) => ({
    id,
    method: 'POST',
    url,
    body: { CmdletInput: { CmdletName: 'Get-OrganizationConfig', Parameters: {} } },
  }));
  const answer = await bench.exchange(`/adminapi/beta/${bench.sim.tenantId}/$batch`, { body: { requests } });
  expect(answer.status).toBe(200);
  const { responses } = answer.body as unknown as {
    responses: { id: string; status: number; headers: Record<string, string> }[];
  };
  const inOrder = responses.sort((a, b) => a.id.localeCompare(b.id));
  expect(inOrder.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
  expect(inOrder.map(({ headers }) => headers['Retry-After'])).toEqual([undefined, undefined, '10', '10']);
});

test("Graph says it in Microsoft's words, with the scope and what was exceeded", async () => {
  await limit({ upstream: 'graph', burst: 1 }, { upstream: 'graph', effect: 'write', burst: 1 });
  expect((await bench.graph('GET', '/organization')).status).toBe(200);
  const both = await bench.graph('GET', '/organization');
  expect(both).toMatchObject({
    status: 429,
    body: {
      error: {
        code: 'TooManyRequests',
        message: 'Please retry again later.',
        innerError: { code: '429', status: '429', message: 'Please retry after', date: '2030-03-17T17:46:40' },
      },
    },
  });
  expect(both.headers.get('retry-after')).toBe('10');
  const { tenantId, clientId } = bench.sim;
  expect(both.headers.get('x-ms-throttle-scope')).toBe(`Tenant_Application/ReadWrite/${clientId}/${tenantId}`);
  expect(both.headers.get('x-ms-throttle-information')).toBe('ResourceUnitLimitExceeded');

  await limit({ upstream: 'graph', effect: 'write', burst: 1 });
  const create = () => bench.graph('POST', '/groups', { body: {} });
  expect((await create()).status).toBe(400);
  const { headers } = await create();
  expect(headers.get('x-ms-throttle-scope')).toBe(`Tenant_Application/Write/${clientId}/${tenantId}`);
  expect(headers.get('x-ms-throttle-information')).toBe('WriteLimitExceeded');
});

test('reset lifts the limits, and one that is put again starts full', async () => {
  await limit({ burst: 1 });
  expect(await statuses(read, 2)).toEqual([200, 429]);
  await limit({ burst: 1 });
  expect(await statuses(read, 2)).toEqual([200, 429]);
  await bench.control('POST', 'reset');
  expect(await statuses(read, 5)).toEqual([200, 200, 200, 200, 200]);
});

test.each([
  { upstream: 'okta', ratePerSecond: 1, burst: 1, seconds: 1 },
  { upstream: 'graph', ratePerSecond: 0, burst: 1, seconds: 1 },
  { upstream: 'graph', ratePerSecond: 1, burst: 1.5, seconds: 1 },
  { upstream: 'graph', ratePerSecond: 1, burst: 1 },
  { upstream: 'graph', ratePerSecond: 1, burst: 1, seconds: 1, mood: 'good' },
])('a limit that cannot be is refused: %j', async (wrong) => {
  const put = await bench.control('PUT', 'tenant', { settings: { limits: [wrong] } });
  expect(put).toMatchObject({ status: 400, body: { error: 'settings.limits has a wrong value' } });
});

test('a round trip takes its time by the simulator’s clock, which may run faster', async () => {
  const fast = await Bench.start({ speed: 20 });
  try {
    await fast.invoke('Get-OrganizationConfig');
    await fast.control('PUT', 'tenant', { settings: { latencyMs: { exchange: 4_000 } } });
    const startedAt = performance.now();
    expect((await fast.invoke('Get-OrganizationConfig')).status).toBe(200);
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThanOrEqual(195);
    expect(tookMs).toBeLessThan(2_000);
    const now = async () => Date.parse(((await fast.control('GET', 'state')).body as unknown as { now: string }).now);
    const since = performance.now();
    const before = await now();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const ran = (await now()) - before;
    expect(ran).toBeGreaterThanOrEqual(1_900);
    expect(ran).toBeLessThan((performance.now() - since) * 20 + 100);
  } finally {
    await fast.sim.close();
  }
});
