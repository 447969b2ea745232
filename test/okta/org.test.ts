import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { listen } from '../../local/host/listen.ts';
import { type Clock, systemClock } from '../../shared/clock.ts';
import type { OktaCredential } from '../../shared/config.ts';
import { createOktaApps } from '../../shared/okta/apps.ts';
import { createOkta, type Okta } from '../../shared/okta/client.ts';
import { createOktaEventHooks } from '../../shared/okta/eventHooks.ts';
import { createOktaGroups } from '../../shared/okta/groups.ts';
import { createOktaPushMappings } from '../../shared/okta/pushMappings.ts';
import { eventHookScopes, type OktaScope, readScopes } from '../../shared/okta/scopes.ts';
import { createOktaTokens } from '../../shared/okta/tokens.ts';
import { createOktaUsers } from '../../shared/okta/users.ts';
import { type App, type JsonObject, rowsOf, startWorld, type World } from '../support/world.ts';
import { faultOf, quickClock, type TestCall, testCall, testUpstream } from '../support/rooms.ts';

let world: World;
let call: TestCall;
let state: OrgState;

interface Named {
  id: string;
  name: string;
  label: string;
  profile?: { name: string; login: string };
}
interface OrgState {
  users: Named[];
  groups: Named[];
  apps: Named[];
  serviceApps: Named[];
}

async function control(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${world.simulator.urls.control}/_sim/okta/${path}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
  return text === '' ? null : JSON.parse(text);
}

beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  await world.control.reset();
  state = (await control('GET', 'state')) as OrgState;
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => world.close());

