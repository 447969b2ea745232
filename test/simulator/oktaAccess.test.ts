import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { DpopKey, OktaBench } from './oktaBench.ts';

let okta: OktaBench;
beforeAll(async () => {
  okta = await OktaBench.start();
});
beforeEach(async () => {
  await okta.bench.control('POST', 'reset');
});
afterAll(() => okta.bench.sim.close());

test('without credentials, or with a wrong one, nobody gets in', async () => {
  expect(await okta.get('/groups', { authorization: null })).toMatchObject({
    status: 403,
    error: { errorCode: 'E0000005', errorCauses: [] },
  });
  for (const authorization of ['SSWS wrong', 'Bearer wrong', 'Basic d3Jvbmc6d3Jvbmc=', 'nonsense']) {
    const refused = await okta.get('/groups', { authorization });
    expect(refused).toMatchObject({
      status: 401,
      error: { errorCode: 'E0000011', errorSummary: 'Invalid token provided', errorLink: 'E0000011' },
    });
  }
});

test('an API token has the rights of the admin who made it', async () => {
  expect((await okta.get('/groups')).status).toBe(200);
  const helpDesk = `SSWS ${okta.bench.sim.okta.apiToken}-help-desk`;
  expect((await okta.get('/users', { authorization: helpDesk })).status).toBe(200);
  expect(await okta.get('/apps', { authorization: helpDesk })).toMatchObject({
    status: 403,
    error: { errorCode: 'E0000006', errorSummary: 'You do not have permission to perform the requested action' },
  });
});

test('a service app gets a token for an hour, for the scopes it asks for', async () => {
  const assertion = await okta.assertion(okta.bench.sim.okta.clientId);
  const { status, oauth } = await okta.requestToken('okta.groups.read', assertion);
  expect({ status, ...oauth }).toMatchObject({
    status: 200,
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'okta.groups.read',
  });
  const authorization = `Bearer ${oauth.access_token}`;
  expect((await okta.get('/groups', { authorization })).status).toBe(200);
  const refused = await okta.get('/users', { authorization });
  expect(refused).toMatchObject({ status: 403, error: { errorCode: 'E0000006' } });
  expect(refused.headers.get('www-authenticate')).toMatch(/insufficient_scope.*okta\.users\.read/);
  await okta.bench.control('POST', 'clock', { advanceMs: 3_600_000 });
  const expired = await okta.get('/groups', { authorization });
  expect(expired.status).toBe(401);
  expect(expired.headers.get('www-authenticate')).toContain('expired');
});

test('a scope to manage is one to read too', async () => {
  const authorization = await okta.bearer('okta.groups.manage');
  expect((await okta.get('/groups', { authorization })).status).toBe(200);
});

test('scopes alone are not enough: the admin role decides too', async () => {
  const authorization = await okta.bearer('okta.groups.read', 'okta-without-admin-role');
  expect(await okta.get('/groups', { authorization })).toMatchObject({ status: 403, error: { errorCode: 'E0000006' } });
  const reader = await okta.bearer('okta.groups.read okta.groups.manage', 'okta-read-only');
  expect((await okta.get('/groups', { authorization: reader })).status).toBe(200);
  const path = `/groups/${await okta.groupId('Alumni')}`;
  expect((await okta.call('DELETE', path, { authorization: reader })).status).toBe(403);
});

test('roles and scopes can be changed by the control API', async () => {
  const change = { label: 'okta-without-admin-role', adminRoles: ['READ_ONLY_ADMIN'] };
  expect((await okta.control('PUT', 'org', { serviceApps: [change] })).status).toBe(200);
  const authorization = await okta.bearer('okta.groups.read', 'okta-without-admin-role');
  expect((await okta.get('/groups', { authorization })).status).toBe(200);
});

test.each([
  ['another audience', { claims: { aud: 'https://example.com' } }, /audience/],
  ['a key that is not registered', { kid: 'other' }, /kid is invalid/],
  ['an assertion of the past', { claims: { exp: 1_000_000 } }, /expired/],
  ['an assertion for more than an hour', { claims: { exp: Math.floor(Date.now() / 1000) + 9_999 } }, /future/],
  ['another subject', { claims: { sub: 'someone' } }, /signature|invalid/],
])('the token endpoint refuses %s', async (_, wrong, words) => {
  const answer = await okta.requestToken('okta.groups.read', await okta.assertion(okta.bench.sim.okta.clientId, wrong));
  expect(answer).toMatchObject({ status: 401, oauth: { error: 'invalid_client' } });
  expect(answer.oauth.error_description).toMatch(words);
});

