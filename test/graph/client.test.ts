import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createGraph, type Graph } from '../../shared/graph/client.ts';
import { GraphFault } from '../../shared/graph/errors.ts';
import { createGraphGroups } from '../../shared/graph/groups.ts';
import { odataLiteral, segment, withQuery } from '../../shared/graph/odata.ts';
import { createGraphUsers } from '../../shared/graph/users.ts';
import { faultOf, type TestCall, testCall, testTokens, testUpstream } from '../support/rooms.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

let server: ScriptedServer;
let other: ScriptedServer;
let graph: Graph;
let call: TestCall;

beforeAll(async () => {
  [server, other] = await Promise.all([startScriptedServer(), startScriptedServer()]);
});
beforeEach(() => {
  // Anew for each test: a gate that one has closed stays closed.
  graph = createGraph(testUpstream('graph', server.url));
  server.heard.length = 0;
  other.heard.length = 0;
  other.script({ body: { value: [{ id: 'stolen' }] } });
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => Promise.all([server.close(), other.close()]));

const heardPaths = () => server.heard.map(({ path }) => path);

describe('a read', () => {
  test('is a GET of v1.0 with our token, and no more than ours', async () => {
    const tokens = testTokens();
    server.script({ body: { id: 'x' } });
    const own = createGraph(testUpstream('graph', server.url, { tokens }));
    expect(await own.find('/users/x?$select=id', 'GET /users/{id}', call)).toEqual({ id: 'x' });
    expect(server.heard).toHaveLength(1);
    expect(server.heard[0]).toMatchObject({ method: 'GET', path: '/v1.0/users/x?$select=id', body: '' });
    expect(server.heard[0]?.headers).toMatchObject({ authorization: `Bearer ${tokens.issued[0] ?? ''}` });
  });

  test.each([
    'guest_example.com#EXT#@contoso.onmicrosoft.com',
    "o'neil@contoso.com",
    'a+b@contoso.com',
    'with space@contoso.com',
    'ümlaut&=?/%41@contoso.com',
    '$dollar@contoso.com',
  ])('of the user %s arrives as that user', async (upn) => {
    server.script({ body: { id: 'x', userPrincipalName: upn } });
    expect(await createGraphUsers(graph).find(upn, call)).toEqual({
      id: 'x',
      userPrincipalName: upn,
      displayName: null,
      mail: null,
    });
    const url = new URL(heardPaths()[0] ?? '', server.url);
    expect(url.pathname.split('/').map(decodeURIComponent)).toEqual(['', 'v1.0', 'users', upn]);
    expect([...url.searchParams]).toEqual([['$select', 'id,userPrincipalName,displayName,mail']]);
  });

  test.each(["O'Neil + Sons & Co #1 50% =x?", 'ab+c/d==', 'Gruppe „Süd“'])(
    'filtered by "%s" arrives as that filter',
    async (displayName) => {
      server.script({ body: { value: [] } });
      expect(await createGraphGroups(graph).find({ displayName }, call)).toEqual([]);
      const { searchParams } = new URL(heardPaths()[0] ?? '', server.url);
      expect(searchParams.get('$filter')).toBe(`displayName eq '${displayName.replaceAll("'", "''")}'`);
      expect(searchParams.get('$select')).toContain('isManagementRestricted');
    },
  );

  test('finds nothing where Graph says 404', async () => {
    server.script({ status: 404, body: { error: { code: 'Request_ResourceNotFound', message: 'x' } } });
    expect(await graph.find('/users/x', 'x', call)).toBeNull();
    expect(await createGraphUsers(graph).find('x', call)).toBeNull();
    expect(await createGraphGroups(graph).get('x', call)).toBeNull();
  });

  test.each([
    ['nothing', 200, ''],
    ['a page', 200, '<html>'],
    ['a list', 200, '[]'],
    ['null', 200, 'null'],
    ['cut off', 200, '{"id":'],
  ])('that is answered with %s fails, and is never "not found"', async (_, status, body) => {
    server.script({ status, body });
    expect(await faultOf(graph.find('/users/x', 'GET x', call))).toMatchObject({
      code: 'upstream_failed',
      upstream: 'graph',
    });
  });

  test.each([[{}], [{ value: null }], [{ value: {} }]])('of a list without one (%j) fails', async (body) => {
    server.script({ body });
    expect(await faultOf(graph.page('/users', 'x', call))).toMatchObject({ code: 'upstream_failed' });
  });

  test('of a list is never an empty list when Graph says 404', async () => {
    server.script({ status: 404, body: { error: { code: 'Request_ResourceNotFound', message: 'gone' } } });
    expect(await faultOf(graph.page('/groups/x/members', 'x', call))).toMatchObject({ kind: 'notFound' });
  });

  test('that gets a 204 or a 502 page fails', async () => {
    server.script({ status: 204 });
    expect((await faultOf(graph.find('/x', 'x', call))).code).toMatch(/^upstream_/);
    server.script({ status: 502, headers: { 'content-type': 'text/html' }, body: '<html>bad gateway</html>' });
    const fault = await faultOf(graph.find('/x', 'x', call));
    expect(fault).toMatchObject({ code: 'upstream_failed' });
    expect(fault.message).toContain('502');
  });
});

describe("the SDK's own habits", () => {
  test('do not repeat: our policy alone makes its four attempts', async () => {
    server.script({ status: 503, headers: { 'retry-after': '1' } });
    expect(await faultOf(graph.find('/x', 'x', call))).toMatchObject({ code: 'upstream_failed' });
    expect(server.heard).toHaveLength(4);
    expect(server.heard.filter(({ headers }) => 'retry-attempt' in headers)).toEqual([]);
    expect(new Set(server.heard.map(({ headers }) => headers['client-request-id'])).size).toBe(4);
  });

  test('do not follow a redirect', async () => {
    server.script({ status: 302, headers: { location: `${other.url}/stolen` } });
    await faultOf(graph.find('/x', 'x', call));
    expect(server.heard).toHaveLength(1);
    expect(other.heard).toEqual([]);
  });

  test('do not wait past a deadline', async () => {
    server.script({ status: 429, headers: { 'retry-after': '120' } });
    expect(await faultOf(graph.find('/x', 'x', call))).toMatchObject({ code: 'throttled', retryAfterSeconds: 120 });
    expect(server.heard).toHaveLength(1);
  });
});

describe('a list of several pages', () => {
  const next = (path: string) => `${server.url}/v1.0${path}`;

  test('is read by links that are taken relative to our base, plain http too', async () => {
    const link = '/groups/g/members?%24select=id&$skiptoken=a%2Bb%3D%3D&$top=2';
    server.script(
      { body: { value: [{ id: '1' }, 'odd'], '@odata.nextLink': next(link) } },
      { body: { value: [{ id: '2' }] } },
    );
    const first = await graph.page('/groups/g/members?$top=2', 'x', call);
    expect(first.items).toEqual([{ id: '1' }]);
    const second = await graph.page(first.nextPath ?? '', 'x', call);
    expect(second).toEqual({ items: [{ id: '2' }], nextPath: null });
    const url = new URL(heardPaths()[1] ?? '', server.url);
    expect(url.pathname).toBe('/v1.0/groups/g/members');
    expect(Object.fromEntries(url.searchParams)).toEqual({ $select: 'id', $skiptoken: 'a+b==', $top: '2' });
    expect(heardPaths()[1]).toContain('$skiptoken=a%2Bb%3D%3D');
  });

  test('of groups and of members is read to its end', async () => {
    const link = (token: string) => next(`/groups?$skiptoken=${token}`);
    server.script(
      { body: { value: [{ id: '1' }], '@odata.nextLink': link('a') } },
      { body: { value: [], '@odata.nextLink': link('b') } },
      { body: { value: [{ id: '2' }] } },
    );
    const groups = createGraphGroups(graph);
    expect((await groups.find({ address: 'x@contoso.com' }, call)).map(({ id }) => id)).toEqual(['1', '2']);
    expect(server.heard).toHaveLength(3);

    server.script({ body: { value: [{ id: '1' }], '@odata.nextLink': link('a') } }, { body: { value: [{ id: '2' }] } });
    const pages: string[][] = [];
    for await (const page of groups.memberPages('g', { addresses: false }, call)) pages.push(page.map(({ id }) => id));
    expect(pages).toEqual([['1'], ['2']]);
  });

  test('is an error, never the list so far, when a page fails', async () => {
    server.script(
      { body: { value: [{ id: '1' }], '@odata.nextLink': next('/groups?$skiptoken=a') } },
      { status: 400, body: { error: { code: 'Directory_ExpiredPageToken', message: 'expired' } } },
    );
    const fault = await faultOf(createGraphGroups(graph).find({ displayName: 'x' }, call));
    expect(fault).toMatchObject({ code: 'upstream_rejected', graphCode: 'Directory_ExpiredPageToken' });
  });

  const foreign = (link: () => string) => async () => {
    server.script({ body: { value: [], '@odata.nextLink': link() } });
    const read = async () => {
      const { nextPath } = await graph.page('/users', 'x', call);
      return graph.page(nextPath ?? '', 'x', call);
    };
    expect(await faultOf(read())).toMatchObject({ code: 'foreign_link', upstream: 'graph' });
    expect(server.heard).toHaveLength(1);
    expect(other.heard).toEqual([]);
  };

  test(
    'that goes on at another host is refused, and the host gets nothing',
    foreign(() => `${other.url}/v1.0/users?$skiptoken=a`),
  );
  test(
    'that goes on at a host that begins like ours is refused',
    foreign(() => `${server.url}.example.net/v1.0/users`),
  );
  test(
    'that goes on in another version is refused',
    foreign(() => `${server.url}/beta/users`),
  );
  test(
    'that climbs out of its version is refused',
    foreign(() => `${server.url}/v1.0/../beta/users`),
  );
  test(
    'that hides another host behind a user name is refused',
    foreign(() => `${server.url}@${other.host}/v1.0/users`),
  );

  test('goes on where the link writes our host in another way', async () => {
    const named = createGraph(testUpstream('graph', server.url.replace('127.0.0.1', 'localhost')));
    const link = next('/users?$skiptoken=a').replace('127.0.0.1', 'LOCALHOST');
    server.script({ body: { value: [], '@odata.nextLink': link } });
    expect((await named.page('/users', 'x', call)).nextPath).toBe('/users?$skiptoken=a');
  });
});

describe('a refusal', () => {
  const refused = async (status: number, code: string, message = 'words of Graph') => {
    server.script({
      status,
      headers: { 'request-id': 'their-id' },
      body: { error: { code, message, innerError: {} } },
    });
    const fault = await faultOf(graph.find('/users/x', 'GET /users/{id}', call));
    if (fault instanceof GraphFault) return fault;
    throw new Error(`${fault.code} is no refusal of Graph`);
  };

  test.each([
    [401, 'Authorization_IdentityNotFound', 'service_principal_missing', 'admin consent'],
    [403, 'Authorization_IdentityNotFound', 'service_principal_missing', 'admin consent'],
    [403, 'Authorization_IdentityDisabled', 'service_principal_missing', 'admin consent'],
    [403, 'Authorization_RequestDenied', 'graph_permission_missing', 'Group.Read.All'],
    [403, '', 'graph_permission_missing', 'Group.Read.All'],
    [401, 'InvalidAuthenticationToken', 'credential_rejected', 'AZURE_TENANT_ID'],
    [400, 'Request_BadRequest', 'upstream_rejected', 'request id'],
    [409, 'Conflict', 'upstream_rejected', 'request id'],
  ])('with %i %s is %s, and the fix says what to do', async (status, graphCode, code, fix) => {
    const fault = await refused(status, graphCode);
    expect(fault).toMatchObject({ code, graphCode, upstream: 'graph', upstreamRequestId: 'their-id' });
    expect(fault.fix).toContain(fix);
    expect(fault.message).toBe(`Graph refused GET /users/{id}: ${graphCode}: words of Graph`);
    expect(server.heard).toHaveLength(1);
  });

  test.each([
    ['', 401, 'credential_rejected'],
    ['<html>', 403, 'graph_permission_missing'],
    ['null', 400, 'upstream_rejected'],
    ['{"error":"text"}', 400, 'upstream_rejected'],
    ['{"error":{"message":"no code"}}', 400, 'upstream_rejected'],
  ])('with the body %j is told by its status', async (body, status, code) => {
    server.script({ status, body });
    const fault = await faultOf(graph.find('/x', 'x', call));
    expect(fault).toMatchObject({ code });
    expect(fault.message).toMatch(/no code|HTTP 40\d without a readable body/);
  });

  test('gives no secret on', async () => {
    const fault = await refused(400, 'X', 'sent with Bearer abc.def and\nclient_secret=hush');
    expect(fault.message).not.toMatch(/abc\.def|hush|\n/);
  });
});

describe('the words of a query', () => {
  test('are encoded, and what is undefined is left out', () => {
    expect(segment("a/b#c'")).toBe("a%2Fb%23c'");
    expect(odataLiteral("a'b")).toBe("'a''b'");
    expect(withQuery('/x', { $top: 5, $filter: undefined, $select: 'a,b' })).toBe('/x?$top=5&$select=a%2Cb');
    expect(withQuery('/x', {})).toBe('/x');
  });
});

test('what Graph sends of a group or a member may be little', async () => {
  const groups = createGraphGroups(graph);
  server.script({ body: {} });
  expect(await groups.get('g', call)).toMatchObject({ id: '', displayName: '', mail: null, addresses: [] });
  server.script({ body: { value: [{ id: 'm' }] } });
  const none = { displayName: null, userPrincipalName: null, mail: null, addresses: [] };
  expect(await groups.owners('g', call)).toEqual([{ id: 'm', type: 'user', ...none }]);
  expect(await createGraphUsers(graph).find('x', call)).toMatchObject({ id: '', userPrincipalName: '' });
});
