import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createExchange, type Exchange } from '../../shared/exchange/client.ts';
import { faultOf, type TestCall, testCall, testUpstream } from '../support/rooms.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

let server: ScriptedServer;
let other: ScriptedServer;
let exchange: Exchange;
let call: TestCall;

beforeAll(async () => {
  [server, other] = await Promise.all([startScriptedServer(), startScriptedServer()]);
});
beforeEach(() => {
  // Anew for each test: a gate that one has closed stays closed.
  exchange = createExchange(testUpstream('exchange', server.url), 'tenant');
  server.heard.length = 0;
  other.heard.length = 0;
  other.script({ body: { value: [{ Name: 'stolen' }] } });
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => Promise.all([server.close(), other.close()]));

const path = '/adminapi/beta/tenant/InvokeCommand';
const page = (name: string, nextLink?: string) => ({
  body: { value: [{ Name: name }], ...(nextLink !== undefined && { '@odata.nextLink': nextLink }) },
});
const next = (token: string) => `${server.url}${path}?%24skiptoken=${token}`;
const read = () => exchange.read({ name: 'Get-Recipient', parameters: { Filter: "Name -eq 'x'" } }, call);

describe('a list of several pages', () => {
  test('is read by posting the same command to each next link', async () => {
    server.script(page('one', next('a+b%2F')), page('two', next('c')), page('three'));
    expect(await read()).toEqual([{ Name: 'one' }, { Name: 'two' }, { Name: 'three' }]);
    expect(server.heard.map((heard) => heard.path)).toEqual([
      path,
      `${path}?%24skiptoken=a+b%2F`,
      `${path}?%24skiptoken=c`,
    ]);
    expect(new Set(server.heard.map(({ method, body }) => method + body)).size).toBe(1);
    expect(new Set(server.heard.map(({ headers }) => headers['x-anchormailbox'])).size).toBe(1);
    expect(server.heard.every(({ headers }) => headers['x-anchormailbox'])).toBe(true);
  });

  test('goes on past a page without rows', async () => {
    server.script({ body: { value: [], '@odata.nextLink': next('a') } }, page('two'));
    expect(await read()).toEqual([{ Name: 'two' }]);
  });

  test.each([
    ['a refusal', { status: 400, body: { error: { message: 'Expired or Invalid pagination request.' } } }],
    ['nothing', { status: 200, body: '' }],
    ['a page of a gateway', { status: 200, body: '<html></html>' }],
    ['no list', { status: 200, body: {} }],
    ['a breakdown', { status: 503 }],
  ])('is an error, never the list so far, when a page is %s', async (_, failing) => {
    server.script(page('one', next('a')), failing);
    expect((await faultOf(read())).code).toMatch(/^upstream_/);
  });

  test('is an error after two hundred pages', async () => {
    server.script(page('again', next('a')));
    const fault = await faultOf(read());
    expect(fault).toMatchObject({ code: 'upstream_failed', upstream: 'exchange' });
    expect(fault.message).toContain('200 pages');
    expect(server.heard).toHaveLength(200);
  });
});

describe('a next link to another place', () => {
  const foreign = (link: () => string) => async () => {
    server.script(page('one', link()), page('two'));
    expect(await faultOf(read())).toMatchObject({ code: 'foreign_link', upstream: 'exchange' });
    expect(server.heard).toHaveLength(1);
    expect(other.heard).toEqual([]);
  };

  test(
    'that is another host is refused, and gets nothing',
    foreign(() => `${other.url}${path}`),
  );
  test(
    'that only begins like ours is refused',
    foreign(() => `${server.url}.example.net${path}`),
  );
  test(
    'that is another API of the same host is refused',
    foreign(() => `${server.url}/owa/${path}`),
  );
  test(
    'that climbs out of the admin API is refused',
    foreign(() => `${server.url}/adminapi/../owa/service.svc`),
  );
  test(
    'that climbs out in disguise is refused',
    foreign(() => `${server.url}/adminapi/%2e%2e/owa/service.svc`),
  );
  test(
    'that hides another host behind a user name is refused',
    foreign(() => `${server.url}@${other.host}${path}`),
  );
});

test('a next link that writes our own host in another way is followed', async () => {
  const named = createExchange(testUpstream('exchange', server.url.replace('127.0.0.1', 'localhost')), 'tenant');
  server.script(page('one', next('a').replace('127.0.0.1', 'LOCALHOST')), page('two'));
  expect(await named.read({ name: 'Get-Recipient', parameters: {} }, call)).toHaveLength(2);
});
