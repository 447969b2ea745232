import { createHash, createPublicKey, generateKeyPairSync, type JsonWebKey, verify } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { OktaSettings } from '../../shared/config.ts';
import { readScopes } from '../../shared/okta/scopes.ts';
import { createOktaTokens } from '../../shared/okta/tokens.ts';
import type { TokenSource } from '../../shared/upstream/tokens.ts';
import { createFakeClock } from '../support/fakeClock.ts';
import { faultOf, quickClock, type TestCall, testCall } from '../support/rooms.ts';
import { type Heard, type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
let server: ScriptedServer;
let call: TestCall;
let clock: ReturnType<typeof quickClock>;

beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => {
  server.heard.length = 0;
  clock = quickClock();
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => server.close());

function tokensOf(credential?: OktaSettings['credential']): TokenSource {
  const serviceApp = { type: 'serviceApp', clientId: '0oaApp', privateKey, keyId: 'kid-1' } as const;
  const settings = { orgUrl: server.url, credential: credential ?? serviceApp };
  return createOktaTokens(settings, readScopes, { fetch, clock, random: () => 0 });
}

const issued = (access_token: string, more: object = {}) => ({
  body: { token_type: 'Bearer', expires_in: 3600, access_token, scope: readScopes.join(' '), ...more },
});
const refusal = (error: string, error_description: string, headers: Record<string, string> = {}) => ({
  status: error === 'invalid_client' ? 401 : 400,
  headers: { 'x-okta-request-id': 'their-id', ...headers },
  body: { error, error_description },
});

type Part = Record<string, unknown>;
const partsOf = (jwt: string) =>
  jwt
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Part);
const assertionIn = ({ body }: Heard) => new URLSearchParams(body).get('client_assertion') ?? '';
const isSigned = (jwt: string, key: ReturnType<typeof createPublicKey>) => {
  const [header = '', claims = '', signature = ''] = jwt.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  return verify('sha256', Buffer.from(`${header}.${claims}`), { key, dsaEncoding: 'ieee-p1363' }, bytes);
};
const line = { method: 'GET', url: 'https://contoso.okta.com/api/v1/groups/g/users?limit=200' };

test('an API token is sent as it is, and is nothing to renew', async () => {
  const tokens = tokensOf({ type: 'apiToken', token: '00abc' });
  tokens.forget();
  expect((await tokens.get(call)).authorize(line)).toEqual({ authorization: 'SSWS 00abc' });
  expect(server.heard).toEqual([]);
});

