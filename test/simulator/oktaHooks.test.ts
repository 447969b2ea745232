import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { HookReceiver, OktaBench, type HookEvent } from './oktaBench.ts';

let okta: OktaBench;
let receiver: HookReceiver;
beforeAll(async () => {
  okta = await OktaBench.start();
});
beforeEach(async () => {
  await okta.bench.control('POST', 'reset');
  receiver = await new HookReceiver().start();
});
afterEach(() => receiver.close());
afterAll(() => okta.bench.sim.close());

const header = { key: 'Authorization', value: 'the-secret' };
const register = (more: object = {}) => okta.control('POST', 'hooks', { url: receiver.url, header, ...more });
const settle = () => okta.control('POST', 'deliveries/settle');
const delivery = (settings: object) => okta.control('PUT', 'delivery', settings);
const member = (method: string, group: string, login: string) =>
  okta.control(method, `groups/${encodeURIComponent(group)}/members/${login}`);

interface DeliveryRow {
  outcome: string;
  eventId: string | null;
  uuids: string[];
  attempts: { status: number | null; error: string | null }[];
}
const deliveries = async () => JSON.parse((await okta.control('GET', 'deliveries')).text) as DeliveryRow[];

/** The events that came by these changes, in the order they came. */
async function heard(...changes: (() => Promise<unknown>)[]): Promise<HookEvent[]> {
  await register();
  for (const change of changes) {
    await change();
    await settle();
  }
  return receiver.events;
}

const targetOf = (event: HookEvent | undefined, type: string) => event?.target?.find((each) => each.type === type);

const hookBody = (uri: string, items = ['group.user_membership.add']) => ({
  name: 'Memberships',
  events: { type: 'EVENT_TYPE', items },
  channel: {
    type: 'HTTP',
    version: '1.0.0',
    config: { uri, headers: [{ key: 'X-Other', value: 'more' }], authScheme: { type: 'HEADER', ...header } },
  },
});

test('a hook is registered by the API, verified by a challenge, and shown without its secret', async () => {
  const made = await okta.call('POST', '/eventHooks', { body: hookBody(receiver.url) });
  expect(made).toMatchObject({ status: 200, row: { status: 'ACTIVE', verificationStatus: 'UNVERIFIED' } });
  expect(made.text).not.toContain('the-secret');
  const path = `/eventHooks/${made.row.id}`;
  expect((await okta.call('POST', `${path}/lifecycle/verify`)).row.verificationStatus).toBe('VERIFIED');
  expect(receiver.received).toHaveLength(1);
  expect(receiver.received[0]).toMatchObject({
    method: 'GET',
    headers: {
      authorization: 'the-secret',
      'x-other': 'more',
      'x-okta-verification-challenge': expect.any(String) as unknown,
    },
  });
  expect((await okta.get('/eventHooks')).rows.map(({ id }) => id)).toEqual([made.row.id]);
  expect((await okta.get(path)).row).toMatchObject({
    events: { type: 'EVENT_TYPE', items: ['group.user_membership.add'], filter: null },
    channel: { config: { uri: receiver.url, method: 'POST', authScheme: { type: 'HEADER', key: 'Authorization' } } },
  });
});

test('a hook that does not answer the challenge is asked twice and stays unverified', async () => {
  const elsewhere = await new HookReceiver().start();
  const { url } = elsewhere;
  await elsewhere.close();
  const made = await okta.call('POST', '/eventHooks', { body: hookBody(url) });
  const refused = await okta.call('POST', `/eventHooks/${made.row.id}/lifecycle/verify`);
  expect(refused).toMatchObject({ status: 400, error: { errorCode: 'E0000001' } });
  expect(refused.error.errorCauses[0]?.errorSummary).toContain('could not be verified');
  expect((await okta.get(`/eventHooks/${made.row.id}`)).row.verificationStatus).toBe('UNVERIFIED');
  const byControl = await okta.control('POST', 'hooks', { url, header });
  expect(byControl.status).toBe(400);
});

