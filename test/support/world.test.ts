import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { rowsOf, startWorld } from './world.ts';

const world = await startWorld();
const { control } = world;

beforeEach(() => control.reset());
afterAll(() => world.close());

describe('the world of the tests', () => {
  test('two apps have their own keys and storage', async () => {
    const [first, second] = await Promise.all([world.startApp(), world.startApp()]);
    expect(first.storage).not.toBe(second.storage);
    expect((await second.call('GET', 'connection', { key: first.host.functionKey })).status).toBe(401);
    expect((await second.call('GET', 'connection', { key: null })).status).toBe(401);
  });

  test('an app reaches the tenant, its storage and the login', async () => {
    const app = await world.startApp();
    const answer = await app.call('GET', 'connection');
    expect(rowsOf(answer, 'checks').filter(({ ok }) => ok !== true)).toEqual([]);
    expect(answer).toMatchObject({ status: 200, body: { ok: true, failedCount: 0 } });
  });

  test('nothing is left to do in an app that was asked for nothing, and what it lacks cannot be fired', async () => {
    const app = await world.startApp();
    await app.idle();
    await expect(app.fire('noSuchFunction')).rejects.toThrow('There is no function "noSuchFunction".');
  });

  test('settings that are given win', async () => {
    const app = await world.startApp({ AZURE_CLIENT_SECRET: 'wrong' });
    expect((await app.call('GET', 'connection')).body).toMatchObject({ ok: false });
  });

  test('a read is no write, a cmdlet that changes something is one, and so is what was refused', async () => {
    const app = await world.startApp();
    await app.call('GET', 'connection');
    await app.call('GET', 'groups/nobody@contoso.com');
    expect(await control.calls({ upstream: 'exchange' })).not.toEqual([]);
    expect(await control.calls({ upstream: 'graph', method: 'GET', path: '/organization' })).toHaveLength(1);
    expect(await control.writes()).toEqual([]);

    const body = {
      kind: 'distributionList',
      displayName: 'New One',
      alias: 'new-one',
      primarySmtpAddress: 'new-one@contoso.com',
      owners: ['amara.osei@contoso.com'],
    };
    const fault = {
      upstream: 'exchange',
      match: { cmdlet: 'New-DistributionGroup' },
      fault: { kind: 'status', status: 403 },
    } as const;
    await control.fault(fault);
    expect((await app.call('POST', 'groups', { body })).status).toBeGreaterThanOrEqual(400);
    expect((await control.writes()).map(({ cmdlet }) => cmdlet)).toEqual(['New-DistributionGroup']);

    await control.clearCalls();
    await control.fault(fault);
    await control.clearFaults();
    expect((await app.call('POST', 'groups', { body })).status).toBe(201);
    expect((await control.writes()).map(({ cmdlet }) => cmdlet)).toContain('New-DistributionGroup');
  });

  test('the tenant can be changed, its clock moved, and both reset', async () => {
    await control.clock({ now: '2030-01-01T00:00:00Z' });
    expect((await control.state()).now).toMatch(/^2030-01-01/);
    const domain = { id: 'added.example' };
    await control.tenant({ domains: [domain] });
    expect((await control.state()).domains).toContainEqual(expect.objectContaining(domain));
    await control.reset();
    expect((await control.state()).now).not.toMatch(/^2030-01-01/);
    expect((await control.state()).domains).not.toContainEqual(expect.objectContaining(domain));
  });

  test('what the simulator refuses is an error of the test', async () => {
    await expect(control.tenant({ nonsense: [] })).rejects.toThrow('refused PUT /_sim/tenant (400)');
  });
});
