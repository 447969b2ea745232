import { describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '../shared/clock.ts';

const hour = 3_600_000;

describe('the clock of the system', () => {
  test('tells the time', () => {
    const before = Date.now();
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  test('sleeps as long as it is told', async () => {
    const { signal } = new AbortController();
    const startedAt = performance.now();
    await systemClock.sleep(50, signal);
    // Timers may be a millisecond early.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(48);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('wakes at once when the signal aborts, and does not begin to sleep after it', async () => {
    const controller = new AbortController();
    const asleep = systemClock.sleep(hour, controller.signal);
    controller.abort();
    await asleep;
    await systemClock.sleep(hour, controller.signal);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test('calls back later, unless that was cancelled', async () => {
    const called: string[] = [];
    const cancel = systemClock.after(5, () => called.push('cancelled'));
    await new Promise<void>((resolve) => {
      systemClock.after(1, () => called.push('first'));
      systemClock.after(20, resolve);
      cancel();
    });
    expect(called).toEqual(['first']);
  });

  test('keeps no process alive for a callback to come', async () => {
    const module = new URL('../shared/clock.ts', import.meta.url).href;
    const script = `const { systemClock } = await import('${module}'); systemClock.after(${hour}, () => 0);`;
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const args = ['--import', tsx, '--input-type=module', '--eval', script];
    await expect(promisify(execFile)(process.execPath, args, { timeout: 20_000 })).resolves.toBeDefined();
  });
});