test.each([
  ['an address in plain HTTP', hookBody('http://example.com/hook'), 400],
  ['no address', hookBody('nonsense'), 400],
  [
    'an event type that hooks do not have',
    hookBody('https://example.com', ['app.office365.api.error.push.profile']),
    400,
  ],
  ['no event type', hookBody('https://example.com', []), 400],
  ['a filter', { ...hookBody('https://example.com'), events: { type: 'EVENT_TYPE', items: ['x'], filter: {} } }, 501],
  ['another version', { ...hookBody('https://example.com'), channel: { type: 'HTTP', version: '2', config: {} } }, 400],
  ['no channel', { name: 'x', events: {} }, 400],
  [
    'OAuth',
    {
      ...hookBody('https://example.com'),
      channel: {
        type: 'HTTP',
        version: '1.0.0',
        config: { uri: 'https://example.com', authScheme: { type: 'OAUTH' } },
      },
    },
    400,
  ],
])('a hook with %s is refused', async (_, body, status) => {
  expect((await okta.call('POST', '/eventHooks', { body })).status).toBe(status);
  expect((await okta.get('/eventHooks')).rows).toEqual([]);
});

test('another address has to be verified anew; an inactive hook hears nothing and may be deleted', async () => {
  await register();
  const path = `/eventHooks/${(await okta.get('/eventHooks')).rows[0]?.id ?? ''}`;
  const same = await okta.call('PUT', path, { body: hookBody(receiver.url) });
  expect(same.row.verificationStatus).toBe('VERIFIED');
  expect((await okta.call('DELETE', path)).status).toBe(403);
  expect((await okta.call('POST', `${path}/lifecycle/deactivate`)).row.status).toBe('INACTIVE');
  await member('PUT', 'Future Hires', 'vera.kovac@contoso.com');
  expect((await okta.call('POST', `${path}/lifecycle/activate`)).row.status).toBe('ACTIVE');
  const moved = await okta.call('PUT', path, { body: hookBody(`${receiver.url}/elsewhere`) });
  expect(moved.row.verificationStatus).toBe('UNVERIFIED');
  await member('DELETE', 'Future Hires', 'vera.kovac@contoso.com');
  await settle();
  expect(receiver.posts).toEqual([]);
  await okta.call('POST', `${path}/lifecycle/deactivate`);
  expect((await okta.call('DELETE', path)).status).toBe(204);
});

test('the 26th active hook is refused', async () => {
  for (let count = 0; count < 25; count++) expect((await register({ verify: false })).status).toBe(201);
  expect((await register({ verify: false })).status).toBe(400);
});

test('a membership arrives in the envelope of Okta, with the secret', async () => {
  const [event] = await heard(() => member('PUT', 'Field Engineers', 'pedro.alves@contoso.com'));
  expect(receiver.posts).toHaveLength(1);
  expect(receiver.posts[0]?.headers).toMatchObject({
    authorization: 'the-secret',
    'content-type': 'application/json',
    accept: 'application/json',
  });
  const hookId = (await okta.get('/eventHooks')).rows[0]?.id;
  expect(receiver.posts[0]?.body).toMatchObject({
    eventType: 'com.okta.event_hook',
    eventTypeVersion: '1.0',
    cloudEventsVersion: '0.1',
    source: `${okta.origin}/api/v1/eventHooks/${hookId ?? ''}`,
    eventId: expect.any(String) as unknown,
    eventTime: expect.any(String) as unknown,
    contentType: 'application/json',
  });
  expect(event).toMatchObject({
    eventType: 'group.user_membership.add',
    version: '0',
    severity: 'INFO',
    displayMessage: 'Add user to group membership',
    legacyEventType: 'core.user_group_member.user_add',
    outcome: { result: 'SUCCESS', reason: null },
    transaction: { type: 'WEB' },
    actor: { type: 'User' },
    client: { zone: 'null', ipChain: [] },
    debugContext: { debugData: { targetEventHookIds: hookId, threatSuspected: 'false' } },
  });
  expect(targetOf(event, 'User')).toMatchObject({
    id: await okta.userId('pedro.alves@contoso.com'),
    alternateId: 'pedro.alves@contoso.com',
    displayName: 'Pedro Alves',
  });
  expect(targetOf(event, 'UserGroup')).toMatchObject({
    id: await okta.groupId('Field Engineers'),
    alternateId: 'unknown',
    displayName: 'Field Engineers',
  });
});

