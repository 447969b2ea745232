import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Answer, type App, type JsonObject, rowsOf } from '../support/world.ts';
import {
  initialDomain,
  listUsers,
  oktaPhone,
  otherPhone,
  overridden,
  rowOf,
  setBypass,
  startSetting,
  switchPermission,
} from './setting.ts';

const setting = await startSetting();
const { world, begin, sync, send } = setting;
const { control } = world;
afterAll(() => world.close());

const upnsOf = (answer: Answer) => rowsOf(answer, 'users').map(({ userPrincipalName }) => userPrincipalName);

/** Every page, as a flow walks them. */
async function walk(app: App, query: Record<string, string>): Promise<{ rows: JsonObject[]; pages: number }> {
  const rows: JsonObject[] = [];
  let cursor: string | null = null;
  for (let pages = 1; ; pages += 1) {
    const answer: Answer = await listUsers(app, { ...query, ...(cursor !== null && { cursor }) });
    expect(answer.status).toBe(200);
    rows.push(...rowsOf(answer, 'users'));
    expect(answer.body).toMatchObject({ hasMore: answer.body?.nextCursor !== null });
    const { nextCursor } = answer.body ?? {};
    if (typeof nextCursor !== 'string') return { rows, pages };
    cursor = nextCursor;
  }
}

