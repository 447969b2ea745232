import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createOktaApps } from '../../shared/okta/apps.ts';
import { createOkta, type Okta, type OktaRequest } from '../../shared/okta/client.ts';
import { isOktaFault } from '../../shared/okta/errors.ts';
import { createOktaEventHooks } from '../../shared/okta/eventHooks.ts';
import { createOktaGroups } from '../../shared/okta/groups.ts';
import { nextLink } from '../../shared/okta/links.ts';
import { createOktaProvisioning } from '../../shared/okta/provisioning.ts';
import { createOktaPushMappings } from '../../shared/okta/pushMappings.ts';
import { createOktaUsers } from '../../shared/okta/users.ts';
import type { TokenSource } from '../../shared/upstream/tokens.ts';
import { faultOf, quickClock, type TestCall, testCall, testTokens, testUpstream } from '../support/rooms.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

let server: ScriptedServer;
let other: ScriptedServer;
let okta: Okta;
let tokens: TokenSource & { forgotten: number };
let clock: ReturnType<typeof quickClock>;
let call: TestCall;

beforeAll(async () => {
  [server, other] = await Promise.all([startScriptedServer(), startScriptedServer()]);
});
beforeEach(() => {
  const source = testTokens();
  tokens = {
    ...source,
    forgotten: 0,
    forget() {
      tokens.forgotten += 1;
    },
  };
  clock = quickClock();
  okta = createOkta(testUpstream('okta', server.url, { tokens, clock }));
  server.heard.length = 0;
  other.heard.length = 0;
  other.script({ body: [{ id: 'stolen' }] });
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => Promise.all([server.close(), other.close()]));

const group = { path: ['groups', 'g'], scope: 'okta.groups.read', label: 'GET /groups/{id}' } as const;
const members: OktaRequest = { ...group, path: ['groups', 'g', 'users'], label: 'GET /groups/{id}/users' };
const heardPaths = () => server.heard.map(({ path }) => path);
const user = (id: string) => ({ id, status: 'ACTIVE', profile: { login: `${id}@contoso.com` } });

async function all<Item>(pages: AsyncIterable<readonly Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

/** Okta's error envelope (okta.md §4). */
const envelope = (errorCode: string, errorSummary = 'words of Okta', ...causes: string[]) => ({
  errorCode,
  errorSummary,
  errorLink: errorCode,
  errorId: 'oaeX',
  errorCauses: causes.map((cause) => ({ errorSummary: cause })),
});

describe('a list of several pages', () => {
  const next = (query: string, base = server.url) => `<${base}/api/v1/groups/g/users?${query}>; rel="next"`;
  const self = () => `<${server.url}/api/v1/groups/g/users>; rel="self"`;

  test('is read to its end by the Link header, an empty page in the middle too', async () => {
    server.script(
      { body: [user('1')], headers: { link: `${self()}, ${next('after=a,b%2C&limit=200')}` } },
      { body: [], headers: { link: next('after=c') } },
      { body: [user('2')], headers: { link: self() } },
    );
    const found = await all(createOktaGroups(okta).memberPages('g', call));
    expect(found.map(({ id }) => id)).toEqual(['1', '2']);
    expect(heardPaths()).toEqual([
      '/api/v1/groups/g/users?limit=200',
      '/api/v1/groups/g/users?after=a,b%2C&limit=200',
      '/api/v1/groups/g/users?after=c',
    ]);
  });

  test('is a fault, never the list so far, when a page fails', async () => {
    server.script(
      { body: [user('1')], headers: { link: next('after=a') } },
      { status: 404, body: envelope('E0000007') },
    );
    expect(await faultOf(all(okta.pages(members, call)))).toMatchObject({ kind: 'notFound' });
  });

  test.each([
    ['at another host', () => next('after=a', other.url)],
    ['at a host that begins like ours', () => next('after=a', `${server.url}.example.net`)],
    ['behind a user name', () => next('after=a', `${server.url}@${other.host}`)],
    ['outside the API', () => `<${server.url}/oauth2/v1/token>; rel="next"`],
    ['outside it by climbing', () => `<${server.url}/api/v1/../v2/users>; rel="next"`],
    ['nowhere that could be called', () => '<next>; rel="next"'],
  ])('that goes on %s is refused, and nobody else hears of it', async (_where, link) => {
    server.script({ body: [user('1')], headers: { link: link() } });
    expect(await faultOf(all(okta.pages(members, call)))).toMatchObject({ code: 'foreign_link', upstream: 'okta' });
    expect(server.heard).toHaveLength(1);
    expect(other.heard).toEqual([]);
  });

  test('that leads back to a page of its own ends as a fault', async () => {
    server.script(
      { body: [user('1')], headers: { link: next('after=a') } },
      { body: [user('2')], headers: { link: next('after=b') } },
      { body: [user('3')], headers: { link: next('after=a') } },
    );
    expect(await faultOf(all(okta.pages(members, call)))).toMatchObject({ code: 'upstream_failed' });
    expect(server.heard).toHaveLength(3);
  });

  test.each([['{}'], ['null'], [''], ['<html>'], ['[{"id":'], ['["text"]'], ['[null]'], ['[[]]']])(
    'with %j for a page fails: nobody is left out unseen',
    async (body) => {
      server.script({ body });
      expect(await faultOf(all(okta.pages(members, call)))).toMatchObject({ code: 'upstream_failed' });
    },
  );

  test.each([
    [{ ...user('1'), id: undefined }, 'id'],
    [{ ...user('1'), id: '' }, 'id'],
    [{ ...user('1'), status: 3 }, 'status'],
    [{ id: '1', status: 'ACTIVE' }, 'login'],
  ])('with a member like %j fails, and says what is missing', async (odd, name) => {
    server.script({ body: [user('0'), odd] });
    const fault = await faultOf(all(createOktaGroups(okta).memberPages('g', call)));
    expect(fault).toMatchObject({ code: 'upstream_failed', message: `Okta answered with a user that has no ${name}.` });
  });

  test.each([
    [404, envelope('E0000007'), 'okta_object_not_found'],
    [403, envelope('E0000006'), 'okta_forbidden'],
    [404, '<html>no such page</html>', 'upstream_rejected'],
    [404, {}, 'upstream_rejected'],
    [500, envelope('E0000009'), 'upstream_failed'],
    [302, '', 'upstream_rejected'],
  ])('answered with %i %j is never an empty list', async (status, body, code) => {
    server.script({ status, body });
    expect(await faultOf(all(okta.pages(members, call)))).toMatchObject({ code });
  });
});

describe('the next page in a Link header', () => {
  test.each([
    ['<https://a/x>; rel="next"', 'https://a/x'],
    ['<https://a/s>; rel="self", <https://a/n?a=1,2>; rel="next"', 'https://a/n?a=1,2'],
    ['<https://a/n>; title="x"; rel=next', 'https://a/n'],
    ['<https://a/n>;rel="last NEXT"', 'https://a/n'],
    ['<https://a/n>; rel="nextish"', null],
    ['<https://a/n>', null],
    ['<https://a/n?rel="next">; rel="self"', null],
    ['', null],
    [null, null],
  ])('of %j is %j', (header, expected) => {
    expect(nextLink(header)).toBe(expected);
  });

  test('is found wherever it stands, and no text makes the search fail', () => {
    const address = fc.webUrl({ withQueryParameters: true });
    const others = fc.array(fc.tuple(address, fc.constantFrom('self', 'prev', 'first')), { maxLength: 4 });
    fc.assert(
      fc.property(others, others, address, (before, after, wanted) => {
        const links = [...before, [wanted, 'next'] as const, ...after];
        expect(nextLink(links.map(([url, rel]) => `<${url}>; rel="${rel}"`).join(', '))).toBe(wanted);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void nextLink(text)));
  });
});

describe('one object', () => {
  test('that Okta does not have is null, in its own words alone', async () => {
    server.script({ status: 404, body: envelope('E0000007') });
    expect(await createOktaGroups(okta).get('g', call)).toBeNull();
    expect(await createOktaUsers(okta).find('u', call)).toBeNull();
    expect(await createOktaApps(okta).get('a', call)).toBeNull();
    expect(await createOktaApps(okta).appUser('a', 'u', call)).toBeNull();
    for (const body of ['<html>', '', {}, envelope('E0000022')]) {
      server.script({ status: 404, body });
      expect(await faultOf(okta.find(group, call))).toMatchObject({ code: 'upstream_rejected', kind: 'rejected' });
    }
  });

  test.each(['', '<html>', '[]', 'null', '{"id":'])('that cannot be read (%j) is a failure', async (body) => {
    server.script({ body });
    expect(await faultOf(okta.find(group, call))).toMatchObject({ code: 'upstream_failed', upstream: 'okta' });
  });

  test.each(['a/b', 'ümlaut+#?%41@contoso.com', 'with space', "o'neil@contoso.com"])(
    'is asked for by "%s" as it is',
    async (name) => {
      server.script({ body: { id: 'u', status: 'ACTIVE', profile: { login: name.toUpperCase() } } });
      expect(await createOktaUsers(okta).find(name, call)).toMatchObject({ id: 'u' });
      expect(heardPaths()[0]?.split('/').map(decodeURIComponent)).toEqual(['', 'api', 'v1', 'users', name]);
    },
  );

  test.each(['', '.', '..'])('is never asked for by "%s", which would name another', async (name) => {
    expect(await faultOf(createOktaUsers(okta).find(name, call))).toMatchObject({ code: 'invalid_request' });
    expect(await faultOf(all(createOktaGroups(okta).memberPages(name, call)))).toMatchObject({ kind: 'invalid' });
    expect(server.heard).toEqual([]);
  });

  test('is not the user whom Okta finds by another name: `me`, or a login without its domain', async () => {
    server.script({ body: user('amara.osei') });
    expect(await createOktaUsers(okta).find('me', call)).toBeNull();
    server.script({ body: { ...user('amara.osei'), id: '00u1' } });
    expect(await createOktaUsers(okta).find('amara.osei', call)).toBeNull();
    expect(await createOktaUsers(okta).find('00u1', call)).toMatchObject({ id: '00u1' });
    expect(await createOktaUsers(okta).find('Amara.Osei@contoso.com', call)).toMatchObject({ id: '00u1' });
  });

  test('may come with little in it', async () => {
    server.script({ body: { id: 'g', type: 'OKTA_GROUP', profile: { name: 'n' } } });
    expect(await createOktaGroups(okta).get('g', call)).toEqual({
      id: 'g',
      type: 'OKTA_GROUP',
      name: 'n',
      description: null,
      lastUpdated: null,
      lastMembershipUpdated: null,
      profile: { name: 'n' },
    });
    server.script({ body: { id: 'a', name: 'custom', status: 'ACTIVE' } });
    expect(await createOktaApps(okta).get('a', call)).toMatchObject({ label: null, msftTenant: null, domain: null });
    server.script({ body: { id: 'u', status: 'STAGED', externalId: null, profile: null } });
    expect(await createOktaApps(okta).appUser('a', 'u', call)).toEqual({
      id: 'u',
      externalId: null,
      status: 'STAGED',
      syncState: null,
      lastSync: null,
      scope: null,
      group: null,
      userName: null,
      profile: {},
    });
    server.script({ body: [{ id: 'm', sourceGroupId: 's', targetGroupId: 't', status: 'ACTIVE' }] });
    expect(await all(createOktaPushMappings(okta).pages('a', call))).toMatchObject([
      { errorSummary: null, lastPush: null },
    ]);
  });
});

describe('a refusal', () => {
  const refused = async (status: number, body: unknown, headers: Record<string, string> = {}) => {
    server.script({ status, body, headers: { 'x-okta-request-id': 'their-id', ...headers } });
    const fault = await faultOf(okta.find(group, call));
    if (isOktaFault(fault)) return fault;
    throw new Error(`${fault.code} is no refusal of Okta`);
  };

  test.each([
    [401, 'E0000011', 'unauthorized', 'okta_credential_rejected', 'OKTA_API_TOKEN'],
    [403, 'E0000005', 'unauthorized', 'okta_credential_rejected', 'OKTA_CLIENT_ID'],
    [401, 'E0000004', 'unauthorized', 'okta_credential_rejected', 'OKTA_ORG_URL'],
    [401, 'E9999999', 'unauthorized', 'okta_credential_rejected', 'OKTA_ORG_URL'],
    [403, 'E0000006', 'forbidden', 'okta_forbidden', 'View groups'],
    [403, 'E9999999', 'forbidden', 'okta_forbidden', 'Admin roles'],
    [400, 'E0000001', 'invalid', 'upstream_rejected', 'message of Okta'],
    [400, 'E0000003', 'invalid', 'upstream_rejected', 'message of Okta'],
    [400, 'E0000031', 'invalid', 'upstream_rejected', 'message of Okta'],
    [405, 'E0000022', 'rejected', 'upstream_rejected', 'Okta support'],
  ])('with %i %s is %s, and the fix says what to do', async (status, oktaCode, kind, code, fix) => {
    const fault = await refused(status, envelope(oktaCode));
    expect(fault).toMatchObject({ kind, code, oktaCode, upstream: 'okta', upstreamRequestId: 'their-id' });
    expect(fault.fix).toContain(fix);
    expect(fault.message).toBe(`Okta refused GET /groups/{id}: ${oktaCode}: words of Okta`);
    expect(tokens.forgotten).toBe(['unauthorized', 'forbidden'].includes(kind) ? 1 : 0);
    expect(server.heard).toHaveLength(1);
  });

  test('for a scope names the scope, not a role', async () => {
    const challenge = { 'www-authenticate': 'Bearer error="insufficient_scope", scope="okta.groups.read"' };
    const { fix } = await refused(403, envelope('E0000006'), challenge);
    expect(fix).toContain('okta.groups.read');
    expect(fix).not.toContain('role');
  });

  test('tells the causes, which say more than the summary', async () => {
    const body = envelope('E0000001', 'Api validation failed: limit', 'limit: must be less than 200', 'and so on');
    expect((await refused(400, body)).message).toContain(
      'E0000001: Api validation failed: limit; limit: must be less than 200; and so on',
    );
    expect((await refused(400, { errorCode: 'E0000001', errorCauses: ['odd', {}] })).message).toMatch(/E0000001:$/);
  });

  test.each([
    ['', 401, 'unauthorized'],
    ['<html>', 403, 'forbidden'],
    ['[]', 400, 'invalid'],
    ['{"errorCode":7}', 418, 'rejected'],
  ])('with the body %j is told by its status', async (body, status, kind) => {
    const fault = await refused(status, body);
    expect(fault).toMatchObject({ kind, oktaCode: null });
    expect(fault.message).toContain(`HTTP ${status} without a readable body`);
  });

  test('gives no secret on', async () => {
    const fault = await refused(400, envelope('E0000001', 'sent SSWS 00abc-def and\nclient_assertion=hush'));
    expect(fault.message).not.toMatch(/00abc-def|hush|\n/);
  });

  test('is one kind and no other', async () => {
    const fault = await refused(403, envelope('E0000006'));
    expect([isOktaFault(fault), isOktaFault(fault, 'invalid', 'forbidden'), isOktaFault(fault, 'notFound')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(isOktaFault(new Error('forbidden'), 'forbidden')).toBe(false);
  });
});

describe("Okta's rate limit", () => {
  const limited = (date: number, reset: number) => ({
    status: 429,
    headers: { date: new Date(date).toUTCString(), 'x-rate-limit-reset': String(reset / 1_000) },
    body: envelope('E0000047'),
  });

  test('is waited out as its own clock has it, however wrong ours is', async () => {
    const theirs = Date.UTC(2031, 4, 5, 6, 7, 8);
    server.script(limited(theirs, theirs + 6_000), { body: { id: 'g' } });
    expect(await okta.find(group, call)).toEqual({ id: 'g' });
    const waitedMs = clock.waits.reduce((sum, ms) => sum + ms, 0);
    // Reset - Date + 1 s (okta.md §4), and our own margin.
    expect(waitedMs).toBeGreaterThanOrEqual(6_900);
    expect(waitedMs).toBeLessThan(8_000);
  });

  test('that lasts longer than the deadline is answered at once, with how long', async () => {
    const theirs = Date.now();
    const date = theirs - (theirs % 1_000);
    server.script(limited(date, date + 59_000));
    expect(await faultOf(okta.find(group, call))).toMatchObject({
      code: 'throttled',
      upstream: 'okta',
      retryAfterSeconds: 60,
    });
    expect(server.heard).toHaveLength(1);
  });

  test('on reads leaves writes alone', async () => {
    const now = Date.now();
    server.respond(({ method }) => (method === 'GET' ? limited(now, now + 60_000) : { body: { id: 'h' } }));
    await faultOf(okta.find(group, call));
    expect(await okta.post(group, {}, call)).toEqual({ id: 'h' });
  });
});

describe('a server that fails', () => {
  test('is asked again for a read, and never again for a write', async () => {
    server.script({ status: 503 }, { body: { id: 'g' } });
    expect(await okta.find(group, call)).toEqual({ id: 'g' });
    server.script({ status: 503 }, { body: { id: 'g' } });
    expect(await faultOf(okta.post(group, {}, call))).toMatchObject({ code: 'outcome_unknown', upstream: 'okta' });
    server.script({ status: 503 });
    expect((await faultOf(okta.find(group, call))).fix).toContain('status.okta.com');
  });

  test('and says nothing to a write leaves its outcome open', async () => {
    server.script({ status: 200, headers: { 'x-okta-request-id': 'their-id' }, body: '<html>' });
    expect(await faultOf(okta.post(group, {}, call))).toMatchObject({
      code: 'outcome_unknown',
      upstreamRequestId: 'their-id',
    });
  });
});

describe('an event hook', () => {
  test('is made with its header, and what Okta shows of it has no secret', async () => {
    const shown = {
      id: 'who1',
      name: 'hook',
      status: 'ACTIVE',
      verificationStatus: 'UNVERIFIED',
      events: { type: 'EVENT_TYPE', items: ['group.lifecycle.delete', 7] },
      channel: { config: { uri: 'https://example.com/api/okta/events' } },
    };
    server.script({ body: shown });
    const hooks = createOktaEventHooks(okta);
    const eventTypes = ['group.lifecycle.delete'];
    const url = 'https://example.com/api/okta/events';
    const header = { name: 'authorization', value: 'hush' };
    const made = await hooks.create({ name: 'hook', url, eventTypes, header }, call);
    expect(made).toEqual({
      id: 'who1',
      name: 'hook',
      status: 'ACTIVE',
      verificationStatus: 'UNVERIFIED',
      url,
      eventTypes,
    });
    expect(JSON.parse(server.heard[0]?.body ?? '')).toMatchObject({
      channel: { config: { uri: url, authScheme: { type: 'HEADER', key: 'authorization', value: 'hush' } } },
    });
    expect(JSON.stringify([made, call.lines])).not.toContain('hush');
    server.script({ body: [{ ...shown, events: {} }] });
    expect(await all(hooks.pages(call))).toEqual([{ ...made, eventTypes: [] }]);
  });
});

test('without a configuration everything asks for one, and nothing else happens', async () => {
  const none = createOkta(null);
  expect(none.isConfigured).toBe(false);
  expect(okta.isConfigured).toBe(true);
  for (const asked of [none.find(group, call), none.post(group, {}, call), all(none.pages(members, call))]) {
    const fault = await faultOf(asked);
    expect(fault).toMatchObject({ code: 'okta_api_required', upstream: 'okta' });
    expect(fault.fix).toContain('OKTA_ORG_URL');
  }
});

describe('"Deactivate Users"', () => {
  const featureOf = (capabilities: object) => ({ body: { name: 'USER_PROVISIONING', capabilities } });
  const deactivateUsers = () => createOktaProvisioning({ read: okta, write: okta }).deactivateUsers('a', call);

  test('is as the feature says, and off where it does not say', async () => {
    server.script(featureOf({ update: { lifecycleDeactivate: { status: 'ENABLED' } } }));
    expect(await deactivateUsers()).toBe('ENABLED');
    server.script(featureOf({ update: { lifecycleDeactivate: { status: 'DISABLED' } } }), featureOf({}));
    expect([await deactivateUsers(), await deactivateUsers()]).toEqual(['DISABLED', 'DISABLED']);
  });

  test('is none where the app provisions nobody', async () => {
    server.script({ status: 400, body: envelope('E0000001') }, { status: 404, body: envelope('E0000007') });
    expect([await deactivateUsers(), await deactivateUsers()]).toEqual([null, null]);
  });

  test('is not known where Okta refuses to say, and may be turned where it does not answer', async () => {
    server.script({ status: 403, body: envelope('E0000006') });
    expect((await faultOf(deactivateUsers())).code).toBe('okta_forbidden');
    server.script({ status: 200, body: '' });
    const provisioning = createOktaProvisioning({ read: okta, write: okta });
    expect((await faultOf(provisioning.setDeactivateUsers('a', 'DISABLED', call))).code).toBe('outcome_unknown');
  });
});