test('a change by the API is told like one by an admin, and one that changes nothing is not', async () => {
  const path = `/groups/${await okta.groupId('Field Engineers')}/users/${await okta.userId('kaya.demir@contoso.com')}`;
  const events = await heard(
    () => okta.call('PUT', path),
    () => member('PUT', 'Field Engineers', 'kaya.demir@contoso.com'),
    () => okta.call('DELETE', path),
    () => member('DELETE', 'Field Engineers', 'kaya.demir@contoso.com'),
  );
  expect(events.map(({ eventType }) => eventType)).toEqual(['group.user_membership.remove']);
});

test('targets stand in no fixed order', async () => {
  const events = await heard(
    () => member('PUT', 'Future Hires', 'pedro.alves@contoso.com'),
    () => member('PUT', 'Future Hires', 'vera.kovac@contoso.com'),
  );
  expect(new Set(events.map(({ target }) => target?.[0]?.type))).toEqual(new Set(['User', 'UserGroup']));
});

test('members of an app group are told of by app.user_management, as a job', async () => {
  const [event] = await heard(() => member('DELETE', 'Plant Staff', 'carl.dahl@contoso.com'));
  expect(event).toMatchObject({ eventType: 'app.user_management', transaction: { type: 'JOB' } });
  expect(targetOf(event, 'UserGroup')?.id).toBe(await okta.groupId('Plant Staff'));
  expect(targetOf(event, 'AppUser')?.id).toMatch(/^0ua/);
  expect(targetOf(event, 'AppInstance')?.id).toBe(await okta.appId('active_directory'));
});

test('groups tell of their renaming with the new name only, of their making and of their deletion', async () => {
  const events = await heard(
    () => okta.control('PATCH', 'groups/Alumni', { profile: { name: 'Former Staff', description: 'left' } }),
    () => okta.control('PATCH', 'groups/Former%20Staff', { profile: { name: 'Former Staff' } }),
    () => okta.call('POST', '/groups', { body: { profile: { name: 'Welders' } } }),
    () => okta.control('DELETE', 'groups/Former%20Staff'),
  );
  expect(events.map(({ eventType }) => eventType)).toEqual([
    'group.profile.update',
    'group.lifecycle.create',
    'group.lifecycle.delete',
  ]);
  expect(events[0]).toMatchObject({ debugContext: { debugData: { changedAttributes: 'name,description' } } });
  expect(targetOf(events[0], 'UserGroup')?.displayName).toBe('Former Staff');
  expect(JSON.stringify(events[0])).not.toContain('Alumni');
});

test.each([
  [
    'DEPROVISIONED',
    'ACTIVE',
    ['user.lifecycle.deactivate', 'application.user_membership.remove', 'application.user_membership.remove'],
  ],
  ['SUSPENDED', 'ACTIVE', ['user.lifecycle.suspend']],
  ['ACTIVE', 'SUSPENDED', ['user.lifecycle.unsuspend']],
  ['ACTIVE', 'DEPROVISIONED', ['user.lifecycle.reactivate']],
  ['ACTIVE', 'STAGED', ['user.lifecycle.activate']],
  ['LOCKED_OUT', 'ACTIVE', []],
  ['PASSWORD_EXPIRED', 'ACTIVE', []],
])('someone who becomes %s after %s tells so by %j', async (status, before, told) => {
  await okta.control('PUT', 'org', { users: [{ login: 'kaya.demir@contoso.com', status: before }] });
  const events = await heard(() => okta.control('PATCH', 'users/kaya.demir@contoso.com', { status }));
  expect(events.map(({ eventType }) => eventType)).toEqual(told);
  expect((await okta.get('/users/kaya.demir@contoso.com')).row.status).toBe(status);
});

test('who is deactivated stays in the groups, or leaves them with an event each, as the switch says', async () => {
  const deactivate = (login: string) => okta.control('PATCH', `users/${login}`, { status: 'DEPROVISIONED' });
  const memberships = async (login: string) =>
    (await okta.get(`/users/${login}/groups`)).rows.map(({ profile }) => profile.name);
  await register({ events: ['group.user_membership.remove'] });
  await deactivate('kaya.demir@contoso.com');
  expect(await memberships('kaya.demir')).toContain('Field Engineers');
  await okta.control('PUT', 'org', { settings: { deactivationRemovesMemberships: true } });
  await deactivate('mina.sato@contoso.com');
  await settle();
  expect(await memberships('mina.sato')).toEqual(['Everyone']);
  expect(receiver.events.map((event) => targetOf(event, 'UserGroup')?.displayName)).toEqual(['Field Engineers']);
});

