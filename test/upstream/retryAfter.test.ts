import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { readRetryAfterMs } from '../../shared/upstream/retryAfter.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const read = (headers: Record<string, string>) => readRetryAfterMs(new Headers(headers), now);

describe('Retry-After in seconds', () => {
  test.each([
    ['0', 0],
    ['1', 1_000],
    ['120', 120_000],
    ['1.5', 1_500],
    ['0.0004', 1],
    [' 7 ', 7_000],
  ])('"%s" is %i ms', (value, ms) => {
    expect(read({ 'retry-after': value })).toBe(ms);
  });

  test('of any size is that long, and never shorter', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (seconds) => {
        const text = seconds.toFixed(4);
        expect(read({ 'retry-after': text })).toBe(Math.ceil(Number(text) * 1000));
      }),
    );
  });
});

describe('Retry-After as a date', () => {
  const forms = ['Fri, 20 Nov 2026 12:00:30 GMT', 'Friday, 20-Nov-26 12:00:30 GMT', 'Fri Nov 20 12:00:30 2026'];

  test.each([...forms, 'Fri Nov  6 12:00:30 2026'])('"%s" is read in each of the forms of RFC 9110', (date) => {
    expect(read({ 'retry-after': date })).toBe(date.includes('  6') ? 0 : 30_000);
  });

  test.each(forms)('"%s" means GMT wherever the app runs', async (date) => {
    const module = new URL('../../shared/upstream/retryAfter.ts', import.meta.url).href;
    const script = `
      const { readRetryAfterMs } = await import(${JSON.stringify(module)});
      const headers = new Headers({ 'retry-after': ${JSON.stringify(date)} });
      process.stdout.write(String(readRetryAfterMs(headers, ${now})));`;
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const args = ['--import', tsx, '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, TZ: 'America/New_York' },
    });
    expect(stdout).toBe('30000');
  });

  test('is any moment, to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), (seconds) => {
        const date = new Date(now + seconds * 1000).toUTCString();
        expect(read({ 'retry-after': date })).toBe(Math.max(0, seconds * 1000));
      }),
    );
  });

  test('that is past is no wait', () => {
    expect(read({ 'retry-after': 'Fri, 20 Nov 2026 11:59:00 GMT' })).toBe(0);
  });

  test("is taken by the answer's own clock, not by ours", () => {
    const date = 'Fri, 20 Nov 2026 15:00:00 GMT';
    expect(read({ date, 'retry-after': 'Fri, 20 Nov 2026 15:00:12 GMT' })).toBe(12_000);
    expect(read({ date: 'no date', 'retry-after': 'Fri, 20 Nov 2026 12:00:12 GMT' })).toBe(12_000);
    expect(read({ date, 'retry-after': '12' })).toBe(12_000);
  });
});

describe('X-Rate-Limit-Reset', () => {
  const at = (seconds: number) => String(now / 1000 + seconds);

  test("is a moment in epoch seconds, and a second more, as Okta's own SDK has it", () => {
    expect(read({ 'x-rate-limit-reset': at(20) })).toBe(21_000);
    expect(read({ 'x-rate-limit-reset': at(-20) })).toBe(1_000);
    expect(read({ 'x-rate-limit-reset': at(20), date: new Date(now + 15_000).toUTCString() })).toBe(6_000);
  });

  test('counts only where Retry-After says nothing', () => {
    expect(read({ 'x-rate-limit-reset': at(20), 'retry-after': '3' })).toBe(3_000);
    expect(read({ 'x-rate-limit-reset': at(20), 'retry-after': '' })).toBe(21_000);
    expect(read({ 'x-rate-limit-reset': at(20), 'retry-after': 'soon' })).toBe(21_000);
  });
});

describe('what says nothing', () => {
  test('is no headers at all', () => {
    expect(read({})).toBeNull();
  });

  // What Date.parse makes a date of, years ago: an upstream would be asked again at once.
  test.each(['-5', 'soon', 'soon 1', '1.5.2', '10s', '1e3', '5 20', '2026-11-20', 'Fri, 20 Nov 2026'])(
    'is the value "%s"',
    (value) => {
      expect(read({ 'retry-after': value })).toBeNull();
    },
  );

  test.each(['', 'soon', '-1', '1.5'])('is the reset "%s"', (value) => {
    expect(read({ 'x-rate-limit-reset': value })).toBeNull();
  });

  test('whatever the headers, the wait is null or a number of milliseconds from 0', () => {
    const value = fc.oneof(
      fc.stringMatching(/^[\x20-\x7e]*$/),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    const headers = fc.record({ 'retry-after': value, 'x-rate-limit-reset': value, date: value }, { requiredKeys: [] });
    fc.assert(
      fc.property(headers, (given) => {
        const ms = read(given);
        expect(ms === null || (ms >= 0 && Number.isInteger(ms))).toBe(true);
      }),
    );
  });
});
