import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createOkta } from '../../shared/okta/client.ts';
import type { PushSource, SourcePerson } from '../../shared/push/source.ts';
import { readCast } from '../support/directory.ts';
import { faultOf, quickClock, type TestCall, testCall, testTokens, testUpstream } from '../support/rooms.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';
import { startWorld, type World } from '../support/world.ts';
import { groundOf, type OrgControl, orgOf, sourceOver } from './oktaWorld.ts';

let world: World;
let org: OrgControl;
let source: PushSource;
/** The same over a server that says what the test wants. */
let scripted: PushSource;
let server: ScriptedServer;
let call: TestCall;

beforeAll(async () => {
  [world, server] = await Promise.all([startWorld(), startScriptedServer()]);
  org = orgOf(world);
});
beforeEach(async () => {
  await world.control.reset();
  source = sourceOver((await groundOf(world)).okta);
  scripted = sourceOver(createOkta(testUpstream('okta', server.url, { tokens: testTokens(), clock: quickClock() })));
  server.heard.length = 0;
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => Promise.all([world.close(), server.close()]));

const kaya = 'kaya.demir@contoso.com';
const entraIdOf = async (upn: string) => (await readCast(world.control)).idOf(upn);
const oktaCalls = async () =>
  (await world.control.calls({ upstream: 'okta' })).filter(({ method }) => method === 'GET');

async function all(pages: AsyncIterable<readonly SourcePerson[]>): Promise<SourcePerson[]> {
  const people: SourcePerson[] = [];
  for await (const page of pages) people.push(...page);
  return people;
}

/** Okta's error envelope (okta.md §4). */
const envelope = (errorCode: string) => ({ errorCode, errorSummary: 'words of Okta', errorCauses: [] });

/** What Okta or something before it says when it says nothing of the object asked for. */
const failures: [number, unknown, string][] = [
  [403, envelope('E0000006'), 'okta_forbidden'],
  [401, envelope('E0000011'), 'okta_credential_rejected'],
  [404, '<html>no such page</html>', 'upstream_rejected'],
  [404, envelope('E0000022'), 'upstream_rejected'],
  [500, envelope('E0000009'), 'upstream_failed'],
  [503, '', 'upstream_failed'],
  [200, '<html>sign in</html>', 'upstream_failed'],
];

describe('a group', () => {
  test('is told with its name, and with what moves when its members do', async () => {
    const id = await org.groupId('Field Engineers');
    const before = await source.group(id, call);
    expect(before).toEqual({ id, name: 'Field Engineers', membershipUpdatedAt: expect.stringMatching(/^\d{4}-.*Z$/) });
    await world.control.clock({ advanceMs: 5_000 });
    await org.tell('DELETE', `groups/${id}/members/${kaya}`);
    const after = await source.group(id, call);
    expect(Date.parse(after?.membershipUpdatedAt ?? '')).toBeGreaterThan(Date.parse(before?.membershipUpdatedAt ?? ''));
  });

  test('that Okta says it does not have is null', async () => {
    expect(await source.group('00gNobody', call)).toBeNull();
    const id = await org.groupId('Field Engineers');
    await org.tell('DELETE', `groups/${id}`);
    expect(await source.group(id, call)).toBeNull();
  });

  test.each(failures)('answered with %i %j is a fault, and so are its members', async (status, body, code) => {
    server.script({ status, body });
    expect(await faultOf(scripted.group('00g1', call))).toMatchObject({ code, upstream: 'okta' });
    expect(await faultOf(all(scripted.memberPages('00g1', call)))).toMatchObject({ code, upstream: 'okta' });
  });

  test('is a fault while Okta limits the rate beyond the time there is', async () => {
    const reset = String(Math.floor(Date.now() / 1_000) + 60);
    server.script({ status: 429, body: envelope('E0000047'), headers: { 'x-rate-limit-reset': reset } });
    expect(await faultOf(scripted.group('00g1', call))).toMatchObject({ code: 'throttled' });
    expect(await faultOf(all(scripted.memberPages('00g1', call)))).toMatchObject({ code: 'throttled' });
  });
});

describe('the members of a group', () => {
  test('come with their states, whatever these are', async () => {
    const members = await all(source.memberPages(await org.groupId('Every Status'), call));
    expect(members).toContainEqual({
      id: await org.userId('vera.kovac@contoso.com'),
      login: 'vera.kovac@contoso.com',
      status: 'SUSPENDED',
    });
    expect(members.map(({ status }) => status).sort()).toEqual([
      'ACTIVE',
      'DEPROVISIONED',
      'LOCKED_OUT',
      'PASSWORD_EXPIRED',
      'PROVISIONED',
      'RECOVERY',
      'STAGED',
      'SUSPENDED',
    ]);
  });

  test('come page by page, none of them twice', async () => {
    await org.tell('POST', 'seed', { users: 450, groups: 1, members: { 'Okta Group 0001': 450 } });
    const sizes: number[] = [];
    const ids = new Set<string>();
    for await (const page of source.memberPages(await org.groupId('Okta Group 0001'), call)) {
      sizes.push(page.length);
      for (const { id } of page) ids.add(id);
    }
    expect(sizes).toEqual([200, 200, 50]);
    expect(ids.size).toBe(450);
  });

  test('of no group are a fault, of an empty one none', async () => {
    expect(await faultOf(all(source.memberPages('00gNobody', call)))).toMatchObject({ code: 'okta_object_not_found' });
    expect(await all(source.memberPages(await org.groupId('Future Hires'), call))).toEqual([]);
  });
});

describe('whether somebody is a member', () => {
  test('is as it is now, in two calls', async () => {
    const [groupId, id] = [await org.groupId('Field Engineers'), await org.userId(kaya)];
    const person = { id, login: kaya, status: 'ACTIVE' };
    await world.control.clearCalls();
    expect(await source.membership(groupId, id, call)).toEqual({ isMember: true, person });
    expect((await oktaCalls()).map(({ path }) => path)).toEqual([`/api/v1/users/${id}`, `/api/v1/users/${id}/groups`]);
    await org.tell('DELETE', `groups/${groupId}/members/${kaya}`);
    expect(await source.membership(groupId, id, call)).toEqual({ isMember: false, person });
  });

  test('is told of who was deactivated too, with the state', async () => {
    const id = await org.userId('former.colleague@contoso.com');
    expect(await source.membership(await org.groupId('Alumni'), id, call)).toMatchObject({
      isMember: true,
      person: { id, status: 'DEPROVISIONED' },
    });
  });

  test('is no, and nobody, where Okta does not have the user', async () => {
    const [groupId, id] = [await org.groupId('Alumni'), await org.userId('former.colleague@contoso.com')];
    await org.tell('DELETE', `users/${id}`);
    expect(await source.membership(groupId, id, call)).toEqual({ isMember: false, person: null });
  });

  test('is no, and nobody, where another name of a user is given for its id', async () => {
    const groupId = await org.groupId('Field Engineers');
    expect(await source.membership(groupId, kaya, call)).toEqual({ isMember: false, person: null });
    expect(await source.membership(groupId, 'kaya.demir', call)).toEqual({ isMember: false, person: null });
    server.script({ body: { id: '00uSelf', status: 'ACTIVE', profile: { login: 'admin@contoso.com' } } });
    expect(await scripted.membership(groupId, 'me', call)).toEqual({ isMember: false, person: null });
    expect(server.heard).toHaveLength(1);
  });

  const user = { id: '00u1', status: 'ACTIVE', profile: { login: kaya } };

  test('is found on every page of the groups', async () => {
    const next = `<${server.url}/api/v1/users/00u1/groups?after=a>; rel="next"`;
    const pages = [{ body: [{ id: '00g1' }, { id: '00g2' }], headers: { link: next } }, { body: [{ id: '00g3' }] }];
    server.script({ body: user }, ...pages, { body: user }, ...pages);
    expect(await scripted.membership('00g3', '00u1', call)).toMatchObject({ isMember: true });
    expect(await scripted.membership('00g4', '00u1', call)).toMatchObject({ isMember: false, person: { id: '00u1' } });
  });

  test('is no where the user goes between the two reads', async () => {
    server.script({ body: user }, { status: 404, body: envelope('E0000007') });
    expect(await scripted.membership('00g1', '00u1', call)).toEqual({ isMember: false, person: null });
  });

  test.each(failures)('is not told where Okta answers %i %j, to either read', async (status, body, code) => {
    server.script({ status, body });
    expect(await faultOf(scripted.membership('00g1', '00u1', call))).toMatchObject({ code });
    server.respond(({ path }) => (path.endsWith('/groups') ? { status, body } : { body: user }));
    expect(await faultOf(scripted.membership('00g1', '00u1', call))).toMatchObject({ code });
  });

  test('is not told by a group without an id', async () => {
    server.script({ body: user }, { body: [{ id: '00g1' }, {}] });
    expect(await faultOf(scripted.membership('00g1', '00u1', call))).toMatchObject({ code: 'upstream_failed' });
  });
});

test('somebody is found by id and by login, in any letters, and by nothing else', async () => {
  const id = await org.userId(kaya);
  const person = { id, login: kaya, status: 'ACTIVE' };
  expect(await source.person(id, call)).toEqual(person);
  expect(await source.person(kaya.toUpperCase(), call)).toEqual(person);
  expect(await source.person('kaya.demir', call)).toBeNull();
  expect(await source.person('nobody@contoso.com', call)).toBeNull();
});

describe('accounts in the Office 365 app', () => {
  test('of a few are read one by one; who has none is left out', async () => {
    const appId = await org.appId();
    const ids = await Promise.all(
      [kaya, 'okta.only@example.com', 'liam.corrigan@contoso.com'].map((login) => org.userId(login)),
    );
    await org.putAccount('liam.corrigan@contoso.com', { externalId: null, userName: 'liam@contoso.com' });
    await world.control.clearCalls();
    const accounts = await source.accounts(appId, [...ids, ...ids], call);
    expect([...accounts]).toEqual([
      [ids[0], { externalId: await entraIdOf(kaya), userPrincipalName: kaya }],
      [ids[2], { externalId: null, userPrincipalName: 'liam@contoso.com' }],
    ]);
    expect((await oktaCalls()).map(({ path }) => path).sort()).toEqual(
      [...ids.map((id) => `/api/v1/apps/${appId}/users/${id}`), `/api/v1/apps/${appId}`].sort(),
    );
    expect(call.warnings).toEqual([]);
  });

  test('are asked for four at a time', async () => {
    let [now, most] = [0, 0];
    const app = { id: '0oa1', name: 'office365', status: 'ACTIVE' };
    const counted = sourceOver({
      ...createOkta(null),
      find: async ({ path }) => {
        most = Math.max(most, (now += 1));
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        return path.length === 2 ? app : { id: path[3], status: 'PROVISIONED' };
      },
    });
    const ids = Array.from({ length: 10 }, (_, index) => `00u${index}`);
    expect((await counted.accounts('0oa1', ids, call)).size).toBe(10);
    expect(most).toBe(4);
  });

  test('of many are read by pages of the whole app, of which only theirs are kept', async () => {
    await org.tell('POST', 'seed', { users: 1_200, groups: 1, members: { 'Okta Group 0001': 1_200 } });
    const people = await all(source.memberPages(await org.groupId('Okta Group 0001'), call));
    const [appId, none] = [await org.appId(), await org.userId('okta.only@example.com')];
    await world.control.clearCalls();
    const ids = [...people.slice(900).map(({ id }) => id), none];
    const accounts = await source.accounts(appId, ids, call);
    expect([...accounts.keys()].sort()).toEqual(
      people
        .slice(900)
        .map(({ id }) => id)
        .sort(),
    );
    expect(accounts.get(people[1_000]?.id ?? '')).toEqual({
      externalId: await entraIdOf('person001001@contoso.com'),
      userPrincipalName: 'person001001@contoso.com',
    });
    expect((await oktaCalls()).map(({ path }) => path.split('?')[0])).toEqual([
      ...Array<string>(3).fill(`/api/v1/apps/${appId}/users`),
      `/api/v1/apps/${appId}`,
    ]);
  });

  test('of many are read no further than to the last of them; fifty are few', async () => {
    await org.tell('POST', 'seed', { users: 1_200, groups: 1, members: { 'Okta Group 0001': 51 } });
    const ids = (await all(source.memberPages(await org.groupId('Okta Group 0001'), call))).map(({ id }) => id);
    const appId = await org.appId();
    await world.control.clearCalls();
    expect((await source.accounts(appId, ids, call)).size).toBe(51);
    expect(await oktaCalls()).toHaveLength(2);
    await world.control.clearCalls();
    expect((await source.accounts(appId, ids.slice(1), call)).size).toBe(50);
    expect(await oktaCalls()).toHaveLength(51);
  });

  test('that are known by something else than an object id of Entra are told without, and a warning says so once', async () => {
    const [appId, id] = [await org.appId(), await org.userId(kaya)];
    await org.putAccount(kaya, { externalId: 'SGVsbG8gd29ybGQhIQ==' });
    await org.putAccount('liam.corrigan@contoso.com', { externalId: '12345' });
    await org.putAccount('mina.sato@contoso.com', {
      externalId: (await entraIdOf('mina.sato@contoso.com')).toUpperCase(),
    });
    const [liam, mina] = await Promise.all(
      ['liam.corrigan@contoso.com', 'mina.sato@contoso.com'].map((login) => org.userId(login)),
    );
    const accounts = await source.accounts(appId, [id, liam ?? '', mina ?? ''], call);
    expect(accounts.get(id)).toEqual({ externalId: null, userPrincipalName: kaya });
    expect(accounts.get(mina ?? '')).toMatchObject({ externalId: await entraIdOf('mina.sato@contoso.com') });
    expect(call.warnings).toEqual([expect.stringContaining('of Entra: 2 (kaya.demir@contoso.com for one)')]);
    server.respond(({ path }) => ({
      body: path.includes('/users/')
        ? { id: '00u1', status: 'PROVISIONED', externalId: 'no guid' }
        : { id: '0oa1', name: 'office365', status: 'ACTIVE' },
    }));
    const nameless = await scripted.accounts('0oa1', ['00u1'], call);
    expect(nameless.get('00u1')).toEqual({ externalId: null, userPrincipalName: null });
    expect(call.warnings[1]).toContain('of Entra: 1 (00u1 for one)');
  });

  const namesApp = (code: string, words: string) => ({
    code,
    upstream: 'okta',
    message: expect.stringContaining(words),
    fix: expect.stringContaining('oktaAppId'),
    errors: [{ pointer: '/oktaAppId', message: expect.stringContaining(words), fix: expect.any(String) }],
  });

  test('of an app that is not there are a fault that names it, never none', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `00u${index}`);
    for (const asked of [[], ids.slice(0, 2), ids]) {
      const fault = await faultOf(source.accounts('0oaNobody', asked, call));
      expect(fault).toMatchObject(namesApp('okta_object_not_found', '0oaNobody'));
    }
  });

  test('of an app of another kind are a fault that names it', async () => {
    const [appId, id] = [await org.appId('active_directory'), await org.userId('anton.berg@contoso.com')];
    const fault = await faultOf(source.accounts(appId, [id], call));
    expect(fault).toMatchObject(namesApp('invalid_request', 'active_directory'));
  });

  test('of an app that goes away while they are read are a fault', async () => {
    const app = { id: '0oa1', name: 'office365', status: 'ACTIVE' };
    server.respond(() => {
      const isGone = server.heard.some(({ path }) => path.includes('/users'));
      return isGone ? { status: 404, body: envelope('E0000007') } : { body: app };
    });
    expect(await faultOf(scripted.accounts('0oa1', ['00u1'], call))).toMatchObject({ code: 'okta_object_not_found' });
  });

  test.each(failures)('answered with %i %j are a fault, few or many', async (status, body, code) => {
    const app = { id: '0oa1', name: 'office365', status: 'ACTIVE' };
    server.respond(({ path }) => (path.includes('/users') ? { status, body } : { body: app }));
    const ids = Array.from({ length: 60 }, (_, index) => `00u${index}`);
    expect(await faultOf(scripted.accounts('0oa1', ids.slice(0, 2), call))).toMatchObject({ code });
    expect(await faultOf(scripted.accounts('0oa1', ids, call))).toMatchObject({ code });
    server.respond(({ path }) =>
      path.includes('/users') ? { status: 404, body: envelope('E0000007') } : { status, body },
    );
    expect(await faultOf(scripted.accounts('0oa1', ids.slice(0, 2), call))).toMatchObject({ code });
  });

  test('with nobody asked for are none, of an app that is the right one', async () => {
    const appId = await org.appId();
    await world.control.clearCalls();
    expect(await source.accounts(appId, [], call)).toEqual(new Map());
    expect(await oktaCalls()).toHaveLength(1);
  });
});

test('without Okta it is not configured, and every question says what to set', async () => {
  const none = sourceOver(createOkta(null));
  expect([none.isConfigured, source.isConfigured]).toEqual([false, true]);
  const asked = [
    none.group('g', call),
    none.membership('g', 'u', call),
    none.person('u', call),
    none.accounts('a', [], call),
  ];
  for (const each of [...asked, all(none.memberPages('g', call))]) {
    expect(await faultOf(each)).toMatchObject({ code: 'okta_api_required' });
  }
});