test('the token endpoint refuses a secret, a foreign signature, a strange client, a used assertion, and scopes not granted', async () => {
  const { clientId } = okta.bench.sim.okta;
  const assertion = await okta.assertion(clientId);
  const secret = await okta.requestToken('okta.groups.read', '', {
    form: { client_assertion_type: '', client_secret: 'x' },
  });
  expect(secret).toMatchObject({ status: 401, oauth: { error: 'invalid_client' } });
  expect(secret.oauth.error_description).toContain('private_key_jwt');
  const tampered = await okta.requestToken('okta.groups.read', `${assertion.slice(0, -20)}AAAAAAAAAAAAAAAAAAAA`);
  expect(tampered.oauth).toMatchObject({ error_description: 'The client_assertion signature is invalid.' });
  const stranger = await okta.requestToken('okta.groups.read', await okta.assertion('0oaStranger'));
  expect(stranger).toMatchObject({ status: 401, oauth: { error: 'invalid_client' } });
  expect((await okta.requestToken('okta.groups.read', assertion)).status).toBe(200);
  const again = await okta.requestToken('okta.groups.read', assertion);
  expect(again.oauth.error_description).toContain('unique');
  for (const [label, scope] of [
    ['okta-m365-actions', 'okta.logs.read'],
    ['okta-without-groups-scope', 'okta.users.read okta.groups.read'],
    ['okta-m365-actions', ''],
  ] as const) {
    const refused = await okta.requestToken(scope, await okta.assertion(await okta.clientId(label)));
    expect(refused).toMatchObject({ status: 400, oauth: { error: 'invalid_scope' } });
  }
  const grant = await okta.requestToken('okta.groups.read', assertion, { form: { grant_type: 'password' } });
  expect(grant).toMatchObject({ status: 400, oauth: { error: 'unsupported_grant_type' } });
  const headers = { 'content-type': 'application/json' };
  const notForm = await okta.requestToken('okta.groups.read', assertion, { headers });
  expect(notForm).toMatchObject({ status: 400, oauth: { error: 'invalid_request' } });
});

test('an app bound to DPoP needs a proof with the nonce, and one for each call', async () => {
  const key = await DpopKey.create();
  const clientId = await okta.clientId('okta-with-dpop');
  const url = `${okta.origin}/oauth2/v1/token`;
  const ask = async (dpop?: string) =>
    okta.requestToken('okta.groups.read', await okta.assertion(clientId), { headers: dpop ? { dpop } : {} });
  expect(await ask()).toMatchObject({ status: 400, oauth: { error: 'invalid_dpop_proof' } });
  const first = await ask(await key.proof('POST', url));
  expect(first).toMatchObject({ status: 400, oauth: { error: 'use_dpop_nonce' } });
  const nonce = first.headers.get('dpop-nonce') ?? '';
  const { oauth } = await ask(await key.proof('POST', url, { nonce }));
  expect(oauth.token_type).toBe('DPoP');

  const target = `${okta.origin}/api/v1/groups`;
  const call = (scheme: string, dpop?: string) =>
    okta.get('/groups?limit=1', {
      authorization: `${scheme} ${oauth.access_token}`,
      ...(dpop ? { headers: { dpop } } : {}),
    });
  const proof = await key.proof('GET', target, { accessToken: oauth.access_token });
  expect((await call('DPoP', proof)).status).toBe(200);
  for (const [scheme, dpop] of [
    ['DPoP', proof],
    ['DPoP', undefined],
    ['Bearer', undefined],
    ['DPoP', await key.proof('POST', target, { accessToken: oauth.access_token })],
    ['DPoP', await key.proof('GET', target, { accessToken: 'another' })],
    ['DPoP', await key.proof('GET', `${target}/x`, { accessToken: oauth.access_token })],
    ['DPoP', await (await DpopKey.create()).proof('GET', target, { accessToken: oauth.access_token })],
  ] as const)
    expect((await call(scheme, dpop)).status).toBe(401);
});

