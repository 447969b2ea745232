import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Bench, type Answer } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

interface Item {
  id: string;
  status: number;
  headers?: Record<string, string>;
  body?: { id: string; error: { code: string; message: string } } | null;
}

const itemsOf = ({ body }: Answer): Item[] => (body as unknown as { responses: Item[] }).responses;
const batch = (requests: unknown) => bench.graph('POST', '/$batch', { body: { requests } });
const json = { 'Content-Type': 'application/json' };
const reference = (id: string) => ({ '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` });
const add = (group: string, member: string, more: object = {}) => ({
  id: member,
  method: 'POST',
  url: `/groups/${group}/members/$ref`,
  headers: json,
  body: reference(member),
  ...more,
});
const read = (id: string, url = '/organization', more: object = {}) => ({ id, method: 'GET', url, ...more });

test('parts are answered one by one, under their ids, in an order that is not theirs', async () => {
  const { id } = await bench.group('Engineering Access');
  const present = await bench.userId('mina.sato@contoso.com');
  const fresh = await bench.userId('vera.kovac@contoso.com');
  const answer = await batch([
    ...Array.from({ length: 17 }, (_, index) => read(String(index))),
    read('who', `/groups/${id}?$select=id`),
    add(id, present),
    add(id, fresh),
  ]);
  expect(answer.status).toBe(200);
  const items = itemsOf(answer);
  const item = (wanted: string) => items.find((each) => each.id === wanted);
  expect(items.map((each) => each.id)).not.toEqual([...items.keys()].map(String));
  expect(item('who')).toMatchObject({
    status: 200,
    body: { id },
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
  });
  expect(item(fresh)?.status).toBe(204);
  expect(item(present)).toMatchObject({ status: 400, body: { error: { code: 'Request_BadRequest' } } });
  expect((await bench.group('Engineering Access')).members).toContain(fresh);
});

test('the order of the answers is the same for the same seed', async () => {
  const order = async () => itemsOf(await batch(Array.from({ length: 9 }, (_, index) => read(String(index)))));
  const first = await order();
  await bench.control('POST', 'reset');
  expect((await order()).map(({ id }) => id)).toEqual(first.map(({ id }) => id));
});

test('what has no content comes without body, with null, or with an empty object', async () => {
  const { id } = await bench.group('Engineering Access');
  const people = (await bench.state()).users.slice(0, 3).map((user) => user.id);
  const items = itemsOf(await batch(people.map((member) => add(id, member))));
  expect(items.map(({ status }) => status)).toEqual([204, 204, 204]);
  expect(new Set(items.map((item) => JSON.stringify(item.body)))).toEqual(new Set([undefined, 'null', '{}']));
});

test.each([
  ['more than 20', Array.from({ length: 21 }, (_, index) => read(String(index)))],
  ['none', []],
  ['no list', 'x'],
  ['ids that differ by case only', [read('a'), read('A')]],
  ['no id', [{ method: 'GET', url: '/organization' }]],
  ['an unknown method', [{ ...read('a'), method: 'MERGE' }]],
  ['an absolute url', [read('a', 'https://graph.microsoft.com/v1.0/organization')]],
  ['a batch inside', [{ ...read('a', '/$batch'), method: 'POST', headers: json, body: { requests: [] } }]],
  ['a key that is not known', [read('a', '/organization', { priority: 1 })]],
  ['a dependency on nothing', [read('a', '/organization', { dependsOn: ['b'] })]],
  [
    'a mixed order',
    [read('a'), read('b', '/organization', { dependsOn: ['a'] }), read('c'), read('d', '/users', { dependsOn: ['c'] })],
  ],
])('a batch with %s is refused whole', async (_what, requests) => {
  expect(await batch(requests)).toMatchObject({ status: 400, body: { error: { code: 'BadRequest' } } });
});

test('a version in the url, or a body without its type, fails that part alone', async () => {
  const { id } = await bench.group('Engineering Access');
  const member = await bench.userId('vera.kovac@contoso.com');
  const items = itemsOf(await batch([read('ok'), read('v', '/v1.0/users'), add(id, member, { headers: {} })]));
  expect(items.find((item) => item.id === 'ok')?.status).toBe(200);
  expect(items.find((item) => item.id === 'v')).toMatchObject({
    status: 400,
    body: { error: { message: "Resource not found for the segment 'v1.0'." } },
  });
  expect(items.find((item) => item.id === member)?.status).toBe(400);
  expect((await bench.group('Engineering Access')).members).not.toContain(member);
});

test('what depends on a failed part is 424, and is not done', async () => {
  const { id } = await bench.group('Engineering Access');
  const [present, fresh] = [await bench.userId('mina.sato@contoso.com'), await bench.userId('vera.kovac@contoso.com')];
  const items = itemsOf(await batch([add(id, present), add(id, fresh, { dependsOn: [present] })]));
  expect(items.find((item) => item.id === fresh)).toMatchObject({
    status: 424,
    body: { error: { code: 'FailedDependency' } },
  });
  expect((await bench.group('Engineering Access')).members).not.toContain(fresh);
});

test('what all depend on is done first', async () => {
  const { id } = await bench.group('Engineering Access');
  const [first, ...others] = (await bench.state()).users.slice(0, 6).map((user) => user.id);
  const remove = (member: string) => ({
    id: `out ${member}`,
    method: 'DELETE',
    url: `/groups/${id}/members/${member}/$ref`,
    dependsOn: [first],
  });
  const items = itemsOf(
    await batch([remove(first ?? ''), add(id, first ?? ''), ...others.map((o) => add(id, o, { dependsOn: [first] }))]),
  );
  expect(items.map(({ status }) => status)).toEqual(items.map(() => 204));
});

test('a limit refuses part by part, with its Retry-After in the item', async () => {
  const limit = { upstream: 'graph', effect: 'read', ratePerSecond: 0.001, burst: 2, seconds: 7 };
  await bench.control('PUT', 'tenant', { settings: { limits: [limit] } });
  const answer = await batch([read('1'), read('2'), read('3')]);
  expect(answer.status).toBe(200);
  const refused = itemsOf(answer).filter(({ status }) => status === 429);
  expect(refused).toHaveLength(1);
  expect(refused[0]?.headers?.['Retry-After']).toBe('7');
});

test.each([false, true])('chosen parts fail, with commit %j, and the journal has a row for each', async (commit) => {
  const { id } = await bench.group('Engineering Access');
  const people = (await bench.state()).users.slice(20, 24).map((user) => user.id);
  await bench.control('DELETE', 'calls');
  await bench.control('POST', 'faults', {
    upstream: 'graph',
    fault: { kind: 'batchParts', path: '/members/', method: 'POST', count: 2, status: 504, commit },
  });
  const items = itemsOf(await batch([read('0'), ...people.map((member) => add(id, member))]));
  const failed = items.filter(({ status }) => status === 504).map((item) => item.id);
  expect(failed.sort()).toEqual(people.slice(0, 2).sort());
  const { members } = await bench.group('Engineering Access');
  expect(people.map((member) => members.includes(member))).toEqual([commit, commit, true, true]);
  const rows = (await bench.control('GET', 'calls')).body as unknown as Record<string, unknown>[];
  const ofGraph = rows.filter(({ upstream }) => upstream === 'graph');
  expect(ofGraph[0]).toMatchObject({ path: '/v1.0/$batch', status: 200 });
  expect(ofGraph.slice(1)).toHaveLength(5);
  expect(ofGraph.filter(({ fault, status }) => fault === 'batchParts' && status === 504)).toHaveLength(2);
});
