import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Answer } from './harness.ts';
import { OktaBench } from './oktaBench.ts';

let okta: OktaBench;
beforeAll(async () => {
  okta = await OktaBench.start();
});
beforeEach(async () => {
  await okta.bench.control('POST', 'reset');
});
afterAll(() => okta.bench.sim.close());

const wade = '/users/wade.barton@corp.contoso.com';
const patch = (mobilePhone: string): Promise<Answer> => okta.bench.graph('PATCH', wade, { body: { mobilePhone } });
const phone = async (): Promise<unknown> => {
  const token = await okta.bench.token('graph');
  const { body } = await okta.bench.graph('GET', `${wade}?$select=mobilePhone`, { token });
  return (body as unknown as { mobilePhone: unknown }).mobilePhone;
};
const late = (fault: object = {}, upstream = 'graph', more: object = {}) =>
  okta.bench.control('POST', 'faults', { upstream, fault: { kind: 'landsLate', ...fault }, ...more });
const waiting = async () => (await okta.bench.control('GET', 'late')).body as unknown as object[];
const land = async () => (await okta.bench.control('POST', 'late')).body as unknown as object[];
const advance = (advanceMs: number) => okta.bench.control('POST', 'clock', { advanceMs });

test('a write that lands late is answered by a timeout, and done after its time', async () => {
  await late({ afterMs: 20_000 });
  expect(await patch('1')).toMatchObject({ status: 504, body: { error: { code: 'GatewayTimeout' } } });
  expect(await phone()).toBeNull();
  expect(await waiting()).toEqual([{ method: 'PATCH', path: `/v1.0${wade}`, due: expect.stringMatching(/Z$/) }]);
  await advance(19_000);
  expect(await phone()).toBeNull();
  await advance(1_000);
  expect(await phone()).toBe('1');
  expect(await waiting()).toEqual([]);
});

test('it lands over what was written meanwhile', async () => {
  await late({ afterMs: 20_000 });
  await patch('1');
  expect((await patch('2')).status).toBe(204);
  await advance(20_000);
  expect(await phone()).toBe('1');
});

test('without a time it waits for the control API, which says what would have been answered', async () => {
  await late({ status: 503 }, 'graph', { times: 2 });
  expect((await patch('1')).status).toBe(503);
  expect((await okta.bench.graph('PATCH', wade, { body: { userPrincipalName: 'x@example.org' } })).status).toBe(503);
  await advance(3_600_000 * 24);
  expect(await phone()).toBeNull();
  expect(await land()).toEqual([
    { method: 'PATCH', path: `/v1.0${wade}`, status: 204 },
    { method: 'PATCH', path: `/v1.0${wade}`, status: 400 },
  ]);
  expect(await phone()).toBe('1');
  expect(await land()).toEqual([]);
});

test('the connection may be reset instead, and reads are left alone', async () => {
  await late({ afterMs: 0, reset: true });
  expect(await phone()).toBeNull();
  await expect(patch('1')).rejects.toThrow('fetch failed');
  expect(await phone()).toBe('1');
});

test('writes of Okta land late too', async () => {
  await late({ afterMs: 5_000 }, 'okta', { match: { method: 'DELETE' } });
  const path = `/apps/${await okta.appId()}/users/${await okta.userId('amara.osei@contoso.com')}`;
  expect((await okta.call('DELETE', path)).status).toBe(504);
  expect((await okta.get(path)).status).toBe(200);
  await advance(5_000);
  expect((await okta.get(path)).status).toBe(404);
});

test('a reset forgets them, and a wrong fault is refused', async () => {
  await late({ afterMs: 1 });
  await patch('1');
  await okta.bench.control('POST', 'reset');
  await advance(1);
  expect(await phone()).toBeNull();
  for (const fault of [{ afterMs: -1 }, { status: 99 }, { commit: true }]) expect((await late(fault)).status).toBe(400);
});
