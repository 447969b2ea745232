import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readHostJson, timeSpanMs } from '../../local/host/hostJson.ts';
import { createBackOff } from '../../local/host/queues/backOff.ts';
import { decodeMessage } from '../../local/host/queues/message.ts';

describe('the pause between two looks into an empty queue', () => {
  const pauses = (count: number, maximumMs: number, random: number) => {
    const backOff = createBackOff(maximumMs, () => random);
    return Array.from({ length: count }, () => Math.round(backOff.nextMs(false)));
  };

  test('doubles from 100 ms, up to the longest', () => {
    expect(pauses(8, 5_000, 0.5)).toEqual([100, 200, 300, 500, 900, 1_700, 3_300, 5_000]);
  });

  test('varies by a fifth each way', () => {
    expect(pauses(3, 5_000, 0)).toEqual([100, 180, 260]);
    expect(pauses(3, 5_000, 1)).toEqual([100, 220, 340]);
  });

  test('is the longest where that is shorter than 100 ms', () => {
    expect(pauses(2, 50, 0.5)).toEqual([50, 50]);
  });

  test('begins anew when something was found', () => {
    const backOff = createBackOff(5_000, () => 0.5);
    const pausesMs = [false, false, false, true, false].map((hasFound) => backOff.nextMs(hasFound));
    expect(pausesMs).toEqual([100, 200, 300, 100, 200]);
  });
});

describe('the bytes of a message', () => {
  test('are those that were encoded, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(decodeMessage(text, 'base64')).toEqual(Buffer.from(bytes));
        expect(decodeMessage(` ${text}\r\n`, 'base64')).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test.each(['{"a":1}', 'abc', 'abcde===', 'ab=c', 'a_-b', '====', 'ä'])('are none in %s', (text) => {
    expect(decodeMessage(text, 'base64')).toBeNull();
  });

  test('are the text itself without an encoding', () => {
    expect(decodeMessage('{"ä":1}', 'none')).toEqual(Buffer.from('{"ä":1}'));
  });
});

describe('host.json', () => {
  test.each([
    ['00:00:30', 30_000],
    ['01:02:03', 3_723_000],
    ['7.00:00:00', 604_800_000],
  ])('the time span %s is %d ms', (text, ms) => {
    expect(timeSpanMs(text)).toBe(ms);
  });

  test.each(['30', '00:30', '', 'soon'])('"%s" is no time span', (text) => {
    expect(() => timeSpanMs(text)).toThrow('has to be like 00:00:30');
  });

  test('says how the queues of this app are read', async () => {
    expect(await readHostJson()).toEqual({
      routePrefix: 'api',
      queues: {
        batchSize: 8,
        newBatchThreshold: 4,
        maxDequeueCount: 5,
        visibilityTimeoutMs: 30_000,
        maxPollingIntervalMs: 10_000,
        messageEncoding: 'base64',
        messageLockMs: 600_000,
      },
    });
  });
});
