import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

const fault = async (rule: object) => {
  const added = await bench.control('POST', 'faults', { upstream: 'exchange', ...rule });
  if (added.status !== 201) throw new Error(added.text);
};
const create = () =>
  bench.invoke('New-DistributionGroup', { Name: 'Badge Holders', ManagedBy: ['amara.osei@contoso.com'] });
const exists = async () => (await bench.state()).groups.some(({ displayName }) => displayName === 'Badge Holders');
const calls = async () =>
  (await bench.control('GET', 'calls')).body as unknown as {
    upstream: string;
    cmdlet: string | null;
    status: number | null;
    fault: string | null;
  }[];
const lastExchangeCall = async () => (await calls()).filter(({ upstream }) => upstream === 'exchange').at(-1);
const match = { cmdlet: 'New-DistributionGroup' };

test('a reset before commit leaves nothing behind, and no status in the journal', async () => {
  await fault({ match, fault: { kind: 'reset' } });
  await expect(create()).rejects.toThrow();
  expect(await exists()).toBe(false);
  expect(await lastExchangeCall()).toMatchObject({ cmdlet: 'New-DistributionGroup', status: null, fault: 'reset' });
  expect((await create()).status).toBe(200);
});

test('a reset after commit loses the answer, not the group', async () => {
  await fault({ match, fault: { kind: 'commitThenReset' } });
  await expect(create()).rejects.toThrow();
  expect(await exists()).toBe(true);
  expect((await create()).status).toBe(400);
});

test('a status comes instead of the answer, before commit or after it', async () => {
  await fault({ match, fault: { kind: 'status', status: 503 } });
  expect(await create()).toMatchObject({ status: 503, body: { error: { code: 'ServiceUnavailable' } } });
  expect(await exists()).toBe(false);
  await fault({ match, fault: { kind: 'status', status: 504, commit: true, headers: { 'X-Reason': 'late' } } });
  const late = await create();
  expect(late.status).toBe(504);
  expect(late.headers.get('x-reason')).toBe('late');
  expect(await exists()).toBe(true);
});

test('a 502 is HTML by itself, and any body on request', async () => {
  await fault({ match, fault: { kind: 'status', status: 502 } });
  const html = await create();
  expect(html.headers.get('content-type')).toBe('text/html');
  expect(html.text).toMatch(/^<html>/);
  await fault({ match, fault: { kind: 'status', status: 400, body: { error: { code: 'x' } } } });
  expect(await create()).toMatchObject({ status: 400, body: { error: { code: 'x' } } });
});

test('throttled calls are refused again until Retry-After ends, and each extends it', async () => {
  await fault({ match: { cmdlet: 'Get-OrganizationConfig' }, fault: { kind: 'throttle', seconds: 30 } });
  const ask = () => bench.invoke('Get-OrganizationConfig');
  const first = await ask();
  expect(first.status).toBe(429);
  expect(first.headers.get('retry-after')).toBe('30');
  await bench.control('POST', 'clock', { advanceMs: 20_000 });
  expect((await ask()).status).toBe(429);
  await bench.control('POST', 'clock', { advanceMs: 20_000 });
  expect((await ask()).status).toBe(429);
  expect((await bench.invoke('Get-DistributionGroup')).status).toBe(200);
  await bench.control('POST', 'clock', { advanceMs: 31_000 });
  expect((await ask()).status).toBe(200);
});

test('Retry-After may be a date, or absent', async () => {
  await fault({ fault: { kind: 'throttle', seconds: 5, retryAfter: 'date' } });
  const dated = await create();
  const wait = Date.parse(dated.headers.get('retry-after') ?? '') - Date.parse(dated.headers.get('date') ?? '');
  expect(wait).toBeGreaterThanOrEqual(4000);
  expect(wait).toBeLessThanOrEqual(6000);
  await bench.control('DELETE', 'faults');
  await fault({ fault: { kind: 'throttle', seconds: 5, retryAfter: 'absent' } });
  const bare = await create();
  expect(bare.status).toBe(429);
  expect(bare.headers.get('retry-after')).toBeNull();
});

test('an empty 200 hides that nothing was done, or that it was', async () => {
  await fault({ match, fault: { kind: 'empty' } });
  expect(await create()).toMatchObject({ status: 200, text: '' });
  expect(await exists()).toBe(false);
  await fault({ match, fault: { kind: 'empty', commit: true } });
  expect(await create()).toMatchObject({ status: 200, text: '' });
  expect(await exists()).toBe(true);
});

test('NUL bytes and the concurrency text come as they were seen', async () => {
  await fault({ fault: { kind: 'nul' } });
  expect(await create()).toMatchObject({ status: 403, text: '\0'.repeat(4096) });
  await fault({ fault: { kind: 'concurrency' } });
  expect((await create()).text).toBe(
    'You have reached the maximum number of concurrent requests per tenant. Please wait and try again',
  );
});