describe('whom to touch after a switch', () => {
  let app: App;
  let switchId: string;
  const oktaAppUser = async (login: string) => {
    const { apps, users } = (await send('GET', 'okta/state')) as {
      apps: { id: string; name: string }[];
      users: { id: string; profile: { login: string } }[];
    };
    const appId = apps.find(({ name }) => name === 'office365')?.id ?? '';
    const userId = users.find(({ profile }) => profile.login === login)?.id ?? '';
    return { appId, userId };
  };

  beforeAll(async () => {
    app = await begin('readWrite');
    const { body } = await setBypass(app, { enabled: true, confirm: initialDomain });
    switchId = String(body?.switchId);
  });

  test('is who has another phone in Okta than in Entra, until a cycle has brought it', async () => {
    const before = await listUsers(app, { switchId, only: 'touch' });
    expect(upnsOf(before).sort()).toEqual([overridden, 'cause.synced@contoso.com']);
    expect(before.body).toMatchObject({ count: 2, touchCount: 2, hasMore: false, nextCursor: null });
    await sync('initial');
    const after = await listUsers(app, { switchId });
    expect(after.body).toMatchObject({ count: 5, touchCount: 1 });
    expect(rowOf(after, overridden)).toEqual({
      id: expect.any(String),
      userPrincipalName: overridden,
      displayName: 'Cause Override',
      formerPhone: otherPhone,
      mobilePhone: oktaPhone,
      overwritten: true,
      oktaPhone,
      oktaUserId: (await oktaAppUser(overridden)).userId,
      oktaAppId: (await oktaAppUser(overridden)).appId,
      code: 'equal',
      touch: false,
      message: 'Entra has the phone that Okta has.',
    });
    expect(rowOf(after, 'cause.synced@contoso.com')).toMatchObject({ code: 'differs', overwritten: false });
    expect(rowOf(after, 'cause.synced@contoso.com').message).toContain('Force Sync does nothing');
    expect(upnsOf(await listUsers(app, { switchId, only: 'overwritten' }))).toEqual([overridden]);
  });

  test('is nobody whom Okta has no phone for, or does not know, or who has gone or left on-premises', async () => {
    await send('PUT', 'okta/org', { appUsers: [{ user: overridden, profile: { mobilePhone: null } }] });
    const { users } = (await control.state()) as unknown as { users: { id: string; userPrincipalName: string }[] };
    const idOf = (upn: string) => users.find(({ userPrincipalName }) => userPrincipalName === upn)?.id ?? '';
    await control.tenant({ users: [{ id: idOf('anton.berg@contoso.com'), onPremisesSyncEnabled: null }] });
    const body = { error: { code: 'Request_ResourceNotFound', message: 'Resource does not exist.' } };
    const part = { kind: 'batchParts', path: idOf('bella.cruz@contoso.com'), status: 404, error: body.error } as const;
    await control.fault({ upstream: 'graph', match: { path: '$batch' }, fault: part });
    const answer = await listUsers(app, { switchId });
    expect(rowOf(answer, overridden)).toMatchObject({ code: 'no_phone_in_okta', touch: false, oktaPhone: null });
    expect(rowOf(answer, 'anton.berg@contoso.com')).toMatchObject({ code: 'not_synced', touch: false });
    expect(rowOf(answer, 'bella.cruz@contoso.com')).toMatchObject({
      code: 'gone',
      touch: false,
      mobilePhone: null,
      overwritten: null,
    });
    const [unknown, unassigned] = ['lone.wolf@contoso.com', 'half.way@contoso.com'];
    await control.tenant({
      users: [unknown, unassigned].map((userPrincipalName) => ({ userPrincipalName, onPremisesSyncEnabled: true })),
    });
    await send('PUT', 'okta/org', { users: [{ login: unassigned }] });
    const now = await listUsers(app);
    expect(rowOf(now, unknown)).toMatchObject({ code: 'not_in_okta', touch: false, oktaUserId: null });
    expect(rowOf(now, unassigned)).toMatchObject({
      code: 'not_in_okta',
      touch: false,
      oktaUserId: expect.stringMatching(/^00u/),
      oktaAppId: null,
    });
  });

  test('is looked up in the Office 365 app that is named, and in no other kind of app', async () => {
    const { apps } = (await send('GET', 'okta/state')) as { apps: { id: string; name: string }[] };
    const idOf = (kind: string) => apps.find(({ name }) => name === kind)?.id ?? '';
    const named = await listUsers(app, { switchId, oktaAppId: idOf('office365') });
    expect(rowOf(named, 'cause.synced@contoso.com')).toMatchObject({ oktaAppId: idOf('office365') });
    expect(await listUsers(app, { switchId, oktaAppId: idOf('active_directory') })).toMatchObject({
      status: 404,
      body: { code: 'okta_object_not_found' },
    });
  });

  test('is not told of a switch that nobody knows', async () => {
    const answer = await listUsers(app, { switchId: '8638236000000000-0123456789abcdef' });
    expect(answer).toMatchObject({ status: 404, body: { code: 'switch_not_found' } });
  });

  test('needs a switch for what was overwritten', async () => {
    const answer = await listUsers(app, { only: 'overwritten' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body?.errors).toEqual([expect.objectContaining({ pointer: '/query/switchId' })]);
  });
});

describe('a large tenant', () => {
  const manyCount = 1_030;
  const noOkta = { OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' };
  const nameOf = (index: number) => `plant.${String(index).padStart(4, '0')}@contoso.com`;
  const userReads = async () => (await control.calls({ upstream: 'graph', path: '/users?' })).length;
  let app: App;

  beforeAll(async () => {
    app = await begin('readWrite', [switchPermission], noOkta);
    const many = Array.from({ length: manyCount }, (_each, index) => ({
      userPrincipalName: nameOf(index),
      displayName: `Plant ${index}`,
      onPremisesSyncEnabled: true,
      mobilePhone: index % 2 === 0 ? `+1 555 020 ${String(index).padStart(4, '0')}` : null,
    }));
    await control.tenant({ users: many });
  });

  test('is remembered page by page: a request that was cut off is gone on with', async () => {
    await control.fault({
      upstream: 'graph',
      match: { path: 'skiptoken' },
      fault: { kind: 'throttle', seconds: 60 },
    });
    const cut = await setBypass(app, { enabled: true, dryRun: true });
    expect(cut).toMatchObject({ status: 429, body: { code: 'throttled' } });
    await control.clock({ advanceMs: 61_000 });
    await control.clearCalls();
    const second = await world.startApp({ ...noOkta, AzureWebJobsStorage: app.storage });
    const planned = await setBypass(second, { enabled: true, dryRun: true });
    expect(planned.body).toMatchObject({ syncedUserCount: manyCount + 5, phoneCount: manyCount / 2 + 2 });
    expect(rowsOf(planned, 'users')).toHaveLength(25);
    expect(await userReads()).toBe(1);
    // What the dry run has read is switched without being read again.
    const planId = planned.body?.planId;
    const switched = await setBypass(second, { enabled: true, confirm: initialDomain, planId });
    expect(switched.body).toMatchObject({ outcome: 'switched', syncedUserCount: manyCount + 5 });
    expect(await userReads()).toBe(1);
    app = second;
  });

  test('is walked to its end, each user once: at a switch and now', async () => {
    const { body } = await app.call('GET', 'dirsync');
    for (const query of [{ switchId: String(body?.lastSwitchId) }, {}]) {
      const { rows, pages } = await walk(app, { ...query, limit: '100' });
      expect(pages).toBe(Math.ceil((manyCount + 5) / 100));
      const names = rows.map(({ userPrincipalName }) => userPrincipalName);
      expect(new Set(names).size).toBe(manyCount + 5);
      expect(names).toEqual(expect.arrayContaining([nameOf(0), nameOf(manyCount - 1), overridden]));
      expect(rows.every(({ code, touch }) => code === 'not_compared' && touch === true)).toBe(true);
    }
  });

  test('is gone on with inside a page of Graph, and never by a cursor of another list', async () => {
    const first = await listUsers(app, { limit: '30' });
    const cursor = String(first.body?.nextCursor);
    const second = await listUsers(app, { limit: '30', cursor });
    expect(new Set([...upnsOf(first), ...upnsOf(second)]).size).toBe(60);
    const { body } = await app.call('GET', 'dirsync');
    for (const query of [{ only: 'touch' }, { switchId: String(body?.lastSwitchId) }]) {
      const answer = await listUsers(app, { ...query, cursor });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    }
  });

  test('is begun anew where Graph does not take the cursor any more', async () => {
    const { body } = await listUsers(app, { limit: '100' });
    const rejected = { kind: 'status', status: 400 } as const;
    await control.fault({ upstream: 'graph', match: { path: '/users?' }, fault: rejected });
    const answer = await listUsers(app, { limit: '100', cursor: String(body?.nextCursor) });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test('is gone on with from where Graph asked to slow down, though nobody was to be shown until there', async () => {
    await control.clearFaults();
    const { body } = await app.call('GET', 'dirsync');
    const own = await world.startApp({ ...noOkta, AzureWebJobsStorage: app.storage });
    const query = { switchId: String(body?.lastSwitchId), only: 'overwritten' };
    const match = { path: '$batch' };
    await control.fault({ upstream: 'graph', match, fault: { kind: 'throttle', seconds: 60 }, skip: 2 });
    const cut = await listUsers(own, query);
    expect(cut).toMatchObject({ status: 200, body: { count: 0, hasMore: true } });
    expect(await listUsers(own, { ...query, cursor: String(cut.body?.nextCursor) })).toMatchObject({ status: 429 });
    await control.clock({ advanceMs: 61_000 });
  });

  test('gives what it has when Graph asks to slow down, and goes on from there', async () => {
    const limit = '60';
    await control.clearFaults();
    const whole = await listUsers(app, { limit, only: 'touch' });
    const match = { path: '/users?' };
    await control.fault({ upstream: 'graph', match, fault: { kind: 'throttle', seconds: 60 }, skip: 1 });
    const from = String(whole.body?.nextCursor);
    const cut = await listUsers(app, { limit: '100', cursor: from, only: 'touch' });
    expect(cut.body).toMatchObject({ count: 40, hasMore: true });
  });
});
