import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GraphBatchRequest } from '../../shared/graph/batch.ts';
import { createGraph, type Graph } from '../../shared/graph/client.ts';
import { createGraphGroups } from '../../shared/graph/groups.ts';
import { createGraphGroupWrites } from '../../shared/graph/groupWrites.ts';
import { createGraphLinks } from '../../shared/graph/links.ts';
import { faultOf, quickClock, type QuickClock, type TestCall, testCall, testUpstream } from '../support/rooms.ts';
import { type ScriptedAnswer, type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

let server: ScriptedServer;
let clock: QuickClock;
let graph: Graph;
let call: TestCall;

const group = '0a1b2c3d-0000-4000-8000-00000000000a';
const [ann, bob] = ['0a1b2c3d-0000-4000-8000-0000000000a1', '0a1b2c3d-0000-4000-8000-0000000000b2'] as const;

beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => {
  clock = quickClock();
  graph = createGraph(testUpstream('graph', server.url, { clock }));
  server.heard.length = 0;
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => server.close());

const heard = () => server.heard.map(({ method, path, body }) => ({ method, path, body: parsed(body) }));
const parsed = (body: string): unknown => (body === '' ? null : JSON.parse(body));
const error = (code: string, message: string) => ({ error: { code, message } });
const missing = (id: string) =>
  error(
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );

/** Plays a `$batch` whose parts are answered by `answer`, last one first. */
function batchOf(answer: (part: { id: string; method: string; url: string }) => object | null, status = 200) {
  return ({ body }: { body: string }): ScriptedAnswer => {
    const { requests } = JSON.parse(body) as { requests: { id: string; method: string; url: string }[] };
    const responses = requests.flatMap((part) => {
      const reply = answer(part);
      return reply === null ? [] : [{ id: part.id, ...reply }];
    });
    return { status, body: { responses: responses.reverse() } };
  };
}

describe('one write', () => {
  test.each([
    ['POST', '/groups', { displayName: 'x' }, 201, { id: 'g' }],
    ['PATCH', `/groups/${group}`, { description: null }, 204, null],
    ['DELETE', `/groups/${group}`, null, 204, null],
    ['POST', `/directory/deletedItems/${group}/restore`, null, 200, { id: group }],
  ] as const)('%s %s goes out as it is', async (method, path, body, status, answer) => {
    server.script({ status, headers: { 'request-id': 'theirs' }, ...(answer === null ? {} : { body: answer }) });
    expect(await graph.write(method, path, body, 'label', call)).toEqual({ object: answer, requestId: 'theirs' });
    expect(heard()).toEqual([{ method, path: `/v1.0${path}`, body }]);
    if (body !== null) expect(server.heard[0]?.headers['content-type']).toBe('application/json');
  });

  test.each([
    ['its connection lost', 'reset'],
    ['a 503', { status: 503 }],
    ['a gateway page of 200', { status: 200, body: '<html>' }],
  ] as const)('with %s is an open outcome, and is not sent again', async (_, step) => {
    server.script(step);
    const fault = await faultOf(graph.write('PATCH', `/groups/${group}`, {}, 'PATCH /groups/{id}', call));
    expect(fault).toMatchObject({ code: 'outcome_unknown', upstream: 'graph' });
    expect(fault.message).toContain('PATCH /groups/{id}');
    expect(server.heard).toHaveLength(1);
  });

  test('that is throttled waits and is sent again', async () => {
    server.script({ status: 429, headers: { 'retry-after': '3' } }, { status: 204 });
    await graph.write('DELETE', `/groups/${group}`, null, 'x', call);
    expect(server.heard).toHaveLength(2);
    expect(clock.waits.some((ms) => ms >= 3_000)).toBe(true);
  });

  test('that is refused says so', async () => {
    server.script({ status: 403, body: error('Authorization_RequestDenied', 'Insufficient privileges.') });
    const fault = await faultOf(graph.write('PATCH', `/groups/${group}`, {}, 'x', call));
    expect(fault).toMatchObject({ code: 'graph_permission_missing', kind: 'forbidden' });
    expect(fault.fix).toContain('Group.ReadWrite.All');
  });
});

describe('a deletion', () => {
  const strays = [
    `/groups/${group}/members/${ann}`,
    `/groups/${group}/members/${ann}/`,
    `/groups/${group}/owners/${ann}`,
    `/groups/${group}/members/${ann}?x=/$ref`,
    `/groups/${group}/members/${ann}#/$ref`,
    `/groups/${group}/members/microsoft.graph.user/${ann}`,
    `/groups/${group}/members/${ann}/../${ann}`,
    `/groups/${group}/MEMBERS/${ann}`,
    `/users/${ann}`,
    `/directory/deletedItems/${group}`,
  ];

  test.each(strays)('of %s, which would be of the object itself, is never sent', async (path) => {
    await expect(graph.write('DELETE', path, null, 'x', call)).rejects.toThrow(TypeError);
    const requests: GraphBatchRequest[] = [{ method: 'DELETE', path, label: 'x' }];
    await expect(graph.batch(requests, 'write', call)).rejects.toThrow(TypeError);
    expect(server.heard).toEqual([]);
  });

  test.each(['members', 'owners'] as const)('of one of the %s is of the reference, by this very URL', async (link) => {
    server.respond(batchOf(() => ({ status: 204 })));
    const parts = await createGraphLinks(graph).change(link, 'remove', group, [ann, bob], call);
    expect(parts.map(({ ok }) => ok)).toEqual([true, true]);
    expect(heard()).toEqual([
      {
        method: 'POST',
        path: '/v1.0/$batch',
        body: {
          // graph.md §1.5, CAUTION: without /$ref Graph deletes the user.
          requests: [
            { id: '0', method: 'DELETE', url: `/groups/${group}/${link}/${ann}/$ref`, headers: {} },
            { id: '1', method: 'DELETE', url: `/groups/${group}/${link}/${bob}/$ref`, headers: {} },
          ],
        },
      },
    ]);
  });
});

describe('a $batch', () => {
  const requests: readonly GraphBatchRequest[] = [
    { method: 'POST', path: `/groups/${group}/members/$ref`, body: { '@odata.id': 'a' }, label: 'add' },
    { method: 'GET', path: '/users?$count=true', label: 'list' },
  ];

  test('carries each request with what it needs, and gives the answers in its order', async () => {
    server.respond(
      batchOf(({ id }) =>
        id === '0' ? { status: 204 } : { status: 200, headers: { 'request-id': 'own' }, body: { value: [1] } },
      ),
    );
    const parts = await graph.batch(requests, 'write', call);
    expect(parts).toEqual([
      { ok: true, object: null, requestId: expect.any(String) },
      { ok: true, object: { value: [1] }, requestId: 'own' },
    ]);
    expect(heard()[0]?.body).toEqual({
      requests: [
        {
          id: '0',
          method: 'POST',
          url: `/groups/${group}/members/$ref`,
          headers: { 'Content-Type': 'application/json' },
          body: { '@odata.id': 'a' },
        },
        { id: '1', method: 'GET', url: '/users?$count=true', headers: { ConsistencyLevel: 'eventual' } },
      ],
    });
  });

  test.each([
    ['is missing', null],
    ['has no status', {}],
    ['is a 500', { status: 500, body: error('x', 'y') }],
    ['is a 408', { status: 408 }],
    ['is a page', { status: 200, body: 'PGh0bWw+' }],
  ])('of which a part %s leaves that one open, and that alone', async (_, reply) => {
    server.respond(batchOf(({ id }) => (id === '0' ? reply : { status: 204, headers: {}, body: {} })));
    const [first, second] = await graph.batch(requests, 'write', call);
    expect(first).toMatchObject({ ok: false, fault: { code: 'outcome_unknown', upstream: 'graph' } });
    expect(second).toMatchObject({ ok: true });
  });

  test('of reads has parts that failed, not open ones', async () => {
    server.respond(batchOf(({ id }) => (id === '0' ? null : { status: 200, body: '' })));
    const parts = await graph.batch(requests, 'read', call);
    expect(parts.map((part) => !part.ok && part.fault.code)).toEqual(['upstream_failed', 'upstream_failed']);
  });

  test('throttled in parts gives each its fault, and all that follows waits for the longest', async () => {
    const waits: Record<string, string | undefined> = { '0': '4', '1': '9', '2': undefined };
    const three = [...requests, ...requests.slice(0, 1)];
    server.respond(
      batchOf(({ id }) => {
        const wait = waits[id];
        return { status: 429, headers: wait === undefined ? {} : { 'Retry-After': wait }, body: error('x', 'y') };
      }, 424),
    );
    const parts = await graph.batch(three, 'write', call);
    expect(parts.map((part) => !part.ok && part.fault.retryAfterSeconds)).toEqual([4, 9, 10]);
    expect(parts.every((part) => !part.ok && part.fault.code === 'throttled')).toBe(true);
    server.script({ status: 204 });
    await graph.write('DELETE', `/groups/${group}`, null, 'x', call);
    expect(Math.max(...clock.waits)).toBeGreaterThanOrEqual(8_900);
  });

  test('throttled in parts without a time keeps what follows waiting all the same', async () => {
    server.respond(batchOf(() => ({ status: 429, headers: { 'retry-after': 'soon' } })));
    await graph.batch(requests, 'write', call);
    server.script({ status: 204 });
    await graph.write('DELETE', `/groups/${group}`, null, 'x', call);
    expect(Math.max(0, ...clock.waits)).toBeGreaterThan(0);
  });

  test('that nothing can be read of is open for a write, failed for a read, refused where Graph refuses', async () => {
    server.script({ status: 200, body: '<html>' });
    expect(await faultOf(graph.batch(requests, 'write', call))).toMatchObject({ code: 'outcome_unknown' });
    expect(await faultOf(graph.batch(requests, 'read', call))).toMatchObject({ code: 'upstream_failed' });
    server.script({ status: 400, body: error('BadRequest', 'Invalid batch.') });
    expect(await faultOf(graph.batch(requests, 'write', call))).toMatchObject({ code: 'upstream_rejected' });
  });

  test('with a refused grant fetches a new token for the next request', async () => {
    server.respond(batchOf(() => ({ status: 403, body: error('Authorization_RequestDenied', 'no') })));
    await graph.batch(requests, 'write', call);
    await graph.batch(requests, 'write', call);
    const [first, second] = server.heard.map(({ headers }) => headers.authorization);
    expect(first).not.toBe(second);
  });

  test('of nothing is not sent, and one of too much neither', async () => {
    expect(await graph.batch([], 'write', call)).toEqual([]);
    const many = Array.from({ length: 21 }, () => requests.slice(0, 1)).flat();
    await expect(graph.batch(many, 'write', call)).rejects.toThrow(RangeError);
    expect(server.heard).toEqual([]);
  });
});

describe('links that are added', () => {
  const add = (ids: readonly string[]) => createGraphLinks(graph).change('members', 'add', group, ids, call);
  const reference = (id: string) => `${server.url}/v1.0/directoryObjects/${id}`;

  test('go in one PATCH', async () => {
    server.script({ status: 204 });
    expect(await add([ann, bob])).toMatchObject([{ ok: true }, { ok: true }]);
    expect(heard()).toEqual([
      {
        method: 'PATCH',
        path: `/v1.0/groups/${group}`,
        body: { 'members@odata.bind': [reference(ann), reference(bob)] },
      },
    ]);
  });

  test.each([
    [400, error('Request_BadRequest', 'One or more added object references already exist for the following …')],
    [403, error('Request_BadRequest', 'would exceed the maximum quota count')],
    [404, missing(bob)],
    [400, error('Request_BadRequest', "… or one of the objects being referenced don't exist.")],
    [400, error('Request_BadRequest', 'what nobody has seen before')],
  ])('are tried one by one when they are refused together with %i %j', async (status, body) => {
    server.script({ status, body });
    const together = server.heard.length;
    const batch = batchOf(({ url, id }) => {
      expect(url).toBe(`/groups/${group}/members/$ref`);
      return id === '0' ? { status: 204 } : { status: 404, body: missing(bob) };
    });
    server.respond((request) => (request.method === 'PATCH' ? { status, body } : batch(request)));
    const parts = await add([ann, bob]);
    expect(server.heard.length - together).toBe(2);
    expect(parts).toMatchObject([{ ok: true }, { ok: false, fault: { kind: 'objectMissing' } }]);
    expect(heard()[1]?.body).toMatchObject({
      requests: [{ method: 'POST', body: { '@odata.id': reference(ann) } }, { body: { '@odata.id': reference(bob) } }],
    });
  });

  test.each([
    [404, missing(group), 'groupMissing'],
    [400, error('Request_BadRequest', 'on-premises mastered Directory Sync objects'), 'onPremisesMastered'],
    [403, error('Authorization_RequestDenied', 'Insufficient privileges'), 'forbidden'],
  ])('are not tried again when the group itself is refused with %i %j', async (status, body, kind) => {
    server.script({ status, body });
    expect(await faultOf(add([ann, bob]))).toMatchObject({ kind });
    expect(server.heard).toHaveLength(1);
  });

  test('are all open when the answer is lost', async () => {
    server.script('reset');
    const parts = await add([ann, bob]);
    expect(parts.map((part) => !part.ok && part.fault.code)).toEqual(['outcome_unknown', 'outcome_unknown']);
    expect(server.heard).toHaveLength(1);
  });

  test('are none, or too many', async () => {
    expect(await add([])).toEqual([]);
    await expect(add(Array.from({ length: 21 }, () => ann))).rejects.toThrow(RangeError);
    expect(server.heard).toEqual([]);
  });
});

describe('a group that is created', () => {
  const create = (kind: 'security' | 'microsoft365') =>
    createGraphGroupWrites(graph).create(
      {
        kind,
        displayName: 'Crew',
        mailNickname: 'crew',
        description: null,
        visibility: null,
        owners: [ann],
        members: [],
      },
      call,
    );

  test('goes out with what its kind needs', async () => {
    server.script({ status: 201, body: { id: group, displayName: 'Crew', groupTypes: ['Unified'] } });
    expect((await create('microsoft365')).group).toMatchObject({ id: group, isUnified: true });
    await create('security');
    const common = {
      displayName: 'Crew',
      mailNickname: 'crew',
      'owners@odata.bind': [`${server.url}/v1.0/directoryObjects/${ann}`],
    };
    expect(heard().map(({ body }) => body)).toEqual([
      { ...common, groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false },
      { ...common, groupTypes: [], mailEnabled: false, securityEnabled: true },
    ]);
  });

  test('takes description, visibility and members along where they are given', async () => {
    server.script({ status: 201, body: { id: group } });
    const more = { kind: 'microsoft365', description: 'x', visibility: 'Private', owners: [], members: [bob] } as const;
    await createGraphGroupWrites(graph).create({ displayName: 'Crew', mailNickname: 'crew', ...more }, call);
    expect(heard()[0]?.body).toEqual({
      displayName: 'Crew',
      mailNickname: 'crew',
      mailEnabled: true,
      securityEnabled: false,
      groupTypes: ['Unified'],
      description: 'x',
      visibility: 'Private',
      'members@odata.bind': [`${server.url}/v1.0/directoryObjects/${bob}`],
    });
  });

  test.each([
    [204, undefined],
    [201, {}],
    [201, 'Created'],
  ])('and answered with %i %j is an open outcome', async (status, body) => {
    server.script({ status, body });
    expect(await faultOf(create('security'))).toMatchObject({ code: 'outcome_unknown' });
  });
});

describe('the bin', () => {
  const deleted = () => createGraphGroupWrites(graph).deleted(group, call);

  test('has a group, has it not, or has somebody else', async () => {
    server.script({ body: { '@odata.type': '#microsoft.graph.group', id: group, displayName: 'Crew' } });
    expect(await deleted()).toMatchObject({ id: group, displayName: 'Crew' });
    server.script({ status: 404, body: missing(group) });
    expect(await deleted()).toBeNull();
    server.script({ body: { '@odata.type': '#microsoft.graph.user', id: group } });
    expect(await deleted()).toBeNull();
    expect(heard()[0]?.path).toBe(`/v1.0/directory/deletedItems/${group}`);
  });
});

describe('a count', () => {
  const count = () => createGraphGroups(graph).memberCount(group, call);

  test.each([
    ['1234', 1234],
    ['\uFEFF0', 0],
  ])('answered with %j is %i, and asked for as an advanced query', async (body, expected) => {
    server.script({ headers: { 'content-type': 'text/plain' }, body });
    expect(await count()).toBe(expected);
    expect(heard()[0]?.path).toBe(`/v1.0/groups/${group}/members/$count`);
    expect(server.heard[0]?.headers.consistencylevel).toBe('eventual');
  });

  test('that is no number, or of no group, fails', async () => {
    server.script({ body: '<html>' });
    expect(await faultOf(count())).toMatchObject({ code: 'upstream_failed' });
    server.script({ status: 404, body: missing(group) });
    expect(await faultOf(count())).toMatchObject({ kind: 'notFound' });
  });
});
