import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type PlannedEntry, planIdOf } from '../../shared/identity/batch/batchPlan.ts';
import {
  afterLook,
  type BatchProgress,
  type EntryResult,
  nextMove,
  noProgress,
  rowsOf,
} from '../../shared/identity/batch/batchProgress.ts';
import { type BatchRequest, fingerprintOf } from '../../shared/identity/batch/batchRequest.ts';
import { badRow, goodRow } from '../../shared/identity/batch/batchRows.ts';

const plan = (index: number): PlannedEntry => ({
  type: 'repair',
  userId: `u${index}`,
  userPrincipalName: `u${index}@contoso.com`,
  desired: `right-${index}`,
  hasOktaPart: false,
});
const refused: PlannedEntry = { type: 'refused', code: 'member_not_found', message: 'Nobody.' };
const requestOf = (count: number, more: Partial<BatchRequest> = {}): BatchRequest => ({
  entries: Array.from({ length: count }, (_, index) => ({ user: `u${index}@contoso.com`, given: null })),
  oktaAppId: null,
  maxFailures: 3,
  planId: null,
  isDryRun: false,
  ...more,
});

/** How one look at an entry goes. */
const looks = ['repaired', 'unchanged', 'failed', 'waits', 'attention'] as const;
type Look = (typeof looks)[number];

function resultOf(index: number, look: Look, nowMs: number): EntryResult {
  const user = `u${index}@contoso.com`;
  switch (look) {
    case 'repaired':
    case 'unchanged':
      return { type: 'settled', row: goodRow(user, look, 'Well.'), isUnexpected: false };
    case 'failed':
      return {
        type: 'settled',
        row: badRow(user, 'failed', { code: 'upstream_failed', message: 'No.' }),
        isUnexpected: true,
      };
    case 'waits':
      return { type: 'open', entry: { untilMs: nowMs + 10, code: 'user_busy', why: 'Busy.', needsAttention: false } };
    case 'attention':
      return {
        type: 'open',
        entry: { untilMs: nowMs + 10, code: 'needs_attention', why: 'Look.', needsAttention: true },
      };
  }
}

describe('a batch', () => {
  const runs = 300;
  const entry = fc.option(fc.array(fc.constantFrom(...looks), { maxLength: 3 }), { freq: 6 });

  test('begins one alone, then a few at once, none beside one that waits, and none after too many failures', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 25 }),
        fc.nat({ max: 4 }),
        fc.constantFrom('repaired', 'failed'),
        (entries, maxFailures, last) => {
          const planned = entries.map((each, index) => (each === null ? refused : plan(index)));
          const scripts = entries.map((each) => [...(each ?? []), last]);
          const begun = new Set<number>();
          let progress: BatchProgress = noProgress;
          for (let nowMs = 0; ; nowMs += 1) {
            const move = nextMove(planned, progress, maxFailures, nowMs);
            if (move.type === 'end') break;
            if (move.type === 'wait') {
              expect(move.open.untilMs).toBeGreaterThan(nowMs);
              continue;
            }
            const fresh = move.indexes.filter((index) => !begun.has(index));
            expect(move.indexes.length).toBeLessThanOrEqual(5);
            if (fresh.length > 0) {
              expect(progress.isStopped).toBe(false);
              expect(Object.values(progress.open).every(({ needsAttention }) => needsAttention)).toBe(true);
              if (!progress.isProven) expect(fresh).toHaveLength(1);
            }
            for (const index of fresh) begun.add(index);
            const results = move.indexes.map(
              (index) => [index, resultOf(index, scripts[index]?.shift() ?? 'repaired', nowMs)] as const,
            );
            progress = afterLook(progress, new Map(results), maxFailures, nowMs);
            const hasFailed = Object.values(progress.rows).some(({ outcome }) => outcome === 'failed');
            if (hasFailed && !progress.isProven) expect(progress.isStopped).toBe(true);
          }
          expect(progress.open).toEqual({});
          const rows = rowsOf(requestOf(entries.length), planned, progress);
          expect(rows).toHaveLength(entries.length);
          entries.forEach((each, index) => {
            const row = rows[index];
            if (each === null) expect(row).toMatchObject({ outcome: 'failed', code: 'member_not_found' });
            else if (!begun.has(index))
              expect(row).toMatchObject({ outcome: 'not_attempted', code: 'too_many_failures' });
            else expect(row?.outcome).toMatch(/^(repaired|unchanged|failed)$/);
          });
          const failed = rows.filter(({ code }) => code === 'upstream_failed').length;
          // Those who call a person count as well, until they have ended well.
          if (failed > maxFailures) expect(progress.isStopped).toBe(true);
          if (!progress.isStopped) expect(begun.size).toBe(entries.filter((each) => each !== null).length);
        },
      ),
      { numRuns: runs },
    );
  });

  test('that ends in the middle tells who is left open and who was never begun', () => {
    const planned = [plan(0), plan(1)];
    const progress = afterLook(noProgress, new Map([[0, resultOf(0, 'waits', 0)]]), 3, 0);
    expect(rowsOf(requestOf(2), planned, progress)).toMatchObject([
      { outcome: 'failed', code: 'user_busy', message: expect.stringContaining('goes on by itself') },
      { outcome: 'not_attempted', code: 'not_attempted' },
    ]);
    expect(rowsOf(requestOf(3), planned, progress)).toHaveLength(2);
  });

  test('keeps since when an entry waits', () => {
    const first = afterLook(noProgress, new Map([[0, resultOf(0, 'waits', 5)]]), 3, 5);
    const second = afterLook(first, new Map([[0, resultOf(0, 'waits', 50)]]), 3, 50);
    expect(second.open[0]).toMatchObject({ sinceMs: 5, untilMs: 60 });
  });
});

describe('a plan', () => {
  test('is known by who gets what, in whatever order, and by the app', () => {
    const id = planIdOf(null, [plan(1), plan(2), refused]);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(planIdOf(null, [plan(2), plan(1)])).toBe(id);
    expect(planIdOf('0oa1', [plan(1), plan(2)])).not.toBe(id);
    expect(planIdOf(null, [plan(1), { ...plan(2), desired: 'RIGHT-2' } as PlannedEntry])).not.toBe(id);
    expect(planIdOf(null, [plan(1)])).not.toBe(id);
  });
});

describe('a request', () => {
  test('is the same in whatever order and case it names people', () => {
    const one = requestOf(3);
    const same = {
      ...one,
      entries: one.entries.map((each) => ({ ...each, user: each.user.toUpperCase() })).toReversed(),
    };
    expect(fingerprintOf(same)).toBe(fingerprintOf(one));
    for (const other of [requestOf(2), requestOf(3, { oktaAppId: '0oa1' }), requestOf(3, { maxFailures: 4 })]) {
      expect(fingerprintOf(other)).not.toBe(fingerprintOf(one));
    }
  });
});