test('a deactivation unassigns the apps, and disables the account in Entra', async () => {
  await okta.control('PATCH', 'users/kaya.demir@contoso.com', { status: 'DEPROVISIONED' });
  const path = `/apps/${await okta.appId()}/users/${await okta.userId('kaya.demir@contoso.com')}`;
  expect((await okta.get(path)).status).toBe(404);
  const account = await okta.bench.graph('GET', '/users/kaya.demir@contoso.com?$select=accountEnabled');
  expect(account.text).toContain('"accountEnabled":false');
});

test('who is deleted leaves the groups, with one event; only who is deprovisioned can be', async () => {
  const user = await okta.userId('former.colleague@contoso.com');
  const events = await heard(
    () => okta.control('DELETE', 'users/vera.kovac@contoso.com'),
    () => okta.control('DELETE', 'users/former.colleague@contoso.com'),
  );
  expect(events.map(({ eventType }) => eventType)).toEqual(['user.lifecycle.delete.initiated']);
  expect(targetOf(events[0], 'User')?.id).toBe(user);
  expect((await okta.get(`/users/${user}`)).status).toBe(404);
  expect((await okta.get('/users/former.colleague@contoso.com')).status).toBe(404);
  expect((await okta.get('/users/vera.kovac@contoso.com')).status).toBe(200);
  const { groups } = await okta.state();
  expect(groups.filter(({ members }) => members.includes(user))).toEqual([]);
});

test('a changed profile is told by the names of what changed, and a rule follows it', async () => {
  const events = await heard(() =>
    okta.control('PATCH', 'users/elena.marsh@contoso.com', { profile: { department: 'Sales', title: 'Lead' } }),
  );
  expect(events.map(({ eventType, transaction }) => [eventType, transaction.type])).toEqual([
    ['user.account.update_profile', 'WEB'],
    ['group.user_membership.remove', 'JOB'],
  ]);
  expect(events[0]?.debugContext.debugData).toMatchObject({ changedAttributes: 'department,title' });
  await okta.control('PATCH', 'users/vera.kovac@contoso.com', { profile: { department: 'Marketing' } });
  const rows = await okta.all(`/groups/${await okta.groupId('Marketing By Rule')}/users`);
  expect(rows.map(({ profile }) => profile.login)).toEqual([
    'farid.nazari@contoso.com',
    'grace.tan@contoso.com',
    'vera.kovac@contoso.com',
  ]);
});

test('an unchanged profile tells nothing, and a changed login is found at once', async () => {
  const events = await heard(
    () => okta.control('PATCH', 'users/vera.kovac@contoso.com', { profile: { department: 'Legal' } }),
    () => okta.control('PATCH', 'users/vera.kovac@contoso.com', { profile: { login: 'vera.stone@contoso.com' } }),
  );
  expect(events).toHaveLength(1);
  expect((await okta.get('/users/vera.stone@contoso.com')).status).toBe(200);
  expect((await okta.get('/users/vera.kovac@contoso.com')).status).toBe(404);
});

test('assignments of an app are told', async () => {
  const app = await okta.appId();
  const user = await okta.userId('okta.only@example.com');
  const events = await heard(
    () => okta.call('POST', `/apps/${app}/users`, { body: { id: user } }),
    () => okta.call('POST', `/apps/${app}/users/${user}`, { body: { profile: { email: 'x@example.com' } } }),
    () => okta.call('DELETE', `/apps/${app}/users/${user}`),
  );
  expect(events.map(({ eventType }) => eventType.replace('application.user_membership.', ''))).toEqual([
    'add',
    'update',
    'remove',
  ]);
  expect(targetOf(events[0], 'User')?.id).toBe(user);
});

test('only the subscribed types come', async () => {
  await register({ events: ['group.lifecycle.delete'] });
  await member('PUT', 'Future Hires', 'vera.kovac@contoso.com');
  await okta.control('DELETE', 'groups/Future%20Hires');
  await settle();
  expect(receiver.events.map(({ eventType }) => eventType)).toEqual(['group.lifecycle.delete']);
});