test('calls are counted in windows of a minute for each caller and collection, and every answer says how many are left', async () => {
  await okta.control('PUT', 'org', { settings: { rateLimits: { default: 100, '/api/v1/groups': 2 } } });
  await okta.bench.control('POST', 'clock', { now: '2030-01-01T00:00:00.500Z' });
  const [first, second, third] = [
    await okta.get('/groups'),
    await okta.get('/groups/nobody'),
    await okta.get('/groups'),
  ];
  expect([first.status, second.status, third.status]).toEqual([200, 404, 429]);
  const left = [first, second, third].map(({ headers }) => headers.get('x-rate-limit-remaining'));
  expect(left).toEqual(['1', '0', '0']);
  expect(third).toMatchObject({
    error: {
      errorCode: 'E0000047',
      errorSummary: 'API call exceeded rate limit due to too many requests.',
      errorLink: 'E0000047',
      errorCauses: [],
    },
  });
  expect(third.headers.get('retry-after')).toBeNull();
  expect(third.headers.get('x-rate-limit-limit')).toBe('2');
  const resetSeconds = Number(third.headers.get('x-rate-limit-reset'));
  const waitSeconds = resetSeconds - Date.parse(third.headers.get('date') ?? '') / 1000;
  expect(waitSeconds).toBeGreaterThan(55);
  expect(waitSeconds).toBeLessThanOrEqual(61);
  expect((await okta.get('/users')).status).toBe(200);
  const other = `SSWS ${okta.bench.sim.okta.apiToken}-help-desk`;
  expect((await okta.get('/groups', { authorization: other })).status).toBe(200);
  await okta.bench.control('POST', 'clock', { advanceMs: 60_000 });
  expect((await okta.get('/groups')).status).toBe(200);
});

test('faults are played in the words of Okta', async () => {
  const fault = (kind: object) => okta.bench.control('POST', 'faults', { upstream: 'okta', fault: kind });
  await fault({ kind: 'throttle', seconds: 7 });
  const throttled = await okta.get('/groups');
  expect(throttled).toMatchObject({ status: 429, error: { errorCode: 'E0000047' } });
  expect(throttled.headers.get('x-rate-limit-remaining')).toBe('0');
  const resetSeconds = Number(throttled.headers.get('x-rate-limit-reset'));
  expect(resetSeconds - Date.parse(throttled.headers.get('date') ?? '') / 1000).toBeGreaterThanOrEqual(7);
  await okta.bench.control('DELETE', 'faults');
  await fault({ kind: 'concurrency' });
  const crowded = await okta.get('/groups');
  expect(crowded.status).toBe(429);
  expect(crowded.headers.get('x-rate-limit-limit')).toBe('0');
  await fault({ kind: 'status', status: 500 });
  expect(await okta.get('/groups')).toMatchObject({ status: 500, error: { errorCode: 'E0000009' } });
  await fault({ kind: 'foreignLink', host: 'okta.example.net' });
  const foreign = await okta.get('/groups?limit=1');
  expect(foreign.headers.get('link')).toMatch(/<https:\/\/okta\.example\.net\/api\/v1\/groups[^>]*>; rel="next"/);
  expect(foreign.headers.get('link')).toContain(`<${okta.origin}/api/v1/groups?limit=1>; rel="self"`);
  for (const kind of ['staleReads', 'batchParts']) {
    const refused = await okta.bench.control('POST', 'faults', { upstream: 'okta', fault: { kind } });
    expect(refused.status).toBe(400);
  }
});

test.each([
  ['GET', '/api/v1/logs', 501],
  ['POST', '/api/v1/users', 501],
  ['DELETE', '/api/v1/apps/x', 501],
  ['GET', '/api/v2/groups', 501],
  ['GET', '/api/v1/groups/%zz', 501],
  ['GET', '/api/v1/groups?limits=1', 501],
  ['GET', '/api/v1/users?expand=blocks', 501],
  ['PATCH', '/api/v1/groups', 405],
  ['PUT', '/api/v1/eventHooks', 405],
])('%s %s is not modelled or no method: %i', async (method, path, status) => {
  const refused = await okta.fetch(okta.origin + path, method, {});
  expect(refused.status).toBe(status);
  expect(refused.error.errorCode).toBe(status === 501 ? 'E0000060' : 'E0000022');
});

test('the journal holds the calls to Okta, without a credential', async () => {
  const authorization = await okta.bearer('okta.groups.read');
  await okta.get('/groups?limit=1', { authorization });
  const body = {
    name: 'Secret',
    events: { type: 'EVENT_TYPE', items: ['group.lifecycle.delete'] },
    channel: {
      type: 'HTTP',
      version: '1.0.0',
      config: { uri: 'https://example.com', authScheme: { type: 'HEADER', key: 'authorization', value: 'hush-hush' } },
    },
  };
  expect((await okta.call('POST', '/eventHooks', { body })).text).not.toContain('hush-hush');
  const journal = await okta.bench.control('GET', 'calls');
  expect(journal.text).toContain('"path":"/api/v1/groups?limit=1"');
  for (const secret of ['hush-hush', authorization.slice(7), okta.bench.sim.okta.apiToken])
    expect(journal.text).not.toContain(secret);
  expect((await okta.control('GET', 'state')).text).not.toContain(okta.bench.sim.okta.apiToken);
});
