import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  fingerprintOf,
  refusePlan,
  type SetMembersRequest,
  warnOfRefusal,
} from '../../shared/groups/membership/membershipRequest.ts';
import type { MembershipPlan, PlannedMember } from '../../shared/groups/membership/membershipPlan.ts';
import {
  judgeRemovals,
  recentOf,
  type Removal,
  type RemovalPlan,
} from '../../shared/groups/membership/removalGuard.ts';

const hourMs = 3_600_000;
const plan = (of: Partial<RemovalPlan>): RemovalPlan => ({
  actualCount: 100,
  addCount: 0,
  removeCount: 0,
  recent: [],
  maxRemovals: null,
  allowEmpty: false,
  ...of,
});
const removal = (count: number, sizeBefore: number | null = null): Removal => ({ atMs: 0, count, sizeBefore });
const codeOf = (of: Partial<RemovalPlan>): string | null => judgeRemovals(plan(of))?.code ?? null;

describe('the guard on removals', () => {
  test.each<[string, Partial<RemovalPlan>, string | null]>([
    ['nothing to remove', { removeCount: 0, actualCount: 0 }, null],
    ['a tenth', { removeCount: 10 }, null],
    ['one more than a tenth', { removeCount: 11 }, 'too_many_removals'],
    ['five of a few', { actualCount: 7, removeCount: 5 }, null],
    ['six of a few', { actualCount: 7, removeCount: 6 }, 'too_many_removals'],
    ['a tenth, rounded down', { actualCount: 69, removeCount: 7 }, 'too_many_removals'],
    ['what removals before have left of it', { removeCount: 4, actualCount: 94, recent: [removal(6)] }, null],
    ['more than these have left of it', { removeCount: 5, actualCount: 94, recent: [removal(6)] }, 'too_many_removals'],
    [
      'a tenth of a group that has grown since',
      { removeCount: 5, actualCount: 1_000, recent: [removal(6, 100)] },
      'too_many_removals',
    ],
    [
      'the same where only a later step knew the size',
      { removeCount: 4, actualCount: 1_000, recent: [removal(1), removal(6, 99)] },
      'too_many_removals',
    ],
    ['the last of that', { removeCount: 3, actualCount: 1_000, recent: [removal(1), removal(6, 99)] }, null],
    ['as many as the request allows', { removeCount: 60, maxRemovals: 60 }, null],
    ['one more than the request allows', { removeCount: 60, maxRemovals: 59 }, 'too_many_removals'],
    ['one where the request allows none', { removeCount: 1, maxRemovals: 0 }, 'too_many_removals'],
    ['as many as allowed, whatever went before', { removeCount: 9, maxRemovals: 9, recent: [removal(50)] }, null],
    ['everybody', { actualCount: 3, removeCount: 3 }, 'would_empty_group'],
    ['everybody, others coming', { actualCount: 3, removeCount: 3, addCount: 1 }, null],
    ['everybody, as allowed', { actualCount: 3, removeCount: 3, allowEmpty: true }, null],
    ['everybody, as many as allowed', { actualCount: 30, removeCount: 30, maxRemovals: 30 }, 'would_empty_group'],
    [
      'everybody of many, though it may be empty',
      { actualCount: 30, removeCount: 30, allowEmpty: true },
      'too_many_removals',
    ],
  ])('on %s', (_what, of, code) => {
    expect(codeOf(of)).toBe(code);
  });

  test('names the numbers and how to allow it', () => {
    const recent = [removal(6, 120)];
    expect(judgeRemovals(plan({ actualCount: 114, removeCount: 8, recent }))).toMatchObject({
      message:
        '8 members would be removed; 12 may go from a group of 120 within 24 hours, and 6 were removed in the last 24 hours. Nothing was written.',
      fix: expect.stringContaining('"maxRemovals": 8'),
    });
    expect(judgeRemovals(plan({ removeCount: 11 }))?.message).toBe(
      '11 members would be removed; 10 may go from a group of 100 within 24 hours. Nothing was written.',
    );
    expect(judgeRemovals(plan({ removeCount: 11, maxRemovals: 10 }))?.message).toContain('maxRemovals is 10.');
    expect(judgeRemovals(plan({ actualCount: 2, removeCount: 2 }))).toMatchObject({
      message: expect.stringContaining('has 2 members'),
      fix: expect.stringContaining('"allowEmpty": true'),
    });
  });

  test('forgets what is 24 hours old, and nothing younger', () => {
    const at = (atMs: number): Removal => ({ atMs, count: 1, sizeBefore: null });
    expect(recentOf([at(0), at(1), at(hourMs)], 24 * hourMs)).toEqual([at(1), at(hourMs)]);
  });

  test('never lets more go within 24 hours than its limit, and never empties, in whatever steps', () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 12 * hourMs }),
      adds: fc.integer({ min: 0, max: 40 }),
      removes: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(step, { maxLength: 40 }), (startSize, steps) => {
        let size = startSize;
        let nowMs = 0;
        const all: Removal[] = [];
        for (const { waitMs, adds, removes } of steps) {
          nowMs += waitMs;
          const removeCount = Math.min(removes, size);
          const recent = recentOf(all, nowMs);
          const fault = judgeRemovals(plan({ actualCount: size, addCount: adds, removeCount, recent }));
          if (fault !== null || removeCount === 0) continue;
          all.push({ atMs: nowMs, count: removeCount, sizeBefore: size });
          size += adds - removeCount;
          expect(size).toBeGreaterThan(0);
          const window = all.filter(({ atMs }) => nowMs - atMs < 24 * hourMs);
          const gone = window.reduce((sum, { count }) => sum + count, 0);
          expect(gone).toBeLessThanOrEqual(Math.max(5, (window[0]?.sizeBefore ?? 0) * 0.1));
        }
      }),
    );
  });
});

