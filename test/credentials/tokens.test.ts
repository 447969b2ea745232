import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { TokenCredential } from '@azure/identity';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { createTokenSource, readClaims } from '../../shared/upstream/tokens.ts';
import { createFakeClock } from '../support/fakeClock.ts';
import { faultOf, type TestCall, testCall } from '../support/rooms.ts';

let call: TestCall;
beforeEach(() => {
  call = testCall();
});
afterEach(() => call.end());

const encode = (payload: unknown): string => Buffer.from(JSON.stringify(payload)).toString('base64url');
const tokenOf = (payload: unknown): string => `head.${encode(payload)}.signature`;
const sourceOf = (getToken: TokenCredential['getToken'], clock: Clock = systemClock) => {
  let loads = 0;
  const loadCredential = () => {
    loads += 1;
    return Promise.resolve({ getToken });
  };
  const source = createTokenSource('scope', loadCredential, clock);
  return { source, loads: () => loads };
};
const granted = (token: string) => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 });

describe('a credential', () => {
  test('that gives no token is told as one that cannot be had, and is loaded anew', async () => {
    const answers = [null, { token: tokenOf({}), expiresOnTimestamp: Date.now() + 3_600_000 }];
    const { source, loads } = sourceOf(() => Promise.resolve(answers.shift() ?? null));
    const fault = await faultOf(source.get(call));
    expect(fault).toMatchObject({ code: 'credential_unavailable', upstream: 'entra' });
    expect(fault.message).toBe('No token could be had: the credential gave no token');
    expect((await source.get(call)).value).toBe(tokenOf({}));
    expect(loads()).toBe(2);
  });

  test('that throws a text is told by it, without secrets', async () => {
    const { source } = sourceOf(() => {
      AbortSignal.abort('refused: Bearer abc.def').throwIfAborted();
      return Promise.resolve(null);
    });
    const fault = await faultOf(source.get(call));
    expect(fault.code).toBe('credential_unavailable');
    expect(fault.message).toBe('No token could be had: refused: Bearer [redacted]');
  });

  test('is kept while it works', async () => {
    const { source, loads } = sourceOf(() => granted(tokenOf({})));
    await source.get(call);
    await source.get(call);
    expect(loads()).toBe(1);
    source.forget();
    await source.get(call);
    expect(loads()).toBe(2);
  });

  test('whose token has a tenant and no object id belongs to an app that the tenant does not know', async () => {
    const { source } = sourceOf(() => granted(tokenOf({ tid: 'a-tenant', roles: ['Group.Read.All'] })));
    const fault = await faultOf(source.get(call));
    expect(fault).toMatchObject({ code: 'service_principal_missing', upstream: 'entra' });
    expect(fault.fix).toContain('admin consent');
  });

  test('that comes after the deadline is one for which the time was over', async () => {
    const late = testCall({ times: { totalMs: 60, proofMs: 30 } });
    const { source } = sourceOf(() => new Promise(() => undefined));
    expect(await faultOf(source.get(late))).toMatchObject({ code: 'deadline_exceeded', upstream: 'entra' });
    late.end();
  });
});

