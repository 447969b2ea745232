import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide, type Effect, type Ending } from '../../shared/upstream/policy.ts';

const effect = fc.constantFrom<Effect>('read', 'write');
const ending: fc.Arbitrary<Ending> = fc.oneof(
  fc.record({ type: fc.constant('throttled' as const), retryAfterMs: fc.option(fc.nat(120_000)) }),
  fc.constantFrom<Ending>({ type: 'notSent' }, { type: 'unanswered' }, { type: 'answered' }),
);
const state = fc.record({
  effect,
  attempt: fc.integer({ min: 1, max: 20 }),
  remainingMs: fc.nat(30_000),
  chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});
const plenty = { effect: 'read', attempt: 1, remainingMs: 1_000_000, chance: 0.5 } as const;

describe('what follows an attempt', () => {
  test.each<[Ending, Effect, number]>([
    [{ type: 'throttled', retryAfterMs: null }, 'read', 50],
    [{ type: 'throttled', retryAfterMs: null }, 'write', 50],
    [{ type: 'notSent' }, 'read', 3],
    [{ type: 'notSent' }, 'write', 3],
    [{ type: 'unanswered' }, 'read', 4],
    [{ type: 'unanswered' }, 'write', 1],
  ])('%j of a %s is tried %i times in all', (how, of, attempts) => {
    const decisions = Array.from({ length: 60 }, (_, index) =>
      decide(how, { ...plenty, effect: of, attempt: index + 1 }),
    );
    expect(decisions.map(({ type }) => type)).toEqual(
      Array.from({ length: 60 }, (_, index) => (index + 1 < attempts ? 'retry' : 'giveUp')),
    );
  });

  test('an answer is delivered, whatever the state', () => {
    fc.assert(
      fc.property(state, (given) => {
        expect(decide({ type: 'answered' }, given)).toEqual({ type: 'deliver' });
      }),
    );
  });

  test('and nothing but an answer is', () => {
    fc.assert(
      fc.property(ending, state, (how, given) => {
        expect(decide(how, given).type === 'deliver').toBe(how.type === 'answered');
      }),
    );
  });

  test('a write whose outcome is open is never repeated', () => {
    fc.assert(
      fc.property(state, (given) => {
        expect(decide({ type: 'unanswered' }, { ...given, effect: 'write' })).toEqual({
          type: 'giveUp',
          afterMs: null,
        });
      }),
    );
  });

  test('no wait is begun that would not end before the deadline', () => {
    fc.assert(
      fc.property(ending, state, (how, given) => {
        const decision = decide(how, given);
        if (decision.type === 'retry') expect(decision.afterMs).toBeLessThan(given.remainingMs);
      }),
    );
    expect(decide({ type: 'throttled', retryAfterMs: 5_000 }, { ...plenty, remainingMs: 5_000 })).toEqual({
      type: 'giveUp',
      afterMs: 5_000,
    });
    expect(decide({ type: 'throttled', retryAfterMs: 5_000 }, { ...plenty, remainingMs: 5_001 })).toEqual({
      type: 'retry',
      afterMs: 5_000,
    });
  });

  test('an upstream that says how long to wait is not asked earlier, and the caller is told', () => {
    fc.assert(
      fc.property(fc.nat(120_000), state, (retryAfterMs, given) => {
        const decision = decide({ type: 'throttled', retryAfterMs }, given);
        expect(decision).toMatchObject({ afterMs: expect.any(Number) });
        if (decision.type !== 'deliver') expect(decision.afterMs).toBeGreaterThanOrEqual(retryAfterMs);
      }),
    );
  });

  test('the attempts end, however long the deadline', () => {
    fc.assert(
      fc.property(ending, state, (how, given) => {
        expect(decide(how, { ...given, attempt: Math.max(50, given.attempt) }).type).not.toBe('retry');
      }),
    );
  });
});

describe('a wait that nobody asked for', () => {
  const waitAt = (attempt: number, chance: number, how: Ending = { type: 'throttled', retryAfterMs: null }) => {
    const decision = decide(how, { ...plenty, attempt, chance });
    return decision.type === 'deliver' ? null : decision.afterMs;
  };

  test('doubles with each attempt and is capped', () => {
    expect([1, 2, 3, 4, 5].map((attempt) => waitAt(attempt, 0))).toEqual([300, 600, 1_200, 2_400, 4_000]);
  });

  test('is spread over its upper half by chance, so that callers that failed together do not return together', () => {
    expect([0, 0.5, 0.999_999].map((chance) => waitAt(1, chance))).toEqual([300, 450, 600]);
  });

  test('never reaches zero and never passes the cap', () => {
    fc.assert(
      fc.property(state, fc.integer({ min: 1, max: 5 }), ({ chance }, attempt) => {
        const wait = waitAt(attempt, chance);
        expect(wait).toBeGreaterThanOrEqual(300);
        expect(wait).toBeLessThanOrEqual(8_000);
      }),
    );
  });
});