const idIn = (list: readonly Named[], name: string): string => {
  const found = list.find((each) => [each.profile?.name, each.profile?.login, each.name, each.label].includes(name));
  if (found === undefined) throw new Error(`the org has no ${name}`);
  return found.id;
};
const serviceApp = (label: string): OktaCredential => ({
  type: 'serviceApp',
  clientId: idIn(state.serviceApps, label),
  privateKey: createPrivateKey(world.simulator.okta.privateKeyPem),
  keyId: world.simulator.okta.keyId,
});
const apiToken = (): OktaCredential => ({ type: 'apiToken', token: world.simulator.okta.apiToken });
function oktaWith(
  credential: OktaCredential,
  scopes: readonly OktaScope[] = readScopes,
  clock: Clock = quickClock(),
): Okta {
  const orgUrl = world.simulator.urls.okta;
  const tokens = createOktaTokens({ orgUrl, credential }, scopes, { fetch, clock, random: () => 0 });
  return createOkta(testUpstream('okta', orgUrl, { tokens, clock }));
}
async function all<Item>(pages: AsyncIterable<readonly Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

describe.each([
  ['an API token', apiToken],
  ['a service app', () => serviceApp('okta-m365-actions')],
  ['a service app with proof of possession', () => serviceApp('okta-with-dpop')],
  ['a service app that reads only', () => serviceApp('okta-read-only')],
])('with %s', (_credential, credential) => {
  test('a group and its members are read, with their states', async () => {
    const groups = createOktaGroups(oktaWith(credential()));
    const id = idIn(state.groups, 'Every Status');
    expect(await groups.get(id, call)).toMatchObject({
      id,
      type: 'OKTA_GROUP',
      name: 'Every Status',
      description: null,
      lastMembershipUpdated: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const statuses = (await all(groups.memberPages(id, call))).map(({ status }) => status);
    expect(new Set(statuses).size).toBe(8);
    expect(await groups.get('00gNobody', call)).toBeNull();
    expect(await faultOf(all(groups.memberPages('00gNobody', call)))).toMatchObject({ kind: 'notFound' });
  });
});

test('a group of many is read page by page, and whoever changes meanwhile breaks nothing', async () => {
  await control('POST', 'seed', { users: 450, groups: 1, members: { 'Okta Group 0001': 450 } });
  state = (await control('GET', 'state')) as OrgState;
  const pages = createOktaGroups(oktaWith(apiToken())).memberPages(idIn(state.groups, 'Okta Group 0001'), call);
  const sizes: number[] = [];
  const ids = new Set<string>();
  for await (const page of pages) {
    sizes.push(page.length);
    for (const { id } of page) ids.add(id);
  }
  expect(sizes).toEqual([200, 200, 50]);
  expect(ids.size).toBe(450);
  expect(await world.control.calls({ upstream: 'okta', path: '/users?' })).toHaveLength(3);
});

test('a change of members moves what tells of it', async () => {
  const groups = createOktaGroups(oktaWith(serviceApp('okta-m365-actions')));
  const id = idIn(state.groups, 'Field Engineers');
  const before = await groups.get(id, call);
  await world.control.clock({ advanceMs: 5_000 });
  await control('DELETE', `groups/${id}/members/kaya.demir@contoso.com`);
  const after = await groups.get(id, call);
  expect(Date.parse(after?.lastMembershipUpdated ?? '')).toBeGreaterThan(
    Date.parse(before?.lastMembershipUpdated ?? ''),
  );
});

test('a user is found by id and by login, in any letters', async () => {
  const users = createOktaUsers(oktaWith(serviceApp('okta-m365-actions')));
  const id = idIn(state.users, 'kaya.demir@contoso.com');
  const kaya = { id, status: 'ACTIVE', login: 'kaya.demir@contoso.com', email: expect.stringContaining('@') };
  expect(await users.find(id, call)).toMatchObject(kaya);
  expect(await users.find('Kaya.Demir@Contoso.com', call)).toMatchObject(kaya);
  expect(await users.find('kaya.demir', call)).toBeNull();
  expect(await users.find('nobody@contoso.com', call)).toBeNull();
});

test('the Office 365 app, its users with the ids of Entra, and its push mappings are read', async () => {
  const okta = oktaWith(serviceApp('okta-m365-actions'));
  const apps = createOktaApps(okta);
  const id = idIn(state.apps, 'office365');
  expect(await apps.get(id, call)).toMatchObject({ name: 'office365', msftTenant: 'contoso', domain: 'contoso.com' });
  const kaya = await apps.appUser(id, idIn(state.users, 'kaya.demir@contoso.com'), call);
  const { users } = await world.control.state();
  const inEntra = (users as { id: string; userPrincipalName: string }[]).find(
    ({ userPrincipalName }) => userPrincipalName === 'kaya.demir@contoso.com',
  );
  expect(kaya).toMatchObject({
    externalId: inEntra?.id,
    syncState: 'SYNCHRONIZED',
    userName: 'kaya.demir@contoso.com',
  });
  expect(await all(apps.appUserPages(id, call))).toContainEqual(kaya);
  expect(await apps.appUser(id, idIn(state.users, 'okta.only@example.com'), call)).toBeNull();
  expect(await apps.get('0oaNobody', call)).toBeNull();
  const mappings = await all(createOktaPushMappings(okta).pages(id, call));
  expect(mappings).toContainEqual(
    expect.objectContaining({ sourceGroupId: idIn(state.groups, 'Sales Team Nordics'), status: 'ACTIVE' }),
  );
  expect(mappings.find(({ status }) => status === 'ERROR')?.errorSummary).toMatch(/./);
});

describe('an event hook', () => {
  let receiver: Server;
  let answersChallenge: boolean;
  let url: string;
  beforeAll(async () => {
    receiver = createServer((request, response) => {
      const verification = request.headers['x-okta-verification-challenge'];
      response.end(JSON.stringify(answersChallenge ? { verification } : {}));
    });
    url = `http://127.0.0.1:${await listen(receiver, 0)}/api/okta/events`;
  });
  afterAll(() => void receiver.close());

  test('is registered and verified, or not where the challenge does not come back', async () => {
    const okta = oktaWith(serviceApp('okta-m365-actions'), eventHookScopes);
    const hooks = createOktaEventHooks(okta);
    const eventTypes = ['group.user_membership.add'];
    const header = { name: 'authorization', value: 'hush' };
    const made = await hooks.create({ name: 'hook', url, eventTypes, header }, call);
    expect(made).toMatchObject({ status: 'ACTIVE', verificationStatus: 'UNVERIFIED', url, eventTypes });
    answersChallenge = false;
    expect(await faultOf(hooks.verify(made.id, call))).toMatchObject({ kind: 'invalid' });
    answersChallenge = true;
    expect(await hooks.verify(made.id, call)).toMatchObject({ id: made.id, verificationStatus: 'VERIFIED' });
    expect(await all(hooks.pages(call))).toEqual([{ ...made, verificationStatus: 'VERIFIED' }]);
  });

  test('is not registered by an app without the role, which is named', async () => {
    const hooks = createOktaEventHooks(oktaWith(serviceApp('okta-read-only'), eventHookScopes));
    const fault = await faultOf(all(hooks.pages(call)));
    expect(fault).toMatchObject({ code: 'okta_forbidden' });
    expect(fault.fix).toContain('okta.eventhooks.manage');
  });
});

test('a token that ends on its way is asked for anew by the next call', async () => {
  const groups = createOktaGroups(oktaWith(serviceApp('okta-m365-actions')));
  const id = idIn(state.groups, 'Field Engineers');
  await groups.get(id, call);
  await world.control.clock({ advanceMs: 3_700_000 });
  expect(await faultOf(groups.get(id, call))).toMatchObject({ kind: 'unauthorized' });
  await world.control.clock({ advanceMs: -3_700_000 });
  expect(await groups.get(id, call)).toMatchObject({ id });
});

test('a list that goes on elsewhere is not followed', async () => {
  const apps = createOktaApps(oktaWith(apiToken()));
  await control('POST', 'seed', { users: 600 });
  await world.control.fault({ upstream: 'okta', fault: { kind: 'foreignLink' }, times: 1 });
  const fault = await faultOf(all(apps.appUserPages(idIn(state.apps, 'office365'), call)));
  expect(fault).toMatchObject({ code: 'foreign_link', upstream: 'okta' });
});

test('a rate limit of Okta is waited for', async () => {
  const users = createOktaUsers(oktaWith(apiToken(), readScopes, systemClock));
  await world.control.fault({ upstream: 'okta', fault: { kind: 'throttle', seconds: 1 }, times: 1 });
  expect(await users.find('kaya.demir@contoso.com', call)).toMatchObject({ status: 'ACTIVE' });
  expect((await world.control.calls({ upstream: 'okta' })).map(({ status }) => status)).toEqual([429, 200]);
});

describe('the connection test', () => {
  const check = async (app: App): Promise<JsonObject | undefined> =>
    rowsOf(await app.call('GET', 'connection'), 'checks').find((row) => row.check === 'okta');
  const appAs = (label: string) => world.startApp({ OKTA_CLIENT_ID: idIn(state.serviceApps, label) });
  const withToken = (OKTA_API_TOKEN: string) =>
    world.startApp({ OKTA_API_TOKEN, OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' });

  test.each(['okta-m365-actions', 'okta-with-dpop', 'okta-read-only'])('is content with %s', async (label) => {
    expect(await check(await appAs(label))).toEqual({
      check: 'okta',
      ok: true,
      code: null,
      message: 'Okta lets this app read groups, users and apps.',
      fix: null,
    });
  });

  test('is content with an API token, and without Okta', async () => {
    expect(await check(await withToken(world.simulator.okta.apiToken))).toMatchObject({ ok: true, fix: null });
    await world.control.clearCalls();
    const none = await world.startApp({ OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' });
    expect(await check(none)).toMatchObject({
      ok: true,
      code: null,
      message: expect.stringContaining('not_configured'),
      fix: null,
    });
    expect(await world.control.calls({ upstream: 'okta' })).toEqual([]);
  });

  test('names the scope that is missing', async () => {
    const row = await check(await appAs('okta-without-groups-scope'));
    expect(row).toMatchObject({ ok: false, code: 'okta_forbidden' });
    expect(row?.fix).toContain('Grant the service app okta.groups.read (');
  });

  test('names the roles that are missing, each once, and sees them once they are given', async () => {
    const app = await appAs('okta-without-admin-role');
    const row = await check(app);
    expect(row).toMatchObject({ ok: false, code: 'okta_forbidden' });
    for (const what of ['View groups', 'View users', 'View applications']) {
      expect(String(row?.fix).split(what)).toHaveLength(2);
    }
    for (const path of ['GET /groups', 'GET /users', 'GET /apps']) expect(row?.message).toContain(path);
    const given = { label: 'okta-without-admin-role', adminRoles: ['READ_ONLY_ADMIN'] };
    await control('PUT', 'org', { serviceApps: [given] });
    expect(await check(app)).toMatchObject({ ok: true });
    const helpDesk = await check(await withToken(`${world.simulator.okta.apiToken}-help-desk`));
    expect(helpDesk).toMatchObject({ ok: false, code: 'okta_forbidden' });
    expect(helpDesk?.fix).toContain('View applications');
    expect(helpDesk?.fix).not.toContain('View groups');
  });

  test('tells a wrong key, a wrong app and a wrong token apart, and no secret', async () => {
    const pem = generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ format: 'pem', type: 'pkcs8' })
      .toString();
    const wrongKey = await check(await world.startApp({ OKTA_PRIVATE_KEY: pem }));
    expect(wrongKey).toMatchObject({ ok: false, code: 'okta_credential_rejected' });
    expect(wrongKey?.fix).toContain('public key that belongs to OKTA_PRIVATE_KEY');
    const wrongApp = await check(await world.startApp({ OKTA_CLIENT_ID: '0oaNobody' }));
    expect(wrongApp).toMatchObject({ ok: false, code: 'okta_credential_rejected' });
    expect(wrongApp?.fix).toContain('OKTA_CLIENT_ID');
    const wrongToken = await check(await withToken('00wrong-token'));
    expect(wrongToken).toMatchObject({ ok: false, code: 'okta_credential_rejected' });
    expect(JSON.stringify([wrongKey, wrongApp, wrongToken])).not.toMatch(/00wrong-token|PRIVATE KEY-----/);
  });

  test('finds Okta failing', async () => {
    await world.control.fault({ upstream: 'okta', fault: { kind: 'status', status: 503 }, times: 99 });
    expect(await check(await world.startApp())).toMatchObject({ ok: false, code: 'upstream_failed' });
  });
});