test.each(['headers', 'body'])('an answer may be slow in its %s', async (where) => {
  await fault({ match, fault: { kind: 'slow', delayMs: 300, where } });
  const began = performance.now();
  expect((await create()).status).toBe(200);
  expect(performance.now() - began).toBeGreaterThan(280);
});

const part = (id: string, name: string) => ({
  id,
  method: 'POST',
  url: `/adminapi/beta/${bench.sim.tenantId}/InvokeCommand`,
  body: {
    CmdletInput: {
      CmdletName: 'Add-DistributionGroupMember',
      Parameters: { Identity: 'Sales Nordics', Member: `${name}@contoso.com` },
    },
  },
});

test.each([
  [false, 5],
  [true, 7],
])('two parts of a batch fail inside an answer of 200, with commit %s', async (commit, size) => {
  await fault({ fault: { kind: 'batchParts', indexes: [0, 2], status: 500, commit } });
  expect((await bench.invoke('Get-OrganizationConfig')).status).toBe(200);
  const answered = await bench.exchange(`/adminapi/beta/${bench.sim.tenantId}/$batch`, {
    body: { requests: [part('a', 'vera.kovac'), part('b', 'mina.sato'), part('c', 'noel.fischer')] },
  });
  const responses = (answered.body as unknown as { responses: { id: string; status: number }[] }).responses;
  expect(Object.fromEntries(responses.map(({ id, status }) => [id, status]))).toEqual({ a: 500, b: 200, c: 500 });
  expect((await bench.group('Sales Nordics')).members).toHaveLength(size);
});

test('a fault that names a cmdlet meets the batch that holds it', async () => {
  await fault({ match: { cmdlet: 'Add-DistributionGroupMember' }, fault: { kind: 'commitThenReset' } });
  const path = `/adminapi/beta/${bench.sim.tenantId}/$batch`;
  await expect(bench.exchange(path, { body: { requests: [part('a', 'vera.kovac')] } })).rejects.toThrow();
  expect((await bench.group('Sales Nordics')).members).toHaveLength(5);
});

test('a next link may lead to a foreign host', async () => {
  await fault({ upstream: 'graph', fault: { kind: 'foreignLink', host: 'elsewhere.example' } });
  const page = await bench.graph('GET', '/users?$top=1');
  expect(page.body['@odata.nextLink']).toMatch(/^https:\/\/elsewhere\.example\/v1\.0\/users\?/);
});

test('stale reads see the state before the last write, as often as asked for', async () => {
  const listed = async () =>
    ((await bench.invoke('Get-DistributionGroupMember', { Identity: 'Sales Nordics' })).body.value as unknown[]).length;
  await fault({ fault: { kind: 'staleReads' }, times: 2 });
  await bench.invoke('Add-DistributionGroupMember', { Identity: 'Sales Nordics', Member: 'vera.kovac@contoso.com' });
  expect([await listed(), await listed(), await listed()]).toEqual([4, 4, 5]);
});

test('a fault lets some calls pass, plays as often as said, and matches by method and path', async () => {
  await fault({
    upstream: 'graph',
    match: { method: 'GET', path: '/^\\/v1\\.0\\/org/' },
    fault: { kind: 'status', status: 500 },
    skip: 1,
    times: 2,
  });
  const statuses = [];
  for (let index = 0; index < 4; index += 1) statuses.push((await bench.graph('GET', '/organization')).status);
  expect(statuses).toEqual([200, 500, 500, 200]);
  await fault({ upstream: 'graph', match: { path: '/domains' }, fault: { kind: 'status', status: 500 } });
  expect((await bench.graph('GET', '/organization')).status).toBe(200);
  expect((await bench.graph('GET', '/domains')).status).toBe(500);
});

test('a fault with probability 0 never plays', async () => {
  await fault({ fault: { kind: 'reset' }, probability: 0 });
  expect((await create()).status).toBe(200);
});

test.each([
  [{ upstream: 'sharepoint', fault: { kind: 'reset' } }, 'upstream'],
  [{ upstream: 'graph', fault: { kind: 'gremlin' } }, 'fault.kind'],
  [{ upstream: 'graph', fault: { kind: 'status' } }, 'fault.status is missing'],
  [{ upstream: 'graph', fault: { kind: 'reset', status: 1 } }, 'fault.status is not known'],
  [{ upstream: 'graph', match: { verb: 'GET' }, fault: { kind: 'reset' } }, 'match.verb'],
  [{ upstream: 'graph', fault: { kind: 'reset' }, often: 3 }, 'often'],
])('a rule that is wrong is refused: %j', async (rule, words) => {
  const refused = await bench.control('POST', 'faults', rule);
  expect(refused.status).toBe(400);
  expect(refused.text).toContain(words);
  expect((await bench.control('GET', 'faults')).body).toEqual([]);
});