describe('a token', () => {
  const minuteMs = 60_000;
  /** Numbered tokens that live an hour by the clock. */
  const numbered = (more: { refreshAfterMs?: number } = {}) => {
    const clock = createFakeClock();
    let asked = 0;
    const made = sourceOf(() => {
      asked += 1;
      const { refreshAfterMs } = more;
      return Promise.resolve({
        token: tokenOf({ oid: `number ${asked}` }),
        expiresOnTimestamp: clock.now() + 60 * minuteMs,
        ...(refreshAfterMs !== undefined && { refreshAfterTimestamp: clock.now() + refreshAfterMs }),
      });
    }, clock);
    return { ...made, clock, get: async () => (await made.source.get(call)).claims.oid };
  };

  test('is asked for once and kept, with what it says, until five minutes before it ends', async () => {
    const { get, clock } = numbered();
    expect(await get()).toBe('number 1');
    clock.advance(55 * minuteMs - 1);
    expect(await get()).toBe('number 1');
    clock.advance(1);
    expect(await get()).toBe('number 2');
    expect(await get()).toBe('number 2');
  });

  test('is asked for again when the identity library says that it may be refreshed', async () => {
    const { get, clock, loads } = numbered({ refreshAfterMs: 30 * minuteMs });
    await get();
    clock.advance(30 * minuteMs - 1);
    expect(await get()).toBe('number 1');
    clock.advance(1);
    expect(await get()).toBe('number 2');
    expect(loads()).toBe(1);
  });

  test('that is forgotten is asked for again, by a new credential', async () => {
    const { get, source, loads } = numbered();
    await get();
    source.forget();
    expect(await get()).toBe('number 2');
    expect(loads()).toBe(2);
  });

  test('that was asked for before it was forgotten is not kept: it lacks the new grant', async () => {
    const answers: ((token: string) => void)[] = [];
    const { source } = sourceOf(async () => granted(await new Promise<string>((resolve) => answers.push(resolve))));
    const early = source.get(call);
    while (answers.length === 0) await Promise.resolve();
    source.forget();
    answers[0]?.('before');
    expect((await early).value).toBe('before');
    const late = source.get(call);
    while (answers.length === 1) await Promise.resolve();
    answers[1]?.('after');
    expect((await late).value).toBe('after');
  });

  test('for an app that the tenant does not know is never kept', async () => {
    const tokens = [tokenOf({ tid: 'a-tenant' }), tokenOf({ tid: 'a-tenant', oid: 'an-app' })];
    const { source } = sourceOf(() => granted(tokens.shift() ?? ''));
    expect(await faultOf(source.get(call))).toMatchObject({ code: 'service_principal_missing' });
    expect((await source.get(call)).claims.oid).toBe('an-app');
  });
});

describe('what Entra refuses by its number', () => {
  test.each([
    ['AADSTS90002: Tenant not found', 'credential_rejected', 'Entra does not know the tenant. (AADSTS90002)'],
    ['AADSTS7000229: no principal', 'service_principal_missing', 'does not know this application'],
    ['endpoints_resolution_error', 'credential_unavailable', 'no such tenant'],
    ['AADSTS50000: something new', 'credential_rejected', 'Entra refused the credential. (AADSTS50000)'],
  ])('%s: %s', async (text, code, said) => {
    const { source } = sourceOf(() => Promise.reject(new Error(text)));
    const fault = await faultOf(source.get(call));
    expect(fault).toMatchObject({ code, upstream: 'entra' });
    expect(fault.message).toContain(said);
  });
});

describe('the claims of a token', () => {
  const nothing = { oid: null, appId: null, tenantId: null, roles: [], directoryRoles: [] };

  test.each([
    ['no token', ''],
    ['opaque', 'an-opaque-token'],
    ['not JSON', 'head.bm90IGpzb24.signature'],
    ['null', tokenOf(null)],
    ['a text', tokenOf('a text')],
    ['of other types', tokenOf({ oid: 1, appid: {}, tid: [], roles: 'Group.Read.All', wids: null })],
  ])('are none where it is %s', (_, token) => {
    expect(readClaims(token)).toEqual(nothing);
  });

  test('are read as Entra writes them, in both of its versions', () => {
    const rights = { roles: ['Exchange.ManageAsApp', 7], wids: ['a-role'] };
    const common = { oid: 'o', tenantId: 't', roles: ['Exchange.ManageAsApp'], directoryRoles: ['a-role'] };
    expect(readClaims(tokenOf({ oid: 'o', tid: 't', appid: 'v1', ...rights }))).toEqual({ ...common, appId: 'v1' });
    expect(readClaims(tokenOf({ oid: 'o', tid: 't', azp: 'v2', ...rights }))).toEqual({ ...common, appId: 'v2' });
  });
});