describe('a service app', () => {
  test('signs who it is, for this endpoint, this minute and once', async () => {
    server.script(issued('t1'));
    const tokens = tokensOf();
    expect((await tokens.get(call)).authorize(line)).toEqual({ authorization: 'Bearer t1' });
    const [asked] = server.heard;
    if (asked === undefined) throw new Error('nothing was asked');
    expect(asked).toMatchObject({ method: 'POST', path: '/oauth2/v1/token' });
    expect(asked.headers).not.toHaveProperty('authorization');
    expect(asked.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(Object.fromEntries(new URLSearchParams(asked.body))).toMatchObject({
      grant_type: 'client_credentials',
      scope: 'okta.groups.read okta.users.read okta.apps.read',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    const [header, claims] = partsOf(assertionIn(asked));
    expect(header).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'kid-1' });
    const { iat, exp, jti } = claims as { iat: number; exp: number; jti: string };
    expect(claims).toMatchObject({ iss: '0oaApp', sub: '0oaApp', aud: `${server.url}/oauth2/v1/token` });
    expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(30);
    expect(exp - iat).toBeLessThanOrEqual(3600);
    expect(jti).toMatch(/^[0-9a-f-]{36}$/);
    expect(isSigned(assertionIn(asked), publicKey)).toBe(true);
  });

  test('names no key where it has no id', async () => {
    server.script(issued('t1'));
    await tokensOf({ type: 'serviceApp', clientId: '0oaApp', privateKey, keyId: null }).get(call);
    expect(server.heard.map((each) => partsOf(assertionIn(each))[0])).toEqual([{ alg: 'RS256', typ: 'JWT' }]);
  });

  test('keeps a token until shortly before its end, and asks anew then', async () => {
    const fake = createFakeClock();
    clock = Object.assign(fake, { waits: [] });
    server.script(issued('t1'), issued('t2'));
    const tokens = tokensOf();
    const value = async () => (await tokens.get(call)).value;
    expect([await value(), await value()]).toEqual(['t1', 't1']);
    fake.advance(54 * 60_000);
    expect(await value()).toBe('t1');
    fake.advance(60_000);
    expect(await value()).toBe('t2');
  });

  test('uses half of a short life', async () => {
    const fake = createFakeClock();
    clock = Object.assign(fake, { waits: [] });
    server.script(issued('t1', { expires_in: 60 }), issued('t2'));
    const tokens = tokensOf();
    await tokens.get(call);
    fake.advance(29_000);
    expect((await tokens.get(call)).value).toBe('t1');
    fake.advance(1_000);
    expect((await tokens.get(call)).value).toBe('t2');
  });

  test('asks anew once it was told to forget, also by who asks while the old one is on its way', async () => {
    server.script(issued('t1'), issued('t2'), issued('t3'));
    const tokens = tokensOf();
    const early = tokens.get(call);
    tokens.forget();
    const late = tokens.get(call);
    expect(new Set([(await early).value, (await late).value])).toEqual(new Set(['t1', 't2']));
    expect((await tokens.get(call)).value).toBe((await late).value);
    tokens.forget();
    expect((await tokens.get(call)).value).toBe('t3');
  });

  test('asks once for all who want a token at the same time', async () => {
    server.script(issued('t1'), issued('t2'));
    const tokens = tokensOf();
    const found = await Promise.all(Array.from({ length: 8 }, () => tokens.get(call)));
    expect(new Set(found.map(({ value }) => value))).toEqual(new Set(['t1']));
    expect(server.heard).toHaveLength(1);
  });

  test('fails for all who wait together, and begins anew for the next', async () => {
    server.script(refusal('invalid_client', 'The client_assertion signature is invalid.'), issued('t2'));
    const tokens = tokensOf();
    const faults = await Promise.all([faultOf(tokens.get(call)), faultOf(tokens.get(call))]);
    expect(faults.map(({ code }) => code)).toEqual(['okta_credential_rejected', 'okta_credential_rejected']);
    expect((await tokens.get(call)).value).toBe('t2');
  });

  test('whose first asker runs out of time serves the others all the same', async () => {
    server.script('hang', issued('t2'));
    const tokens = tokensOf();
    const short = testCall({ times: { totalMs: 300, proofMs: 0 } });
    const first = faultOf(tokens.get(short));
    const second = tokens.get(call);
    expect(await first).toMatchObject({ code: 'deadline_exceeded' });
    expect((await second).value).toBe('t2');
    short.end();
  });

  test('lets nobody wait past their own deadline for what another asked', async () => {
    server.script('hang');
    const tokens = tokensOf();
    const [long, short] = [900, 300].map((totalMs) => testCall({ times: { totalMs, proofMs: 0 } }));
    if (long === undefined || short === undefined) throw new Error('no calls');
    const first = faultOf(tokens.get(long));
    const second = await faultOf(tokens.get(short));
    expect(second).toMatchObject({ code: 'deadline_exceeded', upstream: 'okta' });
    expect(long.deadline.signal.aborted).toBe(false);
    await first;
    for (const each of [long, short]) each.end();
  });

  test('asks again after a failure and a throttling, each time with a new assertion', async () => {
    server.script({ status: 503 }, { status: 429, headers: { 'retry-after': '1' } }, issued('t1'));
    expect((await tokensOf().get(call)).value).toBe('t1');
    expect(new Set(server.heard.map((each) => partsOf(assertionIn(each))[1]?.jti)).size).toBe(3);
  });

  test.each([
    ['invalid_client', 'The client_assertion JWT kid is invalid.', 'OKTA_KEY_ID'],
    ['invalid_client', 'The client_assertion signature is invalid.', 'public key that belongs to OKTA_PRIVATE_KEY'],
    ['invalid_client', 'The client_assertion token is expired.', 'clock'],
    ['invalid_client', 'The audience claim for client_assertion must be the endpoint invoked.', 'OKTA_ORG_URL'],
    ['invalid_client', "Invalid value for 'client_id' parameter.", 'OKTA_CLIENT_ID'],
    ['invalid_dpop_proof', 'The DPoP proof JWT header is missing.', 'Require Demonstrating Proof of Possession'],
    ['server_error', 'odd', 'Okta support'],
  ])('that is refused with %s "%s" says what to do', async (error, description, fix) => {
    server.script(refusal(error, description));
    const fault = await faultOf(tokensOf().get(call));
    expect(fault).toMatchObject({
      code: 'okta_credential_rejected',
      kind: 'credential',
      oktaCode: error,
      upstream: 'okta',
      upstreamRequestId: 'their-id',
    });
    expect(fault.fix).toContain(fix);
    expect(fault.message).toContain(description);
  });

  test.each([
    [
      'invalid_scope',
      'One or more scopes are not configured: okta.users.read.',
      'Grant the service app okta.users.read (',
    ],
    ['invalid_scope', 'One or more scopes are not configured.', `Grant the service app ${readScopes.join(', ')} (`],
    ['consent_required', 'No consent.', `Grant the service app ${readScopes.join(', ')} (`],
  ])('without a scope (%s "%s") is told which', async (error, description, fix) => {
    server.script(refusal(error, description));
    const fault = await faultOf(tokensOf().get(call));
    expect(fault).toMatchObject({ code: 'okta_forbidden', kind: 'scopeMissing' });
    expect(fault.fix).toContain(fix);
  });

  test('gives neither key, assertion nor token away, in faults and in logs', async () => {
    server.script(refusal('server_error', 'you sent client_assertion=eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln'));
    const fault = await faultOf(tokensOf().get(call));
    expect(fault.message).not.toContain('c2ln');
    server.script(issued('secret-token'));
    await tokensOf().get(call);
    const logged = JSON.stringify(call.lines);
    expect(call.lines.length).toBeGreaterThan(0);
    expect(logged).not.toContain('secret-token');
    for (const heard of server.heard) expect(logged).not.toContain(assertionIn(heard));
  });

  test.each([
    [401, '', 'okta_credential_rejected'],
    [400, '<html>', 'okta_credential_rejected'],
    [200, '<html>', 'upstream_failed'],
    [200, '{"access_token":"t"}', 'upstream_failed'],
    [200, '{"access_token":"t","expires_in":0}', 'upstream_failed'],
    [200, '{"expires_in":3600}', 'upstream_failed'],
    [500, '', 'upstream_failed'],
  ])('answered with %i %j has no token', async (status, body, code) => {
    server.script({ status, body });
    expect(await faultOf(tokensOf().get(call))).toMatchObject({ code, upstream: 'okta' });
  });
});

describe('an app that wants proof of possession', () => {
  const wanted = refusal('invalid_dpop_proof', 'The DPoP proof JWT header is missing.');
  const withNonce = (nonce: string) => refusal('use_dpop_nonce', 'nonce required', { 'dpop-nonce': nonce });
  const bound = (value: string) => issued(value, { token_type: 'DPoP' });
  const proofIn = ({ headers }: Heard) => (typeof headers.dpop === 'string' ? headers.dpop : '');

  test('gets it with the nonce that it asks for, and with every call of the API', async () => {
    server.script(wanted, withNonce('n1'), bound('t1'));
    const token = await tokensOf().get(call);
    const [first, second, third] = server.heard;
    expect(first?.headers).not.toHaveProperty('dpop');
    if (second === undefined || third === undefined) throw new Error('asked too seldom');
    const [header, claims] = partsOf(proofIn(third));
    expect(header).toMatchObject({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'EC', crv: 'P-256' } });
    expect(header?.jwk).not.toHaveProperty('d');
    expect(claims).toMatchObject({ htm: 'POST', htu: `${server.url}/oauth2/v1/token`, nonce: 'n1' });
    expect(partsOf(proofIn(second))[1]).not.toHaveProperty('nonce');

    const headers = token.authorize(line);
    expect(headers.authorization).toBe('DPoP t1');
    const [, ofCall] = partsOf(headers.dpop ?? '');
    expect(ofCall).toMatchObject({
      htm: 'GET',
      htu: 'https://contoso.okta.com/api/v1/groups/g/users',
      ath: createHash('sha256').update('t1').digest('base64url'),
    });
    const key = createPublicKey({ key: header?.jwk as JsonWebKey, format: 'jwk' });
    expect([proofIn(third), headers.dpop ?? ''].map((proof) => isSigned(proof, key))).toEqual([true, true]);
    expect(partsOf(token.authorize(line).dpop ?? '')[1]?.jti).not.toBe(ofCall?.jti);
  });

  test('is given it at once the next time, with a nonce that has changed too', async () => {
    server.script(wanted, withNonce('n1'), bound('t1'), withNonce('n2'), bound('t2'));
    const tokens = tokensOf();
    await tokens.get(call);
    tokens.forget();
    expect((await tokens.get(call)).value).toBe('t2');
    expect(server.heard).toHaveLength(5);
    expect(server.heard.slice(3).map((each) => partsOf(proofIn(each))[1]?.nonce)).toEqual(['n1', 'n2']);
  });

  test('and is never content is given up, with what to switch off', async () => {
    let count = 0;
    server.respond(({ headers }) => (headers.dpop === undefined ? wanted : withNonce(`n${++count}`)));
    const fault = await faultOf(tokensOf().get(call));
    expect(fault).toMatchObject({ code: 'okta_credential_rejected', oktaCode: 'use_dpop_nonce' });
    expect(fault.fix).toContain('Require Demonstrating Proof of Possession (DPoP)');
    expect(server.heard).toHaveLength(3);

    server.heard.length = 0;
    server.script(refusal('use_dpop_nonce', 'nonce required'));
    expect(await faultOf(tokensOf().get(call))).toMatchObject({ oktaCode: 'use_dpop_nonce' });
    expect(server.heard).toHaveLength(1);
  });

  test('but gives a plain token is called with that', async () => {
    server.script(wanted, issued('t1'));
    expect((await tokensOf().get(call)).authorize(line)).toEqual({ authorization: 'Bearer t1' });
    server.script(bound('t2'));
    expect((await tokensOf().get(call)).authorize(line)).toEqual({ authorization: 'Bearer t2' });
  });
});
