import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  admit,
  gateMarginMs,
  lost,
  type Pace,
  passed,
  sent,
  startLimit,
  startPace,
  throttled,
} from '../../shared/upstream/pace.ts';
import { createRetryBudget } from '../../shared/upstream/retryBudget.ts';

const refuse = (pace: Pace, nowMs: number, retryAfterMs: number | null = 1_000, sentAtMs = nowMs): Pace =>
  throttled(sent(pace, false, sentAtMs), { sentAtMs, retryAfterMs, chance: 0.5 }, nowMs);
/** `count` calls that are let through, evenly spread, always with somebody waiting behind. */
const letThrough = (pace: Pace, count: number, fromMs: number, untilMs: number): Pace =>
  Array.from({ length: count }, (_, index) => fromMs + ((untilMs - fromMs) * index) / count).reduce(
    (current, atMs) => passed(sent(current, false, atMs), atMs),
    pace,
  );

describe('the pace', () => {
  test('grows by one call a round trip while it is used to the full, and not while it is not', () => {
    const full = { ...startPace(0), inFlight: startLimit };
    expect(passed(full, 1).limit).toBeCloseTo(startLimit + 1 / startLimit);
    const idle = { ...startPace(0), inFlight: 1 };
    expect(passed(idle, 1).limit).toBe(startLimit);
  });

  test('halves once for all the calls that were under way when the gate closed', () => {
    const first = refuse(startPace(0), 100);
    const second = throttled({ ...first, inFlight: 3 }, { sentAtMs: 50, retryAfterMs: 4_000, chance: 0 }, 120);
    expect([first.limit, second.limit]).toEqual([startLimit / 2, startLimit / 2]);
    expect(second.openAtMs).toBe(120 + 4_000 + gateMarginMs);
    expect(second.inFlight).toBe(2);
  });

  test('knows the rate from what was let through between two throttlings under demand', () => {
    const first = refuse(startPace(0), 1_000);
    const busy = letThrough(first, 200, 2_300, 10_900);
    const rate = refuse(busy, 11_000).rate ?? 0;
    expect(rate * 1_000).toBeCloseTo(20 * 0.97, 5);
  });

  test('takes no rate from a time in which nobody waited: few calls would look like a low limit', () => {
    const first = refuse(startPace(0), 1_000);
    const quiet = passed(sent(first, true, 5_000), 5_150);
    expect(refuse(quiet, 600_000).rate).toBeNull();
  });

  test('takes no rate from a handful of calls: what refused calls cost comes first', () => {
    const first = refuse(startPace(0), 1_000);
    const again = refuse(letThrough(first, 5, 2_300, 2_600), 2_650);
    expect(again.rate).toBeNull();
    // The measurement goes on: it still spans from one empty allowance to another.
    const rate = refuse(letThrough(again, 195, 4_000, 10_900), 11_000).rate ?? 0;
    expect(rate * 1_000).toBeCloseTo(20 * 0.97, 5);
  });

  test('forgets the rate after a long rest', () => {
    const known = { ...startPace(0), rate: 0.001, credit: 5 };
    expect(sent(known, false, 59_000).rate).toBe(0.001);
    expect(sent(known, false, 61_000).rate).toBeNull();
  });

  test('waits longer each time when it is not told how long, never more than half a minute', () => {
    const waits: number[] = [];
    let pace = startPace(0);
    for (let turn = 0, nowMs = 0; turn < 12; turn += 1) {
      pace = refuse(pace, nowMs, null);
      waits.push(pace.openAtMs - nowMs);
      nowMs = pace.openAtMs + 1;
    }
    expect(waits).toEqual([...waits].sort((left, right) => left - right));
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
  });

  test('never admits before the gate opens nor above the limit, and always says when to look again', () => {
    const event = fc.record({
      type: fc.constantFrom('sent', 'passed', 'lost', 'throttled'),
      afterMs: fc.nat(5_000),
      retryAfterMs: fc.option(fc.nat(10_000)),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        let pace = startPace(0);
        let nowMs = 0;
        for (const { type, afterMs, retryAfterMs } of events) {
          nowMs += afterMs;
          const admission = admit(pace, nowMs);
          if (admission.type === 'go') {
            expect(nowMs).toBeGreaterThanOrEqual(pace.openAtMs);
            expect(pace.inFlight).toBeLessThan(pace.limit);
          } else if (admission.untilMs === null) {
            expect(pace.inFlight).toBeGreaterThan(0);
          } else {
            expect(admission.untilMs).toBeGreaterThan(nowMs);
          }
          if (type === 'sent' && admission.type === 'go') pace = sent(pace, false, nowMs);
          if (type !== 'sent' && pace.inFlight > 0) {
            if (type === 'passed') pace = passed(pace, nowMs);
            else if (type === 'lost') pace = lost(pace);
            else pace = throttled(pace, { sentAtMs: nowMs, retryAfterMs, chance: 0.5 }, nowMs);
          }
          expect(pace.inFlight).toBeGreaterThanOrEqual(0);
          expect(pace.limit).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});

describe('the retry budget', () => {
  test('ends when every call fails, and comes back with those that are answered', () => {
    const budget = createRetryBudget();
    const taken = Array.from({ length: 30 }, () => budget.take()).filter(Boolean).length;
    expect(taken).toBe(20);
    for (let answers = 0; answers < 5; answers += 1) budget.giveBack();
    expect([budget.take(), budget.take()]).toEqual([true, false]);
  });

  test('never grows beyond what it began with', () => {
    const budget = createRetryBudget();
    for (let answers = 0; answers < 500; answers += 1) budget.giveBack();
    expect(Array.from({ length: 30 }, () => budget.take()).filter(Boolean)).toHaveLength(20);
  });
});
