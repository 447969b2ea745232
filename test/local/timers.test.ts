import { app, type Timer, type TimerFunctionOptions } from '@azure/functions';
import { afterEach, describe, expect, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { type LocalHost, type LocalHostOptions, startLocalHost } from '../../local/host/host.ts';
import { parseSchedule } from '../../local/host/timers/schedule.ts';

const hosts: LocalHost[] = [];
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

async function start(
  { handler, ...timer }: Partial<TimerFunctionOptions> & Pick<TimerFunctionOptions, 'handler'>,
  options: Partial<LocalHostOptions> = {},
): Promise<LocalHost> {
  const load = () => Promise.resolve().then(() => app.timer('tick', { schedule: '0 0 0 1 1 *', handler, ...timer }));
  const host = await startLocalHost({ load, ...options });
  hosts.push(host);
  return host;
}

describe('a schedule', () => {
  const from = new Date('2026-11-21T09:58:30.500Z');
  test.each([
    ['* * * * * *', '2026-11-21T09:58:31.000Z'],
    ['0 */5 * * * *', '2026-11-21T10:00:00.000Z'],
    ['0 5/15 * * * *', '2026-11-21T10:05:00.000Z'],
    ['30 0 3 * * *', '2026-11-22T03:00:30.000Z'],
    ['0 0 3 * * mon-fri', '2026-11-23T03:00:00.000Z'],
    ['0 0 0 1 JAN,Jun *', '2027-01-01T00:00:00.000Z'],
    ['0 0 0 1 * 1', '2027-02-01T00:00:00.000Z'],
  ])('%s comes next at %s', (expression, next) => {
    expect(parseSchedule(expression).next(from)?.toISOString()).toBe(next);
  });

  test.each(['*/5 * * * *', '0 0 25 * * *', '0 0 0 L * *', '@daily', '00:05:00', '0 0 0 0 * * 2027', ''])(
    '"%s" is refused when the app starts',
    async (schedule) => {
      await expect(start({ schedule, handler: () => undefined })).rejects.toThrow();
    },
  );

  test('may stand in a setting, which has to be there', async () => {
    const timer = { schedule: '%SCHEDULE%', handler: () => undefined };
    await start(timer, { settings: { SCHEDULE: '0 0 0 1 1 *' } });
    await expect(start(timer)).rejects.toThrow('The app setting SCHEDULE is not set');
  });
});

describe('a timer', () => {
  test('is fired by its schedule, again and again, and no more when the host has closed', async () => {
    const signals = new EventEmitter();
    const times: number[] = [];
    const host = await start({
      schedule: '* * * * * *',
      handler: () => {
        times.push(Date.now());
        signals.emit('fired');
        // The next second comes for a timer that failed as well.
        throw new Error('the cause');
      },
    });
    await once(signals, 'fired');
    await once(signals, 'fired');
    await hosts.splice(0)[0]?.close();
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThan(500);
    expect(Math.abs((second % 1_000) - (first % 1_000))).toBeLessThan(500);
    const fired = times.length;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(times).toHaveLength(fired);
    expect(host.logs).toContainEqual(expect.objectContaining({ message: expect.stringContaining('the cause') }));
  });

  test('is not fired again while it runs, and comes to its end before the host is closed', async () => {
    const signals = new EventEmitter();
    let begun = 0;
    let ended = 0;
    await start({
      schedule: '* * * * * *',
      handler: async () => {
        begun += 1;
        signals.emit('begun');
        await once(signals, 'finish');
        ended += 1;
      },
    });
    await once(signals, 'begun');
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(begun).toBe(1);
    const closed = hosts.splice(0)[0]?.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended).toBe(0);
    signals.emit('finish');
    await closed;
    expect([begun, ended]).toEqual([1, 1]);
  });

  test('is fired at the start where it asks for that', async () => {
    const signals = new EventEmitter();
    const fired = once(signals, 'fired');
    await start({ runOnStartup: true, handler: () => void signals.emit('fired') });
    await fired;
  });

  test('is fired by hand only where timers are off', async () => {
    let fired = 0;
    const timer = { schedule: '* * * * * *', runOnStartup: true, handler: () => (fired += 1) };
    const host = await start(timer, { timers: false });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(fired).toBe(0);
    await host.run('tick');
    expect(fired).toBe(1);
  });

  test('is told when it was last fired and when it will be next', async () => {
    const seen: Timer[] = [];
    const host = await start({ handler: (timer) => void seen.push(timer) }, { timers: false });
    await host.run('tick');
    await host.run('tick');
    const next = expect.stringMatching(/^20\d\d-01-01T00:00:00.000Z$/);
    const first = { last: '0001-01-01T00:00:00', next, lastUpdated: '0001-01-01T00:00:00' };
    expect(seen[0]).toEqual({ isPastDue: false, schedule: { adjustForDST: true }, scheduleStatus: first });
    const last = seen[1]?.scheduleStatus.last ?? '';
    expect(Math.abs(Date.now() - Date.parse(last))).toBeLessThan(5_000);
  });

  test('that is not monitored is told of no status', async () => {
    const seen: Timer[] = [];
    const timer = { useMonitor: false, handler: (each: Timer) => void seen.push(each) };
    const host = await start(timer, { timers: false });
    await host.run('tick');
    expect(seen[0]?.scheduleStatus).toBeNull();
  });
});