test('what happens together goes out in batches', async () => {
  await register();
  await delivery({ paused: true, batchSize: 2 });
  await okta.control('POST', 'groups/Future%20Hires/members', {
    add: ['vera.kovac@contoso.com', 'amara.osei@contoso.com', 'bruno.keller@contoso.com'],
  });
  expect(JSON.parse((await settle()).text)).toEqual({ waiting: 3 });
  expect(receiver.posts).toEqual([]);
  await delivery({ paused: false });
  await settle();
  expect(receiver.posts.map(({ body }) => body.data.events.length)).toEqual([2, 1]);
  const ids = new Set(receiver.posts.map(({ body }) => body.eventId));
  expect(ids.size).toBe(2);
});

test('a 5xx earns one more try, of the same event, and no third', async () => {
  receiver.answer = (_, response) => {
    response.writeHead(receiver.posts.length === 1 ? 503 : 204).end();
  };
  await heard(() => member('PUT', 'Future Hires', 'vera.kovac@contoso.com'));
  expect(receiver.posts).toHaveLength(2);
  expect(receiver.posts[1]?.body).toEqual(receiver.posts[0]?.body);
  receiver.answer = (_, response) => {
    response.writeHead(500).end();
  };
  await member('DELETE', 'Future Hires', 'vera.kovac@contoso.com');
  await settle();
  expect(receiver.posts).toHaveLength(4);
  expect((await deliveries()).map(({ outcome, attempts }) => [outcome, attempts.map(({ status }) => status)])).toEqual([
    ['delivered', [503, 204]],
    ['failed', [500, 500]],
  ]);
  expect((await okta.control('DELETE', 'deliveries')).status).toBe(204);
  expect(await deliveries()).toEqual([]);
});

test.each([401, 404, 413, 302])('a %i is never tried again', async (status) => {
  receiver.answer = (_, response) => {
    response.writeHead(status, { location: receiver.url }).end();
  };
  await heard(() => member('PUT', 'Future Hires', 'vera.kovac@contoso.com'));
  expect(receiver.posts).toHaveLength(1);
  expect((await deliveries())[0]).toMatchObject({ outcome: 'refused', attempts: [{ status }] });
});

test('an answer that takes too long is a timeout, tried once more', async () => {
  receiver.answer = (_, response) => {
    if (receiver.posts.length > 1) response.writeHead(204).end();
  };
  await delivery({ timeoutMs: 50 });
  await heard(() => member('PUT', 'Future Hires', 'vera.kovac@contoso.com'));
  expect((await deliveries())[0]).toMatchObject({
    outcome: 'delivered',
    attempts: [
      { status: null, error: 'timeout' },
      { status: 204, error: null },
    ],
  });
});

test('the time a hook has is three seconds', async () => {
  const state = JSON.parse((await okta.control('GET', 'state')).text) as { delivery: object };
  expect(state.delivery).toMatchObject({
    timeoutMs: 3_000,
    dailyLimit: 400_000,
    loss: 0,
    duplicates: 0,
    disorder: false,
  });
});

test('a receiver that is gone is tried twice', async () => {
  await register();
  await receiver.close();
  await member('PUT', 'Future Hires', 'vera.kovac@contoso.com');
  await settle();
  const attempt = { status: null, error: 'unreachable' };
  expect((await deliveries())[0]).toMatchObject({ outcome: 'failed', attempts: [attempt, attempt] });
  await receiver.start();
});

test('on request events come twice, in disorder, late, or never', async () => {
  await register();
  const logins = (await okta.state()).users.slice(0, 20).map(({ profile }) => profile.login);
  await delivery({ paused: true, batchSize: 5, disorder: true, duplicates: 1 });
  await okta.control('POST', 'groups/Future%20Hires/members', { add: logins });
  await delivery({ paused: false });
  await settle();
  const came = receiver.events.map((event) => targetOf(event, 'User')?.alternateId ?? '');
  expect(came).toHaveLength(40);
  expect([...new Set(came)].sort()).toEqual([...logins].sort());
  expect(new Set(receiver.events.map(({ uuid }) => uuid)).size).toBe(20);
  expect([...new Set(came)]).not.toEqual(logins);

  receiver.received.length = 0;
  await okta.control('DELETE', 'deliveries');
  await delivery({ duplicates: 0, loss: 0.5, disorder: false });
  await okta.control('POST', 'groups/Future%20Hires/members', { remove: logins });
  await settle();
  const lost = (await deliveries()).filter(({ outcome }) => outcome === 'lost');
  expect(lost.length).toBeGreaterThan(2);
  expect(receiver.events).toHaveLength(20 - lost.length);

  await delivery({ loss: 0, delayMs: 60 });
  const startedAtMs = Date.now();
  await member('PUT', 'Future Hires', 'vera.kovac@contoso.com');
  await settle();
  expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(55);
});

