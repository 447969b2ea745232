import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../shared/clock.ts';
import { directoryOf, groupsNamed, readCast } from '../support/directory.ts';
import { type App, startWorld } from '../support/world.ts';
import { linesOf } from './actionHost.ts';

const world = await startWorld();
const { control } = world;
await control.reset();
const cast = await readCast(control);
const { groups } = await directoryOf(control);
const list = groups.find(
  ({ exchange, members, onPremisesSyncEnabled }) =>
    exchange?.RecipientTypeDetails === 'MailUniversalDistributionGroup' &&
    onPremisesSyncEnabled === null &&
    cast.staff.some((upn) => members.includes(cast.idOf(upn))),
);
const there = String(list?.mail);
const isIn = (upn: string) => list?.members.includes(cast.idOf(upn)) === true;
const member = String(cast.staff.find(isIn));
const stranger = String(cast.staff.find((upn) => !isIn(upn)));
beforeEach(() => control.reset());
afterAll(() => world.close());

const group = {
  kind: 'distributionList',
  displayName: 'Written Mode',
  alias: 'written-mode',
  primarySmtpAddress: 'written-mode@contoso.com',
  owners: [stranger],
};

/** Every write there is, with a request that would be carried out. */
const writes: [string, (app: App) => ReturnType<App['call']>][] = [
  ['createGroup', (app) => app.call('POST', 'groups', { body: group })],
  ['deleteGroup', (app) => app.call('DELETE', `groups/${there}`, { query: { confirm: there } })],
  ['addMembers', (app) => app.call('POST', `groups/${there}/members`, { body: { members: stranger } })],
  ['removeMembers', (app) => app.call('POST', `groups/${there}/members/remove`, { body: { members: [member] } })],
];

describe('WRITE_MODE off', () => {
  test.each(writes)('refuses %s and asks nobody', async (_name, request) => {
    const app = await world.startApp({ WRITE_MODE: 'off' });
    const { status, body } = await request(app);
    expect([status, body?.code]).toEqual([403, 'writes_disabled']);
    expect(await control.calls()).toEqual([]);
  });

  test('refuses a dry run and a wrong request as well, the latter for what is wrong', async () => {
    const app = await world.startApp({ WRITE_MODE: 'off' });
    const dryRun = await app.call('POST', 'groups', { body: { ...group, dryRun: true } });
    expect(dryRun.body?.code).toBe('writes_disabled');
    expect((await app.call('POST', 'groups', { body: {} })).body?.code).toBe('invalid_request');
  });

  test('reads as ever', async () => {
    const app = await world.startApp({ WRITE_MODE: 'off' });
    expect((await app.call('GET', `groups/${there}`)).status).toBe(200);
  });
});

describe('WRITE_MODE reportOnly', () => {
  test.each(writes)('makes a dry run of %s, and says so', async (_name, request) => {
    const app = await world.startApp({ WRITE_MODE: 'reportOnly' });
    const { status, body } = await request(app);
    expect([status, body?.dryRun, body?.changed]).toEqual([200, true, false]);
    expect(body?.warnings).toContain('WRITE_MODE is reportOnly: this was a dry run, nothing was written.');
    expect(await control.writes()).toEqual([]);
    expect(await control.calls({ upstream: 'exchange' })).not.toEqual([]);
    expect(await groupsNamed(control, group.displayName)).toEqual([]);
    expect(linesOf(app.host).filter(({ event }) => event === 'call')).toMatchObject([{ dryRun: true }]);
  });

  test('is not to be outvoted by the request', async () => {
    const app = await world.startApp({ WRITE_MODE: 'reportOnly' });
    const { body } = await app.call('POST', 'groups', { body: { ...group, dryRun: false } });
    expect(body?.dryRun).toBe(true);
    expect(await control.writes()).toEqual([]);
  });
});

describe('WRITE_MODE on', () => {
  test.each(writes)('carries out %s', async (_name, request) => {
    const { body } = await request(await world.startApp());
    expect([body?.dryRun, body?.changed, body?.warnings]).toEqual([false, true, []]);
    expect(await control.writes()).not.toEqual([]);
  });

  test('makes a dry run where the request asks for one, in its body or its query', async () => {
    const app = await world.startApp();
    const inBody = await app.call('POST', 'groups', { body: { ...group, dryRun: true } });
    const inQuery = await app.call('DELETE', `groups/${there}`, { query: { confirm: there, dryRun: 'true' } });
    for (const { status, body } of [inBody, inQuery]) {
      expect([status, body?.dryRun, body?.changed, body?.warnings]).toEqual([200, true, false, []]);
    }
    expect(await control.writes()).toEqual([]);
  });
});

describe('a refusal', () => {
  test('comes to a flow as an outcome, from the whole app as well', async () => {
    const app = await world.startApp();
    const headers = { 'x-outcome-mode': 'flow' };
    const { status, body } = await app.call('GET', 'groups/nobody@contoso.com', { headers });
    expect([status, body?.outcome, body?.code]).toEqual([200, 'refused', 'group_not_found']);
    expect((await app.call('GET', 'groups/nobody@contoso.com')).status).toBe(404);
  });
});

describe('time', () => {
  test('that is over before anything was asked is a 504, and nothing is asked', async () => {
    const clock = { ...systemClock, after: (_ms: number, callback: () => void) => (callback(), () => undefined) };
    const app = await world.startApp({}, { clock });
    const { status, body } = await app.call('GET', `groups/${there}`);
    expect([status, body?.code, body?.retryable]).toEqual([504, 'deadline_exceeded', true]);
    expect([
      ...(await control.calls({ upstream: 'graph' })),
      ...(await control.calls({ upstream: 'exchange' })),
    ]).toEqual([]);
  });

  test('that runs out while an upstream is slow is a 504, and the answer is not waited for', async () => {
    const app = await world.startApp(
      {},
      { clock: { ...systemClock, after: (ms, end) => systemClock.after(ms / 40, end) } },
    );
    await control.fault({ upstream: 'exchange', fault: { kind: 'slow', delayMs: 4_000 }, times: 9 });
    await control.fault({ upstream: 'graph', fault: { kind: 'slow', delayMs: 4_000 }, times: 9 });
    const startedAt = performance.now();
    const { status, body } = await app.call('GET', `groups/${there}`);
    expect([status, body?.code]).toEqual([504, 'deadline_exceeded']);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

describe('what nobody expected', () => {
  test.each(writes)('is no empty 500 of %s, and tells nothing', async (_name, request) => {
    const random = () => {
      throw new Error('the dice are gone');
    };
    const app = await world.startApp({}, { random });
    const { status, body, text } = await request(app);
    expect([status, body?.code]).toEqual([500, 'internal_error']);
    expect(text).not.toContain('dice');
    const [line] = linesOf(app.host).filter(({ event }) => event === 'call');
    expect(line?.error).toMatch(/Error: the dice are gone at .*withTenant\.test\.ts/);
  });

  test('of the wire is the fault of an upstream', async () => {
    const clock = { ...systemClock, sleep: () => Promise.resolve() };
    const app = await world.startApp({}, { clock, fetch: () => Promise.reject(new TypeError('no wire')) });
    const { status, body } = await app.call('POST', 'groups', { body: group });
    expect([status, body?.code]).toEqual([502, 'upstream_failed']);
  });
});