const request = (of: Partial<SetMembersRequest> = {}): SetMembersRequest => ({
  members: ['ada@contoso.com', 'ben@contoso.com'],
  scope: 'users',
  maxRemovals: null,
  allowEmpty: false,
  planId: null,
  isDryRun: false,
  ...of,
});

describe('the fingerprint of a request', () => {
  test('is the same in whatever order, case and number it names people', () => {
    const members = fc.array(fc.constantFrom('ada@contoso.com', 'ben@contoso.com', 'cem@contoso.com'), {
      minLength: 1,
    });
    const asked = members.chain((first) =>
      fc.tuple(fc.constant(first), fc.shuffledSubarray(first, { minLength: first.length })),
    );
    fc.assert(
      fc.property(asked, ([first, again]) => {
        const second = [...again, ...first].map((member) => member.toUpperCase());
        expect(fingerprintOf('G-1', request({ members: second }))).toBe(
          fingerprintOf('g-1', request({ members: first })),
        );
      }),
    );
  });

  test('is another for whoever asks for anything else', () => {
    const others: SetMembersRequest[] = [
      request(),
      request({ members: ['ada@contoso.com'] }),
      request({ members: ['ada@contoso.comben@contoso.com'] }),
      request({ members: [] }),
      request({ scope: 'all' }),
      request({ maxRemovals: 7 }),
      request({ allowEmpty: true }),
      request({ planId: 'f'.repeat(32) }),
      request({ isDryRun: true }),
    ];
    const fingerprints = [...others.map((each) => fingerprintOf('g-1', each)), fingerprintOf('g-2', request())];
    expect(new Set(fingerprints).size).toBe(fingerprints.length);
  });
});

describe('a plan', () => {
  const members = (count: number): PlannedMember[] =>
    Array.from({ length: count }, (_, index) => {
      const id = `member-${index}`;
      return { member: id, target: { key: id, memberId: id, id, label: id } };
    });
  const planned = (removeCount: number): MembershipPlan => ({
    planId: 'a'.repeat(32),
    actualCount: 40,
    unchangedCount: 40 - removeCount,
    adds: members(2),
    removes: members(removeCount),
    kept: [],
    unresolvable: [],
  });
  const codeOfRefusal = (of: Partial<SetMembersRequest>, removeCount: number): string | null => {
    try {
      refusePlan(request(of), planned(removeCount), []);
      return null;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  test('is carried out as planned, and no other in its place', () => {
    expect(codeOfRefusal({ planId: 'a'.repeat(32) }, 5)).toBeNull();
    expect(codeOfRefusal({ planId: 'b'.repeat(32) }, 5)).toBe('plan_changed');
    expect(codeOfRefusal({}, 5)).toBeNull();
  });

  test('that was looked at is still held to the guard', () => {
    expect(codeOfRefusal({ planId: 'a'.repeat(32) }, 6)).toBe('too_many_removals');
    expect(codeOfRefusal({ maxRemovals: 6 }, 6)).toBeNull();
    expect(codeOfRefusal({ maxRemovals: 40 }, 40)).toBeNull();
  });

  test('that only looks is warned of what would stop it, and of nothing else', () => {
    const warnings: string[] = [];
    const call = { warn: (text: string) => void warnings.push(text) };
    warnOfRefusal(request(), planned(5), [], call);
    expect(warnings).toEqual([]);
    warnOfRefusal(request(), planned(5), [removal(1, 41)], call);
    expect(warnings).toEqual([expect.stringMatching(/refused \(too_many_removals\).*"maxRemovals": 5/)]);
  });
});
