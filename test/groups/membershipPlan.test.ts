import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { GraphMember } from '../../shared/graph/groups.ts';
import { createDesiredIndex } from '../../shared/groups/membership/desiredIndex.ts';
import {
  compareMembership,
  type MembershipPlan,
  type MembershipScope,
} from '../../shared/groups/membership/membershipPlan.ts';
import type { TargetResolution } from '../../shared/groups/membership/memberTargets.ts';

const groupId = 'c0000000-0000-4000-8000-000000000000';
const guidOf = (number: number): string => `a0000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** Somebody in the directory, by everything a request may call them. */
interface Someone extends GraphMember {
  /** What Exchange alone knows them by: an id of its own, an address that Entra does not show yet. */
  readonly hiddenNames: readonly string[];
}

const people: readonly Someone[] = Array.from({ length: 14 }, (_, number) => ({
  id: guidOf(number),
  type: ['user', 'user', 'user', 'orgContact', 'group', 'device'][number % 6] ?? 'user',
  displayName: `Person ${number}`,
  userPrincipalName: number % 6 === 3 ? null : `Upn${number}@contoso.com`,
  mail: number % 5 === 4 ? null : `mail${number}@contoso.com`,
  addresses: number % 2 === 0 ? [`Mail${number}@contoso.com`, `old.${number}@example.com`] : [],
  hiddenNames: [`exchange${number}@contoso.com`],
}));
const nameOf = (index: number): Someone => {
  const someone = people[index];
  if (someone === undefined) throw new RangeError(`nobody has the number ${index}`);
  return someone;
};
const shownNames = ({ id, userPrincipalName, mail, addresses }: GraphMember): string[] =>
  [id, userPrincipalName, mail, ...addresses].filter((name) => name !== null);

const otherCase = (text: string, upper: boolean): string => (upper ? text.toUpperCase() : text.toLowerCase());

/** One entry: a person, one of the names, a case. */
const entry = fc.record({ who: fc.nat(people.length - 1), which: fc.nat(20), upper: fc.boolean() });
const written = ({ who, which, upper }: { who: number; which: number; upper: boolean }): string => {
  const someone = nameOf(who);
  const names = [...shownNames(someone), ...someone.hiddenNames];
  return otherCase(names[which % names.length] ?? '', upper);
};

const findByName = (text: string): Someone | undefined =>
  people.find((each) =>
    [...shownNames(each), ...each.hiddenNames].some((name) => name.toLowerCase() === text.toLowerCase()),
  );

const found = ({ id, mail }: GraphMember): TargetResolution => ({
  type: 'found',
  target: { key: id.replace('a0', 'e0'), memberId: id, id, label: mail ?? id },
});

interface Given {
  readonly actual: readonly number[];
  readonly desired: readonly string[];
  readonly scope: MembershipScope;
  readonly protectedOnes?: readonly number[];
  readonly pageSize?: number;
}

function planFor({ actual, desired, scope, protectedOnes = [], pageSize = 3 }: Given): MembershipPlan {
  const comparison = compareMembership(groupId, desired, scope);
  for (let start = 0; start < actual.length; start += pageSize) {
    comparison.see(actual.slice(start, start + pageSize).map(nameOf));
  }
  for (const text of comparison.leftOver()) {
    const someone = findByName(text);
    comparison.resolve(
      text,
      someone === undefined ? { type: 'failed', code: 'member_not_found', message: 'Nobody.' } : found(someone),
    );
  }
  return comparison.plan(({ id }) => protectedOnes.some((number) => guidOf(number) === id));
}

const idsOf = (members: MembershipPlan['adds']): string[] => members.map(({ target }) => target.id ?? '');
const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort();
const indexes = fc.uniqueArray(fc.nat(people.length - 1));
const scopes = fc.constantFrom<MembershipScope>('users', 'all');

describe('comparing desired with actual', () => {
  test('plans exactly what makes the members those desired and those kept, whatever they are called', () => {
    fc.assert(
      fc.property(
        indexes,
        fc.array(entry),
        scopes,
        indexes,
        fc.integer({ min: 1, max: 5 }),
        (actual, entries, scope, protectedOnes, pageSize) => {
          const plan = planFor({ actual, desired: entries.map(written), scope, protectedOnes, pageSize });
          const wanted = entries.map(({ who }) => guidOf(who));
          const stays = actual
            .filter((who) => (scope === 'users' && nameOf(who).type !== 'user') || protectedOnes.includes(who))
            .map(guidOf);
          const after = new Set(actual.map(guidOf));
          for (const id of idsOf(plan.removes)) expect(after.delete(id)).toBe(true);
          for (const id of idsOf(plan.adds)) {
            expect(after.has(id)).toBe(false);
            after.add(id);
          }
          expect(sorted(after)).toEqual(sorted([...wanted, ...stays]));
          expect(idsOf(plan.removes).filter((id) => wanted.includes(id))).toEqual([]);
          expect(plan.actualCount).toBe(actual.length);
          expect(plan.unchangedCount).toBe(actual.filter((who) => wanted.includes(guidOf(who))).length);
          expect(plan.unchangedCount + plan.kept.length + plan.removes.length).toBe(actual.length);
          expect(plan.unresolvable).toEqual([]);
        },
      ),
    );
  });

  test('of a list that names the members in other words, doubled and shuffled, plans nothing', () => {
    fc.assert(
      fc.property(indexes, fc.array(fc.tuple(fc.nat(20), fc.boolean()), { minLength: 30 }), (actual, ways) => {
        const desired = ways.flatMap(([which, upper], index) => {
          const who = actual[index % Math.max(1, actual.length)];
          return who === undefined ? [] : [written({ who, which, upper })];
        });
        const everyone = actual.map((who) => otherCase(guidOf(who), true));
        expect(planFor({ actual, desired: [...desired, ...everyone], scope: 'all' })).toMatchObject({
          adds: [],
          removes: [],
          kept: [],
          unchangedCount: actual.length,
        });
      }),
    );
  });

  test('gives one plan one planId, in whatever order and words it is asked for and read', () => {
    const asked = fc.array(entry).chain((entries) =>
      fc.record({
        entries: fc.constant(entries),
        again: fc.shuffledSubarray(entries, { minLength: entries.length }),
        upper: fc.boolean(),
      }),
    );
    const read = indexes.chain((actual) =>
      fc.tuple(fc.constant(actual), fc.shuffledSubarray(actual, { minLength: actual.length })),
    );
    fc.assert(
      fc.property(read, asked, scopes, ([actual, actualAgain], { entries, again, upper }, scope) => {
        const first = planFor({ actual, desired: entries.map(written), scope });
        const otherWords = again.map(({ who, which }) => written({ who, which: which + 1, upper }));
        const second = planFor({ actual: actualAgain, desired: [...otherWords, ...otherWords], scope });
        expect(second.planId).toBe(first.planId);
        expect(first.planId).toMatch(/^[0-9a-f]{32}$/);
      }),
    );
  });

  test('gives plans that differ different planIds', () => {
    fc.assert(
      fc.property(indexes, fc.array(entry), fc.array(entry), (actual, one, other) => {
        const plans = [one, other].map((entries) => planFor({ actual, desired: entries.map(written), scope: 'all' }));
        const changes = plans.map(({ adds, removes }) => JSON.stringify([sorted(idsOf(adds)), sorted(idsOf(removes))]));
        expect(plans[0]?.planId === plans[1]?.planId).toBe(changes[0] === changes[1]);
      }),
    );
  });

  test('of one group is never the plan of another, and an add never a removal', () => {
    const planOf = (group: string, desired: string[], actual: number[]) => {
      const comparison = compareMembership(group, desired, 'all');
      comparison.see(actual.map(nameOf));
      for (const text of comparison.leftOver()) comparison.resolve(text, found(findByName(text) ?? nameOf(0)));
      return comparison.plan(() => false).planId;
    };
    expect(planOf(groupId, [guidOf(1)], [])).not.toBe(planOf(guidOf(99), [guidOf(1)], []));
    expect(planOf(groupId, [guidOf(1)], [])).not.toBe(planOf(groupId, [], [1]));
    expect(planOf(groupId.toUpperCase(), [guidOf(1)], [])).toBe(planOf(groupId, [guidOf(1)], []));
  });

  test('removes nobody while an entry may mean anybody, and adds all the same', () => {
    const codes = fc.constantFrom('member_not_found', 'ambiguous_member', 'throttled', 'upstream_failed' as const);
    fc.assert(
      fc.property(indexes, fc.array(entry), scopes, codes, (actual, entries, scope, code) => {
        const comparison = compareMembership(groupId, [...entries.map(written), 'riddle@contoso.com'], scope);
        comparison.see(actual.map(nameOf));
        for (const text of comparison.leftOver()) {
          const someone = findByName(text);
          comparison.resolve(
            text,
            someone === undefined
              ? { type: 'failed', code: code as 'throttled', message: 'A riddle.' }
              : found(someone),
          );
        }
        const plan = comparison.plan(() => false);
        const without = planFor({ actual, desired: entries.map(written), scope });
        expect(plan.removes).toEqual([]);
        expect(sorted(idsOf(plan.adds))).toEqual(sorted(idsOf(without.adds)));
        expect(plan.kept.filter(({ code: why }) => why === 'held_back')).toHaveLength(without.removes.length);
        expect(plan.unresolvable).toEqual([
          { member: 'riddle@contoso.com', type: 'failed', code, message: 'A riddle.' },
        ]);
      }),
    );
  });

  test.each<[string, string, Exclude<TargetResolution, { type: 'found' }>]>([
    ['an id that nobody has', guidOf(77), { type: 'failed', code: 'member_not_found', message: 'Nobody.' }],
    ['a user without mailbox', 'new@contoso.com', { type: 'not_ready', code: 'no_mailbox', message: 'Not yet.' }],
    ['a protected user', 'boss@contoso.com', { type: 'failed', code: 'protected_object', message: 'No.' }],
    [
      'a kind that is no member',
      'm365@contoso.com',
      { type: 'failed', code: 'member_kind_not_allowed', message: 'No.' },
    ],
  ])('takes %s for no member: removals go on', (_what, text, resolution) => {
    const comparison = compareMembership(groupId, [text], 'users');
    comparison.see([nameOf(0), nameOf(1)]);
    comparison.resolve(text, resolution);
    const plan = comparison.plan(() => false);
    expect(idsOf(plan.removes)).toEqual([guidOf(0), guidOf(1)]);
    expect(plan.unresolvable).toEqual([{ member: text, ...resolution }]);
  });

  test('says why each member stays that is not desired', () => {
    const contact = nameOf(3);
    const boss = nameOf(1);
    const comparison = compareMembership(groupId, [], 'users');
    comparison.see([contact, boss, nameOf(2)]);
    const plan = comparison.plan(({ id }) => id === boss.id);
    expect(plan.kept).toEqual([
      {
        member: contact.mail,
        type: 'kept',
        code: null,
        message: 'Is no user (orgContact); with scope "users" only users are removed.',
      },
      {
        member: boss.mail,
        type: 'not_attempted',
        code: 'protected_object',
        message: 'Is not removed: it is listed in PROTECTED_USERS.',
      },
    ]);
    expect(plan.removes).toEqual([
      { member: nameOf(2).mail, target: { key: guidOf(2), memberId: guidOf(2), id: guidOf(2), label: nameOf(2).mail } },
    ]);
  });

  test('counts a member once whom two pages show, and once who is desired by two names', () => {
    const comparison = compareMembership(groupId, ['mail0@contoso.com', 'exchange0@contoso.com'], 'all');
    comparison.see([nameOf(0)]);
    comparison.see([nameOf(0), nameOf(1)]);
    comparison.resolve('exchange0@contoso.com', found(nameOf(0)));
    expect(comparison.plan(() => false)).toMatchObject({ actualCount: 2, unchangedCount: 1, adds: [] });
  });

  test('plans to add whom Entra does not know, once, under what the directory calls it', () => {
    const comparison = compareMembership(groupId, ['odd@contoso.com', 'odd.two@contoso.com'], 'all');
    const odd = { key: 'odd', memberId: 'odd', id: null, label: 'odd@contoso.com' };
    for (const text of comparison.leftOver()) comparison.resolve(text, { type: 'found', target: odd });
    expect(comparison.plan(() => false).adds).toEqual([{ target: odd, member: 'odd@contoso.com' }]);
  });
});

describe('the index of desired names', () => {
  const name = fc.constantFrom('Ada@x.de', 'ADA@X.DE', 'ben@x.de', 'Ben@x.de', 'cem@x.de', 'dora@x.de');

  test('knows what is left over as it was first written, in order, whoever is matched', () => {
    fc.assert(
      fc.property(fc.array(name), fc.array(fc.option(name)), (entries, names) => {
        const index = createDesiredIndex(entries);
        const lower = (text: string) => text.toLowerCase();
        const hit = names.some((each) => each !== null && entries.some((text) => lower(text) === lower(each)));
        expect(index.match(names)).toBe(hit);
        const firsts = entries.filter((text, at) => entries.findIndex((each) => lower(each) === lower(text)) === at);
        expect(index.unmatched()).toEqual(
          firsts.filter((text) => !names.some((each) => each !== null && lower(each) === lower(text))),
        );
      }),
    );
  });

  test('marks every entry that one object is called by', () => {
    const index = createDesiredIndex(['ada@x.de', 'old.ada@x.de', 'ben@x.de']);
    expect(index.match([null, 'OLD.ADA@x.de', 'Ada@x.de'])).toBe(true);
    expect(index.unmatched()).toEqual(['ben@x.de']);
  });
});