test('posts go out one after the other, or several at once on request', async () => {
  let open = 0;
  let most = 0;
  receiver.answer = (_, response) => {
    most = Math.max(most, ++open);
    setTimeout(() => {
      open -= 1;
      response.writeHead(204).end();
    }, 20);
  };
  await register();
  const logins = (await okta.state()).users.slice(0, 6).map(({ profile }) => profile.login);
  await delivery({ batchSize: 1 });
  await okta.control('POST', 'groups/Future%20Hires/members', { add: logins });
  await settle();
  expect(most).toBe(1);
  await delivery({ concurrency: 3 });
  await okta.control('POST', 'groups/Future%20Hires/members', { remove: logins });
  await settle();
  expect(most).toBe(3);
});

test('over the daily limit nothing is sent, and nothing is sent later', async () => {
  await register();
  await delivery({ dailyLimit: 1 });
  await member('PUT', 'Future Hires', 'vera.kovac@contoso.com');
  await member('DELETE', 'Future Hires', 'vera.kovac@contoso.com');
  await settle();
  expect(receiver.events).toHaveLength(1);
  expect((await deliveries()).map(({ outcome }) => outcome).sort()).toEqual(['delivered', 'overLimit']);
  await okta.bench.control('POST', 'clock', { advanceMs: 86_400_000 });
  await member('PUT', 'Future Hires', 'vera.kovac@contoso.com');
  await settle();
  expect(receiver.events).toHaveLength(2);
});

test('on request the envelope is that of 2019, without keys that hold nothing, and a profile change without target', async () => {
  await delivery({ legacyEnvelope: true, nullTargets: true });
  const [event] = await heard(() => okta.control('PATCH', 'users/vera.kovac@contoso.com', { profile: { title: 'x' } }));
  const body = receiver.posts[0]?.body;
  expect(body?.eventID).toEqual(expect.any(String));
  expect(body).not.toHaveProperty('eventId');
  expect(event).not.toHaveProperty('device');
  expect(event).not.toHaveProperty('target');
  expect(event?.debugContext.debugData.requestUri).toBe('/api/v1/users/vera.kovac@contoso.com');
  await delivery({ legacyEnvelope: false });
  await okta.control('PATCH', 'users/vera.kovac@contoso.com', { profile: { title: 'y' } });
  await settle();
  expect(receiver.events[1]?.target).toBeNull();
});

test('an event can be told that never happened: late ones, failed ones', async () => {
  await register();
  const late = {
    eventType: 'group.user_membership.add',
    published: '2020-01-01T00:00:00.000Z',
    outcome: { result: 'FAILURE', reason: null },
    target: [{ id: '00uX', type: 'User', alternateId: 'x@contoso.com', displayName: 'X', detailEntry: null }],
  };
  expect((await okta.control('POST', 'events', [late])).status).toBe(204);
  await settle();
  expect(receiver.events[0]).toMatchObject({ ...late, severity: 'INFO' });
  for (const body of [late, [{ eventType: 'nonsense' }], ['x']])
    expect((await okta.control('POST', 'events', body)).status).toBe(400);
});

test('a reset drops hooks and what they had to send', async () => {
  await register();
  await delivery({ paused: true });
  await member('PUT', 'Future Hires', 'vera.kovac@contoso.com');
  await okta.bench.control('POST', 'reset');
  expect((await okta.get('/eventHooks')).rows).toEqual([]);
  expect(JSON.parse((await settle()).text)).toEqual({ waiting: 0 });
  expect(receiver.posts).toEqual([]);
});
